"""A small vocabulary for saying what a piece of JSON must look like.

A rule takes a value and the JSON pointer to it, and yields one sentence for each fault, in the
form in which Slack reports faults.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TypeAlias

Rule: TypeAlias = Callable[[object, str], Iterator[str]]


def fault(reason: str, at: str) -> str:
    """One fault, as Slack words it."""
    return f"{reason} [json-pointer:{at}]"


def string(most: int, *, least: int = 1, starts: tuple[str, ...] = ("",)) -> Rule:
    """A string of `least` to `most` characters that begins with one of `starts`."""

    def judge(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield fault("must be a string", at)
        elif len(value) < least:
            yield fault(f"must be more than {least - 1} characters", at)
        elif len(value) > most:
            yield fault(f"must be less than {most + 1} characters", at)
        elif not value.startswith(starts):
            yield fault(f"must start with {' or '.join(starts)}", at)

    return judge


def of_type(kind: type, name: str) -> Rule:
    """A value of one JSON type; a boolean is no number."""

    def judge(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            yield fault(f"must be {name}", at)

    return judge


BOOLEAN = of_type(bool, "a boolean")
INTEGER = of_type(int, "an integer")


def number(value: object, at: str) -> Iterator[str]:
    """An integer or a fraction."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield fault("must be a number", at)


def one_of(*allowed: str) -> Rule:
    """One of a few words."""

    def judge(value: object, at: str) -> Iterator[str]:
        if value not in allowed:
            yield fault(f"must be one of: {', '.join(allowed)}", at)

    return judge


def listing(rule: Rule, most: int, *, least: int = 1) -> Rule:
    """A list of `least` to `most` items, each as `rule` says."""

    def judge(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield fault("must be a list", at)
            return
        if len(value) < least:
            yield fault(f"no less than {least} items allowed", at)
        if len(value) > most:
            yield fault(f"no more than {most} items allowed", at)
        for index, item in enumerate(value):
            yield from rule(item, f"{at}/{index}")

    return judge


def record(
    needs: Mapping[str, Rule], may: Mapping[str, Rule], *, either: Collection[str] = ()
) -> Rule:
    """An object with all of `needs`, some of `may`, at least one of `either`, and no other key."""
    rules = {**needs, **may}

    def judge(value: object, at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield fault("must be an object", at)
            return
        for key in needs:
            if key not in value:
                yield fault(f"missing required field: {key}", at)
        if either and not any(key in value for key in either):
            yield fault(f"missing one of: {', '.join(sorted(either))}", at)
        for key, item in value.items():
            if key in rules:
                yield from rules[key](item, f"{at}/{key}")
            elif key != "type":
                yield fault(f"unknown field: {key}", at)

    return judge


def tagged(kinds: Mapping[str, Rule]) -> Rule:
    """An object whose `type` says which rule it must keep."""

    def judge(value: object, at: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            yield fault(f"unsupported type: {kind}", f"{at}/type")
        else:
            yield from kinds[kind](value, at)

    return judge
