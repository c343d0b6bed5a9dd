"""How an incident is shown, decided: where it is followed, and what of its account is posted. Pure.

Each function returns the event, or why there is none.
"""

from assistant.commands import Move, SharePostmortem
from assistant.domain.incident import Incident
from assistant.domain.people import Actor, ActorKind
from assistant.domain.shown import Moved, PostmortemShared
from assistant.postmortem import timeline, without


def moved(command: Move, actor: Actor, state: Incident) -> Moved | str:
    """Return the move of an open incident to a place of its own, once."""
    if actor.kind is not ActorKind.HUMAN:
        return "only a person can move an incident"
    if state.moved is not None:
        return f"it has been moved to {state.moved.shown} already"
    if not state.open:
        return "the incident is closed"
    return Moved(by=actor, place=command.place, shown=command.shown)


def shared(
    command: SharePostmortem, actor: Actor, state: Incident, account: str | None
) -> PostmortemShared | str:
    """Return the account as it stands, without the lines that somebody took out.

    What was added after they looked at it is in it.
    """
    if actor.kind is not ActorKind.HUMAN:
        return "only a person can post a postmortem"
    if account is None:
        return "no records are kept here that a postmortem could be made from"
    kept = frozenset(command.kept)
    offered = [seq for seq, _ in timeline(account) if seq <= command.upto]
    left_out = tuple(seq for seq in offered if seq not in kept)
    if any((one.upto, one.left_out) == (command.upto, left_out) for one in state.shared):
        return "exactly this is posted already"
    return PostmortemShared(
        by=actor, markdown=without(account, left_out), upto=command.upto, left_out=left_out
    )


def told(incident: str, event: Moved | PostmortemShared) -> str:
    """Return what to tell whoever asked for it."""
    if isinstance(event, Moved):
        return f"{incident} is followed in {event.shown} from now on."
    return f"The postmortem of {incident} is posted."
