"""Everything that an app had shown: each message, view and part of a stream that Slack took.

Not what is left of it: what was edited or deleted since was seen by somebody all the same.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.slack.check import Surface
from assistant.slack.local.office import Made, Office

ANSWER = "response_url"  # how an answer by URL, or with a command's acknowledgement, is recorded
POSTS = ("chat.postMessage", "chat.postEphemeral")
STREAM = ("chat.startStream", "chat.appendStream", "chat.stopStream")
WRITES = (*POSTS, "chat.update", *STREAM, ANSWER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one call had shown. `view` is the whole view; its blocks are in `blocks` as well.

    `texts` are the fallback text and streamed markdown, `chunks` the parts of a stream as sent.
    """

    method: str
    channel: str
    surface: Surface
    blocks: Sequence[Mapping[str, Any]] = ()
    texts: tuple[str, ...] = ()
    view: Mapping[str, Any] | None = None
    chunks: Sequence[Mapping[str, Any]] = ()

    @property
    def where(self) -> str:
        return f"{self.method} in {self.channel}" if self.channel else self.method


def shown(office: Office) -> Iterator[Shown]:
    """Each thing in the order of the calls, then the views that came with acknowledgements."""
    for made in office.calls:
        if made.error:
            continue
        if made.method in WRITES:
            yield _message(made)
        elif made.method.startswith("views."):
            yield _view(made.method, structure(made.args.get("view")))
    for delivery in office.deliveries.all:
        if delivery.answer.get("response_action") in ("update", "push"):
            yield _view("response_action", delivery.answer["view"])


def structure(value: Any) -> Any:  # noqa: ANN401 — any JSON
    """An argument that a client may have sent as a string of JSON."""
    return json.loads(value) if isinstance(value, str) else value


def _message(made: Made) -> Shown:
    chunks = structure(made.args.get("chunks")) or ()
    inside = [block for chunk in chunks for block in chunk.get("blocks", ())]
    texts = [made.args.get("text"), made.args.get("markdown_text")]
    texts += [value for chunk in chunks for name, value in chunk.items() if name != "type"]
    return Shown(
        method=made.method,
        channel=str(made.args.get("channel") or ""),
        surface=Surface.MESSAGE,
        blocks=[*inside, *(structure(made.args.get("blocks")) or ())],
        texts=tuple(text for text in texts if isinstance(text, str)),
        chunks=chunks,
    )


def _view(method: str, view: Mapping[str, Any]) -> Shown:
    surface = Surface.HOME if view.get("type") == "home" else Surface.MODAL
    blocks = view.get("blocks") or ()
    return Shown(method=method, channel="", surface=surface, blocks=blocks, view=view)
