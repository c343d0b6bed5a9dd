"""The card of a recorded case as a picture: `python -m bench.picture RECORDING FILE.svg`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from assistant import wiring
from assistant.card import show
from assistant.commands import Investigate
from assistant.config import load
from assistant.views import view
from connectors.recording import open_recording

WIDTH = 110
# The usual format loads a font from the network; a page that shows the picture must not.
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


async def main(folder: Path, target: Path) -> None:
    """Investigate the recording's first case and draw the card."""
    case = open_recording(folder).cases[0]
    alerted = case.alert.get("service") if case.alert else None
    with tempfile.TemporaryDirectory() as data:
        service = wiring.recorded(folder, load(data=Path(data)))
        incident = await service.investigate(
            Investigate(
                text=case.symptom,
                at=case.alert_at,
                horizon=case.alert_at,
                service=str(alerted) if alerted else None,
            )
        )
    console = Console(record=True, width=WIDTH, file=sys.stderr)
    show(view(incident), console)
    console.save_svg(str(target), title="firstline", code_format=FORMAT, theme=MONOKAI)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
