"""A small incident that was solved, as the journal holds it: one action was in vain."""

from dataclasses import replace
from datetime import timedelta

from written import NOON, finding

from assistant.domain.action import ActionRequest, Approval, Mandate
from assistant.domain.events import (
    ActionFinished,
    ActionRequested,
    ActionStarted,
    Approved,
    Closed,
    HypothesesRanked,
    Opened,
    ReadFailed,
    ReadPerformed,
    Refused,
    ScopeSet,
    Verified,
)
from assistant.domain.incident import apply
from assistant.domain.people import FIRSTLINE, Actor, ActorKind
from assistant.domain.record import Record
from assistant.domain.recovery import Effect, Measure, Recovery
from connectors.actions import ActionCall

ANA = Actor(kind=ActorKind.HUMAN, id="U1", name="ana", team="T1")
BEN = Actor(kind=ActorKind.HUMAN, id="U2", name="ben", team="T1")
FIRST_SEQ = 101


def second(number):
    return NOON + timedelta(seconds=number)


def request(name, action, args, summary, undo=None):
    return ActionRequest(
        id=name,
        incident="INC-7",
        actuator="world",
        action=action,
        args=tuple(sorted(args.items())),
        effect="mutate",
        risk="medium",
        demo=False,
        target="service/ledger",
        state="s1",
        summary=summary,
        diff=("- version 2", "+ version 1"),
        blast="requests to ledger",
        touches=1,
        among=2,
        undo=undo,
        requested_by=ANA,
        reason="the plan says so",
        mandate=Mandate(policy="p" * 64, rule="change", approvals=1),
        code="c" * 64,
        break_glass=False,
        runbook="exception-in-new-release",
        step=1,
        undo_of=None,
        created=NOON,
        expires=second(900),
    )


IN_VAIN = request(
    "r1", "restart_instance", {"service": "ledger", "instance": "ledger-9f3"},
    "Restart ledger-9f3.",
)  # fmt: skip
HELPED = request(
    "r2", "rollback_deploy", {"service": "ledger", "change": "v2"}, "Roll ledger back to v1.",
    ActionCall(action="redeploy", args={"service": "ledger", "version": "v2"}),
)  # fmt: skip


def measured(effect, after, why):
    figures = (
        Measure(evidence="E2", what="requests to front POST /", unit="share", before=0.0,
                during=0.29, after=after, n_after=40),
    )  # fmt: skip
    return Recovery(effect=effect, why=why, measures=figures, seconds=11.0)


def seen_too_little(recovery):
    """Return the judgement with one more figure, of which it could not tell."""
    rare = Measure(evidence="E1", what="failed requests to front POST /pay", unit="share",
                   before=0.0, during=0.4, after=0.5, n_after=2)  # fmt: skip
    why = f"too little was seen to tell of {rare.what} (2 since the action)"
    return replace(recovery, why=why, measures=(*recovery.measures, rare))


STAYED = measured(Effect.NO_EFFECT, 0.3, "the symptom is as large as before the action")
WENT = measured(Effect.RECOVERED, 0.0, "every symptom that was cited is as before the incident")


def _acted(asked, began, recovery, approver=BEN):
    yield began, ANA, ActionRequested(request=asked, digest=asked.digest)
    yes = Approval(digest=asked.digest, by=approver, at=second(began + 10))
    yield began + 10, approver, Approved(request=asked.id, approval=yes)
    yield began + 10, FIRSTLINE, ActionStarted(
        request=asked.id, digest=asked.digest, at=second(began + 10)
    )  # fmt: skip
    yield began + 12, FIRSTLINE, ActionFinished(
        request=asked.id, at=second(began + 12), summary=f"Done: {asked.summary}", ref="ref-1"
    )  # fmt: skip
    yield began + 23, FIRSTLINE, Verified(request=asked.id, recovery=recovery)


def story(found=None, *, text="booking fails", solved=True, service="front"):
    """Return the records of one incident, from its alert to its end."""
    ranked = found or finding()
    happened = [
        (0, FIRSTLINE, Opened(at=NOON, text=text, service=service, source="alert")),
        (1, FIRSTLINE, ScopeSet(start=NOON - timedelta(minutes=75), end=NOON)),
        (2, FIRSTLINE, ReadPerformed(source="store", capability="spans", rows=500, seconds=0.4,
                                     complete=True, query="all", link=None)),
        (2, FIRSTLINE, ReadFailed(source="store", capability="logs", seconds=1.0,
                                  reason="The store is down.")),
        (4, FIRSTLINE, HypothesesRanked(finding=ranked, seconds=0.2)),
        *_acted(IN_VAIN, 20, STAYED),
        (50, ANA, Refused(by=ANA, tried="approve", why="nobody approves what they asked for",
                          request="r2")),
        *(_acted(HELPED, 60, WENT) if solved else ()),
        (120, ANA, Closed(by=ANA, at=second(120), reason="it is over")),
    ]  # fmt: skip
    return [
        Record(seq=FIRST_SEQ + n, id=f"id{n}", at=second(at), actor=by, incident="INC-7", event=e)
        for n, (at, by, e) in enumerate(happened)
    ]


def fold(records):
    """Return the incident as its records fold to it."""
    state = None
    for record in records:
        state = apply(state, record.event)
    return state


def renewed(found, ref, instance=None):
    """Return a finding of the same fault on another day: another change, another instance."""
    change = found.change and replace(found.change, ref=ref)
    first, *rest = found.hypotheses
    first = replace(first, instance=instance if first.instance else None)
    return replace(found, change=change, hypotheses=(first, *rest))
