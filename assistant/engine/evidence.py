"""Evidence records: the numbered facts that everything printed afterwards must cite."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from assistant.domain.evidence import Evidence, Stance, Subject
from assistant.domain.hypothesis import RuledOut
from assistant.engine.changes import Judged
from assistant.engine.errors import FAILED, Named
from assistant.engine.examples import IN_LOGS, MEASURED, Seen, examples, written
from assistant.engine.explain import Cleared, Suspect
from assistant.engine.question import Question
from assistant.engine.scope import Scope
from assistant.engine.shift import Shift
from assistant.engine.windows import from_us, to_us
from assistant.engine.wording import cleared as cleared_sentence
from assistant.engine.wording import number, statement
from connectors.api import Change

CLEARED_SHOWN = 4


@dataclass(slots=True)
class Ledger:
    """Hands out ids in the order in which facts are entered; the same fact is entered once."""

    seen: Seen
    records: list[Evidence] = field(default_factory=list)
    _known: dict[object, str] = field(default_factory=dict)

    def shift(self, shift: Shift, stance: Stance) -> str:
        """Enter what a test measured; returns its id."""
        key = (shift.kind, shift.service, shift.operation, shift.peer, shift.instance, shift.detail)
        if key in self._known:
            return self._again(self._known[key], stance)
        found = examples(shift, self.seen)
        resource = shift.kind in MEASURED and shift.kind != "symptom_metric"
        return self._enter(
            key,
            Evidence(
                id=self._next(),
                kind=shift.kind,
                subject=Subject(
                    service=shift.service,
                    operation=None if resource else shift.operation,
                    instance=shift.instance,
                    peer=shift.peer,
                ),
                stance=stance,
                statement=statement(shift),
                metric=shift.detail or shift.kind,
                unit=shift.unit,
                before=_rounded(shift.before),
                after=_rounded(shift.after),
                n_before=shift.n0,
                n_after=shift.n1,
                strength=round(min(1.0, shift.strength), 4),
                first_seen=from_us(found.first_us) if found.first_us is not None else None,
                exemplars=found.shown,
                source=_source(shift.kind),
            ),
        )

    def contrasts(self, service: str, scope: Scope) -> list[str]:
        """Enter that one instance or version carries the effect while the others do not."""
        parts: list[tuple[str, str | None, float, int, str]] = []
        if scope.instance and scope.siblings:
            parts.append((scope.instance, scope.instance, scope.share, scope.siblings, "instance"))
        if scope.version:
            name = f"version {scope.version}"
            parts.append((name, None, scope.version_share, scope.versions, "version"))
        return [
            self._plain(
                "peer_contrast",
                service,
                f"{name} carries {share * 100:.0f} % of the effect in {service}, "
                f"{others} other {kind}{'s' if others > 1 else ''} the rest",
                Stance.FOR,
                instance=instance,
                after=share,
            )
            for name, instance, share, others, kind in parts
        ]

    def event(self, event: Change, service: str, onset_us: int) -> str:
        """Enter what Kubernetes told of a component in trouble."""
        lag = (to_us(event.at) - onset_us) / 1e6
        when = f"{abs(lag):.0f} s {'after' if lag > 0 else 'before'} the onset"
        what = event.ref if event.summary in event.ref else f"{event.ref} ({event.summary})"
        text = f"Kubernetes told of {service} at {event.at:%H:%M:%S}, {when}: {what}"
        return self._plain(
            "k8s_event", service, text, Stance.FOR, metric=event.ref, source="changes"
        )

    def complaint(self, complainer: str, at: str, told: Named) -> str:
        """Enter that the error lines of one component name another."""
        before, after = (
            n / max(1, of)
            for n, of in ((told.before, told.all_before), (told.during, told.all_during))
        )
        move = f"{number(before, 'share')} → {number(after, 'share')}"
        text = f"{told.during} error lines of {complainer} name {at} ({move} of its lines)"
        key = ("complaint", at, text)
        if key in self._known:
            return self._known[key]
        wrong = self.seen.logs.filter(
            (pl.col("service") == complainer)
            & pl.col("severity").is_in(FAILED)
            & pl.col("body").str.contains(at, literal=True)
        )
        found = written(wrong.sort("us", "body"))
        return self._enter(
            key,
            Evidence(
                id=self._next(),
                kind="complaint",
                subject=Subject(service=at),
                stance=Stance.FOR,
                statement=text,
                metric="complaint",
                unit="share",
                before=_rounded(before),
                after=_rounded(after),
                n_before=told.all_before,
                n_after=told.all_during,
                strength=0.0,
                first_seen=from_us(found.first_us) if found.first_us is not None else None,
                exemplars=found.shown,
                source="logs",
            ),
        )

    def change(self, judged: Judged, service: str) -> str:
        """Enter a change and why it is or is not to blame."""
        change = judged.change
        stance = Stance.FOR if judged.blamed else Stance.CONTEXT
        what = change.ref if change.ref.startswith(change.kind) else f"{change.kind} {change.ref}"
        text = f"{what} ({change.summary}) at {change.at:%H:%M:%S}: {judged.why}"
        return self._plain(
            "change_event",
            change.target or service,
            text,
            stance,
            metric=change.ref,
            after=judged.ratio,
            source="changes",
        )

    def no_change(self, service: str, looked: int) -> str:
        """Enter that the changes were read and none explains the fault."""
        found = f"none of the {looked} recorded changes explains"
        if looked <= 1:
            found = "the one recorded change does not explain" if looked else "no change explains"
        text = f"{found} {service}"
        return self._plain("no_change", service, text, Stance.CONTEXT, source="changes")

    def told(self, question: Question) -> None:
        """Enter what a person said: it is evidence of what was left out, not of the cause."""
        for name in question.ruled_out:
            self._plain("told", name, f"{name} is not considered: a person said so", Stance.CONTEXT)
        for ref in question.ignored:
            text = f"change {ref} is not considered: a person said so"
            self._plain("told", question.service or ref, text, Stance.CONTEXT, metric=ref)

    def ruled_out(self, record: Cleared) -> str:
        """Enter that a component was cleared."""
        return self._plain(
            "ruled_out",
            record.service,
            cleared_sentence(record),
            Stance.AGAINST,
            before=_rounded(record.was),
            after=_rounded(record.left),
        )

    def _plain(  # noqa: PLR0913 — one keyword per field that differs between plain facts
        self,
        kind: str,
        service: str,
        text: str,
        stance: Stance,
        *,
        instance: str | None = None,
        metric: str = "",
        before: float | None = None,
        after: float | None = None,
        source: str = "engine",
        exemplars: tuple[str, ...] = (),
    ) -> str:
        key = (kind, service, text)
        if key in self._known:
            return self._known[key]
        return self._enter(
            key,
            Evidence(
                id=self._next(),
                kind=kind,
                subject=Subject(service=service, instance=instance),
                stance=stance,
                statement=text,
                metric=metric or kind,
                unit="",
                before=before,
                after=None if after is None else _rounded(after),
                n_before=0,
                n_after=0,
                strength=0.0,
                source=source,
                exemplars=exemplars,
            ),
        )

    def _enter(self, key: object, record: Evidence) -> str:
        self._known[key] = record.id
        self.records.append(record)
        return record.id

    def _again(self, record_id: str, stance: Stance) -> str:
        """What users noticed may speak for the cause as well."""
        place = int(record_id.removeprefix("E")) - 1
        if stance is Stance.FOR and self.records[place].stance is Stance.CONTEXT:
            self.records[place] = replace(self.records[place], stance=stance)
        return record_id

    def _next(self) -> str:
        return f"E{len(self.records) + 1}"


def ruled_out(
    ranked: Sequence[tuple[float, Suspect]],
    question: Question,
    components: Container[str],
    ledger: Ledger,
) -> tuple[RuledOut, ...]:
    """Say who was suspected and cleared; always the runner-up, and the alerted service."""
    (top_score, top), *others = ranked
    records = [c for _, s in ranked for c in s.cleared if c.service != top.service]
    told = {top.service, *(r.service for r in records)}
    for score, suspect in others[:1]:
        if suspect.service not in told:
            records.append(Cleared(suspect.service, "weaker", top.service, top_score, score))
            told.add(suspect.service)
    alerted = question.service
    if alerted and alerted not in told and alerted in components:
        records.append(Cleared(alerted, "symptom_only", top.service, top_score, 0.0))
    due = {alerted, *(s.service for _, s in others[:1])}
    records.sort(key=lambda r: (r.service not in due, -r.was, r.service))
    shown = sorted(records[:CLEARED_SHOWN], key=lambda r: (-r.was, r.service))
    return tuple(
        RuledOut(
            service=r.service,
            reason=r.reason,
            why=cleared_sentence(r),
            evidence=ledger.ruled_out(r),
        )
        for r in shown
    )


def _source(kind: str) -> str:
    return "metrics" if kind in MEASURED else "logs" if kind in IN_LOGS else "traces"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
