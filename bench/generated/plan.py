"""Which case each seed stands for, so that kinds, dirt and alerts are spread evenly."""

from dataclasses import dataclass, replace

from bench.generator import FAULTS, PAIRED, Circumstances, NoPlace, Recorded, Shape, generate

KINDS = tuple(kind for kind in FAULTS if kind != "healthy")
_DIRT = 3
_FELT = 30  # requests: of fewer nobody computes a 95th percentile or an error rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What to generate from a seed; `fault` is the kind to try first."""

    seed: int
    fault: str
    dirt: int
    around: Circumstances

    @property
    def variety(self) -> str:
        """The group that its figures are shown in."""
        if self.fault == "healthy":
            return "healthy"
        if self.around.second is not None:
            return "two faults at once"
        return f"alert on {'another service' if self.around.alert == 'other' else 'the symptom'}"


def plan(seed: int) -> Planned:
    """Return the faulty case of a seed: kinds in turn, every second one alerted elsewhere.

    Two faults where the last two digits are the same: one case in ten, and of any kind.
    """
    turn = seed + seed // len(KINDS)  # so that a kind meets every dirt and both alerts
    fault, second = KINDS[seed % len(KINDS)], None
    if seed % 10 == seed // 10 % 10:
        fault = fault if fault in PAIRED else PAIRED[seed // 10 % len(PAIRED)]
        second = PAIRED[(PAIRED.index(fault) + 1 + seed // 100) % len(PAIRED)]
    return Planned(
        seed=seed,
        fault=fault,
        dirt=turn % _DIRT,
        around=Circumstances(alert="other" if turn % 2 else "symptom", second=second, felt=_FELT),
    )


def plan_healthy(seed: int) -> Planned:
    """Return the healthy case of a seed, with all that happens on any day."""
    return Planned(
        seed=seed,
        fault="healthy",
        dirt=seed % _DIRT,
        around=Circumstances(alert="other" if seed // _DIRT % 2 else "symptom", everyday=True),
    )


def make(planned: Planned, shape: Shape | None = None) -> tuple[Planned, Recorded]:
    """Generate a case, and say what it became: a system may have no place for the planned fault.

    The next kind is tried then. Without `shape` the seed draws one.
    """
    for fault, second in _choices(planned):
        tried = replace(planned, fault=fault, around=replace(planned.around, second=second))
        try:
            made = generate(
                tried.seed, fault=fault, shape=shape, dirt=tried.dirt, around=tried.around
            )
        except NoPlace:
            continue
        return tried, made
    raise NoPlace(f"the system of seed {planned.seed} has no place for any fault")


def _choices(planned: Planned) -> list[tuple[str, str | None]]:
    """Return the pairs of kinds to try, the planned one first."""
    second = planned.around.second
    if planned.fault == "healthy":
        return [("healthy", None)]
    if second is None:
        first = KINDS.index(planned.fault)
        return [(KINDS[(first + step) % len(KINDS)], None) for step in range(len(KINDS))]
    count, first, other = len(PAIRED), PAIRED.index(planned.fault), PAIRED.index(second)
    return [
        (PAIRED[(first + step) % count], PAIRED[(other + step + shift) % count])
        for step in range(count)
        for shift in range(3)
    ]
