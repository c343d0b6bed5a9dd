"""How big a system is, how long it is watched, and how well it is instrumented."""

from dataclasses import dataclass, fields, replace

from bench.generator.streams import stream

LOG_STYLES = ("plain", "prefixed", "json")
METRIC_STYLES = ("process", "container", "exporter")

# Without client spans a slow network cannot be told from a slow caller.
_SEEN_ON_CALLS = frozenset({"slow_edge", "packet_loss", "cpu_contention"})
# What takes many minutes to be felt has to begin earlier, and nobody ends it inside the window.
CREEPING = frozenset({"slow_leak"})
_EARLIER = 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The measures of one recording; `check` says in a sentence what is out of range.

    `spans_per_trace` is a mean to aim at, `rps` traces per second, `alert_delay` seconds from onset
    to alert (least, most). `kinds`, `statuses`, `peers`, `versions` tell whether those columns are
    known; without `client_spans` a call is seen only by its callee. `dirt` is 0 (clean) to 2.
    """

    services: int = 12
    spans_per_trace: float = 20.0
    rps: float = 5.0
    minutes: float = 30.0
    onset_share: float = 0.7
    alert_delay: tuple[float, float] = (30.0, 120.0)
    metric_interval_s: int = 10
    kinds: bool = True
    statuses: bool = True
    peers: bool = True
    versions: bool = True
    client_spans: bool = True
    renamed_pods: bool = False
    log_style: str = "plain"
    metric_style: str = "process"
    dirt: int = 0

    @property
    def seconds(self) -> float:
        return self.minutes * 60.0

    def check(self) -> None:
        """Raise ValueError with one sentence if a measure is out of range."""
        for name, low, high in (
            ("services", 3, 60),
            ("spans_per_trace", 3, 200),
            ("rps", 0.1, 5000),
            ("minutes", 6, 720),
            ("onset_share", 0.2, 0.9),
            ("metric_interval_s", 1, 60),
            ("dirt", 0, 2),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value:g}: give a number from {low:g} to {high:g}")
        if self.log_style not in LOG_STYLES or self.metric_style not in METRIC_STYLES:
            raise ValueError(
                f"log_style is one of {', '.join(LOG_STYLES)}; "
                f"metric_style is one of {', '.join(METRIC_STYLES)}"
            )
        if not 0 <= self.alert_delay[0] <= self.alert_delay[1]:
            raise ValueError("alert_delay is (least, most) in seconds, least first")


def random_shape(seed: int, *, fault: str | None = None, dirt: int = 0, **given: float) -> Shape:
    """Draw a shape for `seed`; `given` fixes fields by name (an unknown name: ValueError).

    The same seed gives the same shape but for the fields that are given; kinds and statuses are
    unknown only in some of the dirty ones. Client spans are there where `fault` needs them, and a
    fault that creeps in begins earlier.
    """
    rng = stream(seed, "shape")
    services = round(3.0 * 20.0 ** float(rng.random()))
    drawn = Shape(
        services=services,
        spans_per_trace=float(rng.uniform(8.0, 14.0 + services)),
        rps=float(1.5 * 4.0 ** rng.random()),
        onset_share=float(rng.uniform(0.62, 0.75)),
        metric_interval_s=int(rng.choice([5, 10, 15])),
        peers=bool(rng.random() < 0.7),
        renamed_pods=bool(rng.random() < 0.5),
        log_style=str(rng.choice(LOG_STYLES)),
        metric_style=str(rng.choice(METRIC_STYLES)),
        kinds=bool(rng.random() < 0.7 or dirt == 0),
        statuses=bool(rng.random() < 0.7 or dirt == 0),
        versions=bool(rng.random() < 0.85),
        client_spans=bool(rng.random() < 0.85) or fault in _SEEN_ON_CALLS,
        dirt=dirt,
    )
    if fault in CREEPING:
        drawn = replace(drawn, onset_share=_EARLIER * drawn.onset_share)
    unknown = set(given) - {field.name for field in fields(Shape)}
    if unknown:
        raise ValueError(f"a shape has no field {', '.join(sorted(unknown))}")
    shape = replace(drawn, **given)  # type: ignore[arg-type]
    shape.check()
    return shape
