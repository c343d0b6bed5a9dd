"""What stopping an incident means: what follows in the records, and what people are told. Pure."""

from datetime import datetime

from assistant.domain.action import Status, Tracked
from assistant.domain.board import unmeasured
from assistant.domain.events import Event, ReadFailed, ReadPerformed, Stopped, WentStale
from assistant.domain.incident import Incident
from assistant.domain.people import Actor

GO_ON = 'Say "@firstline go on" to look again.'


def stopped(state: Incident, by: Actor, at: datetime) -> tuple[Event, ...]:
    """Return what stopping comes to: what was allowed and has not begun will not begin."""
    why = f"{by.name} stopped it before it was started; ask for it again"
    ready = [t.request.id for t in state.requests.values() if _ready(t)]
    # In this order: where only a part can be written down, no old yes starts anything afterwards.
    return (*(WentStale(request=r, why=why) for r in ready), Stopped(by=by, at=at))


def stopped_words(state: Incident) -> str:
    """Return what whoever stopped an incident is told, from the state before it."""
    running = [t.request.summary for t in state.requests.values() if t.status is Status.STARTED]
    acting = [f'The action "{r}" has started and is not interrupted.' for r in running]
    changed = [t.request.summary for t in state.requests.values() if unmeasured(t)]
    measuring = [f'What "{r}" has changed is still measured.' for r in changed]
    return " ".join(["Stopped.", *acting, *measuring, *_seen(state), GO_ON])


def held_up(state: Incident) -> str | None:
    """Return why nothing new is begun in an incident, null where nobody has stopped it."""
    if state.stopped is None:
        return None
    return f'{state.stopped.by.name} has stopped this; say "@firstline go on" first'


def _ready(tracked: Tracked) -> bool:
    free = tracked.status is Status.PENDING and tracked.request.mandate.approvals == 0
    return free or tracked.status is Status.APPROVED


def _seen(state: Incident) -> list[str]:
    if state.finding is not None and not state.asked_anew:
        return []
    told = ", ".join(_read(read) for read in state.reads) or "nothing"
    return [f"Read so far: {told}."]


def _read(read: ReadPerformed | ReadFailed) -> str:
    name = f"{read.capability} ({read.source})"
    if isinstance(read, ReadFailed):
        return f"{name} not looked at"
    return f"{name} {read.rows} rows"
