"""What a policy says about an action: allowed, after so many yeses, or no. Pure, and never open.

All rules that deny are asked first, and one is enough. Of the others the first that fits counts.
Where none fits, where a rule cannot be answered, where facts are missing or where it takes too
long, the answer is no.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from pydantic import ValidationError

from assistant.policy.facts import Fact, Facts
from assistant.policy.rules import ALLOW, DENY, Approvals, Bundle

LONGEST_S = 0.05  # of work: what a busy machine does meanwhile does not count


class Kind(StrEnum):
    """What a policy can say."""

    ALLOW = "allow"
    APPROVAL = "approval"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The answer and what it rests on.

    `needed` people of `group` (null: the team's approvers) have to say yes. `rule` is null where no
    rule decided. `facts` is the SHA-256 of the facts that were asked about.
    """

    kind: Kind
    rule: str | None
    why: str
    needed: int = 0
    group: str | None = None
    facts: str = ""
    failed: bool = False  # it is a no because something did not work


def decide(
    bundle: Bundle, given: Mapping[str, Fact], clock: Callable[[], float] = time.thread_time
) -> Ruling:
    """Return the ruling on an action; raises nothing."""
    began = clock()
    try:
        facts = Facts.model_validate(dict(given)).model_dump()
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in fault["loc"]) or "the facts"
        return _failed(None, f"the fact {name} is missing or wrong", "")
    told = sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    first: int | None = None
    for index in _deny_first(bundle):
        rule = bundle.rules[index]
        try:
            fits = bundle.conditions[index].execute(facts)
        except (RuntimeError, TypeError, ValueError, ArithmeticError, LookupError):
            return _failed(rule.name, f"the rule {rule.name!r} could not be answered", told)
        if not isinstance(fits, bool):
            return _failed(rule.name, f"the rule {rule.name!r} is no yes-or-no question", told)
        if clock() - began > LONGEST_S:
            return _failed(rule.name, "the policy took too long to answer", told)
        if fits and rule.then == DENY:
            why = rule.why or f"the rule {rule.name!r} forbids it"
            return Ruling(kind=Kind.DENY, rule=rule.name, why=why, facts=told)
        if fits and first is None:
            first = index
    if first is None:
        return Ruling(kind=Kind.DENY, rule=None, why="no rule of the policy allows it", facts=told)
    return _granted(bundle, first, told)


def _deny_first(bundle: Bundle) -> list[int]:
    return sorted(range(len(bundle.rules)), key=lambda i: bundle.rules[i].then != DENY)


def _granted(bundle: Bundle, index: int, told: str) -> Ruling:
    rule = bundle.rules[index]
    if isinstance(rule.then, Approvals):
        people = "one person" if rule.then.approvals == 1 else f"{rule.then.approvals} people"
        why = rule.why or f"the rule {rule.name!r} wants the yes of {people}"
        return Ruling(
            kind=Kind.APPROVAL,
            rule=rule.name,
            why=why,
            needed=rule.then.approvals,
            group=rule.then.group,
            facts=told,
        )
    why = rule.why or f"the rule {rule.name!r} allows it"
    return Ruling(kind=Kind(ALLOW), rule=rule.name, why=why, facts=told)


def _failed(rule: str | None, why: str, told: str) -> Ruling:
    return Ruling(
        kind=Kind.DENY, rule=rule, why=f"{why}, so it is refused", facts=told, failed=True
    )
