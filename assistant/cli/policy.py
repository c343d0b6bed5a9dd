"""`firstline policy`: check a policy, ask its table cases, and explain what it says."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import click
import yaml

from assistant.config import Settings
from assistant.policy.cases import Case, failures, parse_cases, survivors
from assistant.policy.decide import Kind, Ruling, decide
from assistant.policy.facts import NAMES, Fact
from assistant.policy.rules import Bundle, PolicyError, parse
from assistant.policy.source import SHIPPED, SHIPPED_CASES, read_text, shipped_text

SOUND, WRONG, UNUSABLE = 0, 1, 2
SHOWN = 20


def check(settings: Settings, file: Path | None) -> int:
    """Say whether a policy can be used; 0 yes, 2 no."""
    try:
        policy = _policy(settings, file)
    except PolicyError as error:
        return _unusable(error)
    click.echo(f"sound: {len(policy.rules)} rules, digest {policy.digest}")
    return SOUND


def test(settings: Settings, file: Path | None, cases: Path | None) -> int:
    """Ask the table cases and the mutants; 0 all as expected, 1 not, 2 the files are unusable."""
    try:
        policy = _policy(settings, file)
        source, table = _cases(file or settings.policy.file, cases)
        asked = parse_cases(table, source)
        wrong = failures(policy, asked)
        left, made = survivors(policy, asked, source) if not wrong else ([], 0)
    except PolicyError as error:
        return _unusable(error)
    for case, ruling in wrong:
        click.echo(f"WRONG {case.name}: expected {_expected(case)}, got {_said(ruling)}")
    click.echo(f"{len(asked) - len(wrong)} of {len(asked)} cases are as expected")
    if wrong:
        return WRONG
    for mutant in left[:SHOWN]:
        click.echo(f"UNTESTED {mutant.what}: no case would notice")
    click.echo(f"{made - len(left)} of {made} mutants are noticed")
    return WRONG if left else SOUND


def explain(settings: Settings, file: Path | None, facts: Iterable[str]) -> int:
    """Say what the policy decides on facts, and by which rule; 0, or 2 for unusable input."""
    try:
        policy = _policy(settings, file)
        usual = parse_cases(shipped_text(SHIPPED_CASES), SHIPPED_CASES)[0].facts
        given = {**usual, **_facts(facts)}
    except PolicyError as error:
        return _unusable(error)
    ruling = decide(policy, given)
    click.echo(_said(ruling))
    click.echo("asked about: " + ", ".join(f"{k}={_shown(v)}" for k, v in sorted(given.items())))
    return SOUND


def _policy(settings: Settings, file: Path | None) -> Bundle:
    path = file or settings.policy.file
    if path is None:
        return parse(shipped_text(SHIPPED), SHIPPED)
    return parse(read_text(path), str(path))


def _cases(policy: Path | None, cases: Path | None) -> tuple[str, str]:
    """Return a name and the text of the table: the one beside the policy where none is named."""
    path = cases or (policy.with_suffix(f".cases{policy.suffix}") if policy else None)
    if path is None:
        return SHIPPED_CASES, shipped_text(SHIPPED_CASES)
    return str(path), read_text(path)


def _facts(pairs: Iterable[str]) -> Mapping[str, Fact]:
    given: dict[str, Fact] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or name not in NAMES:
            raise PolicyError(
                f"{pair!r} is no fact: write NAME=VALUE, of {', '.join(sorted(NAMES))}."
            )
        read = yaml.safe_load(value) if value.isalnum() else value
        given[name] = read if isinstance(read, str | int | bool) else value
    return given


def _expected(case: Case) -> str:
    said = f"{case.expect} approvals" if isinstance(case.expect, int) else case.expect
    return f"{said} by the rule {case.rule!r}" if case.rule else said


def _said(ruling: Ruling) -> str:
    said = ruling.kind.value
    if ruling.kind is Kind.APPROVAL:
        group = f" of @{ruling.group}" if ruling.group else ""
        said = f"{ruling.needed} approval{'s' if ruling.needed > 1 else ''}{group}"
    rule = f" by the rule {ruling.rule!r}" if ruling.rule else ""
    return f"{said}{rule}: {ruling.why}"


def _shown(value: Fact) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unusable(error: PolicyError) -> int:
    click.echo(f"cannot be used: {error}", err=True)
    return UNUSABLE
