"""The command line: `python -m bench.generated --seeds 1000-1199 --healthy 2000-2099`."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from assistant.result import dumps
from bench.generated.judge import Judged, judge_all
from bench.generated.plan import Planned, plan, plan_healthy
from bench.generated.show import Block, as_json, print_block

_TOLD = 10  # cases between two lines of progress


def main(arguments: list[str] | None = None) -> int:
    """Ask the engine about every case, print the figures; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.generated", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default=(), help="faulty cases, first-last")
    parser.add_argument("--healthy", type=seeds, default=(), help="healthy cases, first-last")
    parser.add_argument(
        "--holdout",
        type=seeds,
        action="append",
        default=[],
        help="first-last, reported apart: all faulty, and the first half healthy as well",
    )
    parser.add_argument("--json", type=Path, help="a file for all figures and cases")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 120)
    wanted = [("seeds", options.seeds, options.healthy)]
    wanted += [("hold-out", kept, kept[: len(kept) // 2]) for kept in options.holdout]
    blocks = []
    for title, faulty, healthy in wanted:
        if faulty or healthy:
            blocks.append(_block(title, faulty, healthy, options.jobs))
            print_block(blocks[-1], console)
    if not blocks:
        print("give --seeds, --healthy or --holdout as first-last", file=sys.stderr)
        return 2
    if options.json is not None:
        text = dumps({"blocks": [as_json(block) for block in blocks]}) + "\n"
        options.json.write_text(text, encoding="utf-8")
    return 0


def seeds(text: str) -> tuple[int, ...]:
    """Return the seeds of "first-last", or of a single number."""
    first, _, last = text.partition("-")
    found = tuple(range(int(first), int(last or first) + 1))
    if not found:
        raise ValueError("the last seed comes before the first")
    return found


def _block(title: str, faulty: Sequence[int], healthy: Sequence[int], jobs: int) -> Block:
    plans = [plan(seed) for seed in faulty] + [plan_healthy(seed) for seed in healthy]
    judged = _told(plans, jobs)
    parts = [
        f"{word} {s[0]}–{s[-1]}" for word, s in (("faulty", faulty), ("healthy", healthy)) if s
    ]
    return Block(
        title=f"{title}: {', '.join(parts)}",
        faulty=tuple(judged[: len(faulty)]),
        healthy=tuple(judged[len(faulty) :]),
    )


def _told(plans: Sequence[Planned], jobs: int) -> list[Judged]:
    """Judge the plans and tell on standard error how far it is."""
    began, judged = time.monotonic(), []
    for one in judge_all(plans, jobs):
        judged.append(one)
        if len(judged) % _TOLD == 0 or len(judged) == len(plans):
            spent = time.monotonic() - began
            print(
                f"{len(judged)} of {len(plans)} cases, {spent:.0f} s", file=sys.stderr, flush=True
            )
    return judged


if __name__ == "__main__":
    sys.exit(main())
