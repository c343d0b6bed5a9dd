"""A real browser, driven as a person does: by what is written on the page.

Chromium without a window, over its debugging protocol (chromedevtools.github.io/devtools-protocol).
"""

import asyncio
import base64
import json
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import aiohttp

CHROMIUM = shutil.which("chromium")
START_S, STEP_S = 30, 30
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
    "--remote-debugging-port=0",
)  # fmt: skip
# What lies under a modal cannot be pressed.
PRESS = """(words, within) => {
  const top = document.querySelector("dialog[open]") || document.querySelector("#modal .modal")
    || document.querySelector(within);
  if (!top) return false;
  const all = [...top.querySelectorAll("button, a, summary")];
  const said = (e) => (e.textContent || e.value || "").replace(/\\s+/g, " ").trim();
  const begins = new RegExp(`^${words}`);
  const found = all.filter((e) => begins.test(said(e))).at(-1);
  if (!found || found.disabled) return false;
  found.scrollIntoView({block: "center"});
  window.left = found.tagName === "A";
  found.click();
  return true;
}"""
WRITE = """(where, text) => {
  const field = [...document.querySelectorAll("input, textarea")].filter(
    (e) => (e.placeholder || e.name || "").startsWith(where)).at(-1);
  if (!field) return false;
  field.value = text;
  const form = field.closest("form");
  if (form.classList.contains("composer")) form.requestSubmit();
  return true;
}"""
REVEAL = """(words, within) => {
  const parts = [...document.querySelector(within).querySelectorAll("p, pre, h3, li")];
  parts.find((e) => e.textContent.includes(words)).scrollIntoView({block: "center"});
  return true;
}"""
SHOWS = "(words, within) => document.querySelector(within)?.innerText.includes(words)"


class Browser:
    """One tab.

    Whatever is waited for has `STEP_S` seconds; then `TimeoutError` says what the page shows.
    """

    def __init__(self, socket):
        self._socket, self._ids = socket, count(1)

    async def call(self, method, **arguments):
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": arguments})
        async with asyncio.timeout(STEP_S):
            while True:
                said = json.loads((await self._socket.receive()).data)
                if said.get("id") == number:
                    return said["result"]

    async def open(self, url, width=1280, height=1000):
        """Show an address; `height` is how much of the page a screenshot holds."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        await self.call("Page.navigate", url=url)
        await self._until("() => document.readyState === 'complete'")

    async def shows(self, words, within="body", seconds=STEP_S):
        """Wait until a part of the page says something."""
        await self._until(SHOWS, words, within, seconds=seconds)

    async def reveal(self, words, within):
        """Scroll to where a part of the page says something."""
        await self.shows(words, within)
        await self._until(REVEAL, words, within)

    async def press(self, words, within="body", seconds=STEP_S):
        """Press the last thing that begins with these words (a pattern), once it is there."""
        await self._until(PRESS, words, within, seconds=seconds)
        await self._until("() => !window.left && document.readyState === 'complete'")

    async def close(self):
        """Close the modal, and wait until it is gone."""
        await self.press("Close", "#modal")
        await self._until("() => !document.querySelector('#modal .modal')")

    async def write(self, where, text):
        """Write into the last field whose placeholder or name begins so; a composer is sent."""
        await self._until(WRITE, where, text)

    async def text(self):
        return await self._run("() => document.body.innerText")

    async def screenshot(self, path):
        taken = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(taken["data"]))

    async def _until(self, function, *arguments, seconds=STEP_S):
        try:
            async with asyncio.timeout(seconds):
                while not await self._run(function, *arguments):  # noqa: ASYNC110 — its own process
                    await asyncio.sleep(0.1)
        except TimeoutError:
            shown = await self.text()
            raise TimeoutError(f"{arguments} did not come; the page shows:\n{shown}") from None

    async def _run(self, function, *arguments):
        written = f"({function})({', '.join(json.dumps(a) for a in arguments)})"
        done = await self.call("Runtime.evaluate", expression=written, returnByValue=True)
        return done["result"].get("value")


@asynccontextmanager
async def browser():
    """Start a browser with a profile of its own, and end it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            port = await _port(Path(profile) / "DevToolsActivePort")
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                    tabs = await answer.json(content_type=None)
                tab = next(t for t in tabs if t["type"] == "page")
                address = tab["webSocketDebuggerUrl"]
                async with session.ws_connect(address, max_msg_size=0) as socket:
                    yield Browser(socket)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _port(path):
    async with asyncio.timeout(START_S):
        while not (path.exists() and path.read_text().count("\n")):  # noqa: ASYNC110 — a process
            await asyncio.sleep(0.1)
    return int(path.read_text().splitlines()[0])
