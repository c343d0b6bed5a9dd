"""What firstline shows is what was looked at once, and what every judge takes."""

import pytest
from goldenfiles import GOLDEN, difference, pretty, same
from happened import HISTORY
from judges.panel import check, objections, schema
from showcase import SHOWCASE
from slackdesk import LOOKS, Rig
from slackrig import judged

from assistant.domain.action import Status
from assistant.domain.hypothesis import Verdict
from assistant.domain.incident import apply
from assistant.domain.recovery import Effect
from assistant.journal.checkpoint import Checkpoint
from assistant.slack.alarm import Alarm
from assistant.slack.check import Surface
from assistant.slack.letters import letters
from assistant.slack.local.shown import Shown, shown
from assistant.slack.notes import Notes
from assistant.slack.places import Place, Places

BESIDE = {"judges.txt", "past-outbox.json"}


def as_shown(name, made):
    if name.startswith("view-"):
        surface = Surface.HOME if made["type"] == "home" else Surface.MODAL
        method = "views.publish" if made["type"] == "home" else "views.open"
        return Shown(method=method, channel="", surface=surface, blocks=made["blocks"], view=made)
    method = "chat.postEphemeral" if name.startswith("whisper-") else "chat.postMessage"
    fields = {"blocks": made["blocks"], "texts": (made["text"],)}
    return Shown(method=method, channel="C1", surface=Surface.MESSAGE, **fields)


@pytest.mark.parametrize("name", SHOWCASE)
def test_what_is_shown_is_golden(name):
    same(f"{name}.json", pretty(SHOWCASE[name]()))


@pytest.mark.parametrize("name", SHOWCASE)
def test_every_judge_takes_what_is_golden(name):
    assert list(objections(as_shown(name, SHOWCASE[name]()))) == []


def test_the_golden_files_are_those_of_the_showcase():
    assert {path.name for path in GOLDEN.iterdir()} - BESIDE == {f"{n}.json" for n in SHOWCASE}


def test_every_kind_of_message_in_each_of_its_states_is_in_the_showcase():
    kinds, state = set(), None
    for event in HISTORY:
        state = apply(state, event)
        made = letters("INC-1", state, Place(channel="C1"), LOOKS, lambda _: "token")
        kinds |= {letter.slot.split("/")[1] for letter in made}
    assert kinds <= {name.partition("-")[0] for name in SHOWCASE}
    each = {"card": Verdict, "request": Status, "recovery": Effect}
    states = {f"{kind}-{one}" for kind, every in each.items() for one in every}
    assert states <= set(SHOWCASE)


async def test_what_goes_past_the_outbox_is_golden():
    async with judged() as slack:
        rig = Rig(slack, channel=slack.workspace.channel_named("incidents").id)
        await rig.desk.happen("INC-1", HISTORY[0])
        places = Places(rig.desk, rig.tables.messages, rig.home)
        await Alarm(rig.client, rig.desk, places).raised("INC-1", "the disk is full: <!here>")
        notes = Notes(rig.client, rig.home)
        async with notes.posted():
            notes.put(Checkpoint(origin="o", size=3, root=b"\0" * 32), "a & signed note")
        same("past-outbox.json", pretty([one.texts for one in shown(slack.office)]))


def spoil(part):
    """Yield the message with each of its objects spoiled in turn."""
    if isinstance(part, dict):
        yield {**part, "sparkles": True}
        for name, inner in part.items():
            yield from ({**part, name: spoiled} for spoiled in spoil(inner))
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            for spoiled in spoil(inner):
                yield [*part[:number], spoiled, *part[number + 1 :]]


@pytest.mark.parametrize("name", ["card-likely", "request-pending", "draft", "view-home"])
def test_a_message_that_is_spoiled_anywhere_is_refused_by_us_and_by_slacks_types(name):
    blocks = SHOWCASE[name]()["blocks"]
    made = [as_shown(name, {**SHOWCASE[name](), "blocks": bad}) for bad in spoil(blocks)]
    assert len(made) > 10
    assert [one.blocks for one in made if not (any(check(one)) and any(schema(one)))] == []


def test_a_difference_is_told_as_a_diff_and_written_when_asked_to(tmp_path):
    assert difference("one.json", pretty({"a": 1}), tmp_path, update=True) == ""
    told = difference("one.json", pretty({"a": 2}), tmp_path, update=False)
    assert '- "a": 1'.replace(" ", "") in told.replace(" ", "")
    assert difference("one.json", pretty({"a": 1}), tmp_path, update=False) == ""
