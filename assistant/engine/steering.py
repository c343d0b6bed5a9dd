"""Plain words into something the engine can take into account; what is not understood is refused.

A first set: "not the database", "ignore deploy X", "look at payments", "since 14:05".
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from assistant.domain.steering import Steering

# "do not ignore deploy X" takes back what "ignore deploy X" said.
_BACK = r"(?P<back>\bnot\s+|n['\u2019]t\s+|\bnever\s+)?"
_NOT = re.compile(
    rf"(?:{_BACK}\b(?:rule\s+out|exclude)|\bnot)\s+(?:the\s+)?(?P<name>\S+)", re.IGNORECASE
)
_IGNORE = re.compile(
    rf"{_BACK}\bignore\s+(?:the\s+)?(?:deploy\w*\s+|change\s+|flag\s+|config\s+)?(?P<name>\S+)",
    re.IGNORECASE,
)
_LOOK = re.compile(
    rf"{_BACK}\b(?:look\s+(?:only\s+)?at|focus\s+on)\s+(?:the\s+)?(?P<name>\S+)", re.IGNORECASE
)
_SINCE = re.compile(
    r"\b(?:since|from|after|(?:began|begun|begins|started|starts)\s+(?:at|around|about))\s+"
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?",
    re.IGNORECASE,
)
# What people call by its kind: parts of names, among them the values of `db.system.name` and
# `messaging.system` in OpenTelemetry's conventions.
_DATABASE = re.compile(
    r"\w*(?:db|database|sql|postgres)|sqlite|mongo|oracle|cassandra|elasticsearch"
)
_KINDS = {
    "database": _DATABASE,
    "db": _DATABASE,
    "cache": re.compile(r"\w*cached?|redis|valkey"),
    "queue": re.compile(r"\w*(?:queue|mq)|kafka|broker|pulsar|sqs"),
}
_EDGES = ".,;:!?\"'`“”<>()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What can be meant: names of components, and refs of changes, that were seen."""

    components: Collection[str]
    changes: Collection[str]


def understand(
    text: str, before: Steering, words: Vocabulary, *, now: datetime, zone: str
) -> Steering | None:
    """Return the steering after `text`, or null where nothing of it was understood.

    Times are in the speaker's `zone` (IANA) and in the past.
    """
    ruled_out = _told(_NOT, text, before.ruled_out, words.components)
    ignored = _told(_IGNORE, text, before.ignored, words.changes)
    focus = _told(_LOOK, text, (before.focus,) if before.focus else (), words.components)
    after = replace(
        before, ruled_out=ruled_out, ignored=ignored, focus=focus[-1] if focus else None
    )
    since = _since(text, now, zone)
    if since is not None:
        after = replace(after, since=since)
    return None if after == before else replace(after, said=(*before.said, text.strip()))


def _told(
    pattern: re.Pattern[str], text: str, before: tuple[str, ...], known: Collection[str]
) -> tuple[str, ...]:
    """Return the names that hold after `text`: those before it, the new ones last."""
    said: dict[bool, list[str]] = {True: [], False: []}
    for match in pattern.finditer(text):
        said[match["back"] is not None].append(match["name"].strip(_EDGES).lower())
    back = _named(said[True], known)
    new = _named(said[False], known)
    return tuple(dict.fromkeys((*(name for name in before if name not in back), *new)))


def _named(said: Collection[str], known: Collection[str]) -> list[str]:
    """Return what is named: where a word is the whole name of something, only that is meant."""
    whole = {name.lower() for name in known}
    return [
        name
        for name in sorted(known)
        if any(
            word == name.lower() if word in whole else _means(word, name.lower()) for word in said
        )
    ]


def _means(said: str, name: str) -> bool:
    """Compare a spoken name with the parts of a real one (`db` in `orders-db`), and their kinds."""
    parts = re.split(r"[-_./@:= ]", name)
    kind = _KINDS.get(said.removesuffix("s"))
    meant = said in parts or (kind is not None and any(map(kind.fullmatch, parts)))
    return bool(said) and meant


def _since(text: str, now: datetime, zone: str) -> datetime | None:
    match = _SINCE.search(text)
    if match is None:
        return None
    try:
        local = now.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 — a clock
        return None
    moment = local.replace(hour=hour, minute=minute, second=second, microsecond=0)
    if moment > local:
        moment -= timedelta(days=1)
    return moment.astimezone(now.tzinfo)
