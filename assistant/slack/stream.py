"""What a person sees from the first second: a reaction, and one message that grows with each read.

Slack lets an app stream to whoever asked; where it does not, now or ever, the card is shown from
the beginning, as it is for alerts. A stream is noted like any other message before it is started,
so that one which outlives its process is ended by the next. Sources: docs.slack.dev,
chat.startStream, chat.appendStream, chat.stopStream, agents.sessions.setStatus.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from assistant.clock import Clock
from assistant.domain.events import Event, Opened
from assistant.domain.incident import Incident
from assistant.failure import Unusable
from assistant.slack.errors import FAILURES, code, passing, sentence, wait_s
from assistant.slack.ports import Messages
from assistant.slack.progress import Asker, Progress
from assistant.slack.thread import messages

PACE_S = 1.0  # between two additions to one message
PATIENCE_S = 60.0  # without any news: whoever looked is no more, and the card tells what is known
MINUTE_S = 60.0
STARTS, APPENDS = 18, 90  # a minute: below what Slack allows the whole app, 20 and 100
LATER_S, TRIES, LAST_S = 0.5, 6, 2.0
LONGEST_S = 30.0  # between two tries
CANDIDATES = 5
OPEN, OVER = "open", "over"
EYES = "eyes"
# Whoever is told this will be told it again: the app, its token or the workspace has no streams.
_NEVER = frozenset(
    (
        "missing_scope",
        "unknown_method",
        "not_allowed_token_type",
        "access_denied",
        "feature_not_enabled",
        "team_access_not_granted",
    )
)
_ENDED = frozenset(
    (
        "stopped_by_user",
        "message_not_in_streaming_state",
        "message_not_found",
        "message_not_owned_by_app",
    )
)
_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """`on` false: there is only the reaction.

    `sources` are those that are asked, by name and by what they give; links lead to `hosts` only.
    """

    on: bool
    sources: tuple[tuple[str, str], ...] = ()
    hosts: frozenset[str] = frozenset()
    pace_s: float = PACE_S
    patience_s: float = PATIENCE_S


class Streams:
    """Streams to those who ask, while it runs."""

    def __init__(self, client: AsyncWebClient, messages: Messages, clock: Clock, how: How) -> None:
        self._client = client
        self._messages = messages
        self._clock = clock
        self._how = how
        self._can = {"stream": how.on, "react": True, "session": how.on}
        self._askers: dict[str, Asker] = {}
        self._going: dict[str, Progress] = {}
        self._started: deque[float] = deque()
        self._appended: deque[float] = deque()
        self._tasks: asyncio.TaskGroup | None = None
        self._shown: Callable[[str], None] = lambda _: None

    def holds(self, incident: str) -> bool:
        """Tell whether an incident's card has to wait for its stream to end."""
        return incident in self._going

    @contextmanager
    def asked(self, place: str, asker: Asker) -> Iterator[None]:
        """Show at once that somebody was heard; what they open meanwhile is streamed to them."""
        if self._tasks is not None and self._can["react"]:
            self._tasks.create_task(self._react(asker))
        self._askers[place] = asker
        try:
            yield
        finally:
            self._askers.pop(place, None)

    def told(self, incident: str, event: Event, state: Incident) -> None:
        """Take an event in; nothing is waited for."""
        if isinstance(event, Opened) and event.place is not None:
            asker = self._askers.get(event.place)
            if asker is not None and self._tasks is not None and self._may_start():
                going = Progress(incident, asker, self._how.sources, self._how.hosts)
                self._going[incident] = going
                self._tasks.create_task(self._show(incident, going))
        going_on = self._going.get(incident)
        if going_on is not None:
            going_on.told(event, state)

    async def run(self, before: Iterable[str], shown: Callable[[str], None]) -> None:
        """Stream until cancelled. `before` are incidents whose stream may have been left open.

        `shown` is called when the card of an incident need not wait any more.
        """
        self._shown = shown
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                tasks.create_task(self._end_all(before))
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def _may_start(self) -> bool:
        return self._can["stream"] and self._within(self._started, STARTS)

    def _within(self, times: deque[float], most: int) -> bool:
        """Tell whether one more is within what is allowed in a minute, and count it."""
        now = self._clock.monotonic()
        while times and times[0] <= now - MINUTE_S:
            times.popleft()
        if len(times) >= most:
            return False
        times.append(now)
        return True

    async def _react(self, asker: Asker) -> None:
        try:
            await self._client.reactions_add(
                channel=asker.channel, name=EYES, timestamp=asker.message
            )
        except FAILURES as error:
            self._gave_up("react", "a message could not be marked as seen", error)

    def _gave_up(self, what: str, said: str, error: BaseException) -> None:
        _log.warning("%s: %s", said, sentence(error))
        if code(error) in _NEVER:
            self._can[what] = False

    async def _show(self, incident: str, going: Progress) -> None:
        try:
            ts = await self._started_whole(_slot(incident), going)
            if ts is not None:
                await self._grow(_slot(incident), ts, going)
        except Unusable as error:
            _log.error("the stream of %s is not noted: %s", incident, error)
        finally:
            del self._going[incident]
            self._let_go(incident)

    def _let_go(self, incident: str, again_s: float = LATER_S) -> None:
        """Have the card shown that has waited; what cannot be noted now is tried again."""
        try:
            self._shown(incident)
        except Unusable as error:
            _log.error("the card of %s waits: %s", incident, error)
            if self._tasks is not None:
                self._tasks.create_task(self._let_go_later(incident, again_s))

    async def _let_go_later(self, incident: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._let_go(incident, min(2 * after_s, LONGEST_S))

    async def _started_whole(self, slot: str, going: Progress) -> str | None:
        """Start a stream; whoever ends us meanwhile leaves none open of which nobody knows."""
        starting = asyncio.create_task(self._start(slot, going))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting], timeout=LAST_S)
            if starting.done() and starting.exception() is None and (ts := starting.result()):
                await self._end(slot, going.asker.channel, ts)
            raise

    async def _start(self, slot: str, going: Progress) -> str | None:
        """Return the `ts` of the new message, null where there is none to be had."""
        asker = going.asker
        self._messages.intend(slot, asker.channel, asker.thread, OPEN)
        try:
            reply = await self._client.chat_startStream(
                channel=asker.channel,
                thread_ts=asker.thread,
                recipient_user_id=asker.user,
                recipient_team_id=asker.team,
                task_display_mode="plan",
                chunks=going.take(),
            )
        except FAILURES as error:
            self._gave_up("stream", "the card is shown instead of a stream", error)
            if not passing(error):
                self._messages.sent(slot, "", OVER)
            elif self._tasks is not None:  # it may have been started all the same
                self._tasks.create_task(self._end_left(slot))
            return None
        ts = str(reply["ts"])
        self._messages.sent(slot, ts, OPEN)
        return ts

    async def _grow(self, slot: str, ts: str, going: Progress) -> None:
        """Add what is told until the answer is there; ended in any case."""
        working = self._spawn(self._session(going.asker, "processing"))
        try:
            while await going.more(self._how.patience_s):
                if self._within(self._appended, APPENDS) and not await self._append(ts, going):
                    break
                await going.rest(self._how.pace_s)
        finally:
            ending = self._spawn(self._finish(slot, ts, going, working))
            # An answer must not wait for a Slack that does not end it, and neither must our end.
            await asyncio.wait([ending], timeout=LAST_S)

    def _spawn(self, work: Coroutine[None, None, _T]) -> asyncio.Task[_T]:
        tasks = self._tasks
        return asyncio.create_task(work) if tasks is None else tasks.create_task(work)

    async def _append(self, ts: str, going: Progress) -> bool:
        """Add what is new; false where the message takes no more."""
        chunks = going.take()
        try:
            await self._client.chat_appendStream(channel=going.asker.channel, ts=ts, chunks=chunks)
        except FAILURES as error:
            if not passing(error):
                _log.info("a stream takes no more: %s", sentence(error))
                return False
            going.give_back(chunks)
            await going.rest(wait_s(error) or LATER_S)
        return True

    async def _finish(
        self, slot: str, ts: str, going: Progress, working: asyncio.Task[bool]
    ) -> None:
        await asyncio.wait([working])
        processing = not working.cancelled() and working.result()
        session = {"session_status": "active"} if processing else {}
        ended = await self._end(slot, going.asker.channel, ts, chunks=going.take(), **session)
        if session and not ended:
            await self._session(going.asker, "active")
        if ended is None:
            await self._end_left(slot)

    async def _end(self, slot: str, channel: str, ts: str, **last: object) -> bool | None:
        """Stop the stream; false where it was not this that did, null where Slack takes nothing."""
        for _ in range(TRIES):
            more: dict[str, Any] = {name: value for name, value in last.items() if value}
            try:
                await self._client.chat_stopStream(channel=channel, ts=ts, **more)
            except FAILURES as error:
                if code(error) in _ENDED:
                    self._over(slot, ts)
                    return False
                if passing(error):
                    await asyncio.sleep(wait_s(error) or LATER_S)
                elif last:
                    last = {}
                else:
                    _log.warning("a stream could not be ended: %s", sentence(error))
                    return False
            else:
                self._over(slot, ts)
                return True
        return None

    def _over(self, slot: str, ts: str) -> None:
        with suppress(Unusable):  # then it is ended once more at the next start
            self._messages.sent(slot, ts, OVER)

    async def _session(self, asker: Asker, status: str) -> bool:
        """Say whether there is something to stop: Slack shows its own Stop meanwhile."""
        if not self._can["session"]:
            return False
        try:
            await self._client.agents_sessions_setStatus(
                channel_id=asker.channel, thread_ts=asker.thread, status=status
            )
        except FAILURES as error:
            self._gave_up("session", "Slack shows no Stop of its own", error)
            return False
        return True

    async def _end_all(self, incidents: Iterable[str]) -> None:
        for incident in incidents:
            if not await self._ended(_slot(incident)):
                self._spawn(self._end_left(_slot(incident)))

    async def _end_left(self, slot: str) -> None:
        """End the stream of which nobody knows, wherever it is, once Slack lets us."""
        after_s = LATER_S
        while not await self._ended(slot):
            await asyncio.sleep(after_s)
            after_s = min(2 * after_s, LONGEST_S)

    async def _ended(self, slot: str) -> bool:
        """Try to end a stream; false where it may be tried again."""
        try:
            known = self._messages.get(slot)
            if known is None or known.digest == OVER:
                return True
            found = [known.ts] if known.ts else []
            if not found and known.thread is not None:
                found = await self._unnamed(known.channel, known.thread)
            return None not in [await self._end(slot, known.channel, ts) for ts in found]
        except (Unusable, *FAILURES) as error:
            of_slack = isinstance(error, FAILURES)
            _log.warning("%s may still be open: %s", slot, sentence(error) if of_slack else error)
            return of_slack and not passing(error)

    async def _unnamed(self, channel: str, thread: str) -> list[str]:
        """Return messages of ours that are no letters: a stream that nobody noted is among them."""
        found = [
            str(message["ts"])
            async for message in messages(self._client, channel, thread)
            if message.get("app_id") and not message.get("metadata")
        ]
        return found[-CANDIDATES:]


def _slot(incident: str) -> str:
    return f"{incident}/stream"
