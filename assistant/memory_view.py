"""What memory says and what it learns, as people see it: similar incidents, postmortem, draft."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from assistant.button import Button
from assistant.commands import AcceptRunbook, RejectRunbook
from assistant.domain.memory import Draft, SimilarIncident

SHOWN = 3
_DAY, _HOUR, _MINUTE = 86_400, 3_600, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBefore:
    """One earlier incident: a sentence, and the lines that say what agreed and what did not."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A runbook that waits for a person (`decided` null), or was accepted or rejected."""

    runbook: str
    markdown: str
    digest: str
    rests_on: str
    decided: bool | None
    buttons: tuple[Button, ...]


def seen_before(similar: tuple[SimilarIncident, ...], at: datetime) -> tuple[SeenBefore, ...]:
    """Return the earlier incidents, told from the moment `at` when this one was opened."""
    return tuple(
        SeenBefore(
            title=f"{s.incident}, {ago(at - s.at)}: {s.title}",
            lines=tuple(_told(s)),
        )
        for s in similar[:SHOWN]
    )


def draft_view(draft: Draft, incident: str, *, decided: bool | None) -> DraftView:
    """Return the card of a draft."""
    steps = len(draft.provenance)
    records = len({number for step in draft.provenance for number in step})
    return DraftView(
        runbook=draft.runbook,
        markdown=draft.markdown,
        digest=draft.digest[:12],
        rests_on=f"{_count(steps, 'step')} made from {_count(records, 'record')} of the journal",
        decided=decided,
        buttons=()
        if decided is not None
        else (
            Button(
                label="Accept runbook",
                style="primary",
                command=AcceptRunbook(incident=incident, digest=draft.digest),
            ),
            Button(
                label="Reject…",
                style="danger",
                command=RejectRunbook(incident=incident, digest=draft.digest),
                asks_reason=True,
            ),
        ),
    )


def ago(passed: timedelta) -> str:
    """Return how long ago something was, in its largest whole unit."""
    seconds = max(0, int(passed.total_seconds()))
    for length, word in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= length:
            return f"{_count(seconds // length, word)} ago"
    return f"{_count(seconds, 'second')} ago"


def _told(similar: SimilarIncident) -> list[str]:
    told = [f"The same: {', '.join(similar.same)}"] if similar.same else []
    if similar.differed:
        told.append(f"Different: {', '.join(similar.differed)}")
    if similar.action:
        told.append(f"Resolved by {similar.action}{_after(similar.seconds)}")
    if similar.runbook:
        told.append(f"Runbook: {similar.runbook}")
    return told


def _after(seconds: float | None) -> str:
    if seconds is None:
        return ""
    short = seconds < _MINUTE
    took = _count(round(seconds), "second") if short else _count(round(seconds / _MINUTE), "minute")
    return f", {took} after the alert"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
