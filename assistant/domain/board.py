"""Questions about all incidents at once. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from assistant.domain.action import ActionRequest, Status, Tracked
from assistant.domain.incident import Incident
from assistant.domain.requests import MUTATE
from connectors.api import Window

UNDER_WAY = (Status.APPROVED, Status.STARTED, Status.UNKNOWN)
BEFORE_ONSET, AFTER_REPAIR = timedelta(seconds=15), timedelta(seconds=5)
GRACE = timedelta(seconds=20)  # monitors look at a trailing window
PREFIX = "INC-"

Incidents = Mapping[str, Incident]


def next_id(incidents: Iterable[str]) -> str:
    """Return the id of the next incident; `incidents` are all that there ever were."""
    return f"{PREFIX}{1 + max((int(i.removeprefix(PREFIX)) for i in incidents), default=0)}"


def belongs_to(
    incidents: Incidents, fingerprint: str | None, service: str | None, at: datetime
) -> str | None:
    """Return the incident that an alert belongs to: the same alert, or a service that it hits.

    Monitors repeat an alert as long as it sounds, and look at the past: what began before a repair
    could show belongs to what was repaired. What begins later is news, and so is an alert that
    sounds again once its incident is closed: not every monitor says when one is over.
    """
    if fingerprint is None:
        return None
    for incident, state in reversed(list(incidents.items())):
        ended = state.closed is not None and at >= state.closed.at + GRACE
        if state.merged_into is not None or ended:
            continue
        if fingerprint in state.fingerprints - state.silent:
            return incident
        resolved = state.resolved_by
        repaired = resolved.finished if resolved is not None else None
        over = repaired + GRACE if repaired else state.closed.at if state.closed else None
        if (over is None or at < over) and _hits(state, fingerprint, service):
            return incident
    return None


def _hits(state: Incident, fingerprint: str, service: str | None) -> bool:
    first = state.finding.hypotheses[:1] if state.finding else ()
    hit = {state.opened.service, *(a for h in first for a in (h.service, *h.affected))}
    return fingerprint in state.fingerprints or service in hit - {None}


def told_before(incidents: Incidents, key: str | None) -> str | None:
    """Return the incident that a telling has opened already, null where there is none."""
    if key is None:
        return None
    return next((name for name, state in incidents.items() if state.opened.key == key), None)


def with_alert(incidents: Incidents, fingerprint: str) -> str | None:
    """Return the newest incident that a still sounding alert belongs to."""
    for incident, state in reversed(list(incidents.items())):
        if fingerprint in state.fingerprints - state.silent:
            return incident
    return None


def under_way(tracked: Tracked) -> bool:
    """Tell whether something may be going on, or its effect is not measured yet."""
    return tracked.status in UNDER_WAY or unmeasured(tracked)


def unmeasured(tracked: Tracked) -> bool:
    """Tell whether something was changed, and what came of it is not measured yet."""
    return tracked.status is Status.FINISHED and tracked.request.effect == MUTATE


def busy_targets(incidents: Incidents, but: str, *, begun: bool = False) -> Mapping[str, str]:
    """Return the targets that other incidents act on right now, and which incident it is.

    What is approved counts, but not with `begun`: of two that are approved one has to go first.
    """
    return {
        tracked.request.target: incident
        for incident, state in incidents.items()
        if incident != but
        for tracked in state.requests.values()
        if under_way(tracked) and (tracked.started is not None or not begun)
    }


def taken(busy: Mapping[str, str], target: str) -> str | None:
    """Return why nothing else may act on a target now, or null; `busy` as `busy_targets` tells."""
    other = busy.get(target)
    return f"{other} works on {target} right now; wait until that is over" if other else None


def waiting(incidents: Incidents) -> list[ActionRequest]:
    """Return all requests that wait for a decision."""
    return [
        tracked.request
        for state in incidents.values()
        for tracked in state.requests.values()
        if tracked.status is Status.PENDING
    ]


def started_on(incidents: Incidents, target: str, since: datetime) -> int:
    """Return how many actions on a target have been started since a moment."""
    return sum(
        tracked.request.target == target and tracked.started is not None and tracked.started > since
        for state in incidents.values()
        for tracked in state.requests.values()
    )


def troubled(incidents: Incidents, but: str, now: datetime) -> tuple[Window, ...]:
    """Return when other incidents had something to explain: no baseline for this one."""
    return tuple(
        window
        for incident, state in incidents.items()
        if incident != but and (window := _window(state, now)) is not None
    )


def _window(state: Incident, now: datetime) -> Window | None:
    finding = state.finding
    if finding is None or not finding.hypotheses or state.merged_into is not None:
        return None
    start = (finding.onset or state.opened.at) - BEFORE_ONSET
    end = now
    if state.resolved_by is not None and state.resolved_by.finished is not None:
        end = state.resolved_by.finished + AFTER_REPAIR
    elif state.closed is not None:
        end = state.closed.at
    return Window(start=start, end=max(start, end))
