"""A history in which everything that can happen does, in an order that is allowed."""

from dataclasses import replace
from datetime import timedelta

from written import NOON, PLAN, finding

from assistant.clock import Clock
from assistant.domain import events as e
from assistant.domain.action import ActionRequest, Approval, Mandate
from assistant.domain.amends import Redacted, RestoreAccepted
from assistant.domain.brake import Frozen, Thawed
from assistant.domain.memory import Draft, SimilarIncident
from assistant.domain.people import FIRSTLINE, Actor, ActorKind
from assistant.domain.recovery import Effect, Measure, Recovery
from assistant.domain.shown import Moved, PostmortemShared
from assistant.domain.steering import Steering
from connectors.actions import ActionCall

ANN = Actor(kind=ActorKind.HUMAN, id="U1", name="Ann", team="T1", simulated=True)
BEN = Actor(kind=ActorKind.HUMAN, id="U2", name="Ben", team="T1")


def request(name, **more):
    fields = {
        "incident": "INC-1",
        "actuator": "cluster",
        "action": "rollback",
        "args": (("replicas", 2), ("service", "ledger"), ("wait", True)),
        "effect": "mutate",
        "risk": "medium",
        "demo": False,
        "target": "service/ledger",
        "state": "v2",
        "summary": "Roll ledger back from v2 to v1.",
        "diff": ("- version 2", "+ version 1"),
        "blast": "all requests to ledger",
        "touches": 1,
        "among": 2,
        "undo": ActionCall(action="deploy", args={"service": "ledger", "version": "v2"}),
        "requested_by": ANN,
        "reason": "errors since v2",
        "mandate": Mandate(policy="p" * 64, rule="change", approvals=1),
        "code": "c" * 64,
        "break_glass": False,
        "runbook": "exception-in-new-release",
        "step": 1,
        "undo_of": None,
        "created": NOON,
        "expires": NOON + timedelta(minutes=15),
    }
    return ActionRequest(id=name, **{**fields, **more})


def asked(name):
    made = request(name)
    return e.ActionRequested(request=made, digest=made.digest)


def approved(name):
    approval = Approval(digest=request(name).digest, by=BEN, at=NOON)
    return e.Approved(request=name, approval=approval)


def started(name):
    return e.ActionStarted(request=name, digest=request(name).digest, at=NOON)


def done(name):
    return e.ActionFinished(request=name, at=NOON, summary="ledger runs v1.", ref="v1")


RECOVERY = Recovery(
    effect=Effect.RECOVERED,
    why="errors are as before",
    measures=(
        Measure(evidence="E1", what="errors", unit="share", before=0.0, during=0.3, after=None,
                n_after=120),
    ),
    seconds=41.5,
)  # fmt: skip
SIMILAR = SimilarIncident(
    incident="INC-0", title="ledger fails", at=NOON, score=0.8, same=("the same service",),
    differed=(), action="rollback", runbook=None, seconds=300.0,
)  # fmt: skip
DRAFT = Draft(runbook="ledger-errors", markdown="# ledger", digest="d" * 64, provenance=((1, 2),))
TOLD = Steering(ruled_out=("front",), since=NOON, said=("not front",))

HISTORY = (
    e.Opened(at=NOON, text="booking fails", service="front", horizon=NOON, fingerprint="f1"),
    e.ScopeSet(start=NOON - timedelta(minutes=75), end=NOON),
    e.ReadPerformed(source="store", capability="spans", rows=1500, seconds=0.4, complete=False,
                    query="all", link="https://store.example/q"),
    e.ReadFailed(source="store", capability="logs", seconds=1.0, reason="The store is down."),
    e.HypothesesRanked(finding=finding(), seconds=0.2),
    e.Recalled(similar=(SIMILAR,), seconds=0.1),
    e.PlanProposed(plan=PLAN, seconds=0.1),
    e.RecallFailed(reason="the index is locked"),
    e.AlertJoined(at=NOON, text="booking is slow", service=None, fingerprint="f2"),
    e.AlertResolved(at=NOON, fingerprint="f2"),
    e.Steered(by=ANN, text="not front", steering=TOLD),
    e.Stopped(by=ANN, at=NOON), e.WentOn(by=BEN),
    Moved(by=ANN, place="C2", shown="#inc-001-booking-fails"),
    e.CauseCorrected(by=BEN, service="ledger", text="its cache was full"),
    e.Rated(by=BEN, good=False),
    e.Absorbed(by=ANN, other="INC-2"),
    e.SplitOff(by=ANN, other="INC-3", text="the mail is late"),
    e.PolicyDecided(
        stage="asked", action="rollback", target="service/ledger", decision="approval",
        rule="change", why="the rule 'change' wants the yes of one person", needed=1, group=None,
        policy="p" * 64, facts="f" * 64, failed=False,
    ),
    asked("run"), approved("run"), started("run"), done("run"),
    e.Verified(request="run", recovery=RECOVERY),
    asked("denied"), e.Denied(request="denied", by=BEN, reason="too early"),
    asked("late"), e.Expired(request="late", at=NOON),
    asked("stale"), e.WentStale(request="stale", why="v3 is out"),
    asked("failed"), approved("failed"), started("failed"),
    e.ActionFailed(request="failed", why="it was refused"),
    asked("lost"), approved("lost"), started("lost"),
    e.ActionUnknown(request="lost", why="the connection broke"),
    e.ActionFinished(request="lost", at=NOON, summary="It was done.", ref=None, how="probe"),
    e.Refused(by=BEN, tried="approve", why="not an approver", request="late"),
    e.Closed(by=ANN, at=NOON, reason="resolved"),
    e.Reopened(by=BEN, at=NOON, reason="errors again"),
    e.Closed(by=ANN, at=NOON, reason="resolved"),
    e.PostmortemWritten(markdown="# What happened\n"),
    PostmortemShared(by=ANN, markdown="# What happened\n", upto=40, left_out=(3, 4)),
    PostmortemShared(by=ANN, markdown="# What happened\n", upto=40, left_out=()),
    e.RunbookDrafted(draft=replace(DRAFT, digest="c" * 64)),
    e.RunbookRejected(digest="c" * 64, by=BEN, reason="too long"),
    e.RunbookDrafted(draft=DRAFT),
    e.RunbookAccepted(digest=DRAFT.digest, by=ANN),
    e.Remembered(runbook=DRAFT.runbook),
    e.MergedInto(by=ANN, other="INC-4"),
)  # fmt: skip
DESK = (Frozen(by=ANN, reason="a release", said=NOON), Thawed(by=ANN))
REDACTED = Redacted(by=ANN, reason="they asked", incident="INC-9", seqs=(1, 2), note="n")
RESTORED = RestoreAccepted(
    by=ANN, reason="the disk broke", origin="o", size=3, root="0" * 64, note="n"
)


class Ticking(Clock):
    """A clock that is set by hand: `steps` are seconds after noon, the last one for ever."""

    def __init__(self, *steps):
        self.steps = list(steps or (0,))

    def now(self):
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return NOON + timedelta(seconds=step)

    def monotonic(self):
        return 0.0


def happen(journal, history=HISTORY, incident="INC-1"):
    """Append a history the way the service does, each start with its intent."""
    written = []
    for event in history:
        intent = (event.request, event.digest) if isinstance(event, e.ActionStarted) else None
        actor = getattr(event, "by", FIRSTLINE)
        written += journal.append(incident, actor, [event], intent=intent)
    return written
