"""The composition root: the one place where real parts are chosen and joined.

The index is imported inside the function that opens it: its libraries take seconds to load, and
neither `--help` nor a question that needs no runbook should wait for them.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from assistant.clock import SystemClock
from assistant.config import ConfigError, Settings
from assistant.flow import Sources
from assistant.folder import FolderInUse, held
from assistant.journal.sql import SqlJournal
from assistant.recall import COLLECTION, Search, documents
from assistant.recollection import Reading
from assistant.service import Service
from assistant.store.database import open_database
from connectors import registry
from connectors.api import Connector, Window
from connectors.recording import RecordingConnector, open_recording
from retrieval.api import Index, Match, Query, RetrievalError
from runbooks.model import Runbook
from runbooks.parse import load_folder, load_library
from runbooks.shelf import Shelf

INDEX_PATIENCE_S = 30.0


def runbooks(settings: Settings) -> dict[str, Runbook]:
    """Return the runbooks by id: shipped, the team's own, and those that incidents have taught.

    A later one of an id wins. Raises `RunbookError`.
    """
    return {**written(settings), **{r.id: r for r in Shelf(settings.shelf).all()}}


def written(settings: Settings) -> dict[str, Runbook]:
    """Return the shipped runbooks and the team's own; raises `RunbookError`."""
    own = load_folder(settings.runbooks) if settings.runbooks is not None else ()
    return {r.id: r for r in (*load_library(), *own)}


@contextmanager
def index(settings: Settings) -> Iterator[Index]:
    """Open the index with every runbook in it; the caller holds the data folder.

    Raises `RetrievalError`, `RunbookError`.
    """
    from retrieval.index import open_index  # noqa: PLC0415

    qdrant = settings.qdrant
    opened = open_index(
        settings.index_folder,
        url=qdrant.url if qdrant else None,
        api_key=qdrant.api_key if qdrant else None,
    )
    try:
        opened.sync(COLLECTION, documents(runbooks(settings).values()))
        yield opened
    finally:
        opened.close()


class SharedIndex:
    """An index that is opened for each search and closed after it: processes can take turns."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def search(self, query: Query) -> list[Match]:
        """Return the matches; raises `RetrievalError` where the folder cannot be used."""
        try:
            with (
                held(self._settings.data, patience_s=INDEX_PATIENCE_S),
                index(self._settings) as opened,
            ):
                return opened.search(query)
        except FolderInUse as error:
            raise RetrievalError(str(error)) from error


def recorded(path: Path, settings: Settings) -> Service:
    """Return a service that answers one question from a recording; `connectors.errors.Rejected`."""
    recording = open_recording(path)
    windows = recording.info.known_incidents
    return alone(
        {"recording": RecordingConnector(path)}, SharedIndex(settings), settings, known=windows
    )


def live(settings: Settings) -> Service:
    """Return a service that asks the configured connectors once.

    Raises `ConfigError` without any, and where one of them cannot be built.
    """
    registered = configured(settings)
    if registered.failed or not registered.connectors:
        broken = "; ".join(f"{f.name}: {f.message}" for f in registered.failed)
        raise ConfigError(broken or f"{settings.no_connectors}, or name a --recording")
    return alone(registered.connectors, SharedIndex(settings), settings)


def alone(
    connectors: Mapping[str, Connector],
    search: Search | None,
    settings: Settings,
    *,
    known: tuple[Window, ...] = (),
) -> Service:
    """Return a service for one question, whose journal ends with the process."""
    clock = SystemClock()
    journal = SqlJournal(open_database(None), clock)
    sources = Sources(
        connectors=connectors,
        clock=clock,
        found=Reading(search, runbooks(settings)) if search is not None else None,
        known=lambda _: known,
    )
    return Service(sources, journal)


def configured(settings: Settings) -> registry.Registered:
    """Return every configured source; the ones that failed are in it, with the reason."""
    return registry.load(settings.connectors)
