"""The first ten seconds after a mention: `python -m bench.mentions --count 50`.

The example system runs with one fault, firstline is on call for it in a Slack on loopback, and one
person asks again and again, each time in a thread of its own. Measured from their message: the
first visible sign, the first thing that a source has told, and the verdict; and, apart, the seconds
of the slowest source. The exit status is 0 if the 95th percentile of each is within its bar.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from assistant import oncall, wiring
from assistant.clock import SystemClock
from assistant.config import AuditSettings, Settings
from assistant.demo import systems
from assistant.domain.hypothesis import Verdict
from assistant.flow import Timing
from assistant.service import Service
from assistant.slack.local.people import Message
from assistant.slack.local.slack import LocalSlack
from connectors import registry
from connectors.demo import DemoRun
from connectors.otlp import OtlpReceiver
from connectors.otlp import Settings as OtlpSettings

CHANNEL, PERSON = "incidents", "ana"
PATIENCE_S = 60.0
ALERTS = "/alerts"
BARS = {"first sign": 1.0, "first content": 3.0, "verdict": 10.0}
SOURCES, CPU = "slowest source", "our CPU"
DONE = ("complete", "error")
NAMED = (Verdict.LIKELY, Verdict.POSSIBLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One mention: seconds by name of figure, whether a cause was named, and by the first look."""

    seconds: dict[str, float]
    named: bool
    at_once: bool


def main() -> int:
    """Ask, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.mentions", description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="how many mentions")
    parser.add_argument("--fault", default="", help="default: the first one that there is")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    answered = asyncio.run(_run(options.count, options.fault, options.seed))
    return told(answered)


async def _run(count: int, fault: str, seed: int) -> list[Answered]:
    folder = Path(tempfile.mkdtemp(prefix="firstline-mentions-"))
    try:
        async with _on_call(folder, fault, seed) as (service, slack):
            return [await _mention(service, slack, number) for number in range(count)]
    finally:
        for made in (folder, folder.with_name(f"{folder.name}.audit")):
            shutil.rmtree(made, ignore_errors=True)


@asynccontextmanager
async def _on_call(
    folder: Path, fault: str, seed: int
) -> AsyncIterator[tuple[Service, LocalSlack]]:
    """Start the system, break it, and be on call for it."""
    system = min(systems().items())[1]
    receiver = OtlpReceiver(OtlpSettings(port=0))
    settings = Settings(data=folder, audit=AuditSettings())
    async with AsyncExitStack() as stack:
        index = stack.enter_context(wiring.index(settings))
        receiver.add_route(ALERTS, _unheard)
        await receiver.start()
        stack.push_async_callback(receiver.aclose)
        run = DemoRun(
            otlp_endpoint=receiver.endpoint,
            alert_webhook=receiver.endpoint + ALERTS,
            folder=folder / "system",
            seed=seed,
            fault=fault or system.faults[0].name,
        )
        session = await stack.enter_async_context(system.start(run))
        seen = registry.load(session.system.connectors).connectors
        for connector in seen.values():
            stack.push_async_callback(connector.aclose)
        connectors = {receiver.connector.name: receiver.connector, **seen}
        parts = oncall.Parts(connectors=connectors, actuators={}, index=index, receivers={})
        here, slack = await stack.enter_async_context(
            oncall.on_local_slack(parts, settings, SystemClock())
        )
        await session.play()
        print(f"{run.fault} with seed {seed} is in; {os.getloadavg()[0]:.1f} jobs run", flush=True)
        await asyncio.sleep(BARS["verdict"])  # whoever notices it has seen it for a while
        yield here.service, slack


async def _unheard(headers: Mapping[str, str], body: bytes) -> tuple[int, object]:
    """Leave alerts aside: here it is people who notice."""
    del headers, body
    return 200, {}


async def _mention(service: Service, slack: LocalSlack, number: int) -> Answered:
    clock = SystemClock()
    before = set(service.incidents())
    person = slack.person(PERSON)
    began, spent = clock.monotonic(), time.process_time()
    ts = await person.say(CHANNEL, "@firstline the pages are slow")

    def thread() -> list[Message]:
        return person.messages(CHANNEL, ts)

    seconds = {}
    for name in BARS:
        await slack.wait_for(partial(seen, name, thread), PATIENCE_S)
        seconds[name] = clock.monotonic() - began
    seconds[CPU] = time.process_time() - spent
    (incident,) = set(service.incidents()) - before
    found = service.incidents()[incident]
    seconds[SOURCES] = max((read.seconds for read in found.reads), default=0.0)
    await service.settled(incident)  # what comes after the verdict is not the next one's
    told = "  ".join(f"{name} {value:.2f}" for name, value in seconds.items())
    print(f"{number + 1:3}  {told}", flush=True)
    horizon = found.window[1] if found.window else found.opened.at
    return Answered(
        seconds=seconds,
        named=found.finding is not None and found.finding.verdict in NAMED,
        at_once=(horizon - found.opened.at).total_seconds() < Timing().look_after_s,
    )


def seen(figure: str, read: Callable[[], Sequence[Message]]) -> bool:
    """Tell whether a person sees that when they read the thread of their question."""
    thread = read()
    ours = [m for m in thread if m.app]
    match figure:
        case "first sign":
            return bool(ours or thread[0].reactions)
        case "first content":  # the line of some source, in the stream or on the card
            tasks = [task for m in ours if m.stream for task in m.stream.tasks]
            return any(t["status"] in DONE for t in tasks) or "rows in" in str(_blocks(ours))
        case _:
            return any(m.blocks and "looking" not in m.text for m in ours)


def _blocks(messages: Sequence[Message]) -> list[object]:
    return [m.blocks for m in messages]


def told(answered: Sequence[Answered]) -> int:
    """Print percentiles beside the bars; 1 where one is missed."""
    missed = False
    for name in (*BARS, SOURCES, CPU):
        values = [a.seconds[name] for a in answered]
        usual, most = statistics.median(values), p95(values)
        bar = BARS.get(name)
        late = bar is not None and most > bar
        missed |= late
        judged = "" if bar is None else f"  bar {bar:g} s{'  MISSED' if late else ''}"
        print(f"{name:15} p50 {usual:6.2f} s  p95 {most:6.2f} s{judged}")
    named = sum(a.named for a in answered)
    first = sum(a.at_once for a in answered)
    causes = f"{named} of {len(answered)} named a cause, {first} by the first look"
    print(f"{causes}; {os.getloadavg()[0]:.1f} jobs run")
    return int(missed)


def p95(values: Sequence[float]) -> float:
    """Return the value that one in twenty exceeds: of few, the highest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


if __name__ == "__main__":
    sys.exit(main())
