"""Live runs of a demo system, one after the other: `python -m bench.live --seeds 1-5 --out DIR`.

Each run is `firstline demo` as a person would type it; its telemetry is kept as a recording, so
that a later engine can be asked the same question again (`firstline bench diagnosis DIR/*`).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run every fault with every seed; the exit status is 0 if all verdicts were right."""
    parser = argparse.ArgumentParser(prog="python -m bench.live", description=__doc__)
    parser.add_argument("--faults", default="", help="comma-separated; default: all of --list")
    parser.add_argument("--seeds", default="1-5", help="first-last")
    parser.add_argument("--out", type=Path, required=True, help="folder for the recordings")
    parser.add_argument("--rename", action="store_true", help="give the services other names")
    options = parser.parse_args()
    faults = options.faults.split(",") if options.faults else _faults()
    first, _, last = options.seeds.partition("-")
    wrong = 0
    options.out.mkdir(parents=True, exist_ok=True)
    for seed in range(int(first), int(last or first) + 1):
        for fault in faults:
            wrong += not _run(fault, seed, options)
    return 1 if wrong else 0


def _faults() -> list[str]:
    listing = subprocess.run(
        [sys.executable, "-m", "assistant", "demo", "--list"],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split("\t")[0] for line in listing.stdout.splitlines()]


def _run(fault: str, seed: int, options: argparse.Namespace) -> bool:
    command = [sys.executable, "-m", "assistant", "demo", "--auto", "--json"]
    command += ["--fault", fault, "--seed", str(seed)]
    command += ["--record", str(options.out / f"{fault}-{seed}")]
    command += ["--rename"] if options.rename else []
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if not done.stdout.startswith("{"):
        print(f"{fault:20} {seed:4}  no answer: {done.stderr.strip().splitlines()[-1]}", flush=True)
        return False
    said = json.loads(done.stdout)
    top = said["hypotheses"][0] if said["hypotheses"] else {}
    waited = next(
        (line.split("verdict ")[1] for line in done.stderr.splitlines() if "verdict " in line), "?"
    )
    print(
        f"{fault:20} {seed:4}  {'right' if said['correct'] else 'WRONG':6} {said['verdict']:15}"
        f" said {top.get('service')}/{top.get('instance')} {top.get('cause')}"
        f" change {(said['change'] or {}).get('ref')}"
        f" · truth {said['truth']['service']}/{said['truth']['instance']}"
        f" change {said['truth']['change']} · {waited}",
        flush=True,
    )
    return bool(said["correct"])


if __name__ == "__main__":
    sys.exit(main())
