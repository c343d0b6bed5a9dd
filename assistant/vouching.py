"""The journal of what stays on call, vouched for: joined from the settings, and a clock."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from assistant.config import Settings
from assistant.journal import keys
from assistant.journal.api import JournalError
from assistant.journal.checkpoint import BadCheckpoint, Checkpoint, Verifier, opened
from assistant.journal.notary import Leaves, Publish, VouchedJournal
from assistant.journal.published import Published

EVERY_S = 60.0


def believed(
    settings: Settings, key: Verifier | None = None, more: Iterable[str] = ()
) -> list[Checkpoint]:
    """Return the checkpoints that were kept and that `key` signed (null: the key of the settings).

    `more` are notes from elsewhere. Raises `JournalError` where one cannot be believed.
    """
    published = Published(settings.checkpoints)
    notes = [*published.notes(), *more]
    known = trusted(settings, key)
    try:
        return [opened(note, known) for note in notes]
    except BadCheckpoint as error:
        raise JournalError(
            f"a checkpoint (of {published.folder}, or one given) cannot be believed: {error}"
        ) from error


def trusted(settings: Settings, key: Verifier | None = None) -> list[Verifier]:
    """Return whose signatures count (`key` null: that of the settings); raises `JournalError`."""
    return [key] if key is not None else [k for k in [keys.public(settings.signing_key)] if k]


@asynccontextmanager
async def vouched(
    journal: Leaves, settings: Settings, *more: Publish
) -> AsyncIterator[VouchedJournal]:
    """Vouch for a journal for the length of the context; raises `RolledBack`, `JournalError`.

    Checkpoints are kept in the folder of the settings, and given to `more`.
    """
    signer, publish = keys.made(settings.signing_key), Published(settings.checkpoints).put
    known = believed(settings, signer.verifier)
    made = await asyncio.to_thread(VouchedJournal, journal, signer, [publish, *more], known)
    clock = asyncio.create_task(_each_minute(made))
    try:
        yield made
    finally:
        clock.cancel()
        with suppress(asyncio.CancelledError):
            await clock
        await asyncio.to_thread(made.vouch_if_possible)


async def _each_minute(journal: VouchedJournal) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        await asyncio.to_thread(journal.vouch_if_possible)
