"""The Slack of every test, judged at its end: by our rules, and by judges from outside.

    async with judged() as slack:
        ...

What a test breaks on purpose it says by the name of the rule, or of the judge, and then it must be
broken. This is the only place in the tests that starts a `LocalSlack` (tests/architecture); one in
a process of its own leaves its verdict in a file (`left`).
"""

import json
from contextlib import asynccontextmanager

from judges.panel import JUDGES, objections

from assistant.clock import SystemClock
from assistant.slack.local.cast import demo_workspace
from assistant.slack.local.deliveries import Timing
from assistant.slack.local.rules import RULES
from assistant.slack.local.shown import shown
from assistant.slack.local.slack import LocalSlack
from assistant.slack.manifest import SCOPES

ACK_S = 20.0  # Slack waits for 3 s, and a busy machine may take as long over anything; see bench/
BURST = 2  # an answer and a note may come together; after that one a second


class Broken(AssertionError):
    """A rule was broken, or a judge would refuse something that was shown."""


@asynccontextmanager
async def judged(
    workspace=None, clock=None, *, hosts=(), burst=BURST, breaks=(), excused=(), **more
):
    """A Slack whose app must break no rule but those that `breaks` names, and must break these.

    `burst` is null where the app under test keeps no pace. `excused` are rules that chance may
    break, as where the app is killed. `more` are the scopes and the timing, if not the app's own
    and one that is patient with the machine.
    """
    settings = {"scopes": SCOPES, "timing": Timing(ack=ACK_S), **more}
    around = (workspace or demo_workspace(), clock or SystemClock())
    async with LocalSlack(*around, **settings) as slack:
        yield slack
        if wrong := _wrong(slack, hosts, burst, breaks, excused):
            raise Broken("\n".join(wrong))


@asynccontextmanager
async def left(file, workspace, clock, **settings):
    """A Slack whose verdict is in this file once it has ended, whatever ended it: a list in JSON.

    Until then, and where it was killed, the file is empty.
    """
    file.touch()
    async with LocalSlack(workspace, clock, **settings) as slack:
        try:
            yield slack
        finally:
            file.write_text(json.dumps(_wrong(slack)))


def _wrong(slack, hosts=(), burst=BURST, breaks=(), excused=()):
    """Return a sentence for whatever was broken but the named rules, or not broken of these."""
    found = {
        name: slack.broken_rules(burst=burst, hosts=hosts, rules=[name]) for name in RULES
    } | _judged(slack)
    kept = [name for name in breaks if not found[name]]
    named = {*breaks, *excused}
    wrong = [said for name, told in found.items() if name not in named for said in told]
    return wrong + [
        f"This test says that it breaks the rule {name}, and does not." for name in kept
    ]


def _judged(slack):
    said = [sentence for one in shown(slack.office) for sentence in objections(one)]
    return {name: [s for s in said if s.startswith(f"{name}: ")] for name in JUDGES} | {
        "unknown": [s for s in said if s.partition(": ")[0] not in JUDGES]
    }
