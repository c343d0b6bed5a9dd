"""What is wrong in the code: a few mistakes of the everyday kind.

A bad release fails on the input it is given, and logs the line its author wrote about it. A loop
waits behind a flag: what was asked once is then asked once for each of many.
"""

import logging
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Facts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One path of one operation fails for a share of the users, before its step number `step`."""

    route: str
    kind: str
    step: int
    share: float

    def hits(self, facts: Facts) -> bool:
        return _among(facts, self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """With `flag` on, step number `step` of one operation is taken `times` more for some users."""

    service: str
    flag: str
    route: str
    step: int
    times: int
    share: float

    def hits(self, facts: Facts) -> bool:
        return _among(facts, self.share)


def _among(facts: Facts, share: float) -> bool:
    return zlib.crc32(facts["user"].encode()) % 1000 < share * 1000


def _unknown_tier(facts: Facts) -> object:
    return {"standard": 0, "gold": 10}[f"tier-{facts['category']}"]


def _wrong_number(facts: Facts) -> object:
    return int(facts["sku"].removeprefix("sku"), base=36) // int(facts["user"])


def _absent_address(facts: Facts) -> object:
    addresses: dict[str, str] = {}
    return len(addresses.get(facts["user"]))  # type: ignore[arg-type]


def _empty_mean(facts: Facts) -> object:
    ratings = [len(word) for word in facts["category"].split("/")[1:]]
    return sum(ratings) / len(ratings)


_KINDS: Mapping[str, tuple[str, Callable[[Facts], object]]] = {
    "unknown-tier": ("no loyalty tier for {user} in {category}", _unknown_tier),
    "wrong-number": ("account number of {user} is not numeric", _wrong_number),
    "absent-address": ("address record of {user} could not be read", _absent_address),
    "empty-mean": ("rating of {sku} could not be averaged", _empty_mean),
}
KINDS = tuple(_KINDS)


def run(defect: Defect, facts: Facts, log: logging.Logger) -> None:
    """Do the new release's extra step: it raises, and says so in the log, where the defect hits."""
    if not defect.hits(facts):
        return
    text, mistake = _KINDS[defect.kind]
    try:
        mistake(facts)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        log.exception(text.format_map(facts))
        raise
