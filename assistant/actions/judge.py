"""Asking the policy about an action: when somebody wants it, and again right before its start.

The facts come from the catalogue and from a preview that was made this moment, never from what a
person or a model said.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from assistant.domain.events import PolicyDecided
from assistant.policy import facts
from assistant.policy.decide import Kind, decide
from assistant.policy.rules import Bundle, PolicyError
from assistant.policy.source import shipped
from connectors.actions import ActionSpec, Preview

ASKED, START = "asked", "start"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is to be judged: an action as it is shown now.

    `repeated` counts the starts on this target in the hour before `at`; `reason` and `break_glass`
    tell whether one was given and whether somebody calls it an emergency.
    """

    spec: ActionSpec
    preview: Preview
    at: datetime
    repeated: int
    reason: bool
    break_glass: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Asks the policy that counts at this moment; `policy` reads it and raises `PolicyError`."""

    policy: Callable[[], Bundle] = field(default=shipped)
    environment: str = "production"

    def ask(self, case: Case, *, stage: str, request: str | None = None) -> PolicyDecided:
        """Return the decision; what cannot be decided is denied."""
        target = case.preview.target
        try:
            policy = self.policy()
        except PolicyError as error:
            return PolicyDecided(
                stage=stage, action=case.spec.name, target=target, decision=Kind.DENY, rule=None,
                why=f"the policy cannot be used, so everything is refused: {error}", needed=0,
                group=None, policy="", facts="", failed=True, request=request,
            )  # fmt: skip
        ruling = decide(policy, self._facts(case, policy.zone))
        return PolicyDecided(
            stage=stage, action=case.spec.name, target=target, decision=ruling.kind.value,
            rule=ruling.rule, why=ruling.why, needed=ruling.needed, group=ruling.group,
            policy=policy.digest, facts=ruling.facts, failed=ruling.failed, request=request,
        )  # fmt: skip

    def _facts(self, case: Case, zone: str) -> dict[str, facts.Fact]:
        spec, preview = case.spec, case.preview
        return {
            "action": spec.name,
            "effect": spec.effect.value,
            "risk": spec.risk.value,
            "demo": spec.demo,
            "reversible": spec.reversible,
            "undo": preview.undo is not None,
            "target_kind": preview.target.partition("/")[0],
            "target": preview.target,
            "environment": self.environment,
            "touches": preview.touches,
            "among": preview.among,
            "share": facts.share(preview.touches, preview.among),
            "repeated": case.repeated,
            "break_glass": case.break_glass,
            "reason": case.reason,
            **facts.at(case.at, zone),
        }
