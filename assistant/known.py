"""What is known of every incident, folded from the records, and who is told of each one."""

import logging
from collections.abc import Awaitable, Callable

from assistant.domain.desk import Desk, settle
from assistant.domain.events import Event
from assistant.domain.incident import Incident, apply

ALL = ""  # the journal's name for what concerns no single incident
Watcher = Callable[[str, Event, Incident], Awaitable[None]]
_log = logging.getLogger(__name__)


class Known:
    """`incidents` by id, in the order of their opening; `desk` is what holds for all of them."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.desk = Desk()
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` each event with the state after it, once it is on disk."""
        self._watchers.append(watcher)

    def check(self, incident: str, event: Event) -> None:
        """Raise `IllegalEvent` where this cannot come next."""
        self._after(incident, event)

    def fold(self, incident: str, event: Event) -> None:
        """Take in what is on record."""
        after = self._after(incident, event)
        if isinstance(after, Desk):
            self.desk = after
        else:
            self.incidents[incident] = after

    async def tell(self, incident: str, event: Event) -> None:
        """Tell the watchers; what one of them cannot do does not undo what is written down."""
        for watcher in self._watchers if incident != ALL else ():
            try:
                await watcher(incident, event, self.incidents[incident])
            except Exception:  # noqa: BLE001 — a surface that fails must not fail the record
                _log.critical("%s could not be shown", incident, exc_info=True)

    def _after(self, incident: str, event: Event) -> Desk | Incident:
        if incident == ALL:
            return settle(self.desk, event)
        return apply(self.incidents.get(incident), event)
