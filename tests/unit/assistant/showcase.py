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
from assistant.domain.shown import PostmortemShared
from assistant.domain.steering import Steering
from assistant.requests_view import request_view
from assistant.slack.app import FAILED
from assistant.slack.blocks.evidence import evidence_modal
from assistant.slack.blocks.feedback import cause_form
from assistant.slack.blocks.forms import declare_form, reason_form
from assistant.slack.blocks.home import HomeView, Waiting, home, status_lines
from assistant.slack.blocks.pieces import Pressed
from assistant.slack.blocks.plan import plan_modal
from assistant.slack.blocks.preview import preview, preview_form
from assistant.slack.blocks.review import review_modal
from assistant.slack.intents import HELP
from assistant.slack.letters import letters
from assistant.slack.listeners.pressing import NO_LONGER_VALID
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


def reviewed():
    """Return a request that waits, as it is shown and as it is."""
    (tracked,) = grown(ASKED).requests.values()
    return request_view(tracked, "@sre"), tracked


def at_home(state):
    """Return what ben sees who may decide on what waits, null: where nothing goes on."""
    waits = state is not None
    shown = reviewed()[0] if waits else None
    yes = [Pressed(button=b, token=b.label) for b in shown.buttons] if waits else []
    return HomeView(
        incidents={"INC-1": state, "INC-2": apply(None, OPENED)} if waits else {},
        links={"INC-1": "https://traces.example/card"} if waits else {},
        mine=(Waiting(incident="INC-1", view=shown, pressed=tuple(yes)),) if waits else (),
        others=("INC-2: one waits for somebody else",) if waits else (),
        audit=("7 records, head abc…, chain OK",),
    )


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
CORRECTED = e.CauseCorrected(by=BEN, service="ledger", text="its cache was full")
SHARED = PostmortemShared(by=BEN, markdown="# What happened", upto=9, left_out=(2,))
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
    "corrected": lambda: sent("corrected/1", CORRECTED),
    "shared": lambda: sent("shared/1", CLOSED, TOLD, SHARED),
    "postmortem": lambda: sent("postmortem", CLOSED, TOLD),
    "draft": lambda: sent("draft", *DRAFTED),
    "draft-accepted": lambda: sent("draft", *DRAFTED, ACCEPTED),
    "view-reject": lambda: reason_form("a token"),
    "view-declare": lambda: declare_form("a token", channels=True),
    "view-evidence": lambda: evidence_modal("INC-1", grown(), 0, LOOKS.hosts, []),
    "view-plan": lambda: plan_modal("INC-1", grown(), None, {}, approvers="@sre", told=""),
    "view-review": lambda: review_modal(*reviewed(), "a token", "Type the target's name."),
    "view-cause": lambda: cause_form("INC-1", ["front", "ledger"], "a token"),
    "view-preview": lambda: preview_form("a token", "INC-1", preview([(1, "ana asked")])),
    "view-home": lambda: home(at_home(grown(ASKED))),
    "view-home-empty": lambda: home(at_home(None)),
    "whisper-failed": lambda: whispered(FAILED),
    "whisper-stale": lambda: whispered(NO_LONGER_VALID),
    "whisper-help": lambda: whispered(HELP),
    "whisper-status": lambda: whispered(status_lines({"INC-1": grown(ASKED)})),
}  # fmt: skip
