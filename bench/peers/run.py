"""Runs RCAEval's methods over handed-over cases; the interpreter must be that of `make peers`.

    python run.py FOLDER RESULT.json

FOLDER holds a folder a case (`handover.py` says what is in it). The result is an object: case →
method → {"ranks": names, or "scores": by service, or "failed": why; "seconds"}. Each method runs in
a process of its own: one that fails or needs more than a minute of the processor has no answer.
"""

import ast
import contextlib
import io
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from causallearn.utils.PCUtils import SkeletonDiscovery
from RCAEval.e2e.baro import baro
from RCAEval.e2e.microrank import microrank
from RCAEval.e2e.pdiagnose import main as pdiagnose
from RCAEval.e2e.torai import torai
from RCAEval.e2e.tracerca import tracerca

LIMIT_S = 60  # of the processor: a busy machine takes no answer away
WAIT_S = 10 * LIMIT_S
DATASET = "recorded"  # without any name the methods keep the time as if it were a metric
PDIAGNOSE = Path("data/mm-ob/checkoutservice_cpu/1")  # the one place that it reads
SECOND_US = 1_000_000


def run_baro(case: Path, inject_us: int) -> dict[str, object]:
    data = pd.read_parquet(case / "metrics.parquet")
    with _measured() as took:
        said = baro(data, inject_us // SECOND_US, dataset=DATASET)
    return {"ranks": list(said["ranks"]), **took}


def run_torai(case: Path, inject_us: int) -> dict[str, object]:
    """Run TORAI; the order inside a cluster is its own where RCD cannot be run.

    RCD needs a causal-learn that was changed by hand and that nobody distributes. TORAI orders a
    cluster by its own scores where RCD did not place all of the cluster's services.
    """
    if not hasattr(SkeletonDiscovery, "local_skeleton_discovery"):
        vars(sys.modules["RCAEval.e2e.torai"])["_rcd_multimodal"] = _no_ranks
    np.random.seed(0)  # what the method draws from
    names = {"metric": "metrics", "logts": "logts"}
    names |= {name: name for name in ("tracets_err", "tracets_lat")}
    data = {key: pd.read_parquet(case / f"{name}.parquet") for key, name in names.items()}
    with _measured() as took:
        said = torai(data, inject_us // SECOND_US, dataset=DATASET)
    return {"ranks": list(said["ranks"]), **took}


def run_tracerca(case: Path, inject_us: int) -> dict[str, object]:
    data = pd.read_parquet(case / "traces.parquet")
    with _measured() as took:
        said = tracerca(data, inject_us, dataset=DATASET)
    return {"ranks": list(said["ranks"]), **took}


def run_microrank(case: Path, inject_us: int) -> dict[str, object]:
    data = pd.read_parquet(case / "traces.parquet")
    with _measured() as took:
        said = microrank(data, inject_us, dataset=DATASET)
    return {"ranks": list(said["ranks"]), **took}


def run_pdiagnose(case: Path, inject_us: int) -> dict[str, object]:
    """Run PDiagnose, which is a script: it reads files by fixed names and prints what it found.

    Constant metrics are left out, as the other methods do themselves: it would count each of their
    values as abnormal. It stops at a service without a metric, so such a one has an empty column.
    """
    place = case / PDIAGNOSE
    place.mkdir(parents=True)
    metrics = pd.read_parquet(case / "metrics.parquet")
    spans = pd.read_parquet(case / "traces.parquet")
    logs = pd.read_parquet(case / "logs.parquet")
    if metrics.empty:
        metrics = pd.DataFrame({"time": [inject_us // SECOND_US]})
    metrics = metrics.loc[:, metrics.nunique() > 1].assign(time=metrics["time"])
    have = {name.split("_")[0] for name in metrics.columns}
    for service in sorted({*spans["serviceName"], *logs["container_name"]} - have):
        metrics[f"{service}_none"] = np.nan
    metrics.to_csv(place / "simple_metrics.csv", index=False)
    spans.to_csv(place / "traces.csv", index=False)
    for name in ("logs", "logts"):
        logs.to_csv(place / f"{name}.csv", index=False)
    (place / "inject_time.txt").write_text(str(inject_us // SECOND_US))
    os.chdir(case)
    out = io.StringIO()
    with _measured() as took, contextlib.redirect_stdout(out):
        pdiagnose()
    found = ast.literal_eval(out.getvalue().strip().splitlines()[-1])
    return {"scores": {name: float(score) for name, score in found if score > 0}, **took}


METHODS: Mapping[str, Callable[[Path, int], dict[str, object]]] = {
    "BARO": run_baro,
    "TORAI": run_torai,
    "TraceRCA": run_tracerca,
    "MicroRank": run_microrank,
    "PDiagnose": run_pdiagnose,
}


@contextlib.contextmanager
def _measured():  # noqa: ANN202 — a dict that holds the seconds once the block is over
    took: dict[str, float] = {}
    began = time.perf_counter()
    yield took
    took["seconds"] = time.perf_counter() - began


def _no_ranks(*_: object, **__: object) -> dict[str, list[str]]:
    return {"ranks": []}


def _work(method: str, case: Path, inject_us: int) -> None:
    """Run one method, its words into a log, its result into a file."""
    log = os.open(case / f"{method}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 5))
    result = METHODS[method](case, inject_us)
    (case / f"{method}.json").write_text(json.dumps(result))


def _attempt(method: str, case: Path, inject_us: int) -> dict[str, object]:
    work = multiprocessing.get_context("fork").Process(
        target=_work, args=(method, case.resolve(), inject_us)
    )
    work.start()
    work.join(WAIT_S)
    late = work.is_alive()
    if late:
        work.kill()
        work.join()
    if late or work.exitcode == -signal.SIGXCPU:
        return {"failed": f"took more than {LIMIT_S} s"}
    if work.exitcode != 0:
        lines = (case / f"{method}.log").read_text(errors="replace").strip().splitlines()
        return {"failed": lines[-1] if lines else f"exit status {work.exitcode}"}
    return json.loads((case / f"{method}.json").read_text())


def main(folder: Path, result: Path) -> None:
    said: dict[str, dict[str, object]] = {}
    for case in sorted(path for path in folder.iterdir() if path.is_dir()):
        inject_us = json.loads((case / "case.json").read_text())["inject_us"]
        said[case.name] = {method: _attempt(method, case, inject_us) for method in METHODS}
    result.write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
