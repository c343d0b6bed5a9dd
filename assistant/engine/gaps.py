"""What could not be seen, as sentences: each is a reason not to trust silence."""

from collections.abc import Collection, Sequence

import polars as pl

from assistant.engine.changes import Judged
from assistant.engine.question import Telemetry
from assistant.engine.sampling import sampled
from assistant.engine.symptom import Symptoms

FEW_REQUESTS, NAMED = 30, 3


def gaps(
    telemetry: Telemetry,
    repaired: Sequence[str],
    spans: pl.DataFrame,
    felt: Symptoms,
    *,
    absent: str | None,
    resampled: bool,
) -> tuple[str, ...]:
    """Return the gaps of the telemetry; `repaired` is what was told when `spans` were cleaned.

    `absent` is who was asked about and is not in it; `resampled` tells whether traces were sampled
    otherwise before.
    """
    found = [*telemetry.gaps, *repaired]
    if absent:
        found.append(f"nothing was seen of {absent}: whether it is well cannot be told")
    if sampled(telemetry.spans):
        since = ", and not as they were before: they cannot be compared" if resampled else ""
        found.append(f"rates are of sampled traces{since}")
    unseen = {
        "no traces: who waits for whom, and where errors begin, cannot be told": telemetry.spans,
        "no log lines: what was written differently cannot be told": telemetry.logs,
        "no metrics: what components run on cannot be told": telemetry.metrics,
    }
    found += [sentence for sentence, frame in unseen.items() if frame.is_empty()]
    found += _nameless("log line", telemetry.logs) + _nameless("metric sample", telemetry.metrics)
    for seen, when in ((felt.requests, "since the onset"), (felt.before, "before it")):
        if seen < FEW_REQUESTS and not telemetry.spans.is_empty():
            found.append(f"{f'only {seen}' if seen else 'no'} requests were seen {when}")
    found += felt.stopped[:NAMED]
    if telemetry.changes_seen is False:
        found.append("changes were not looked at: no source of changes answered")
    services = set(spans.get_column("service").unique().to_list())
    silent = services - set(telemetry.logs.get_column("service").cast(pl.String).unique().to_list())
    if services and silent and len(silent) < len(services):
        found.append("no log lines from " + ", ".join(sorted(silent)[:NAMED]))
    return tuple(dict.fromkeys(found))


def absent(service: str | None, telemetry: Telemetry, components: Collection[str]) -> str | None:
    """Return the service where no frame and nothing in the graph (`components`) names it."""
    if not service or service in components:
        return None
    frames = (telemetry.logs, telemetry.metrics)
    names = (f.get_column("service").cast(pl.String) for f in frames)
    return None if any((n == service).any() for n in names) else service


def _nameless(row: str, frame: pl.DataFrame) -> list[str]:
    count = frame.get_column("service").null_count()
    if not count:
        return []
    told = f"{count} {row} names" if count == 1 else f"{count} {row}s name"
    return [f"{told} no service (service.name) and {'was' if count == 1 else 'were'} left out"]


def not_told_apart(judged: Sequence[Judged], blamed: Judged | None) -> tuple[str, ...]:
    """Return which changes may be it as well as the one that is named."""
    if blamed is None:
        return ()
    named = blamed.change.ref
    others = [j.change.ref for j in judged if j.blamed and j is not blamed]
    return tuple(f"{other} fits as well as {named} and may be it instead" for other in others)
