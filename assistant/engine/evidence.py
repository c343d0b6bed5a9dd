"""Evidence records: the numbered facts that everything printed afterwards must cite."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from assistant.domain.evidence import Evidence, Stance, Subject
from assistant.engine.changes import Judged
from assistant.engine.explain import Cleared
from assistant.engine.question import Question
from assistant.engine.scope import Scope
from assistant.engine.shift import Shift
from assistant.engine.windows import INCIDENT, from_us
from assistant.engine.wording import cleared as cleared_sentence
from assistant.engine.wording import statement

EXEMPLARS = 3
MEASURED = ("resource_saturation", "metric_latency", "metric_errors")
IN_LOGS = ("error_lines", "new_template", "template_shift", "lines_fewer")
LASTING = ("self_time_shift", "edge_gap_shift", "symptom_latency", "symptom_tail")


@dataclass(slots=True)
class Ledger:
    """Hands out ids in the order in which facts are entered; the same fact is entered once."""

    spans: pl.DataFrame
    records: list[Evidence] = field(default_factory=list)
    _known: dict[object, str] = field(default_factory=dict)

    def shift(self, shift: Shift, stance: Stance) -> str:
        """Enter what a test measured; returns its id."""
        key = (shift.kind, shift.service, shift.operation, shift.peer, shift.instance, shift.detail)
        if key in self._known:
            return self._known[key]
        first, examples = self._examples(shift)
        resource = shift.kind in MEASURED
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
                first_seen=from_us(first) if first is not None else None,
                exemplars=examples,
                source="metrics"
                if resource or shift.kind == "symptom_metric"
                else "logs"
                if shift.kind in IN_LOGS
                else "traces",
            ),
        )

    def contrast(self, service: str, scope: Scope) -> str:
        """Enter that one instance carries the effect while its siblings do not."""
        text = (
            f"{scope.instance} carries {scope.share * 100:.0f} % of the effect in {service}; "
            f"{scope.siblings} other instance{'s are' if scope.siblings > 1 else ' is'} as before"
        )
        return self._plain(
            "peer_contrast", service, text, Stance.FOR, instance=scope.instance, after=scope.share
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
            ),
        )

    def _enter(self, key: object, record: Evidence) -> str:
        self._known[key] = record.id
        self.records.append(record)
        return record.id

    def _next(self) -> str:
        return f"E{len(self.records) + 1}"

    def _examples(self, shift: Shift) -> tuple[int | None, tuple[str, ...]]:
        """Return the first moment (µs) and up to three trace ids that show a shift."""
        mine = self.spans.filter(
            (pl.col("bucket") == INCIDENT)
            & (pl.col("service") == shift.service)
            & (pl.col("name") == (shift.operation or ""))
        )
        if shift.kind in ("error_origin", "symptom_errors"):
            shown = mine.filter("origin" if shift.kind == "error_origin" else "failed").sort(
                ["us", "trace_id"]
            )
        elif shift.kind in LASTING:
            value = "dur_us" if shift.kind.startswith("symptom") else "self_ms"
            shown = mine.sort([value, "trace_id"], descending=[True, False])
        else:
            return None, ()
        if shown.is_empty():
            return None, ()
        first = shown.head(EXEMPLARS).get_column("us").min()
        ids: Sequence[str] = shown.get_column("trace_id").unique(maintain_order=True).to_list()
        return int(first) if isinstance(first, int) else None, tuple(ids[:EXEMPLARS])


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
