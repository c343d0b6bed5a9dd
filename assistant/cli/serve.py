"""`firstline serve`: on call, in Slack or in the in-process workspace, until it is stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import click

from assistant import observe, oncall, wiring
from assistant.clock import SystemClock
from assistant.config import ConfigError, Settings
from assistant.folder import held
from assistant.slack.local.page import LocalPage


async def run(settings: Settings, *, local: bool) -> int:
    """Serve until cancelled. Raises `ConfigError`, `FolderInUse`, `SlackError` and others."""
    if local:
        refuse_beside_real(settings, "--local")
    elif not settings.has_workspace:
        raise ConfigError(
            "Slack's tokens are missing: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or "
            "SLACK_SIGNING_SECRET where Slack is to post to you "
            "(docs/slack.md says where they come from), or try `firstline serve --local`"
        )
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(gathered(settings))
        if local:
            here, slack = await stack.enter_async_context(
                oncall.on_local_slack(parts, settings, clock)
            )
            page = await stack.enter_async_context(LocalPage(slack))
            click.echo(f"the local workspace: {page.url}")
        else:
            here = await stack.enter_async_context(oncall.on_slack(parts, settings, clock))
        url = await stack.enter_async_context(oncall.inbound(here, parts, settings, clock))
        click.echo(f"webhooks and health: {url}")
        click.echo("firstline is on call; Ctrl-C stops it")
        await asyncio.Event().wait()
    return 0


@asynccontextmanager
async def gathered(settings: Settings) -> AsyncIterator[oncall.Parts]:
    """Hold the data folder and start what the settings name; the errors are those of `run`."""
    async with AsyncExitStack() as stack:
        stack.enter_context(held(settings.data))
        stack.enter_context(observe.exported(settings.telemetry_endpoint))
        index = await asyncio.to_thread(stack.enter_context, wiring.index(settings))
        yield await stack.enter_async_context(oncall.configured(settings, index))


def refuse_beside_real(settings: Settings, what: str) -> None:
    """Raise `ConfigError` where simulated people would act beside a real workspace."""
    if settings.has_workspace:
        raise ConfigError(
            f"{what} does not start beside real Slack tokens, because its people are simulated: "
            "unset SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET and [slack], or leave "
            f"{what} out"
        )
