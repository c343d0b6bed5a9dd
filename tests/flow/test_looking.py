"""When it is looked: at once for a person, and once more where that names no cause yet."""

from dataclasses import replace

import pytest
from desk import TIMING, Desk
from world import World

from assistant import flow
from assistant.domain.events import HypothesesRanked, Opened, ReadPerformed, ScopeSet
from assistant.domain.hypothesis import Verdict
from assistant.domain.incident import Incident, apply
from assistant.flow import Sources

# The clock of the world goes on by a second whenever it is read: one look is early, two are not.
PATIENCE = replace(TIMING, look_after_s=1.01)


class Late(World):
    """Nothing of the trouble has arrived when it is looked first."""

    looks = 0

    async def fetch(self, ask):
        self.looks += 1
        broken = self.broken
        self.broken = [] if self.looks == 1 else broken
        async for page in super().fetch(ask):
            yield page
        self.broken = broken


async def looked(kind, **opened):
    """Return the events of a look by somebody who noticed just now."""
    desk = Desk(kind=kind)
    sources = Sources(connectors={"world": desk.world}, clock=desk.clock, timing=PATIENCE)
    told = Opened(at=desk.clock.at, text="front is slow", service="front", **opened)
    return [event async for event in flow.investigate("INC-1", Incident(opened=told), sources)]


async def test_a_question_with_a_cause_to_be_seen_is_answered_by_the_first_look():
    events = await looked(World)
    assert [type(event) for event in events] == [ScopeSet, ReadPerformed, HypothesesRanked]
    assert events[-1].finding.hypotheses[0].service == "back"


async def test_where_the_first_look_names_no_cause_it_is_looked_once_more():
    events = await looked(Late)
    both = [ScopeSet, ReadPerformed]
    assert [type(event) for event in events] == [*both, *both, HypothesesRanked]
    assert events[0].end < events[2].end
    assert events[-1].finding.hypotheses[0].service == "back"
    state = None
    for event in (Opened(at=events[0].end, text="slow", service="front"), *events):
        state = apply(state, event)
    assert len(state.reads) == 1  # what the answer stands on, and not what was read before


@pytest.mark.parametrize("opened", [{"source": "alert"}, {"horizon": "now"}])
async def test_an_alert_and_a_question_about_the_past_are_looked_at_once(opened):
    if "horizon" in opened:
        opened = {"horizon": Desk().clock.at}
    events = await looked(Late, **opened)
    assert [type(event) for event in events] == [ScopeSet, ReadPerformed, HypothesesRanked]
    assert events[-1].finding.verdict not in (Verdict.LIKELY, Verdict.POSSIBLE)
