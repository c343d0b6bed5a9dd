"""Time that jumps to what comes next, and processes that die between two steps.

A process is whatever was started with `Loop.spawn`: all tasks and callbacks that come of it carry
it in their context. When it is killed none of them is ever run again, and no clean-up is: what a
real process leaves behind when it is killed is what it has written until then.
"""

import asyncio
import contextvars
import selectors
from contextlib import suppress
from datetime import timedelta

from world import T0

PROCESS = contextvars.ContextVar("process", default=None)
MANY = 1_000


class Stuck(BaseException):
    """Everybody waits, and nothing will ever happen."""


class Process:
    """One process; it dies before its step with the number `steps`, or when somebody kills it."""

    def __init__(self, number, steps=None):
        self.number, self.dead, self._left = number, False, steps
        self.ended = asyncio.Event()

    def kill(self):
        self.dead = True
        self.ended.set()

    def may_step(self):
        if self._left is not None and not self.dead:
            self._left -= 1
            if self._left <= 0:
                self.kill()
        return not self.dead


class _Jumping(selectors.SelectSelector):
    """Waits for nothing outside: it moves the time of its loop."""

    loop = None

    def select(self, timeout=None):
        if timeout is None:
            raise Stuck
        self.loop.jump(timeout)
        return []


class Loop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; work for threads is done in place, between two steps."""

    def __init__(self):
        self._at, self._over, self._known = 0.0, False, []
        selector = _Jumping()
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = 1e-6
        self.set_task_factory(self._task)

    def time(self):
        return self._at

    def jump(self, seconds):
        self._at += seconds

    def spawn(self, process, work):
        """Start work as a process (null: outside of all of them)."""
        context = contextvars.Context()
        context.run(PROCESS.set, process)
        return self.create_task(work, context=context)

    def call_soon(self, callback, *args, context=None):
        context = contextvars.copy_context() if context is None else context
        if self._over:
            return asyncio.Handle(callback, args, self, context)
        process = context.get(PROCESS)
        return super().call_soon(_step, process, callback, *args, context=context)

    def call_at(self, when, callback, *args, context=None):
        context = contextvars.copy_context() if context is None else context
        process = context.get(PROCESS)
        return super().call_at(when, _step, process, callback, *args, context=context)

    def run_in_executor(self, executor, func, *args):
        future = self.create_future()

        def work():
            try:
                outcome, settle = func(*args), future.set_result
            except Exception as error:  # noqa: BLE001 — as a thread hands it over
                outcome, settle = error, future.set_exception
            self.call_soon(lambda: None if future.done() else settle(outcome))

        self.call_soon(work)
        return future

    def finish(self):
        """Let go of everything that was killed or left, without running any of it."""
        self._over = True
        self.close()
        for task in self._known:
            task._log_destroy_pending = False  # noqa: SLF001 — it is meant to be left
            for _ in range(MANY):  # whatever it wants to tidy up, it may not
                with suppress(BaseException):
                    task.get_coro().close()
                    break

    def _write_to_self(self):
        """Wake nobody: there is one thread."""

    def _task(self, loop, work, context=None):
        task = asyncio.Task(work, loop=loop, context=context)
        self._known.append(task)  # a task that nobody holds may vanish, and would tidy up
        if len(self._known) > MANY:
            self._known = [task for task in self._known if not task.done()]
        return task


def _step(process, callback, *args):
    if process is None or process.may_step():
        callback(*args)


class LoopClock:
    """The time of a loop as the wall's, from `T0` and three minutes on."""

    def __init__(self, loop):
        self._loop = loop

    @property
    def at(self):
        return T0 + timedelta(minutes=3, seconds=self._loop.time())

    def now(self):
        return self.at

    def monotonic(self):
        return self._loop.time()
