"""Every kind of message and view that firstline shows, each in each of its states: a line each.

The name is that of the file in tests/golden. A message is its text and blocks, a view is itself.
"""

from datetime import timedelta

from acting import ASKED, BEN, REQUEST, done, request, started
from recalled import DRAFT, SIMILAR
from slackdesk import LOOKS
from written import NOON, PLAN, finding, grown, incident

from assistant.domain import events as e
from assistant.domain.action import Status
from assistant.domain.hypothesis import Verdict
from assistant.domain.incident import apply
from assistant.domain.recovery import Effect
from assistant.domain.steering import Steering
from assistant.slack.app import FAILED
from assistant.slack.blocks.home import home, status_lines
from assistant.slack.intents import HELP
from assistant.slack.letters import letters
from assistant.slack.listeners.pressing import NO_LONGER_VALID, _form
from assistant.slack.places import Place
from assistant.slack.text import escape


def sent(slot, *events, state=None):
    """Return the message in this slot, after what happened."""
    place = Place(channel="C1", thread="1.0")
    after = grown(*events, state=state)
    made = letters("INC-1", after, place, LOOKS, lambda command: f"a {type(command).__name__}")
    (one,) = (letter for letter in made if letter.slot == f"INC-1/{slot}")
    return {"text": one.text, "blocks": list(one.blocks)}


def whispered(text):
    return {"text": escape(text), "blocks": []}


def answered(verdict, **more):
    return incident(finding(verdict, **more), plan=PLAN if verdict is Verdict.LIKELY else None)


NOTHING = {"hypotheses": (), "change": None, "ruled_out": (), "innocent_changes": ()}
OPENED = e.Opened(at=NOON, text="booking fails", service="front")
READ = e.ReadPerformed(
    source="store", capability="spans", rows=5, seconds=0.1, complete=True, query="all",
    link="https://traces.example/x",
)  # fmt: skip
MISSED = e.ReadFailed(source="logs", capability="logs", seconds=1.0, reason="The store is down.")
STEERED = e.Steered(by=BEN, text="not front", steering=Steering(said=("front is not blamed",)))
JOINED = e.AlertJoined(at=NOON, text="booking is slow", service=None, fingerprint="f1")
ENDED = e.AlertResolved(at=NOON + timedelta(minutes=5), fingerprint="f1")
CLOSED = e.Closed(by=BEN, at=NOON + timedelta(minutes=9), reason="resolved")
TOLD = e.PostmortemWritten(markdown="# What happened\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
DRAFTED = (CLOSED, TOLD, e.RunbookDrafted(draft=DRAFT))
ACCEPTED = e.RunbookAccepted(digest=DRAFT.digest, by=BEN)
UNDO = request(id="r-2", undo_of="r-1", undo=None)
LOCKED = e.ActionFailed(request="r-2", why="it is locked.")
REQUESTED = {
    Status.PENDING: (ASKED,),
    Status.APPROVED: started(REQUEST)[:2],
    Status.DENIED: (ASKED, e.Denied(request="r-1", by=BEN, reason="not now")),
    Status.EXPIRED: (ASKED, e.Expired(request="r-1", at=NOON + timedelta(minutes=15))),
    Status.STALE: (ASKED, e.WentStale(request="r-1", why="v3 is out")),
    Status.STARTED: started(REQUEST),
    Status.UNKNOWN: (*started(REQUEST), e.ActionUnknown(request="r-1", why="the line broke.")),
    Status.FAILED: (*started(REQUEST), e.ActionFailed(request="r-1", why="it is locked.")),
    Status.FINISHED: done()[:-1],
    Status.VERIFIED: done(),
}
SHOWCASE = {
    "card-progress": lambda: sent("card", READ, MISSED, state=apply(None, OPENED)),
    "card-likely": lambda: sent("card", state=answered(Verdict.LIKELY)),
    "card-possible": lambda: sent("card", state=answered(Verdict.POSSIBLE)),
    "card-not_determined": lambda: sent("card", state=answered(Verdict.NOT_DETERMINED, **NOTHING)),
    "card-healthy": lambda: sent("card", state=answered(Verdict.HEALTHY, **NOTHING)),
    "card-steered": lambda: sent("card", STEERED),
    "card-alert-ended": lambda: sent("card", JOINED, ENDED),
    "card-closed": lambda: sent("card", *done(), CLOSED),
    "answer": lambda: sent("answer/1", STEERED),
    "similar": lambda: sent("similar", e.Recalled(similar=(SIMILAR,), seconds=0.1)),
    **{f"request-{s}": lambda s=s: sent("request/r-1", *REQUESTED[s]) for s in REQUESTED},
    **{f"recovery-{f}": lambda f=f: sent("recovery/r-1", *done(f)) for f in Effect},
    "request-undo-offered": lambda: sent("request/r-1", *done(Effect.WORSE)),
    "alarm": lambda: sent("alarm/r-2", *done(Effect.WORSE), *started(UNDO), LOCKED),
    "postmortem": lambda: sent("postmortem", CLOSED, TOLD),
    "draft": lambda: sent("draft", *DRAFTED),
    "draft-accepted": lambda: sent("draft", *DRAFTED, ACCEPTED),
    "view-reject": lambda: _form("a token"),
    "view-home": lambda: home({"INC-1": grown(ASKED), "INC-2": apply(None, OPENED)}),
    "view-home-empty": lambda: home({}),
    "whisper-failed": lambda: whispered(FAILED),
    "whisper-stale": lambda: whispered(NO_LONGER_VALID),
    "whisper-help": lambda: whispered(HELP),
    "whisper-status": lambda: whispered(status_lines({"INC-1": grown(ASKED)})),
}  # fmt: skip
