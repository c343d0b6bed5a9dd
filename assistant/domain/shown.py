"""Events of how an incident is shown: where, and what of its account somebody posted."""

from dataclasses import dataclass

from assistant.domain.people import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Somebody gave it a place of its own, where it is shown from now on.

    `place` is in the surface's own words, `shown` is what people call it.
    """

    by: Actor
    place: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemShared:
    """Somebody posted the account as it then was, after looking at it.

    They were shown the records up to `upto`; the timeline in `markdown` is without the `left_out`.
    """

    by: Actor
    markdown: str
    upto: int
    left_out: tuple[int, ...]
