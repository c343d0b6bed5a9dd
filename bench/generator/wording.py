"""What the services of an invented system write into their logs."""

import numpy as np

from bench.generator.names import Namer
from bench.generator.topology import Template

_INFO = (
    "loaded {noun} {{id}} for user {{n}}",
    "validated {noun} {{id}}",
    "{noun} {{id}} has {{n}} items",
    "cache miss for key {noun}:{{id}}",
    "accepted {noun} request from {{ip}}",
    "stored {noun} {{id}} revision {{n}}",
    "computed {noun} totals over {{n}} rows",
    "using {noun} profile {{n}}",
    "published {noun} event {{id}} to partition {{n}}",
)
_WARN = (
    "{noun} {{id}} is stale by {{n}} s, refreshing",
    "slow {noun} lookup, {{n}} rows scanned",
    "ignoring unknown {noun} field in request {{id}}",
)
_RAISED = (
    "unhandled error in {noun}: index {{n}} out of range",
    "could not process {noun} {{id}}: unexpected state",
    "assertion on {noun} {{id}} failed",
)


def templates(
    rng: np.random.Generator, namer: Namer, *, name: str, stages: int, entry: bool
) -> tuple[Template, ...]:
    """Draw the log templates of an operation called `name` with `stages` stages of calls."""
    drawn = []
    lines = rng.choice(len(_INFO), size=int(rng.integers(0, 4)), replace=False)
    for line in lines:
        severity = "DEBUG" if rng.random() < 0.2 else "INFO"
        drawn.append(
            Template(
                severity=severity,
                text=_INFO[int(line)].format(noun=namer.word()),
                stage=int(rng.integers(stages + 1)),
                probability=float(rng.choice([1.0, 1.0, rng.uniform(0.3, 1.0)])),
            )
        )
    if rng.random() < 0.2:
        warning = _WARN[int(rng.integers(len(_WARN)))].format(noun=namer.word())
        drawn.append(
            Template(severity="WARN", text=warning, stage=stages, probability=rng.uniform(0, 0.05))
        )
    failure = _RAISED[int(rng.integers(len(_RAISED)))].format(noun=namer.word())
    drawn.append(Template(severity="ERROR", text=failure, stage=0, when="raised"))
    if entry or rng.random() < 0.3:
        access = f"{{ip}} {name.replace('/{id}', '')} {{code}} {{took}}ms"
        drawn.append(Template(severity="INFO", text=access, stage=0, when="finished"))
    return tuple(drawn)
