"""Table cases for a policy, and whether they would notice if a rule were wrong.

    facts: {effect: mutate, risk: low, ...}      # all of them, where a case says nothing else
    cases:
      - name: nothing is changed at night
        facts: {hour: 3}
        expect: deny                              # allow, deny, or a number of approvals
        rule: at night                            # which rule has to decide; may be left out

The mutation check changes one thing of one rule at a time (a comparison, a condition, an answer,
the order) and asks the cases again. A change that no case notices is a part of the policy that
nobody has tested.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.policy.decide import Kind, Ruling, decide
from assistant.policy.facts import Fact
from assistant.policy.rules import (
    ALLOW,
    DENY,
    Approvals,
    Bundle,
    PolicyError,
    Rule,
    bundle,
    read_yaml,
)

_TOKEN = re.compile(
    r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|&&|\|\||==|!=|<=|>=|<|>|!|\b\d+\b|\btrue\b|\bfalse\b"
)
_OTHERS: Mapping[str, tuple[str, ...]] = {
    "&&": ("||",), "||": ("&&",), "==": ("!=",), "!=": ("==",), "<": ("<=", ">="),
    "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"), "!": ("",), "true": ("false",),
    "false": ("true",),
}  # fmt: skip


class Case(BaseModel):
    """One case: what differs from the usual facts, and what has to come out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    facts: dict[str, Fact] = {}
    expect: Literal["allow", "deny"] | Annotated[int, Field(ge=1, strict=True)]
    rule: str | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    facts: dict[str, Fact]
    cases: Annotated[tuple[Case, ...], Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A policy in which one thing was changed; `what` says which."""

    what: str
    policy: Bundle


def parse_cases(text: str, source: str) -> tuple[Case, ...]:
    """Return the cases of a file, each with all its facts; raises `PolicyError`."""
    try:
        written = _File.model_validate(read_yaml(text, source))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the file"
        raise PolicyError(f"{source}: {place}: {fault['msg']}.") from None
    return tuple(c.model_copy(update={"facts": written.facts | c.facts}) for c in written.cases)


def failures(policy: Bundle, cases: tuple[Case, ...]) -> list[tuple[Case, Ruling]]:
    """Return the cases that come out otherwise than they say, with what came out."""
    ruled = ((case, decide(policy, case.facts)) for case in cases)
    return [(case, ruling) for case, ruling in ruled if not _as_expected(case, ruling)]


def survivors(policy: Bundle, cases: tuple[Case, ...], source: str) -> tuple[list[Mutant], int]:
    """Return the mutants that no case notices, and how many mutants there were."""
    made = list(mutants(policy, source))
    return [m for m in made if not failures(m.policy, cases)], len(made)


def mutants(policy: Bundle, source: str) -> Iterator[Mutant]:
    """Yield every policy that differs in one thing from this one."""
    for index, rule in enumerate(policy.rules):
        rest = (policy.rules[:index], policy.rules[index + 1 :])
        if len(policy.rules) > 1:
            yield _mutant(policy, (*rest[0], *rest[1]), f"{rule.name}: left out", source)
        for what, changed in _changed(rule):
            rules = (*rest[0], changed, *rest[1])
            try:
                yield _mutant(policy, rules, f"{rule.name}: {what}", source)
            except PolicyError:
                continue  # a change that gives no condition any more is none that could slip in
    for index, (one, other) in enumerate(zip(policy.rules, policy.rules[1:], strict=False)):
        if DENY in (one.then, other.then):
            continue  # those that deny are asked first, wherever they stand
        rules = (*policy.rules[:index], other, one, *policy.rules[index + 2 :])
        yield _mutant(policy, rules, f"{other.name}: before {one.name}", source)


def _changed(rule: Rule) -> Iterator[tuple[str, Rule]]:
    for when in dict.fromkeys(_conditions(rule.when)):
        if when != rule.when:
            yield f"when {when}", rule.model_copy(update={"when": when})
    for then in _answers(rule):
        said = then if isinstance(then, str) else f"{then.approvals} approvals from {then.group}"
        yield f"then {said}", rule.model_copy(update={"then": then})


def _conditions(when: str) -> Iterator[str]:
    yield "true"
    yield "false"
    yield f"!({when})"
    for token in _TOKEN.finditer(when):
        for other in _replacements(token[0]):
            yield when[: token.start()] + other + when[token.end() :]


def _replacements(token: str) -> tuple[str, ...]:
    if token.isdigit():
        return (str(int(token) + 1), str(max(0, int(token) - 1)))
    if token[0] in "\"'":
        return ('"?"',)
    return _OTHERS[token]


def _answers(rule: Rule) -> Iterator[str | Approvals]:
    if isinstance(rule.then, Approvals):
        count = rule.then.approvals
        yield ALLOW
        yield DENY
        yield rule.then.model_copy(update={"approvals": count + 1})
        if count > 1:
            yield rule.then.model_copy(update={"approvals": count - 1})
        return
    yield DENY if rule.then == ALLOW else ALLOW


def _mutant(policy: Bundle, rules: tuple[Rule, ...], what: str, source: str) -> Mutant:
    return Mutant(what=what, policy=bundle(rules, policy.zone, source))


def _as_expected(case: Case, ruling: Ruling) -> bool:
    expected = case.rule is None or case.rule == ruling.rule
    if isinstance(case.expect, int):
        return expected and ruling.kind is Kind.APPROVAL and ruling.needed == case.expect
    return expected and ruling.kind.value == case.expect
