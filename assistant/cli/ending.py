"""The end of a demo run in the terminal: the thread, the figures, and whether it was right."""

from collections.abc import Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table

from assistant.card import show
from assistant.demo import Episode, Result
from assistant.journal.verify import Report, State
from assistant.slack.local.panels import Panels
from assistant.slack.local.slack import LocalSlack
from assistant.story import CHANNEL, REQUESTER
from assistant.views import view

WIDTH = 100


def thread(slack: LocalSlack) -> list[RenderableType]:
    """Return the channel as the requester sees it, each message followed by its thread."""
    person = slack.person(REQUESTER)
    panels = Panels(slack.workspace, person.id, brief=True)
    top = person.messages(CHANNEL)
    shown = {m.ts: m for t in top for m in (t, *person.messages(CHANNEL, t.ts))}
    return [panels.draw(message) for message in shown.values()]


def show_end(came: Result, audit: Report, said: Sequence[RenderableType], *, right: bool) -> None:
    """Print it; where nobody acted, the card alone."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if console.is_terminal else WIDTH
    if came.first.solved is None:
        show(view(came.first.incident, came.first.id), console)
    else:
        for message in said:
            console.print(message)
        console.print(_table(came))
    console.print(f"What really happened: {_truth(came)}.")
    if came.second is not None:
        seen = "recognised" if came.seen_before else "not recognised"
        console.print(f"The second time it was {seen} as {came.first.id}.")
    sound = audit.state is State.SOUND
    checked = f"OK, {audit.records} records" if sound else f"{audit.state.value}: {audit.why}"
    console.print(f"audit verify: {checked}")
    colour, word = ("green", "right") if right else ("red", "wrong")
    console.print(f"All in all: [bold {colour}]{word}[/].")


def _truth(came: Result) -> str:
    truth = came.first.truth
    if truth.service is None:
        return "nothing was broken"
    change = f"change {truth.change}" if truth.change else "no change was at fault"
    return f"{came.fault} at {truth.instance or truth.service}; {change}"


def _table(came: Result) -> Table:
    """Return the figures of both times, side by side."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    episodes = [came.first, *([came.second] if came.second else [])]
    table.add_column("")
    for title, episode in zip(("First time", "Second time"), episodes, strict=False):
        table.add_column(f"{title} ({episode.id})")
    for label, cells in zip(
        (
            "Verdict, s after the alert",
            "Verdict is right",
            "Recovered, s after the alert",
            "Runbook",
            "Steps in the plan",
            "Actions tried",
        ),
        zip(*map(_figures, episodes), strict=True),
        strict=True,
    ):
        table.add_row(label, *cells)
    return table


def _figures(episode: Episode) -> tuple[str, ...]:
    solved, plan = episode.solved, episode.incident.plan
    recovered = solved.seconds if solved else None
    return (
        f"{episode.waited:.1f}",
        "yes" if episode.correct else "no",
        "not" if recovered is None else f"{recovered:.1f}",
        plan.runbook if plan else "none",
        str(episode.steps),
        str(solved.tried if solved else 0),
    )
