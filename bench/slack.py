"""How soon Slack's events are acknowledged under load: `python -m bench.slack`.

A Slack on loopback tells firstline so many events a second through Socket Mode: the real
connections, ingress and listeners, and the real inbox on disk; only the desk behind them counts
what it is asked instead of looking. Printed are the milliseconds from the telling to the
acknowledgement, beside those of a bare claim in the same kind of database, and how many events were
lost or handled twice. The exit status is 1 where one was, or where the 99th percentile is over
500 ms.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from assistant.answer import Answer
from assistant.clock import SystemClock
from assistant.commands import Command, Investigate
from assistant.domain.incident import Incident
from assistant.domain.people import Actor
from assistant.slack.letters import Looks
from assistant.slack.local.cast import demo_workspace
from assistant.slack.local.faults import Envelopes
from assistant.slack.local.slack import LocalSlack
from assistant.slack.manifest import SCOPES
from assistant.slack.people import People
from assistant.slack.ports import Alarm, Watcher
from assistant.slack.serve import Connection, Slack, Tables
from assistant.slack.transports import web_client
from assistant.store.buttons import Buttons
from assistant.store.database import open_database
from assistant.store.inbox import Inbox
from assistant.store.messages import Messages

BAR_MS = 500.0
BARE_CLAIMS = 500


class Counting:
    """A desk that counts how often it is asked each question."""

    def __init__(self, note: Callable[[], None]) -> None:
        self.asked: Counter[str] = Counter()
        self._note = note  # wakes whoever waits for a question

    async def submit(self, command: Command, actor: Actor) -> Answer:
        del actor
        if isinstance(command, Investigate):
            self.asked[command.text] += 1
            self._note()
        return Answer(incident=None, said="")

    def incident(self, incident: str) -> Incident | None:
        del incident
        return None

    def incidents(self) -> Mapping[str, Incident]:
        return {}

    def watch(self, watcher: Watcher) -> None:
        """There is nothing to watch."""

    def warn(self, alarm: Alarm) -> None:
        """There is nothing to warn of."""


def bare(folder: Path) -> list[float]:
    """Return the milliseconds of claims, each on disk, with nothing else going on."""
    took = []
    with closing(open_database(folder / "bare.db")) as database:
        inbox, clock = Inbox(database), SystemClock()
        for number in range(BARE_CLAIMS):
            began = time.perf_counter()
            inbox.claim(f"event_id:{number}", b"x" * 700, clock.now())
            took.append((time.perf_counter() - began) * 1e3)
    return took


@asynccontextmanager
async def on_call(slack: LocalSlack, folder: Path) -> AsyncIterator[Counting]:
    """Run firstline's Slack side for a workspace, with its tables in the folder."""
    client, clock = web_client(slack.bot_token, slack.api_url), SystemClock()
    desk = Counting(slack.workspace.changes.note)
    with closing(open_database(folder / "firstline.db")) as database:
        whole = Slack(
            connection=Connection(
                client=client, app_token=slack.app_token, people=People(client, clock)
            ),
            desk=desk,
            tables=Tables(
                buttons=Buttons(database), inbox=Inbox(database), messages=Messages(database)
            ),
            looks=Looks(),
            clock=clock,
        )
        running = asyncio.create_task(whole.run())
        await slack.connected(2)
        try:
            yield desk
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def told(slack: LocalSlack, number: int) -> float:
    """Tell one event and return the milliseconds until it is acknowledged."""
    workspace, ana = slack.workspace, slack.person("ana").user
    began = time.perf_counter()
    delivery = slack.office.tell(
        {
            "type": "app_mention",
            "user": ana.id,
            "text": f"<@{workspace.bot.id}> question {number}",
            "ts": f"{1_760_000_000 + number}.000100",
            "channel": next(iter(workspace.channels)),
            "team": ana.team,
        }
    )
    await delivery.finished.wait()
    return (time.perf_counter() - began) * 1e3


async def load(
    folder: Path, rate: float, seconds: float, copies: int
) -> tuple[list[float], Counter[str]]:
    """Tell `rate` events a second for so long; returns the acknowledgements and what was asked."""
    async with LocalSlack(demo_workspace(), SystemClock(), scopes=SCOPES) as slack:
        slack.faults.envelopes = Envelopes(copies=copies)
        async with on_call(slack, folder) as desk, asyncio.TaskGroup() as tasks:
            began, telling = time.perf_counter(), []
            for number in range(int(rate * seconds)):
                await asyncio.sleep(began + number / rate - time.perf_counter())
                telling.append(tasks.create_task(told(slack, number)))
            acks = await asyncio.gather(*telling)
            with suppress(TimeoutError):  # what is missing then is lost
                await slack.wait_for(lambda: len(desk.asked) == len(acks), 10)
    return acks, desk.asked


def quantiles(took: list[float]) -> str:
    """Return median and 99th percentile in words."""
    return f"p50 {_at(took, 0.5):.1f} ms, p99 {_at(took, 0.99):.1f} ms"


def _at(took: list[float], share: float) -> float:
    return sorted(took)[min(len(took) - 1, int(share * len(took)))]


def main() -> int:
    """Print the figures; 0 where nothing was lost or doubled and the bar is met."""
    parser = argparse.ArgumentParser(prog="python -m bench.slack", description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--copies", type=int, default=1, help="how often each is told")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        claims = bare(Path(name))
        acks, asked = asyncio.run(load(Path(name), options.rate, options.seconds, options.copies))
    lost = len(acks) - len(asked)
    twice = sum(times > 1 for times in asked.values())
    print(f"bare claim:      {quantiles(claims)}  ({len(claims)})")
    print(f"acknowledgement: {quantiles(acks)}  ({len(acks)}, {options.rate:g} a second)")
    print(f"lost: {lost}, handled twice: {twice}")
    return int(lost > 0 or twice > 0 or _at(acks, 0.99) > BAR_MS)


if __name__ == "__main__":
    sys.exit(main())
