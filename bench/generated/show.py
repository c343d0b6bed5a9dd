"""The figures of a run for people and for scripts, and every case that went wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from assistant.domain.hypothesis import NAMED
from assistant.evaluate.figures import Figures, by, figures, rank
from assistant.evaluate.report import report, show
from bench.generated.judge import Judged

# What docs and issues promise; the last one is an upper bound.
BARS = {"ac1": 0.90, "change_accuracy": 0.85, "kept": 0.95}
FALSE_VERDICTS = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A set of seeds that is reported on its own."""

    title: str
    faulty: tuple[Judged, ...]
    healthy: tuple[Judged, ...]

    @property
    def false_verdicts(self) -> tuple[Judged, ...]:
        """The healthy ones of which somebody was blamed."""
        return tuple(j for j in self.healthy if j.outcome.finding.verdict in NAMED)

    @property
    def abstained(self) -> tuple[int, int]:
        """(healthy ones in which nobody was blamed, healthy ones)."""
        return len(self.healthy) - len(self.false_verdicts), len(self.healthy)


def as_json(block: Block) -> dict[str, object]:
    """Return the figures and all cases, as `--json` writes them."""
    quiet = [j.outcome for j in block.healthy]
    return {
        **report([j.outcome for j in block.faulty], block.abstained),
        "title": block.title,
        "by_dirt": _groups(block.faulty, by_dirt=True),
        "by_alert": _groups(block.faulty, by_dirt=False),
        "false_verdicts": len(block.false_verdicts),
        "healthy": report(quiet, (0, 0))["cases"],
        "wrong": [line(j) for j in wrong(block)],
    }


def print_block(block: Block, console: Console) -> None:
    """Print the tables, the figures that have a bar, and a line for each wrong case."""
    console.print(f"\n[bold]{block.title}[/bold]")
    outcomes = [j.outcome for j in block.faulty]
    if outcomes:
        show(outcomes, block.abstained, console)
        _print_groups(block, console)
        overall = figures(outcomes, block.abstained)
        for name, bar in BARS.items():
            console.print(f"{name} {overall[name]:.3f} (wanted: {bar:.2f} or more)")
    asked = len(block.healthy)
    if asked:
        blamed = len(block.false_verdicts)
        console.print(
            f"false verdicts on healthy {blamed} of {asked} ({blamed / asked:.1%},"
            f" wanted: {FALSE_VERDICTS:.0%} or less)"
        )
    lines = [line(j) for j in wrong(block)]
    console.print(f"{len(lines)} wrong cases")
    for text in lines:
        console.print(text, markup=False, highlight=False, soft_wrap=True)


def wrong(block: Block) -> list[Judged]:
    """Return the cases with another first suspect, another change or another verdict than due."""
    return [j for j in block.faulty if _faults(j)] + list(block.false_verdicts)


def line(judged: Judged) -> str:
    """Return one line about a case: what is true, what was said, and what of it is wrong."""
    planned, outcome = judged.planned, judged.outcome
    truth, finding = outcome.case.truth, outcome.finding
    also = truth.get("also")
    second = f"+{also['fault']}@{also['service']}" if isinstance(also, dict) else ""
    first = finding.hypotheses[0].service if finding.hypotheses else None
    late = ""
    if finding.onset is not None and outcome.case.onset is not None:
        late = f" onset {(finding.onset - outcome.case.onset).total_seconds():+.0f} s"
    wrong_in = "blamed" if planned.fault == "healthy" else ",".join(_faults(judged))
    return (
        f"{planned.seed} {truth['fault']}{second} dirt {planned.dirt}"
        f" alert {planned.around.alert} · {wrong_in}"
        f" · truth {truth['service']} change {truth['change']}"
        f" · said {first} ({finding.verdict.value})"
        f" change {finding.change.ref if finding.change else None}"
        f" · rank {rank(outcome):g}{late}"
    )


def _faults(judged: Judged) -> list[str]:
    """Return what is wrong with the answer to a faulty case."""
    outcome = judged.outcome
    said = outcome.finding.change.ref if outcome.finding.change else None
    return [
        name
        for name, bad in (
            ("service", rank(outcome) > 1),
            ("change", said != outcome.case.truth["change"]),
            ("verdict", outcome.finding.verdict not in NAMED),
        )
        if bad
    ]


def _groups(judged: Sequence[Judged], *, by_dirt: bool) -> dict[str, Figures]:
    """Return the figures by dirt, or by whom the alert named."""
    label = {
        j.outcome.case.id: f"dirt {j.planned.dirt}"
        if by_dirt
        else f"alert {j.planned.around.alert}"
        for j in judged
    }
    return by([j.outcome for j in judged], lambda o: label[o.case.id])


def _print_groups(block: Block, console: Console) -> None:
    """Print change accuracy and kept too, which the common table has only overall."""
    columns = ("cases", "ac1", "change_accuracy", "decoys", "type_accuracy", "kept")
    table = Table(title="By what matters here")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    outcomes = [j.outcome for j in block.faulty]
    for name, row in {
        **by(outcomes, lambda o: f"fault: {o.case.truth['fault']}"),
        **by(outcomes, lambda o: o.recording),
        **_groups(block.faulty, by_dirt=False),
        **_groups(block.faulty, by_dirt=True),
    }.items():
        cells = (row[column] for column in columns)
        table.add_row(name, *("–" if c is None else f"{c:.3g}" for c in cells))
    console.print(table)
