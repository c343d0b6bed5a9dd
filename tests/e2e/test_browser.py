"""The whole story as a person lives it: in a browser, on the page of a firstline that is on call.

SCREENSHOTS= names a folder for pictures of it; those of the documents are made with it.
"""

import asyncio
import os
import re
import signal
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from browser import CHROMIUM, browser
from process import FIRSTLINE

pytestmark = [pytest.mark.e2e, pytest.mark.live]
DEMO = [*FIRSTLINE, "demo"]
QUESTION = "orders fail since a minute ago"
THREAD, MODAL = "#thread", "#modal"
STARTED_S, EFFECT_S, END_S = 120, 90, 20


@asynccontextmanager
async def broken_shop(folder):
    """A shop in which something is broken, and the page of the firstline that watches it.

    Nobody acts but who sits before the page; the alert was answered already.
    """
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 — it returns at once
            [*DEMO, "--fault", "bad-release", "--seed", "7", "--verdict-only", "--page"],
            stdout=subprocess.DEVNULL,
            stderr=out,
        )
    try:
        async with asyncio.timeout(STARTED_S):
            while "the page stays open" not in log.read_text():
                assert process.poll() is None, log.read_text()
                await asyncio.sleep(0.1)
        yield re.search(r"http://\S+", log.read_text())[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(END_S) == 130
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def picture(tmp_path):
    """Return where a picture of a name is kept."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return lambda name: folder / f"{name}.png"


@pytest.mark.skipif(CHROMIUM is None, reason="optional: chromium is not installed")
@pytest.mark.timeout(300)
async def test_from_the_question_to_the_runbook_by_clicks_alone(tmp_path, picture):
    async with broken_shop(tmp_path) as page, browser() as tab:
        await tab.open(f"{page}?user=ana")
        await tab.write("Message", f"@firstline {QUESTION}")
        await tab.press(r"\d+ repl", "#messages")
        await tab.shows("Likely", THREAD)
        await tab.screenshot(picture("answer"))

        await tab.press("Evidence", THREAD)
        await tab.shows("Source: traces from", MODAL)
        await tab.screenshot(picture("evidence-modal"))
        await tab.close()
        await tab.press("Review plan", THREAD)
        await tab.reveal("- version", MODAL)
        await tab.screenshot(picture("plan-modal"))
        await tab.close()

        await tab.press("Request", THREAD)
        await tab.shows("Approval needed", THREAD)
        await approve(tab)
        await tab.shows("you asked", THREAD)
        await tab.screenshot(picture("approval"))

        await tab.press("Ben")
        await tab.press(r"\d+ replies")
        await approve(tab)
        await tab.shows("Recovered", THREAD, EFFECT_S)
        await tab.screenshot(picture("recovered"))

        await tab.press("Close and write the postmortem", THREAD)
        await tab.shows("Postmortem of INC-2", THREAD)
        await tab.press("Accept", THREAD)
        await tab.shows("Runbook accepted", THREAD)
        await tab.screenshot(picture("runbook"))


async def approve(tab):
    """Press Approve and say yes to what it asks then."""
    await tab.press("Approve", THREAD)
    await tab.press("Approve", "dialog[open]")
