"""Other names for the services, made up from a seed: a renamed run must get the same verdict."""

import random
from collections.abc import Iterable

_ONSETS = ("b", "br", "d", "dr", "f", "g", "gl", "k", "kr", "l", "m", "n", "p", "r", "t", "tr", "v")
_VOWELS = ("a", "e", "i", "o", "u")
_ENDS = ("n", "r", "s", "l", "x", "nd", "rk")


def invent(seed: int, names: Iterable[str]) -> dict[str, str]:
    """Give each name an invented one; no two are the same."""
    rng = random.Random(f"names {seed}")
    invented: dict[str, str] = {}
    for name in names:
        while (word := _word(rng)) in invented.values():
            pass
        invented[name] = word
    return invented


def _word(rng: random.Random) -> str:
    parts = (_ONSETS, _VOWELS, _ONSETS, _VOWELS, _ENDS)
    return "".join(rng.choice(part) for part in parts)
