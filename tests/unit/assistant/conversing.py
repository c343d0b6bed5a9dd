"""What a person does first in every round trip: asks, gets an answer, asks for an action."""

from written import NOON, PLAN, finding

from assistant.domain.events import HypothesesRanked, Opened, PlanProposed


def find(messages, words):
    """Return the newest message whose fallback text holds these words."""
    return next((m for m in reversed(messages) if words in m.text), None)


async def opened(rig):
    """Let ana ask, and the desk open INC-1 for it; returns the thread."""
    ts = await rig.slack.person("ana").say("incidents", "@firstline booking fails")
    await rig.slack.wait_for(lambda: rig.desk.taken)
    command, _ = rig.desk.taken.pop()
    await rig.desk.happen(
        "INC-1", Opened(at=NOON, text=command.text, service="front", place=command.place)
    )
    await rig.slack.wait_for(lambda: find(rig.messages(thread=ts), "INC-1"))
    return ts


async def explained(rig, *, found=None, plan=PLAN):
    """The same, with an answer and a plan; returns the thread and the card."""
    ts = await opened(rig)
    await rig.desk.happen(
        "INC-1",
        HypothesesRanked(finding=found or finding(), seconds=0.2),
        PlanProposed(plan=plan, seconds=0.1),
    )
    return ts, await rig.slack.wait_for(
        lambda: (
            (card := find(rig.messages(thread=ts), "Likely"))
            and "Review plan" in str(card.blocks)
            and card
        )
    )


def labelled(blocks, label):
    """Return the first button that begins with a label."""
    for block in blocks:
        for element in block.get("elements", ()):
            if element.get("type") == "button" and element["text"]["text"].startswith(label):
                return element
    return None


async def press(rig, who, message, label):
    """Press the button with this label, in the channel."""
    button = labelled(message.blocks, label)
    return await rig.slack.person(who).click("incidents", message.ts, button["action_id"])


async def press_in(rig, who, view, label):
    """Press the button with this label, in a view."""
    button = labelled(view.content["blocks"], label)
    return await rig.slack.person(who).click_in_view(view.id, button["action_id"])


def words(view):
    """Return all that a view says."""

    def texts(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "text" and isinstance(inner, str):
                    yield inner
                else:
                    yield from texts(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from texts(inner)

    return " ".join(" ".join(texts(view)).split())
