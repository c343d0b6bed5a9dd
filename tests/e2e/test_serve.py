"""`firstline serve` and `firstline chat` as a person starts them: on call, refused, stopped."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing, contextmanager

import httpx
import pytest
from process import FIRSTLINE

from assistant.config import DATABASE
from assistant.store.database import open_database

pytestmark = pytest.mark.e2e
REAL = {"SLACK_BOT_TOKEN": "xoxb-1-x", "SLACK_APP_TOKEN": "xapp-1-x"}
READY_S, END_S = 60, 15
CHROMIUM = shutil.which("chromium")


def settings(folder, **more):
    """A settings file: a receiver on a free port, and what a test adds to it."""
    said = {"data": str(folder / "data"), "listen": "127.0.0.1:0"} | more
    lines = [f"{key} = {json.dumps(value)}" for key, value in said.items()]
    path = folder / "firstline.toml"
    path.write_text("\n".join([*lines, "[connectors.otlp]", "port = 0", ""]))
    return path


def environment(**more):
    known = {key: value for key, value in os.environ.items() if key not in REAL}
    return known | more


def refused(config, *words, **variables):
    """Return the one sentence with which a command refuses."""
    done = subprocess.run(
        [*FIRSTLINE, "--config", str(config), *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        timeout=READY_S,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("firstline: ")
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


@contextmanager
def serving(config):
    """`firstline serve --local` once it is on call; yields the process and what it printed."""
    log = config.with_suffix(".out")
    with log.open("w") as out:
        process = subprocess.Popen(
            [*FIRSTLINE, "--config", str(config), "serve", "--local"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
    try:
        give_up = time.monotonic() + READY_S
        while "on call" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < give_up, "it did not start in time"
            time.sleep(0.1)
        yield process, log
        process.send_signal(signal.SIGINT)
        process.wait(END_S)
    finally:
        process.kill()
        process.wait()


def ports(text):
    return [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", text)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_a_page_and_health_until_it_is_stopped_and_leaves_no_port(tmp_path, how):
    with serving(settings(tmp_path)) as (process, log):
        page, hooks = re.findall(r"http://\S+", log.read_text())
        assert "#incidents" in httpx.get(page).text
        assert httpx.get(f"{hooks}/readyz").json()["ok"] is True
        process.send_signal(how)
        assert process.wait(END_S) == 130
        assert log.read_text().splitlines()[-1] == "firstline: stopped"
        for port in ports(log.read_text()):
            with closing(socket.socket()) as free:
                free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                free.bind(("127.0.0.1", port))


def test_a_second_process_on_the_data_folder_is_refused(tmp_path):
    config = settings(tmp_path)
    with serving(config):
        for command in (("serve", "--local"), ("chat",)):
            said = refused(config, *command)
            assert "another firstline process uses the data folder" in said


def test_without_tokens_it_says_where_they_come_from(tmp_path):
    said = refused(settings(tmp_path), "serve")
    assert "SLACK_BOT_TOKEN" in said
    assert "docs/slack.md" in said


@pytest.mark.parametrize(
    "words", [("serve", "--local"), ("chat",), ("demo", "--page")], ids=" ".join
)
def test_simulated_people_never_act_beside_a_real_workspace(tmp_path, words):
    assert "real Slack tokens" in refused(settings(tmp_path), *words, **REAL)


def test_a_journal_of_a_newer_firstline_is_left_as_it_is(tmp_path):
    config = settings(tmp_path)
    path = tmp_path / "data" / DATABASE
    path.parent.mkdir(mode=0o700)
    open_database(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")
    assert "was written by a newer firstline (schema 99" in refused(config, "serve", "--local")


def test_a_port_in_use_is_one_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = settings(tmp_path, listen=f"127.0.0.1:{port}")
        said = refused(config, "serve", "--local")
    assert f"The port 127.0.0.1:{port} cannot be opened" in said


def test_nobody_else_can_be_chatted_as(tmp_path):
    assert "nobody is called eve; there are: ana, ben" in refused(
        settings(tmp_path), "chat", "--as", "eve"
    )


def test_lines_of_a_pipe_are_answered_before_the_chat_ends(tmp_path):
    done = subprocess.run(
        [*FIRSTLINE, "--config", str(settings(tmp_path)), "chat", "--as", "ben"],
        input="@firstline orders are slow\n@firstline status\n",
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
        timeout=READY_S,
    )
    assert done.returncode == 0, done.stderr
    assert "INC-1 · orders are slow" in done.stdout
    assert "Not determined" in done.stdout
    assert "INC-1: orders are slow" in done.stdout.split("Not determined")[1]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(CHROMIUM is None, reason="optional: chromium is not installed")
def test_a_browser_shows_what_was_said(tmp_path):
    with serving(settings(tmp_path)) as (_, log):
        page = re.findall(r"http://\S+", log.read_text())[0]
        words = {"at": "user=ana", "text": "good morning everybody"}
        assert httpx.post(f"{page}say", data=words).status_code == 303
        shown = subprocess.run(
            [
                CHROMIUM,
                "--headless=new",
                "--no-sandbox",
                f"--user-data-dir={tmp_path / 'browser'}",
                "--dump-dom",
                page,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_S,
        )
    assert "good morning everybody" in shown.stdout
