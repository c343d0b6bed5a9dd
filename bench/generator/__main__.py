"""The command line: `python -m bench.generator --seed 1 --out DIR`."""

import argparse
import sys
import time
from pathlib import Path
from typing import NoReturn

from bench.generator.recorded import FAULTS, Recorded, generate
from bench.generator.scene import ALERTS, Circumstances
from connectors.errors import Rejected
from connectors.recording import write_recording


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without repeating all options."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Write one recording, or `--count` of them below the folder; returns the exit status."""
    options = _parser().parse_args(arguments)
    if options.count < 1:
        return _refuse("--count is the number of recordings: give 1 or more")
    if Path(options.out).is_file():
        return _refuse(f"--out {options.out} is a file: give a folder")
    print(f"{'recording':44} {'spans':>9} {'logs':>9} {'metrics':>9} {'seconds':>8}")
    for seed in range(options.seed, options.seed + options.count):
        began = time.process_time()
        folder = Path(options.out)
        try:
            recorded = _generate(seed, options)
            _write(folder if options.count == 1 else folder / recorded.title, recorded)
        except (ValueError, Rejected) as problem:
            return _refuse(str(problem))
        spent = time.process_time() - began
        sizes = f"{len(recorded.spans):9} {len(recorded.logs):9} {len(recorded.metrics):9}"
        print(f"{recorded.title:44} {sizes} {spent:8.1f}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m bench.generator", description="Write recordings with a known fault."
    )
    parser.add_argument("--seed", type=int, required=True, help="a whole number from 0")
    parser.add_argument("--out", required=True, help="the folder to write to")
    parser.add_argument("--fault", help=f"one of {', '.join(FAULTS)}; drawn if not given")
    parser.add_argument("--services", type=int, help="3 to 60; drawn if not given")
    parser.add_argument("--rps", type=float, help="traces per second; drawn if not given")
    parser.add_argument("--minutes", type=float, help="length of the recording (30)")
    parser.add_argument("--dirt", type=int, default=0, help="0 clean, 1 as usual, 2 bad")
    parser.add_argument("--names", type=int, help="a seed for the names alone")
    parser.add_argument("--alert", default="symptom", help=f"one of {', '.join(ALERTS)}")
    parser.add_argument("--felt", type=int, default=0, help="requests hit before the alert")
    parser.add_argument("--second", help="a weaker fault elsewhere at about the same time")
    parser.add_argument("--everyday", action="store_true", help="also what happens without harm")
    parser.add_argument("--count", type=int, default=1, help="recordings, seeds counting up")
    return parser


def _generate(seed: int, options: argparse.Namespace) -> Recorded:
    measures = {
        name: value
        for name in ("services", "rps", "minutes")
        if (value := getattr(options, name)) is not None
    }
    around = Circumstances(
        alert=options.alert,
        second=options.second,
        everyday=options.everyday,
        felt=options.felt,
    )
    return generate(
        seed,
        fault=options.fault,
        dirt=options.dirt,
        names=options.names,
        around=around,
        **measures,
    )


def _write(folder: Path, recorded: Recorded) -> None:
    write_recording(
        folder,
        title=recorded.title,
        source="made by bench.generator",
        window=recorded.window,
        spans=recorded.spans,
        logs=recorded.logs,
        metrics=recorded.metrics,
        changes=recorded.changes,
        known_incidents=recorded.known_incidents,
        cases=recorded.cases,
    )


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
