"""Slack and a system that live in the test, and a firstline in a process that is killed -9."""

import asyncio
import os
import sqlite3
import sys
import time
from contextlib import asynccontextmanager, closing
from pathlib import Path

from slackrig import judged
from system import System

from assistant.clock import SystemClock
from assistant.domain.action import Status
from assistant.domain.incident import apply
from assistant.journal.sql import SqlJournal
from assistant.journal.verify import State, verify
from assistant.slack.local.deliveries import Timing
from assistant.slack.local.people import Streaming
from assistant.slack.local.slack import LocalSlack
from assistant.store.database import StoreError, open_for_reading

INCIDENT = "INC-1"
GOES_ON_S = 10.0
STORY_S = 200.0
POLL_S = 0.05
STARTS = 13  # as often as the longest story starts it
SETTINGS = """
data = "{data}"

[slack]
bot_token = "{bot}"
app_token = "{app}"
api_url = "{url}"

[timing]
look_after_s = 0.1
settle_s = 0.2
every_s = 0.3
patience_s = 20
grace_s = 0
"""


class Rig:
    """Slack, the system and a firstline that is killed and started again."""

    patience_s = GOES_ON_S  # until it is connected

    def __init__(self, folder: Path, slack: LocalSlack, system: System) -> None:
        self.slack, self.system = slack, system
        self.database = folder / "data" / "firstline.db"
        self._settings = folder / "firstline.toml"
        self._settings.write_text(
            SETTINGS.format(
                data=folder / "data",
                bot=slack.bot_token,
                app=slack.app_token,
                url=slack.api_url,
            )
        )
        self._errors = folder / "errors"
        self.kills = 0
        self.slowest = 0.0
        self.known: list[tuple[int, bytes]] = []
        self._asked_at = 0.0

    async def start(self) -> None:
        began = time.monotonic()
        with self._errors.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(Path(__file__).with_name("child.py")),
                str(self._settings),
                self.system.url,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_paths())},
            )
        links = self.slack.sockets.links
        await self.until(lambda: bool(links), self.patience_s, "it connects again")
        self.slowest = max(self.slowest, time.monotonic() - began)

    async def kill(self) -> None:
        """Kill -9; what was written down before must be what is there, unchanged."""
        self._process.kill()
        await self._process.wait()
        self.kills += 1
        await self.until(lambda: not self.slack.sockets.links, 5, "the connection ends")
        rows = self.rows()
        assert rows[: len(self.known)] == self.known, "a record was lost or changed"
        self.known = rows

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def rows(self) -> list[tuple[int, bytes]]:
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            try:
                return connection.execute("SELECT seq, h FROM entry ORDER BY seq").fetchall()
            except sqlite3.OperationalError:  # the tables are not made yet
                return []

    def state(self):
        """Return what the journal says of the incident, and the names of its events."""
        try:
            database = open_for_reading(self.database)
        except StoreError:
            return None, []
        try:
            events = [r.event for r in SqlJournal(database, SystemClock()).records(INCIDENT)]
        finally:
            database.close()
        state = None
        for event in events:
            state = apply(state, event)
        return state, [type(event).__name__ for event in events]

    async def until(self, condition, seconds, what):
        give_up = time.monotonic() + seconds
        while not condition():
            errors = self._errors.read_text() if self._errors.exists() else ""
            assert time.monotonic() < give_up, f"not in time: {what}\n{errors[-2000:]}"
            await asyncio.sleep(POLL_S)

    async def people(self) -> None:
        """Do what there is to do, again where nothing came of it, until it is over."""
        give_up = time.monotonic() + STORY_S
        while not self.over():
            assert time.monotonic() < give_up, f"the story stands still: {self.state()[1]}"
            await self._act(*self.state())
            await asyncio.sleep(POLL_S)

    def over(self) -> bool:
        state, _ = self.state()
        return state is not None and state.over

    async def _act(self, state, names) -> None:
        if time.monotonic() - self._asked_at < 1.5:
            return
        label = None
        if state is None:
            self._asked_at = time.monotonic()
            if not any("front is slow" in m.text for m in self._seen("ana")):
                await self.slack.person("ana").say("incidents", "@firstline front is slow")
            return
        requests = list(state.requests.values())
        last = requests[-1].status if requests else None
        if state.closed is not None:
            label = "Accept" if state.draft and state.draft_decided is None else None
        elif state.resolved_by is not None:
            label = "Close"
        elif last is Status.PENDING:
            label = "Approve"
        elif state.plan is not None and last in (None, Status.FAILED, Status.STALE):
            label = "Request"
        if label is not None and await self._press(
            "ana" if label in "Request Close" else "ben", label
        ):
            self._asked_at = time.monotonic()

    def _seen(self, name):
        person = self.slack.person(name)
        top = person.messages("incidents")
        return [m for t in top for m in (t, *person.messages("incidents", t.ts))]

    async def _press(self, name, label) -> bool:
        for message in reversed(self._seen(name)):
            for block in message.blocks:
                for part in block.get("elements", ()):
                    if part.get("type") == "button" and part["text"]["text"].startswith(label):
                        await self.slack.person(name).click(
                            "incidents", message.ts, part["action_id"], block_id=block["block_id"]
                        )
                        return True
        return False

    def check(self) -> None:
        """Nothing lost, nothing twice, nothing changed."""
        state, names = self.state()
        assert verify(self.database).state is State.SOUND
        assert self.rows()[: len(self.known)] == self.known
        assert max(self.system.effects.values()) == 1
        done = [t for t in state.requests.values() if t.finished is not None]
        assert sorted(self.system.effects) == sorted(t.request.id for t in done)
        assert names.count("ActionStarted") == len(set(self.started()))
        assert state.resolved_by is not None
        assert not [m for m in self._seen("ana") if "INC-2" in m.text]
        streams = [m.stream for m in self._seen("ana") if m.stream is not None]
        assert all(stream.state is not Streaming.GROWING for stream in streams)

    def started(self) -> list[str]:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return [row[0] for row in connection.execute("SELECT request FROM intent")]


def _paths() -> list[str]:
    """Return where the child finds the modules of the tests, and what this process was told."""
    told = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [str(Path(__file__).parents[1]), *filter(None, told)]


@asynccontextmanager
async def rigged(tmp_path, kind=Rig):
    timing = Timing(ack=1.0, retries=(0.2, 0.5, 1.0))
    # Each start may post at once. What Slack told while nobody was there it tells again, or it says
    # that nobody answered.
    judging = judged(timing=timing, burst=STARTS + 2, excused=["acknowledged"])
    async with judging as slack, System() as system:
        rig = kind(tmp_path, slack, system)
        await rig.start()
        try:
            yield rig
        finally:
            await rig.stop()
