"""Takes a command, drives the flow, folds its events and tells whoever watches."""

from collections.abc import Callable

from assistant.clock import Clock
from assistant.commands import Investigate
from assistant.domain.events import Event
from assistant.domain.incident import IllegalEvent, Incident, apply
from assistant.flow import Sources, investigate

Watcher = Callable[[Event, Incident], None]


class Service:
    """The one entry for every surface."""

    def __init__(self, sources: Sources, clock: Clock, watcher: Watcher | None = None) -> None:
        self._sources = sources
        self._clock = clock
        self._watcher = watcher

    async def investigate(self, command: Investigate) -> Incident:
        """Return the incident as it stands after the investigation."""
        state: Incident | None = None
        async for event in investigate(command, self._sources, self._clock):
            state = apply(state, event)
            if self._watcher is not None:
                self._watcher(event, state)
        if state is None:
            raise IllegalEvent("an investigation yields at least that it was opened")
        return state
