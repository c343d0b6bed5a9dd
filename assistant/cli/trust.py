"""The commands of trust, `firstline audit` and `firstline policy`, as click sees them.

What they do is imported when one is called, so that help stays instant.
"""

import sys
from pathlib import Path

import click

from assistant.config import load

data_option = click.option(
    "--data", type=click.Path(path_type=Path), help="Folder for firstline's own data."
)


@click.group()
def audit() -> None:
    """Read and check the journal of everything that happened."""


@audit.command("verify")
@click.option("--key", help="The public key of the checkpoints (default: that of the settings).")
@click.option(
    "--checkpoint", "notes", multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A checkpoint from elsewhere, as it was posted in Slack.",
)  # fmt: skip
@data_option
@click.pass_obj
def audit_verify(
    config: Path | None, key: str | None, notes: tuple[Path, ...], data: Path | None
) -> None:
    """Check every record and checkpoint: 0 sound, 1 tampered, 2 cannot be verified."""
    from assistant.cli import audit as command  # noqa: PLC0415

    sys.exit(command.check(load(config, data), key, notes))


@audit.command("key")
@data_option
@click.pass_obj
def audit_key(config: Path | None, data: Path | None) -> None:
    """Print the public key by which others verify the checkpoints."""
    from assistant.cli import audit as command  # noqa: PLC0415

    sys.exit(command.key(load(config, data)))


@audit.command("prove")
@click.argument("incident")
@data_option
@click.pass_obj
def audit_prove(config: Path | None, incident: str, data: Path | None) -> None:
    """Write the records of INCIDENT so that they can be verified without the rest."""
    from assistant.cli import audit as command  # noqa: PLC0415

    sys.exit(command.prove(load(config, data), incident))


@audit.command("accept-restore")
@click.option("--reason", required=True, help="Why; it is written down.")
@data_option
@click.pass_obj
def audit_accept_restore(config: Path | None, reason: str, data: Path | None) -> None:
    """Go on with a journal that is older or another than the one that was vouched for."""
    from assistant.cli import audit as command  # noqa: PLC0415

    sys.exit(command.accept_restore(load(config, data), reason))


@audit.command("redact")
@click.argument("incidents", nargs=-1, required=True, metavar="INCIDENT...")
@click.option("--reason", required=True, help="Why; it is written down.")
@data_option
@click.pass_obj
def audit_redact(
    config: Path | None, incidents: tuple[str, ...], reason: str, data: Path | None
) -> None:
    """Remove what was said in closed incidents; the chain, and who did what when, stays."""
    from assistant.cli import audit as command  # noqa: PLC0415

    sys.exit(command.redact(load(config, data), incidents, reason))


@audit.command("show")
@click.argument("incident", required=False)
@data_option
@click.pass_obj
def audit_show(config: Path | None, incident: str | None, data: Path | None) -> None:
    """Print what happened, in one INCIDENT or in all, a line a record."""
    from assistant.cli import audit as command  # noqa: PLC0415

    sys.exit(command.show(load(config, data).data, incident))


@audit.command("export")
@click.argument("incident", required=False)
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "cloudevents", "ocsf"]), default="jsonl",
    show_default=True, help="jsonl: as stored, with every hash.",
)  # fmt: skip
@data_option
@click.pass_obj
def audit_export(config: Path | None, incident: str | None, form: str, data: Path | None) -> None:
    """Write the records of one INCIDENT or of all, a JSON object a line."""
    from assistant.cli import audit as command  # noqa: PLC0415

    sys.exit(command.export(load(config, data).data, incident, form))


@click.group()
def policy() -> None:
    """Check and explain the rules about who may do what."""


_policy_file = click.argument(
    "file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True)
)


@policy.command("check")
@_policy_file
@click.pass_obj
def policy_check(config: Path | None, file: Path | None) -> None:
    """Say whether the policy in FILE (default: that of the settings) can be used."""
    from assistant.cli import policy as command  # noqa: PLC0415

    sys.exit(command.check(load(config), file))


@policy.command("test")
@_policy_file
@click.option(
    "--cases", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The table of cases (default: NAME.cases.yaml beside FILE).",
)  # fmt: skip
@click.pass_obj
def policy_test(config: Path | None, file: Path | None, cases: Path | None) -> None:
    """Ask every case of the table, and whether a change of any rule would be noticed."""
    from assistant.cli import policy as command  # noqa: PLC0415

    sys.exit(command.test(load(config), file, cases))


@policy.command("explain")
@_policy_file
@click.option("--fact", "facts", multiple=True, help="NAME=VALUE; others are as usual.")
@click.pass_obj
def policy_explain(config: Path | None, file: Path | None, facts: tuple[str, ...]) -> None:
    """Say what the policy decides on an action with these facts, and by which rule."""
    from assistant.cli import policy as command  # noqa: PLC0415

    sys.exit(command.explain(load(config), file, facts))
