"""Plain words into something the engine can take into account; what is not understood is refused.

A first set: "not the database", "ignore deploy X", "look at payments", "since 14:05", "since
2026-11-24 01:07".
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
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
    r"(?:(?P<day>\d{4}-\d{2}-\d{2})[ T])?(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?"
    r" ?(?P<zone>Z\b|UTC\b|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_LONGEST_AGO = timedelta(days=366)  # a year that was typed wrong would be looked at whole
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
    moment = since(text, now, zone)
    if moment is not None:
        after = replace(after, since=moment)
    # Who says the same time again wants it looked at again.
    nothing = after == before and moment is None
    return None if nothing else replace(after, said=(*before.said, text.strip()))


def since(text: str, now: datetime, zone: str) -> datetime | None:
    """Return the moment that `text` says it began, null where it names none before `now`.

    A clock's time is in `zone` (IANA) unless it names another, and on the last day that had it.
    """
    match = _SINCE.search(text)
    if match is None:
        return None
    try:
        local = now.astimezone(ZoneInfo(zone))
        clock = time.fromisoformat(match["clock"].zfill(len("00:00")))
        if (offset := match["zone"]) is not None:
            local = local.astimezone(_offset(offset))
        day = date.fromisoformat(match["day"]) if match["day"] else local.date()
    except (ZoneInfoNotFoundError, ValueError):
        return None
    moment = datetime.combine(day, clock, local.tzinfo)
    if moment > local and match["day"] is None:
        moment -= timedelta(days=1)
    if not timedelta() <= now - moment <= _LONGEST_AGO:
        return None
    return moment.astimezone(now.tzinfo)


def _offset(said: str) -> tzinfo | None:
    return UTC if said.upper() in ("Z", "UTC") else datetime.strptime(said, "%z").tzinfo


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
