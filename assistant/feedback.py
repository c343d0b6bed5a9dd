"""What people say of an answer: whether it was right, and what it really was."""

from assistant.commands import CorrectCause, Rate
from assistant.domain.incident import Incident
from assistant.domain.judgement import CauseCorrected, Rated
from assistant.domain.people import Actor, ActorKind

MOST = 300  # characters of what somebody says in their own words


def heard(
    command: CorrectCause | Rate, actor: Actor, state: Incident
) -> CauseCorrected | Rated | str:
    """Return what is to be recorded, or why nothing is."""
    if actor.kind is not ActorKind.HUMAN:
        return "only a person can judge an answer"
    if state.finding is None:
        return "there is no answer yet"
    if isinstance(command, Rate):
        return Rated(by=actor, good=command.good)
    text = " ".join(command.text.split())[:MOST]
    if not command.service and not text:
        return "say which component it was, or what it was in words"
    if command.service and command.service not in state.finding.components:
        return "this component was not seen in the incident; name it in words"
    return CauseCorrected(by=actor, service=command.service, text=text)


def told_again(said: CauseCorrected, state: Incident) -> bool:
    """Tell whether it is the very word that counts already, as one that is told twice is."""
    last = state.corrections[-1] if state.corrections else None
    return last is not None and (last.by.id, last.told) == (said.by.id, said.told)
