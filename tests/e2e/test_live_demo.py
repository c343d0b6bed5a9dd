"""`firstline demo` as a person runs it: right, refused, interrupted and killed."""

import json
import re
import signal
import socket
import subprocess
import time

import httpx
import psutil
import pytest
from process import FIRSTLINE

pytestmark = pytest.mark.e2e
DEMO = [*FIRSTLINE, "demo"]
PATIENCE_S = 30.0


def fault_named(part):
    listing = subprocess.run([*DEMO, "--list"], check=True, capture_output=True, text=True)
    names = [line.split("\t")[0] for line in listing.stdout.splitlines()]
    return next(name for name in names if part in name)


def until(condition, seconds):
    """Poll a condition; the tests' only way to wait."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.05)


def family(process):
    return psutil.Process(process.pid).children(recursive=True)


def alive(processes):
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def started(tmp_path, *options):
    """Start a demo and wait until its system runs."""
    log = (tmp_path / "err").open("w+")
    process = subprocess.Popen(
        [*DEMO, "--auto", "--data", str(tmp_path / "data"), *options],
        stdout=subprocess.DEVNULL,
        stderr=log,
    )
    until(lambda: "services run" in (tmp_path / "err").read_text(), 40)
    log.close()
    return process


@pytest.mark.live
@pytest.mark.timeout(300)
def test_a_live_fault_is_found_repaired_learnt_from_and_recognised(tmp_path):
    done = subprocess.run(
        [*DEMO, "--fault", fault_named("release"), "--seed", "7", "--auto", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        cwd=tmp_path,
    )
    said = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert said["correct"] is True
    assert said["hypotheses"][0]["service"] == said["truth"]["service"]
    assert said["change"]["ref"] == said["truth"]["change"]
    assert (said["recovered"], said["seen_before"], said["audit"]) == (True, True, "sound")
    first, second = said["first"], said["second"]
    assert first["verdict_s"] <= 15
    assert len(first["refused"]) == 2
    assert second["steps"] < first["steps"]
    assert second["runbook"] != first["runbook"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kills
def test_a_second_demo_on_the_folder_is_refused_and_a_killed_one_leaves_nothing(tmp_path):
    first = started(tmp_path)
    children = family(first)
    assert children
    second = subprocess.run(
        [*DEMO, "--data", str(tmp_path / "data")], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1
    assert "another firstline process uses the data folder" in second.stderr
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(lambda: not alive(children), PATIENCE_S)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_says_so_and_leaves_nothing(tmp_path, how):
    process = started(tmp_path, "--page")
    children = family(process)
    until(lambda: "in a browser" in (tmp_path / "err").read_text(), 40)
    page = re.search(r"http://\S+", (tmp_path / "err").read_text())[0]
    assert "#incidents" in httpx.get(page).text
    process.send_signal(how)
    assert process.wait(timeout=60) == 130
    until(lambda: not alive(children), PATIENCE_S)
    with pytest.raises(httpx.ConnectError):
        httpx.get(page)
    said = (tmp_path / "err").read_text()
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "firstline: stopped"


def test_a_port_in_use_is_one_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run([*DEMO, "--port", port], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"Port {port} is already in use" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "gremlins"], "no fault is called gremlins; there are: "),
        (["--system", "atlantis"], "no demo system is called atlantis; there are: "),
    ],
)
def test_an_unknown_name_is_one_sentence(options, said):
    done = subprocess.run([*DEMO, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"firstline: {said}")
    assert done.stderr.count("\n") == 1
