"""What a diff does, read without knowing its language: does it fit the fault, can it do harm.

Only what can be told from removed and added lines: a guard that is gone, a query in a loop, a limit
that was lowered. A diff that moves code about, or touches only documents and tests, does no harm.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from connectors.api import Change


class Effect(StrEnum):
    """What a diff can do to the code that it changes."""

    ASKS_IN_LOOP = "asks for something in a loop"
    UNGUARDED = "removes a check or the handling of a failure"
    UNLOCKED = "removes a lock"
    LIMIT = "changes a limit"
    GROWS = "keeps what it is given"
    UNINDEXED = "removes an index"
    VERBOSE = "logs more"
    RENAMED = "renames a field that others may read"
    HEAVY = "adds slow work"
    LEAVES = "leaves early"


EXPLAINS: dict[str, frozenset[Effect]] = {
    "added_calls": frozenset({Effect.ASKS_IN_LOOP}),
    "slow_code": frozenset(
        {Effect.ASKS_IN_LOOP, Effect.HEAVY, Effect.UNINDEXED, Effect.LIMIT, Effect.VERBOSE}
    ),
    "slow_edge": frozenset({Effect.ASKS_IN_LOOP, Effect.UNINDEXED, Effect.LIMIT}),
    "behaviour_change": frozenset(
        {
            Effect.LEAVES,
            Effect.UNGUARDED,
            Effect.UNLOCKED,
            Effect.RENAMED,
            Effect.ASKS_IN_LOOP,
            Effect.VERBOSE,
        }
    ),
    "code_error": frozenset({Effect.UNGUARDED, Effect.UNLOCKED, Effect.RENAMED, Effect.LIMIT}),
    "cpu_saturation": frozenset({Effect.HEAVY, Effect.ASKS_IN_LOOP, Effect.VERBOSE}),
    "memory_pressure": frozenset({Effect.GROWS, Effect.LIMIT}),
    "pool_exhaustion": frozenset({Effect.LIMIT, Effect.ASKS_IN_LOOP}),
    "queue_backlog": frozenset({Effect.LIMIT, Effect.HEAVY}),
    "throttled": frozenset({Effect.LIMIT, Effect.HEAVY}),
    "disk_pressure": frozenset({Effect.VERBOSE, Effect.GROWS}),
    "unreachable_dependency": frozenset({Effect.LIMIT, Effect.RENAMED}),
}

_IDLE_FILES = re.compile(
    r"(^|/)(docs?|tests?|testdata|__tests__|spec|\.github|examples?)/|(_test|\.test|\.spec|_spec)\.\w+$"
    r"|(^|/)test_\w+\.py$|\.(md|rst|txt|css|scss|svg|png)$|(^|/)(CODEOWNERS|LICENSE|README)"
)
_LOCKS = re.compile(
    r"(^|/)(go\.(mod|sum)|[\w.-]+\.lock|[\w.-]*-lock\.(json|ya?ml)|requirements[\w.-]*\.txt|pom\.xml)$"
)
_COMMENT = re.compile(r"^\s*(//|#(?!\w*include)|\*|/\*|--\s)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_EXACT = re.compile(r"\d+(?:\.\d+)?|[<>=!+\-*/%&|^~?]+")  # one of these can change everything
_LOOP = re.compile(
    r"\b(for|while|foreach|forEach)\b|\.(map|each|flatMap|stream)\s*\(", re.IGNORECASE
)
_ASKS = re.compile(
    r"\b\w*(get|fetch|find|load|query|select|read|request|lookup|call|exec)\w*\s*\(", re.IGNORECASE
)
_GUARD = re.compile(
    r"([=!]==?|\bis(\s+not)?)\s*(nil|null|none|undefined|\"\"|'')|\?\.|\bif\s+(not|!)|\blen\("
    r"|\b(try|catch|except|rescue|recover|finally|optional|isempty|ispresent|validate\w*|retry)\b",
    re.IGNORECASE,
)
_LOCK = re.compile(r"mutex|\block\b|\.r?lock\(|synchronized|atomic|semaphore", re.IGNORECASE)
_STORES = re.compile(
    r"\b(append|push|add|put|setdefault|insert)\b\s*\(|\.(append|push|add|put)\(", re.IGNORECASE
)
_BOUNDED = re.compile(r"evict|bounded|lru|maxsize|max_size|\bttl\b|expire|capacity", re.IGNORECASE)
_LASTING = re.compile(
    r"^\s*(var|static|global|private static|let|const|public static)\b|^_?[A-Z_]{3,}\b"
)
_INDEX = re.compile(r"\bindex\b", re.IGNORECASE)
_LEVEL = re.compile(r"\blevel\b.{0,12}\b(debug|trace|verbose)\b", re.IGNORECASE)
_SLOW = re.compile(
    r"sleep|\.sort\b|sorted\(|sort\.|regex|deep_?copy|serializ|\bwait\(", re.IGNORECASE
)
_RETURN = re.compile(r"\b(return|continue|break)\b")
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)")
_QUOTED = re.compile(r"[\"'`]([\w.-]+)[\"'`]")
_SETTING = re.compile(
    r"max|min|limit|size|pool|conn|time|ttl|worker|thread|buffer|rate|replica|memory|cpu|retr|"
    r"interval|batch|queue|cache",
    re.IGNORECASE,
)
MOVED = 0.15  # share of words that a diff may add or lose and still only move code about


@dataclass(frozen=True, slots=True)
class Patch:
    """`effects` are what the lines do; `words` what they and the file names speak of, lower case.

    `idle` is why no harm can come of it (null where it might).
    """

    effects: frozenset[Effect]
    words: frozenset[str]
    idle: str | None


def read(change: Change) -> Patch | None:
    """Return what a change's diff does, null where it has neither diff nor files."""
    if not change.diff and not change.files:
        return None
    added, removed, kept = _lines(change.diff or "")
    effects = frozenset(e for e, test in _TESTS.items() if test(added, removed, kept))
    text = " ".join((*change.files, *added, *removed, change.summary))
    return Patch(effects, words_of(text), _idle(change, added, removed, effects))


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text, compound names taken apart, lower case, of three letters."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return frozenset(w.lower() for w in re.findall(r"[A-Za-z]{3,}", apart))


def _lines(diff: str) -> tuple[list[str], list[str], list[str]]:
    added, removed, kept = [], [], []
    for line in diff.splitlines():
        if line.startswith(("+++", "---", "@@")):
            kept.append("")
        elif line.startswith("+"):
            added.append(line[1:])
        elif line.startswith("-"):
            removed.append(line[1:])
        else:
            kept.append(line)
    return (
        [a for a in added if not _COMMENT.match(a)],
        [r for r in removed if not _COMMENT.match(r)],
        kept,
    )


def _idle(
    change: Change, added: list[str], removed: list[str], effects: frozenset[Effect]
) -> str | None:
    raised = [f for f in change.files if _LOCKS.search(f)]
    others = [f for f in change.files if f not in raised]
    if change.files and all(_IDLE_FILES.search(f) for f in others):
        if raised:
            return "it only raises versions of libraries"
        return "it touches only documents, tests or style"
    if not added and not removed:
        return None
    before, after = _count(_WORD, removed), _count(_WORD, added)
    strange = sum(((before - after) + (after - before)).values())
    same = _count(_EXACT, removed) == _count(_EXACT, added)
    if not effects and same and strange <= MOVED * sum((before + after).values()):
        return "it only moves or reformats code"
    return None


def _count(pattern: re.Pattern[str], lines: list[str]) -> Counter[str]:
    return Counter(part for line in lines for part in pattern.findall(line))


def _more(pattern: re.Pattern[str], these: list[str], those: list[str]) -> bool:
    """Tell whether `these` lines match oftener than `those`."""
    return sum(len(pattern.findall(line)) for line in these) > sum(
        len(pattern.findall(line)) for line in those
    )


def _asks_in_loop(added: list[str], removed: list[str], kept: list[str]) -> bool:
    loops = any(_LOOP.search(line) for line in (*added, *kept))
    return loops and _more(_ASKS, added, removed)


def _pairs(added: list[str], removed: list[str]) -> list[tuple[str, str]]:
    """Return lines that are alike but for a value, as (before, after)."""
    out = []
    for old in removed:
        out += [(old, new) for new in added if new != old and _shape(new) == _shape(old)]
    return out


def _shape(line: str) -> str:
    return "".join(_QUOTED.sub("§", _NUMBER.sub("§", line)).split())


def _limit(added: list[str], removed: list[str], _kept: list[str]) -> bool:
    return any(
        _SETTING.search(old) and _NUMBER.findall(old) != _NUMBER.findall(new)
        for old, new in _pairs(added, removed)
    )


def _renamed(added: list[str], removed: list[str], _kept: list[str]) -> bool:
    return any(
        set(_QUOTED.findall(old)) != set(_QUOTED.findall(new))
        and _NUMBER.findall(old) == _NUMBER.findall(new)
        for old, new in _pairs(added, removed)
    )


def _verbose(added: list[str], removed: list[str], _kept: list[str]) -> bool:
    return _more(_LEVEL, added, removed)


def _grows(added: list[str], removed: list[str], _kept: list[str]) -> bool:
    lasting = any(_LASTING.search(line) for line in added) and not any(
        _BOUNDED.search(line) for line in added
    )
    return lasting and _more(_STORES, added, removed)


_TESTS: dict[Effect, Callable[[list[str], list[str], list[str]], bool]] = {
    Effect.ASKS_IN_LOOP: _asks_in_loop,
    Effect.UNGUARDED: lambda added, removed, _: _more(_GUARD, removed, added),
    Effect.UNLOCKED: lambda added, removed, _: _more(_LOCK, removed, added),
    Effect.LIMIT: _limit,
    Effect.GROWS: _grows,
    Effect.UNINDEXED: lambda added, removed, _: _more(_INDEX, removed, added),
    Effect.VERBOSE: _verbose,
    Effect.RENAMED: _renamed,
    Effect.HEAVY: lambda added, removed, _: _more(_SLOW, added, removed),
    Effect.LEAVES: lambda added, removed, _: _more(_RETURN, added, removed),
}
