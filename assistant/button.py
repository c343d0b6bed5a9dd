"""Something that a person can press on a surface: a command with words on it."""

from dataclasses import dataclass

from assistant.commands import Pressable


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """`style` is empty, primary or danger; `confirm` is asked before it counts.

    `asks_reason` lets the surface ask why, and put the words into the command's `reason`.
    """

    label: str
    command: Pressable
    style: str = ""
    confirm: str | None = None
    asks_reason: bool = False
