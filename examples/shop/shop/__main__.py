"""Run the shop by hand: `python -m shop --otlp URL --alerts URL --fault NAME --seed N`."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from connectors.demo import DemoRun
from shop.children import ShopError
from shop.demo import Shop
from shop.lifeline import Message
from shop.plan import FAULTS


@click.command()
@click.option("--otlp", required=True, metavar="URL", help="An OTLP/HTTP receiver's base address.")
@click.option("--alerts", required=True, metavar="URL", help="Where alerts are posted to.")
@click.option("--fault", metavar="NAME", help=f"What breaks: {', '.join(FAULTS)}; else nothing.")
@click.option("--seed", default=0, show_default=True, help="Decides where, and all the rest.")
@click.option("--rename", is_flag=True, help="Give the services invented names.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Logs, database.")
@click.option("--for", "seconds", default=60.0, show_default=True, help="Seconds after the onset.")
def main(  # noqa: PLR0913
    *,
    otlp: str,
    alerts: str,
    fault: str | None,
    seed: int,
    rename: bool,
    folder: Path | None,
    seconds: float,
) -> None:
    """Run the shop, break it, tell the truth at the end."""
    with _folder(folder) as place:
        run = DemoRun(
            otlp_endpoint=otlp,
            alert_webhook=alerts,
            folder=place,
            seed=seed,
            fault=fault,
            rename=rename,
        )
        try:
            asyncio.run(_run(run, seconds))
        except ShopError as error:
            click.echo(f"shop: {error}", err=True)
            sys.exit(2)
        except KeyboardInterrupt:
            click.echo("shop: stopped", err=True)
            sys.exit(130)


async def _run(run: DemoRun, seconds: float) -> None:
    async with Shop(_tell).start(run) as session:
        click.echo(f"running; change feed and status at {session.url}")
        await session.play()
        click.echo("it has happened" if run.fault else "nothing has broken")
        await asyncio.sleep(seconds)
        click.echo(json.dumps(asdict(await session.truth()), indent=2))


def _tell(message: Message) -> None:
    click.echo(f"{'alert' if message['firing'] else 'over'}: {message['symptom']}")


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="shop-") as made:
        yield Path(made)


if __name__ == "__main__":
    main()
