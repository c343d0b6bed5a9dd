"""Service level objectives of the shop's entry, watched over a short sliding window.

Pure: samples and times in, alerts out. A symptom must hold for a while before it fires and must be
gone for a while before it resolves, so that one slow request wakes nobody.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_S = 6.0
HOLD_S = 2.0
CLEAR_S = 6.0
_LEAST = 3  # bad requests in the window
_ERROR_SHARE = 0.05
_SLOW_SHARE = 0.05  # more than this above the limit: the 95th percentile is above it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request as its user saw it."""

    at: float
    seconds: float
    failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """An objective that is missed on one route: `name` as an alert's name, `text` for a person."""

    name: str
    route: str
    firing: bool
    text: str


@dataclass(slots=True, kw_only=True)
class _State:
    bad_since: float | None = None
    good_since: float | None = None
    firing: bool = False


@dataclass(slots=True)
class Watch:
    """Watches all routes; `limits` is route → the 95th percentile allowed, in seconds."""

    limits: Mapping[str, float]
    _samples: dict[str, deque[Sample]] = field(init=False)
    _states: dict[tuple[str, str], _State] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._samples = {route: deque() for route in self.limits}

    def add(self, route: str, sample: Sample) -> None:
        self._samples[route].append(sample)

    def evaluate(self, now: float) -> list[Symptom]:
        """The symptoms that began or ended to fire at `now` (seconds of one monotonic clock)."""
        changed = []
        for route, samples in self._samples.items():
            while samples and samples[0].at < now - WINDOW_S:
                samples.popleft()
            for name, bad, text in (
                ("HighErrorRatio", *_errors(samples)),
                ("HighLatency", *_latency(samples, self.limits[route])),
            ):
                state = self._states.setdefault((route, name), _State())
                if _advance(state, now, bad=bad):
                    changed.append(
                        Symptom(
                            name=name, route=route, firing=state.firing, text=f"{route}: {text}"
                        )
                    )
        return changed


def _errors(samples: deque[Sample]) -> tuple[bool, str]:
    failed = sum(sample.failed for sample in samples)
    share = failed / len(samples) if samples else 0.0
    return (
        failed >= _LEAST and share > _ERROR_SHARE,
        f"{share:.0%} of requests fail (objective: at most {_ERROR_SHARE:.0%})",
    )


def _latency(samples: deque[Sample], limit: float) -> tuple[bool, str]:
    slow = sum(sample.seconds > limit for sample in samples)
    ordered = sorted(sample.seconds for sample in samples)
    p95 = ordered[int(len(ordered) * 0.95)] if ordered else 0.0
    return (
        slow >= _LEAST and slow > _SLOW_SHARE * len(samples),
        f"p95 latency is {p95 * 1000:.0f} ms (objective: at most {limit * 1000:.0f} ms)",
    )


def _advance(state: _State, now: float, *, bad: bool) -> bool:
    """Take one observation in; true where the symptom begins or ends to fire."""
    if bad:
        state.good_since = None
        state.bad_since = now if state.bad_since is None else state.bad_since
        turns = not state.firing and now - state.bad_since >= HOLD_S
    else:
        state.bad_since = None
        state.good_since = now if state.good_since is None else state.good_since
        turns = state.firing and now - state.good_since >= CLEAR_S
    if turns:
        state.firing = not state.firing
    return turns
