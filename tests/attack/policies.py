"""Attacks on the rules: made stricter in between, broken, missing, incomplete."""

import pytest
from approvals import unchecked
from book import Outcome, attack
from desk import CALL
from scene import DAN, ONE, OPEN, TWO, allows, asked, fresh, pushed, ran, yes
from world import ANA, BEN, CLEO

from assistant.policy import decide
from assistant.policy.facts import Facts
from assistant.policy.rules import parse

STRICT = ONE.replace("{approvals: 1}", "deny")
EMERGENCY = """version: 1
rules:
  - {name: reason, when: 'break_glass && !reason', then: deny, why: an emergency needs a reason}
  - {name: any, when: 'true', then: {approvals: 1}}
"""


@attack(
    "6",
    "the policy is made stricter between yes and start",
    "the stricter one counts",
    told="the policy does not allow it",
    guards={"assistant.actions.run.may_start": yes},
)
async def tightened(folder):
    async with asked(folder, policy=ONE) as (desk, incident, tracked):
        (folder / "policy.yaml").write_text(STRICT)
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "6b",
    "the policy wants more yeses by the time of the start",
    "the larger number counts",
    told="1 of 2 approvals count",
    guards={"assistant.actions.run.may_start": yes},
)
async def more_wanted(folder):
    async with asked(folder, policy=ONE) as (desk, incident, tracked):
        (folder / "policy.yaml").write_text(TWO)
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "6c",
    "the policy is loosened after a request that wanted two yeses",
    "what was shown counts",
    told="1 more must say yes",
    guards={
        "assistant.domain.requests._decided": unchecked,
        "assistant.actions.run.may_start": yes,
    },
)
async def loosened(folder):
    async with asked(folder, policy=TWO) as (desk, incident, tracked):
        (folder / "policy.yaml").write_text(OPEN)
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "41",
    "the policy file is broken",
    "everything is refused until it is mended",
    told="the policy cannot be used",
    guards={"assistant.policy.source._parsed": lambda *_: parse(ONE, "any")},
)
async def broken(folder):
    async with fresh(folder, policy="rules: [") as (desk, incident):
        return await pushed(desk, incident)


@attack(
    "41b",
    "the policy file is deleted between yes and start",
    "refused",
    told="cannot be read",
    guards={"assistant.actions.run.may_start": yes},
)
async def deleted(folder):
    async with asked(folder, policy=ONE) as (desk, incident, tracked):
        (folder / "policy.yaml").unlink()
        return ran(desk, incident, await desk.approve(incident, tracked))


@attack(
    "41c",
    "a rule of the policy cannot be answered",
    "refused",
    told="could not be answered",
    guards={"assistant.actions.judge.decide": allows},
)
async def raises(folder):
    odd = ONE.replace("'true'", "'touches > risk'")
    async with fresh(folder, policy=odd) as (desk, incident):
        return await pushed(desk, incident)


class Lenient:
    """Takes facts as they come, and fills what is missing with nothing."""

    @staticmethod
    def model_validate(given):
        return Facts.model_construct(**{**dict.fromkeys(Facts.model_fields, False), **given})


def forgetful(policy, given, *rest):
    """Ask the policy without one fact."""
    return decide.decide(policy, {k: v for k, v in given.items() if k != "break_glass"}, *rest)


@attack(
    "42",
    "a fact that a rule asks for is missing",
    "refused",
    told="break_glass is missing",
    guards={"assistant.policy.decide.Facts": Lenient},
)
async def missing_fact(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.actions.judge.decide", forgetful)
        async with fresh(folder, policy=ONE) as (desk, incident):
            return await pushed(desk, incident)


@attack(
    "43",
    "an emergency is called without a reason",
    "refused",
    told="an emergency needs a reason",
    guards={"assistant.actions.judge.decide": allows},
)
async def emergency(folder):
    async with fresh(folder, policy=EMERGENCY) as (desk, incident):
        return await pushed(desk, incident, break_glass=True)


async def _crowd(folder, people, *, most):
    """Let each of these ask for an action on another target; returns what the last was told."""
    async with fresh(folder) as (desk, incident):
        for number, who in enumerate(people):
            args = {**CALL, "service": f"s{number}"}
            answer, _ = await desk.requested(incident, who, args)
        asked = len(desk.service.incident(incident).requests)
        harm = None if asked <= most else f"{asked} cards to decide on"
        return Outcome(harm, answer.said)


@attack(
    "56",
    "forty requests at once, so that people click without reading",
    "five wait for a decision, the others are refused",
    told="have them decided first",
    guards={"assistant.requesting.crowded": yes},
)
async def many_at_once(folder):
    return await _crowd(folder, [ANA] * 40, most=5)


@attack(
    "56b",
    "four people crowd one incident with requests",
    "ten wait for a decision, the others are refused",
    told="of this incident wait for a decision",
    guards={"assistant.requesting.crowded": yes},
)
async def many_by_several(folder):
    return await _crowd(folder, [ANA, BEN, CLEO, DAN] * 5, most=10)
