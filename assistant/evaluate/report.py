"""The benchmark's table for people and its object for scripts."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from assistant.evaluate.answers import Judged, peer_figures
from assistant.evaluate.diagnosis import Outcome
from assistant.evaluate.figures import Figures, by, figures, rank
from assistant.result import moment

COLUMNS = (
    "cases",
    "ac1",
    "ac3",
    "ac5",
    "mrr",
    "type_accuracy",
    "precision_likely",
    "coverage_likely",
)
PEER_COLUMNS = (
    "cases",
    "ac1",
    "ac3",
    "ac5",
    "mrr",
    "change_accuracy",
    "decoys",
    "seconds_p50",
)

SHORT = {
    "type_accuracy": "type",
    "precision_likely": "sure ok",
    "coverage_likely": "sure",
    "change_accuracy": "change",
    "seconds_p50": "s p50",
}


def report(outcomes: Sequence[Outcome], abstained: tuple[int, int]) -> dict[str, object]:
    """Return the whole result, as `--json` writes it."""
    return {
        "overall": figures(outcomes, abstained),
        "by_recording": by(outcomes, lambda o: o.recording),
        "by_fault": by(outcomes, lambda o: str(o.case.truth.get("fault") or "-")),
        "cases": [_case(o) for o in outcomes],
        "peers": {
            name: {**row, "by_recording": _by_recording(outcomes, name)}
            for name, row in _peers(outcomes).items()
        },
    }


def _peers(outcomes: Sequence[Outcome]) -> dict[str, Figures]:
    """Return the figures of each peer, in the order in which they answered."""
    names = dict.fromkeys(name for outcome in outcomes for name in outcome.peers)
    return {
        name: peer_figures(
            [
                Judged(case=o.case, candidates=o.candidates, answer=o.peers[name])
                for o in outcomes
                if name in o.peers
            ]
        )
        for name in names
    }


def _by_recording(outcomes: Sequence[Outcome], name: str) -> dict[str, Figures]:
    recordings = sorted({o.recording for o in outcomes})
    return {
        recording: _peers([o for o in outcomes if o.recording == recording])[name]
        for recording in recordings
    }


def _case(outcome: Outcome) -> dict[str, object]:
    finding = outcome.finding
    return {
        "id": outcome.case.id,
        "recording": outcome.recording,
        "truth": dict(outcome.case.truth),
        "verdict": finding.verdict.value,
        "rank": rank(outcome),
        "score": finding.hypotheses[0].score if finding.hypotheses else None,
        "confidence": finding.hypotheses[0].confidence if finding.hypotheses else None,
        "named": [h.service for h in finding.hypotheses],
        "change": finding.change.ref if finding.change else None,
        "onset": moment(finding.onset),
        "seconds": round(outcome.seconds, 3),
    }


def show(outcomes: Sequence[Outcome], abstained: tuple[int, int], console: Console) -> None:
    """Print the table."""
    table = Table(title="Diagnosis")
    table.add_column("", overflow="fold")
    for column in COLUMNS:
        table.add_column(SHORT.get(column, column), justify="right", no_wrap=True)
    groups: Mapping[str, Figures] = {
        **by(outcomes, lambda o: o.recording),
        **{
            f"fault: {k}": v
            for k, v in by(outcomes, lambda o: str(o.case.truth.get("fault") or "-")).items()
        },
        "overall": (overall := figures(outcomes, abstained)),
    }
    for name, row in groups.items():
        table.add_row(name, *(_cell(row[column]) for column in COLUMNS))
    console.print(table)
    _show_peers(outcomes, overall, console)
    quiet, asked = abstained
    console.print("sure: share of the verdicts “likely”; sure ok: share of these that were right")
    console.print(
        f"change accuracy {_cell(overall['change_accuracy'])}"
        f" · decoys blamed {_cell(overall['decoys'])}"
        f" · kept {_cell(overall['kept'])} · abstained in {quiet} of {asked} quiet windows"
    )
    console.print(
        f"brier {_cell(overall['brier'])} (constant {_cell(overall['brier_constant'])})"
        f" · ece {_cell(overall['ece'])} · chance ac1 {_cell(overall['chance_ac1'])}"
        f" · {overall['live']} of {overall['cases']} cases run live"
        f" · seconds p50 {_cell(overall['seconds_p50'])} p95 {_cell(overall['seconds_p95'])}"
        f" · peak {overall['peak_mb']} MB"
    )


def _show_peers(outcomes: Sequence[Outcome], overall: Figures, console: Console) -> None:
    peers = _peers(outcomes)
    if not peers:
        return
    table = Table(title="Peers: the same cases in the same run")
    table.add_column("", overflow="fold")
    for column in PEER_COLUMNS:
        table.add_column(SHORT.get(column, column), justify="right", no_wrap=True)
    for name, row in {"firstline": overall, **peers}.items():
        table.add_row(name, *(_cell(row[column]) for column in PEER_COLUMNS))
    console.print(table)


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{value:.2f}"
