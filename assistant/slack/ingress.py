"""What Slack tells us, kept before it is acknowledged, and handled once.

Slack does not repeat what was acknowledged, so what is lost after that is lost for ever; and it
repeats what was not, so everything has a key. A mention comes twice, as `app_mention` and as
`message`: both have the key of the text itself, its team, channel and `ts`. Who edits a text so
that it mentions us says something new: Slack tells that as a mention that was edited.

What is written in one thread, or in an incident's own channel, is taken in the order in which it
was written: the second line may take back the first. Slack tells each through another connection,
so a line waits a moment for one that is older; it has its place from the moment it comes, because
the disk may take longer over the older one. What begins a thread has nothing to wait for. A button
waits for nobody: its form has to open within seconds; nor does a stop. A freeze and a thaw wait for
one another alone, wherever they were said: they are about everything.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from assistant.clock import Clock
from assistant.failure import Unusable
from assistant.slack.intents import intent
from assistant.slack.ports import Inbox

_log = logging.getLogger(__name__)
_TEXTS = ("app_mention", "message")
TURN_S = 0.25
_MENTION = re.compile(r"<@[^>]*>")
_EDITS = ("message_changed", "message_deleted")
_BRAKES, BRAKE = ("freeze", "thaw"), "brake"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class _Told:
    """One envelope, by the time at which its text was written.

    Its turn comes at `due` (seconds of the loop's clock) at the earliest. `kept`: true once it is
    on disk, false where it was before, null where it could not be kept.
    """

    ts: str
    due: float = field(compare=False)
    key: str = field(compare=False)
    payload: dict[str, Any] = field(compare=False)
    kept: asyncio.Future[bool | None] = field(compare=False)


class Ingress:
    """Claims envelopes, dispatches them to the app, and notes when they are done.

    `own` tells whether a channel, by its id, is all about one incident.
    """

    def __init__(
        self, app: AsyncApp, inbox: Inbox, clock: Clock, own: Callable[[str], bool]
    ) -> None:
        self._app = app
        self._inbox = inbox
        self._clock = clock
        self._own = own
        self._lanes: dict[str, list[_Told]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Begin with what was left at the last end; inside the context envelopes can be taken.

        What is cut off by the end of the context stays in the inbox.
        """
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                self._resume(tasks)
                yield
            finally:
                self._tasks = None

    async def take(self, payload: dict[str, Any], envelope: str) -> bool:
        """Keep an envelope and begin to handle it, if it is new; true: it may be acknowledged.

        The handling goes on whatever becomes of the acknowledgement. The disk is waited for in
        a thread, so that nobody else waits for it.
        """
        if self._tasks is None:
            return False
        key = key_of(payload, envelope)
        kept = self._tasks.create_task(self._keep(key, payload))
        self._begin(key, payload, kept, self._tasks)
        # Whoever stops waiting stops nothing: what was kept is not told again, so it has to begin.
        return await asyncio.shield(kept) is not None

    async def _keep(self, key: str, payload: dict[str, Any]) -> bool | None:
        body = json.dumps(payload).encode("ascii")
        try:
            return await asyncio.to_thread(self._inbox.claim, key, body, self._clock.now())
        except Unusable as error:  # Slack tells it again
            _log.error("%s is not taken: %s", key, error)
            return None

    def _begin(
        self,
        key: str,
        payload: dict[str, Any],
        kept: asyncio.Future[bool | None],
        tasks: asyncio.TaskGroup,
    ) -> None:
        event = payload.get("event") or {}
        channel, ts, lane = str(event.get("channel")), str(event.get("ts")), lane_of(payload)
        if lane not in (None, BRAKE) and self._own(channel):
            lane = channel
        now = asyncio.get_running_loop().time()
        due = now if lane == f"{channel}:{ts}" else now + TURN_S
        told = _Told(ts=ts, due=due, key=key, payload=payload, kept=kept)
        if lane is None:
            tasks.create_task(self._handle(told))
            return
        if lane not in self._lanes:
            self._lanes[lane] = []
            tasks.create_task(self._in_turn(lane))
        heappush(self._lanes[lane], told)

    async def _in_turn(self, lane: str) -> None:
        waiting = self._lanes[lane]
        while waiting:
            told = waiting[0]
            await _until(told.due)
            await told.kept
            await self._handle(heappop(waiting))  # an older one may have come meanwhile
        del self._lanes[lane]

    async def _handle(self, told: _Told) -> None:
        """Dispatch what is kept and new; Bolt answers for what its listeners raise."""
        if not await told.kept:
            return
        request = AsyncBoltRequest(mode="socket_mode", body=told.payload)
        await self._app.async_dispatch(request)
        try:
            await asyncio.to_thread(self._inbox.done, told.key)
        except Unusable as error:  # handled again at the next start, and found done then
            _log.error("%s is not noted as done: %s", told.key, error)

    def _resume(self, tasks: asyncio.TaskGroup) -> None:
        """Begin with what was acknowledged and not done when the process ended."""
        kept: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        kept.set_result(True)
        for key, body in self._inbox.unfinished():
            self._begin(key, json.loads(body), kept, tasks)


async def _until(due: float) -> None:
    """Wait until a time of the loop's clock, and until what came before it is read."""
    clock = asyncio.get_running_loop().time
    turn = max(due, clock())
    await asyncio.sleep(turn - clock())
    late_s = clock() - turn
    if late_s > 0:  # all stood still: what came meanwhile is in the sockets, and may be older
        await asyncio.sleep(min(late_s, TURN_S))


def lane_of(payload: Mapping[str, Any]) -> str | None:
    """Return in what a text waits for its turn: its thread mostly; null: it waits for nobody."""
    event = payload.get("event") or {}
    said = _MENTION.sub(" ", str(event.get("text") or "")).strip()
    word = intent(said).word
    if event.get("type") not in _TEXTS or word == "stop":
        return None
    if word in _BRAKES:
        return BRAKE
    return f"{event.get('channel')}:{event.get('thread_ts') or event.get('ts')}"


def key_of(payload: Mapping[str, Any], envelope: str) -> str:
    """Return what makes this telling the same as another one."""
    event = payload.get("event") or {}
    if event.get("type") in _TEXTS and event.get("subtype") not in _EDITS:
        edited = event.get("edited") or {}
        anew = f":{edited.get('ts')}" if edited and event["type"] == "app_mention" else ""
        return f"text:{payload.get('team_id')}:{event.get('channel')}:{event.get('ts')}{anew}"
    for name in ("event_id", "trigger_id"):
        if payload.get(name):
            return f"{name}:{payload[name]}"
    return f"envelope:{envelope}"
