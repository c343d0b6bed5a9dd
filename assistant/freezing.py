"""A freeze of all actions and its end: of two words that counts which was said later.

They may be told late, and again after a restart, whatever was said since.
"""

from assistant.commands import Freeze, Thaw
from assistant.decision import Decision, done, refused
from assistant.domain.brake import Frozen, Thawed
from assistant.domain.desk import Desk
from assistant.domain.people import Actor

FROZEN = "Frozen: no action will be started."
THAWED = "Thawed: actions may be started again."


def braked(command: Freeze | Thaw, actor: Actor, desk: Desk) -> Decision:
    """Return what a word about all actions comes to; one that is told again changes nothing."""
    why = None if actor.human else "only a person can do that"
    why = why or overtaken(command, desk)
    if why is not None:
        return refused(None, actor, "freeze" if isinstance(command, Freeze) else "thaw", why)
    event: Frozen | Thawed
    if isinstance(command, Freeze):
        event, told = Frozen(by=actor, reason=command.reason, said=command.said), FROZEN
    else:
        event, told = Thawed(by=actor, said=command.said), THAWED
    return done(None, told, *(() if _again(event, desk.brake) else (event,)))


def overtaken(command: Freeze | Thaw, desk: Desk) -> str | None:
    """Return why a word counts no more since another one was said after it, or null."""
    last = desk.brake
    if last is None or last.said is None or command.said is None or command.said >= last.said:
        return None
    word = "freeze" if isinstance(last, Frozen) else "thaw"
    when = f"{last.said:%H:%M:%S} UTC"
    return f'after that {last.by.name} said "{word}", at {when}; say it again if you still want it'


def _again(event: Frozen | Thawed, last: Frozen | Thawed | None) -> bool:
    """Tell whether it is the very word that counts already."""
    return type(event) is type(last) and event.said is not None and event.said == last.said
