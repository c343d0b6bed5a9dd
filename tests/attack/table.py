"""`make attack`: every attack with and without its guards, in a table; 1 where one goes wrong."""

import asyncio
import logging
import sys
import tempfile
from pathlib import Path

import approvals
import clocks
import failures
import policies
import targets
import through_http
import through_slack
import trail
from book import BOOK, Attack
from rich.console import Console
from rich.table import Table

assert all((approvals, clocks, failures, policies, targets, through_http, through_slack, trail))


async def row(attack: Attack) -> tuple[bool, list[str]]:
    """Try one attack both ways; tell whether it is as expected, and the line of the table."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        held, said = await attack.guarded(Path(one))
        bare, _ = await attack.unguarded(Path(other))
    good = held is None and attack.told in said and bare is not None
    outcome = "as expected" if held is None else f"HARM: {held}"
    without = f"harm: {bare}" if bare else "NOTHING HAPPENED"
    return good, [attack.row, attack.what, attack.expected, outcome, without]


def main() -> int:
    """Print the table."""
    logging.disable(logging.CRITICAL)  # what is attacked complains
    table = Table("#", "attack", "expected", "outcome", "with the guard removed", show_lines=True)
    good = 0
    for attack in sorted(BOOK, key=lambda a: (int(a.row.rstrip("abcdef")), a.row)):
        held, line = asyncio.run(row(attack))
        table.add_row(*line, style=None if held else "bold red")
        good += held
    console = Console(width=160)
    console.print(table)
    console.print(f"{good} of {len(BOOK)} as expected")
    return 0 if good == len(BOOK) else 1


if __name__ == "__main__":
    sys.exit(main())
