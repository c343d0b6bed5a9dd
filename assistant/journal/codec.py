"""Events as JSON bytes, told apart by the name of their class."""

from typing import get_args

from assistant.domain.events import Event
from assistant.store.tagged import Tagged

EVENTS: Tagged[Event] = Tagged(get_args(Event))
