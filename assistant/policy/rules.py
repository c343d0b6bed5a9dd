"""A policy file: rules with conditions in CEL, checked as a whole before any of them counts.

    version: 1
    zone: Europe/Berlin
    rules:
      - name: looking
        when: effect == "read"
        then: allow
      - name: at night
        when: effect == "mutate" && (hour < 8 || hour >= 20)
        then: deny
        why: nothing is changed at night
      - name: daytime
        when: effect == "mutate" && share <= 25
        then: {approvals: 2, from: sre}

CEL is the Common Expression Language (github.com/google/cel-spec). A condition may name the facts
of `facts.Facts` and compare them; what would walk over lists or match patterns is refused, so that
no rule can take long.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.policy.facts import NAMES

if TYPE_CHECKING:
    import cel

ALLOW, DENY = "allow", "deny"
LONGEST_FILE = 200_000  # bytes
MOST_RULES, MOST_APPROVALS = 200, 5
LONGEST_CONDITION, DEEPEST = 1_000, 20
OPERATORS = frozenset(
    {"_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_?_:_",
     "_+_", "_-_", "_*_", "-_", "startsWith", "endsWith"}
)  # fmt: skip
_TEXTS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")


class _Strict(yaml.SafeLoader):
    """A safe loader that refuses what stands twice: the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 — as it is declared
        keys = [key.value for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"{twice!r} stands twice", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


class PolicyError(Exception):
    """A policy cannot be used; `str()` says what is wrong, in which rule, and what to do."""


class Approvals(BaseModel):
    """How many people have to say yes, and of which user group (null: the team's approvers)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    approvals: Annotated[int, Field(ge=1, le=MOST_APPROVALS, strict=True)]
    group: str | None = Field(default=None, alias="from", min_length=1, max_length=80)


class Rule(BaseModel):
    """One rule as it is written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=80)]
    when: Annotated[str, Field(min_length=1, max_length=LONGEST_CONDITION)]
    then: Literal["allow", "deny"] | Approvals
    why: Annotated[str, Field(max_length=200)] = ""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    zone: str = "UTC"
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=MOST_RULES)]


@dataclass(frozen=True)
class Bundle:
    """The rules of a file with their compiled conditions; `digest` names this very policy."""

    zone: str
    rules: tuple[Rule, ...]
    conditions: tuple["cel.Program", ...]

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the rules: comments and layout do not count."""
        written = _File(version=1, zone=self.zone, rules=self.rules)
        return sha256(written.model_dump_json().encode()).hexdigest()


def parse(text: str, source: str) -> Bundle:
    """Return the policy that a file says; raises `PolicyError`, whatever is in the text."""
    if len(text.encode()) > LONGEST_FILE:
        raise PolicyError(f"{source} is longer than {LONGEST_FILE} bytes; keep a policy readable.")
    try:
        written = _File.model_validate(read_yaml(text, source))
    except ValidationError as error:
        raise PolicyError(f"{source}: {_faults(error)}.") from None
    return bundle(written.rules, written.zone, source)


def read_yaml(text: str, source: str) -> object:
    """Return what a YAML text holds; raises `PolicyError`."""
    try:
        return yaml.load(text, Loader=_Strict)  # noqa: S506 — a safe loader, and stricter
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        what = f" ({problem})" if (problem := getattr(error, "problem", None)) else ""
        why = f"{source} is no YAML{where}{what}; nothing is allowed until it is."
        raise PolicyError(why) from None


def bundle(rules: tuple[Rule, ...], zone: str, source: str) -> Bundle:
    """Return rules with compiled conditions; raises `PolicyError`."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PolicyError(
            f"{source}: there is no time zone {zone!r}; write Europe/Berlin."
        ) from None
    names = [rule.name for rule in rules]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PolicyError(f"{source}: two rules are called {twice!r}; a decision names its rule.")
    return Bundle(zone=zone, rules=rules, conditions=tuple(_compiled(r, source) for r in rules))


def _compiled(rule: Rule, source: str) -> "cel.Program":
    # The package loads a command line of its own: half a second that most commands need not pay.
    import cel  # noqa: PLC0415

    where = f"{source}, rule {rule.name!r}"
    bare = _TEXTS.sub('""', rule.when)
    if max(bare.count(c) for c in "([{?!") > DEEPEST:
        raise PolicyError(f"{where}: the condition is nested too deeply; split the rule.")
    try:
        program = cel.compile(rule.when)
    except ValueError as error:
        raise PolicyError(f"{where}: the condition cannot be read: {_first_line(error)}") from None
    unknown = sorted(set(program.variables()) - NAMES)
    if unknown:
        facts = ", ".join(sorted(NAMES))
        raise PolicyError(f"{where}: there is no fact {unknown[0]!r}; there are: {facts}.")
    refused = sorted(set(program.functions()) - OPERATORS)
    if refused:
        raise PolicyError(f"{where}: {refused[0]!r} cannot be used; compare facts with values.")
    return program


def _faults(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(p + 1 if isinstance(p, int) else p) for p in fault['loc']) or 'the file'}:"
        f" {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)[:5]
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")[:200] + "."
