"""`firstline chat`: the in-process workspace in the terminal, as one of its people.

Lines that come from a pipe are taken one after the other: each is done before the next is read.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import click
from rich.console import Console

from assistant import oncall
from assistant.cli.serve import gathered, refuse_beside_real
from assistant.clock import SystemClock
from assistant.config import Settings
from assistant.service import Service
from assistant.slack.local.chat import chat, typed
from assistant.slack.local.slack import LocalSlack

QUIET_S = 1.5  # longer than the pace of messages in a channel


async def run(settings: Settings, *, name: str) -> int:
    """Chat until there are no more lines. Raises `ConfigError`, `FolderInUse` and others."""
    refuse_beside_real(settings, "`firstline chat`")
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(gathered(settings))
        here, slack = await stack.enter_async_context(oncall.on_local_slack(parts, settings, clock))
        people = [u.name for u in slack.workspace.users.values() if not (u.bot or u.deleted)]
        if name not in people:
            raise click.BadParameter(
                f"nobody is called {name}; there are: {', '.join(people)}", param_hint="--as"
            )
        url = await stack.enter_async_context(oncall.inbound(here, parts, settings, clock))
        click.echo(f"webhooks and health: {url}", err=True)
        click.echo(
            f"You are {name} in #{oncall.LOCAL_CHANNEL}. Begin with @firstline; a number presses"
            " the button, > answers in the thread, ! lists shortcuts, #name goes to another"
            " channel, /firstline lists commands, Ctrl-D ends it.",
            err=True,
        )
        lines = typed(sys.stdin) if sys.stdin.isatty() else _one_by_one(slack, here.service)
        person = slack.person(name)
        await chat(slack, person, oncall.LOCAL_CHANNEL, console=Console(), lines=lines)
    return 0


async def _one_by_one(slack: LocalSlack, service: Service) -> AsyncIterator[str]:
    """Return the lines of a pipe, each once everything that the one before began is over."""
    async for line in typed(sys.stdin):
        yield line
        await slack.changes().quiet(QUIET_S)
        for incident in service.incidents():
            await service.settled(incident)
        await slack.changes().quiet(QUIET_S)
