"""What to do next: the steps of the runbook that fits, filled in for this incident."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationStep:
    """`kind` is check, action, verify or rollback; `action` names a catalogue entry, if any."""

    kind: str
    text: str
    action: str | None
    args: tuple[tuple[str, str], ...]
    command: str | None

    @property
    def ready(self) -> bool:
        """Tell whether it is an action of which everything is known (`<name>` stands for a gap)."""
        return self.action is not None and not any("<" in value for _, value in self.args)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemediationPlan:
    """The steps of one runbook for one hypothesis; `match` is 0–1 and `why` says what matched."""

    runbook: str
    title: str
    match: float
    why: tuple[str, ...]
    steps: tuple[RemediationStep, ...]
