"""`firstline bench diagnosis` with the methods of RCAEval beside it; see docs/peers.md."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from assistant.engine.question import Question, Telemetry
from assistant.evaluate.diagnosis import Outcome, abstentions, outcomes
from assistant.evaluate.report import report, show
from assistant.result import dumps
from bench.peers.handover import BASELINE, hand_over
from bench.peers.places import answer_of
from connectors.recording import Case, Recording, open_recording


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="recordings")
    parser.add_argument("--onset", choices=["given", "detected"], default="detected")
    parser.add_argument("--json", type=Path, dest="json_file", help="write figures here")
    parser.add_argument(
        "--python",
        type=Path,
        default=Path(".venv-peers/bin/python"),
        help="interpreter that has RCAEval; `make peers` makes it (default: %(default)s)",
    )
    parser.add_argument(
        "--baseline",
        type=int,
        default=BASELINE // timedelta(minutes=1),
        metavar="MINUTES",
        help="what the methods see of normal times (default: %(default)s, as in RCAEval)",
    )
    asked = parser.parse_args()
    if not asked.python.is_file():
        parser.error(f"there is no {asked.python}; run `make peers`")
    with tempfile.TemporaryDirectory(prefix="firstline-peers-") as folder:
        (Path(folder) / "cases").mkdir()
        found, quiet = asyncio.run(
            _run(
                asked.folders,
                Path(folder) / "cases",
                given=asked.onset == "given",
                baseline=timedelta(minutes=asked.baseline),
            )
        )
        found, failed = _with_peers(found, asked.python, Path(folder))
    show(found, quiet, Console())
    for line in failed:
        print(line, file=sys.stderr)
    if asked.json_file is not None:
        asked.json_file.write_text(dumps(report(found, quiet)) + "\n", encoding="utf-8")
    return 0


async def _run(
    folders: list[Path], handed: Path, *, given: bool, baseline: timedelta
) -> tuple[list[Outcome], tuple[int, int]]:
    """Return what the engine and the naive rules said; every case is written below `handed`."""
    found: list[Outcome] = []
    quiet, asked = 0, 0

    def write(recording: Recording, case: Case, question: Question, telemetry: Telemetry) -> None:
        del recording, case  # the methods get no name: only what was seen
        number = len(list(handed.glob("*")))
        hand_over(handed / f"{number:05}", telemetry, question, baseline=baseline)

    for folder in folders:
        recording = open_recording(folder)
        found += await outcomes(recording, given=given, onlooker=write)
        more = await abstentions(recording)
        quiet, asked = quiet + more[0], asked + more[1]
    return found, (quiet, asked)


def _with_peers(
    found: list[Outcome], python: Path, folder: Path
) -> tuple[list[Outcome], list[str]]:
    """Return the outcomes with the methods' answers added, and why there are none of some."""
    result = folder / "result.json"
    script = Path(__file__).parent / "run.py"
    subprocess.run([str(python), str(script), str(folder / "cases"), str(result)], check=True)
    said = json.loads(result.read_text(encoding="utf-8"))
    out, failed = [], []
    for number, outcome in enumerate(found):
        name = f"{number:05}"
        told = json.loads((folder / "cases" / name / "case.json").read_text(encoding="utf-8"))
        answers = {
            method: answer_of(answer, told["services"]) for method, answer in said[name].items()
        }
        failed += [
            f"{outcome.case.id}: {method} has no answer: {answer['failed']}"
            for method, answer in said[name].items()
            if "failed" in answer
        ]
        out.append(replace(outcome, peers={**outcome.peers, **answers}))
    return out, failed


if __name__ == "__main__":
    sys.exit(main())
