"""The plan, step by step: what each would do now, what else feels it, and who has to agree."""

from collections.abc import Iterator, Mapping

from assistant.domain.incident import Incident
from assistant.domain.plan import RemediationPlan, RemediationStep
from assistant.requesting import Rehearsed
from assistant.requests_view import called
from assistant.slack.blocks.card import KINDS
from assistant.slack.blocks.modal import View, alert, modal
from assistant.slack.blocks.pieces import (
    LINE,
    SHOWN,
    Block,
    Pressed,
    actions,
    bullets,
    context,
    header,
    paragraphs,
    rich,
    verbatim,
)
from assistant.slack.check import holds
from assistant.slack.text import Element, one_line, said

PLACE = "plan"  # what is pressed there is answered there
# How many steps, each of a few blocks of a modal's hundred, and characters of the diff of each:
# less where a modal holds no more.
LEVELS = ((15, SHOWN), (15, 1_000), (15, 200), (5, 200))
LOOKING = "I am looking at what each step would do now…"


def plan_modal(
    name: str,
    incident: Incident,
    rehearsed: Mapping[int, Rehearsed] | None,
    pressed: Mapping[int, Pressed],
    *,
    approvers: str,
    told: str = "",
) -> View:
    """Return the plan; `rehearsed` null means that it is still looked at.

    `pressed` asks for a step, by its place (from 0); `told` answers what was pressed last.
    """
    for most, room in LEVELS:
        shown = _steps(incident.plan, rehearsed or {}, pressed, approvers, most=most, room=room)
        looking = alert("" if rehearsed is not None else LOOKING, "info")
        view = modal(f"Plan of {name}", [*alert(told, "info"), *looking, *shown])
        if holds(view):
            break
    return view


def _steps(
    plan: RemediationPlan | None,
    rehearsed: Mapping[int, Rehearsed],
    pressed: Mapping[int, Pressed],
    approvers: str,
    *,
    most: int,
    room: int,
) -> list[Block]:
    if plan is None:
        return [paragraphs([said("There is no plan any more.")])]
    blocks = [header(plan.title), context(f"{plan.runbook}, match {plan.match:.2f}")]
    for number, step in enumerate(plan.steps[:most]):
        blocks += _step(number, step, rehearsed.get(number), approvers, room)
        row = actions([pressed[number]] if number in pressed else [], number)
        blocks += [block | {"block_id": f"{PLACE}:{number}"} for block in row]
    if len(plan.steps) > most:
        blocks.append(context(f"and {len(plan.steps) - most} more steps in the runbook"))
    return blocks


def _step(
    number: int, step: RemediationStep, rehearsed: Rehearsed | None, approvers: str, room: int
) -> list[Block]:
    kind = KINDS.get(step.kind, step.kind)
    lead: list[Element] = [said(f"{number + 1}. {kind}: ", bold=True), _line(step.text)]
    lines = [lead]
    if step.command:
        lines.append([said(one_line(step.command, LINE), code=True)])
    blocks = [paragraphs(*lines)]
    facts = list(_facts(step, rehearsed, approvers))
    if facts:
        shown = ([said(f"{label}: ", bold=True), _line(text)] for label, text in facts)
        blocks.append(rich(bullets(*shown)))
    if rehearsed is not None and rehearsed.preview is not None and rehearsed.preview.diff:
        blocks.append(rich(verbatim(rehearsed.preview.diff, room)))
    return blocks


def _facts(
    step: RemediationStep, rehearsed: Rehearsed | None, approvers: str
) -> Iterator[tuple[str, str]]:
    if step.action is None:
        return
    yield "Call", called(step.action, dict(step.args))
    if not step.ready:
        gaps = [f"{name} {value}" for name, value in step.args if "<" in value]
        yield "Not ready", f"not known: {', '.join(gaps)}"
        return
    if rehearsed is None:
        return
    preview, decided = rehearsed.preview, rehearsed.decided
    if preview is not None:
        yield "Would do now", preview.summary
        yield "Target", preview.target
        yield "What else feels it", preview.blast
        undo = preview.undo
        yield "Taken back by", called(undo.action, undo.args) if undo else "cannot be"
    if rehearsed.why is not None:
        yield "Not ready", rehearsed.why
    elif decided is not None:
        group = f"@{decided.group}" if decided.group else approvers
        needed = f"{decided.needed} of {group}, and not who asks" if decided.needed else "nobody"
        yield "Has to approve", needed


def _line(text: str) -> Element:
    return said(one_line(text, LINE))
