"""What a command is answered with at once; everything else is told by the incident's view."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`said` is a sentence for whoever asked; `refused` is true where nothing came of it.

    `understood` is false where the words that were to steer mean nothing here.
    """

    incident: str | None
    said: str
    refused: bool = False
    understood: bool = True
