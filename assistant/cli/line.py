"""The command line. Heavy parts are imported by the command that needs them, so help is instant."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from assistant.cli import trust
from assistant.cli.trust import data_option
from assistant.config import ConfigError, load
from assistant.failure import Unusable
from assistant.folder import FolderInUse
from connectors.demo import DemoError
from connectors.errors import ConnectorError
from retrieval.api import RetrievalError
from runbooks.model import RunbookError

FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130
FIRST_YEAR, LAST_YEAR = 1970, 9998  # whose hours, in whatever zone, are times in UTC as well
EXPECTED = (
    ConfigError,
    ConnectorError,
    DemoError,
    FolderInUse,
    RetrievalError,
    RunbookError,
    Unusable,
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="firstline", prog_name="firstline")
@click.option(
    "--config", type=click.Path(path_type=Path), help="Settings file (TOML); see docs/settings.md."
)
@click.option("--debug", is_flag=True, help="Show a traceback where firstline itself fails.")
@click.pass_context
def cli(context: click.Context, config: Path | None, *, debug: bool) -> None:
    """Explain incidents from telemetry: ranked causes, each with evidence that can be checked."""
    del debug  # read by `main`, which is outside of click
    context.obj = config


@cli.command()
@click.argument("question")
@click.option(
    "--recording", type=click.Path(path_type=Path), help="Answer from recorded telemetry."
)
@click.option("--at", help="When it was noticed (ISO 8601; without a zone: UTC). Default: now.")
@click.option("--service", help="The service that the question or the alert names.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Draw the evidence into this PNG, and its description into a .txt beside it.",
)
@data_option
@json_option
@click.pass_obj
def investigate(  # noqa: PLR0913, PLR0917 — one parameter per option
    config: Path | None,
    question: str,
    recording: Path | None,
    at: str | None,
    service: str | None,
    plot: Path | None,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    """Investigate QUESTION ("orders are slow") and say what caused it."""
    from assistant.cli import investigate as command  # noqa: PLC0415

    if plot is not None and (plot.suffix.lower() != ".png" or not plot.parent.is_dir()):
        # Said before the work, not after it.
        raise click.BadParameter(f"{plot} is no .png in a folder that exists", param_hint="--plot")
    settings = load(config, data)
    asked = command.Asked(
        question=question,
        recording=recording,
        at=_moment(at),
        service=service,
        as_json=as_json,
        plot=plot,
    )
    _finish(command.run(asked, settings))


@cli.command()
@click.option("--fault", default=None, help="What to break; see --list. Default: one by seed.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--system", help="The demo system, where several are installed.")
@click.option("--list", "listing", is_flag=True, help="Print the faults, one a line, name first.")
@click.option("--page", is_flag=True, help="Show the thread in a browser; stays until Ctrl-C.")
@click.option("--auto", is_flag=True, help="End by itself, with --page too.")
@click.option("--verdict-only", is_flag=True, help="Stop after the first verdict.")
@click.option("--rename", is_flag=True, help="Give the services other names (seeded).")
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    help="Keep the telemetry in DIR and DIR-again.",
    metavar="DIR",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the OTLP receiver.")
@data_option
@json_option
@click.pass_obj
def demo(  # noqa: PLR0913, PLR0917 — one parameter per option
    config: Path | None,
    fault: str | None,
    seed: int,
    system: str | None,
    record: Path | None,
    port: int,
    data: Path | None,
    *,
    listing: bool,
    page: bool,
    auto: bool,
    verdict_only: bool,
    rename: bool,
    as_json: bool,
) -> None:
    """Break a real system twice while it runs: explained, repaired, learnt from, recognised."""
    from assistant.cli import demo as command  # noqa: PLC0415

    if record is not None:
        command.refuse_kept(record)
    if listing:
        sys.exit(command.listing(system))
    asked = command.Asked(
        system=system,
        fault=fault,
        seed=seed,
        rename=rename,
        record=record,
        port=port,
        data=data,
        as_json=as_json,
        verdict_only=verdict_only,
        page=page,
        auto=auto,
    )
    _finish(command.run(asked, load(config, data)))


@cli.command()
@click.option("--local", is_flag=True, help="A workspace on this machine, with its page.")
@data_option
@click.pass_obj
def serve(config: Path | None, data: Path | None, *, local: bool) -> None:
    """Be on call in Slack until it is stopped (docs/slack.md)."""
    from assistant.cli import serve as command  # noqa: PLC0415

    _finish(command.run(load(config, data), local=local))


@cli.command("chat")
@click.option("--as", "name", default="ana", show_default=True, help="The person to be.")
@data_option
@click.pass_obj
def chat_as(config: Path | None, name: str, data: Path | None) -> None:
    """Talk to it in the terminal: the in-process workspace, as one of its people."""
    from assistant.cli import chat as command  # noqa: PLC0415

    _finish(command.run(load(config, data), name=name))


@cli.group()
def slack() -> None:
    """Connect a workspace."""


@slack.command("manifest")
@click.option("--http", metavar="https://HOST", help="Slack posts to this host: no Socket Mode.")
def slack_manifest(http: str | None) -> None:
    """Print the app's manifest, to be pasted where Slack asks for it."""
    import yaml  # noqa: PLC0415

    from assistant.slack.manifest import manifest  # noqa: PLC0415

    if http is not None and not http.startswith("https://"):
        raise click.BadParameter("Slack posts to https only", param_hint="--http")
    click.echo(yaml.safe_dump(manifest(http=http), sort_keys=False, allow_unicode=True), nl=False)


@cli.command()
@data_option
@json_option
@click.pass_obj
def doctor(config: Path | None, data: Path | None, *, as_json: bool) -> None:
    """Check the installation and every configured source, and say what to do."""
    from assistant.cli import doctor as command  # noqa: PLC0415

    _finish(command.run(load(config, data), as_json=as_json))


cli.add_command(trust.audit)
cli.add_command(trust.policy)


@cli.group()
def bench() -> None:
    """Measure quality on labelled data, and what trust costs."""


@bench.command("diagnosis")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--onset",
    type=click.Choice(["given", "detected"]),
    default="detected",
    show_default=True,
    help="given: told when it began. detected: told the alert's time and nothing else.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures here.")
def bench_diagnosis(folders: tuple[Path, ...], onset: str, json_file: Path | None) -> None:
    """Run the engine over every case of the recordings in FOLDERS."""
    from assistant.cli import bench as command  # noqa: PLC0415

    if json_file is not None and not json_file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {json_file.parent}", param_hint="--json")
    _finish(command.diagnosis(folders, json_file, given=onset == "given"))


@bench.command("audit")
@click.option("--records", default=1_000_000, show_default=True, help="How many are verified.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures here.")
def bench_audit(records: int, json_file: Path | None) -> None:
    """Measure what the audit trail costs, beside what the disk takes."""
    from assistant.cli import bench as command  # noqa: PLC0415

    _finish(command.audit(records, json_file))


def _finish(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run a command to its end and leave with its exit status."""
    sys.exit(asyncio.run(_interruptible(work)))


async def _interruptible(work: Coroutine[Any, Any, int]) -> int:
    """Let SIGTERM end a command the way Ctrl-C does: everything it started is stopped."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _moment(text: str | None) -> datetime | None:
    """Return a time that a person wrote; raises `click.BadParameter`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        hint = "2026-01-29T08:44:44Z"
        raise click.BadParameter(
            f"{text!r} is not a time like {hint}", param_hint="--at"
        ) from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        years = f"{FIRST_YEAR} to {LAST_YEAR}"
        raise click.BadParameter(f"{text!r} is not in the years {years}", param_hint="--at")
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def main() -> None:
    """Run the command line; whatever happens ends in one clear sentence and an exit status."""
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _stop(f"{' '.join(error.format_message().split())} (see --help)", error.exit_code)
    except EXPECTED as error:
        _stop(str(error), UNUSABLE)
    except (click.Abort, KeyboardInterrupt, asyncio.CancelledError):
        _stop("stopped", INTERRUPTED)
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        said = f"internal error ({type(error).__name__}); run it again with --debug and report it"
        _stop(said, FAILED)


def _stop(sentence: str, status: int) -> NoReturn:
    click.echo(f"firstline: {sentence}", err=True)
    sys.exit(status)
