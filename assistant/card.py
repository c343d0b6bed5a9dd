"""The card in the terminal (rich); what steers a terminal is not let through."""

from collections.abc import Iterable

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from assistant.domain.hypothesis import Verdict
from assistant.journal.timeline import printable
from assistant.views import Line, Source, Step, View

COLOURS = {
    Verdict.LIKELY: "red",
    Verdict.POSSIBLE: "yellow",
    Verdict.NOT_DETERMINED: "cyan",
    Verdict.HEALTHY: "green",
}
KINDS = {"check": "look", "action": "act", "verify": "verify", "rollback": "undo"}
KIND_STYLES = {"check": "cyan", "action": "bold yellow", "verify": "green", "rollback": "magenta"}
LABEL_WIDTH = 13


def show(view: View, console: Console) -> None:
    """Print the card."""
    colour = COLOURS[view.verdict]
    body = _facts(view, colour)
    parts: list[RenderableType] = [body]
    if view.steps:
        title = printable(f"Next: {view.plan_title}")
        parts += [Text(), Text(title, style="bold"), _steps(view.steps)]
    parts += [Text(), _sources(view.sources), Text(view.footer, style="dim")]
    console.print(
        Panel(
            Group(*parts),
            title=Text(f" {printable(view.title)} ", style="bold"),
            title_align="left",
            border_style=colour,
            box=box.ROUNDED,
        )
    )


def _facts(view: View, colour: str) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=LABEL_WIDTH, style="bold", no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    answer = Text(f"{view.verdict_text} — ", style=f"bold {colour}")
    table.add_row("Verdict", answer.append(_line(view.headline)))
    for label, lines in (
        ("Change", [view.change] if view.change else []),
        ("Symptom", view.symptom),
        ("Why", view.why),
        ("Against", view.against),
        ("Or else", view.others),
        ("Ruled out", view.ruled_out),
        ("Innocent", view.innocent),
    ):
        _rows(table, label, [_line(line) for line in lines])
    _rows(table, "Could not see", [Text(printable(gap), style="dim") for gap in view.could_not_see])
    return table


def _rows(table: Table, label: str, lines: Iterable[Text]) -> None:
    for i, line in enumerate(lines):
        table.add_row(label if i == 0 else "", line)


def _line(line: Line) -> Text:
    text = Text()
    for evidence in line.evidence:
        text.append(f"{evidence} ", style="bold blue")
    return text.append(printable(line.text))


def _steps(steps: tuple[Step, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=2, justify="right", style="dim")
    table.add_column(width=6)
    table.add_column(ratio=1, overflow="fold")
    for number, step in enumerate(steps, start=1):
        text: RenderableType = Text(printable(step.text))
        if step.command:
            lines = "\n".join(map(printable, step.command.splitlines()))
            command = Text(lines, style="dim", overflow="fold")
            text = Group(text, Padding(command, (0, 0, 0, 2)))
        kind = Text(KINDS[step.kind], style=KIND_STYLES[step.kind])
        table.add_row(str(number), kind, text)
    return table


def _sources(sources: tuple[Source, ...]) -> Text:
    text = Text("Sources ", style="bold")
    for source in sources:
        mark, style = ("✓", "green") if source.ok else ("✗", "red")
        text.append(f" {mark} ", style=style)
        text.append(printable(source.text), style="default")
    return text
