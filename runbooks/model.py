"""What a runbook is. Pure data: `parse` reads it, `lint` checks it, `render` fills it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

CAUSES = frozenset(
    {
        "added_calls",  # a release calls others more often than before
        "behaviour_change",  # a flag or setting changed what the code does
        "cache_failure",
        "code_error",  # an exception
        "cpu_saturation",
        "disk_pressure",
        "dns_failure",
        "memory_pressure",
        "pool_exhaustion",
        "queue_backlog",
        "slow_code",  # a release takes longer in its own code
        "slow_edge",  # the way to one callee, or the callee's answer, is slow
        "throttled",  # a dependency refuses because of a rate limit or quota
        "tls_failure",
        "traffic_surge",
        "unreachable_dependency",
    }
)

# What an incident can fill into a runbook, written `{{ service }}` there.
VARIABLES = frozenset(
    {"service", "instance", "namespace", "peer", "operation", "change", "version"}
)


class RunbookError(Exception):
    """A runbook cannot be used; `str()` names file and line and says what is wrong."""


class StepKind(StrEnum):
    """What a step does to the world."""

    CHECK = "check"  # look, change nothing
    ACTION = "action"  # change something; needs approval where it runs
    VERIFY = "verify"  # measure that it helped
    ROLLBACK = "rollback"  # undo an action of this runbook


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One numbered step. `action` names a catalogue entry as text; `args` are its arguments.

    `no_rollback` is the author's reason why an action cannot or need not be undone. `journal` are
    the numbers of the records that the step was made from, where it was made from an incident.
    """

    kind: StepKind
    text: str
    action: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    command: str | None = None  # what a person may run by hand, shown verbatim
    no_rollback: str | None = None
    journal: tuple[int, ...] = ()
    line: int = 0  # where the step begins in its file, from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A procedure for one class of failure.

    `applies_to` holds causes out of `CAUSES`, `symptoms` sentences that a person or an alert would
    use. `services` are the only ones that it is about (empty: any), both ends where it is about a
    way; `made_from` is the incident that taught it.
    """

    id: str
    title: str
    summary: str
    applies_to: tuple[str, ...]
    symptoms: tuple[str, ...]
    steps: tuple[Step, ...]
    owners: tuple[str, ...]
    reviewed: str  # ISO date
    source: str
    body: str  # the Markdown as written, without front matter
    services: tuple[str, ...] = ()
    made_from: str | None = None

    def page(self) -> str:
        """The whole runbook as Markdown, to be read or indexed: summary, symptoms, body."""
        symptoms = "\n".join(f"- {symptom}" for symptom in self.symptoms)
        return f"{self.summary}\n\n## Symptoms\n\n{symptoms}\n\n{self.body}"
