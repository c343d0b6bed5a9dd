"""What an app must never do, judged from everything that it did: for the end of each test.

Each rule yields one sentence for each breach.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from assistant.slack import limits
from assistant.slack.check import Surface, faults, too_long
from assistant.slack.local.office import Made, Office
from assistant.slack.local.people import Message
from assistant.slack.local.sockets import State

_WRITES = ("chat.postMessage", "chat.update", "chat.postEphemeral")
_ADDRESSES = ("url", "image_url", "title_url")
_WRITTEN = re.compile(r"<(https?://[^|>]*)")
_BROADCASTS = ("<!channel", "<!here", "<!everyone")


def broken_rules(office: Office, *, burst: int | None, hosts: Collection[str]) -> list[str]:
    """Every breach; `burst` posts may come at once to a channel, then one a second (null: any).

    Links may lead to `hosts`, and to Slack itself.
    """
    posts = [made for made in office.calls if made.method in _WRITES and not made.error]
    found = [*_invalid(office), *_shouting(posts), *_previews(posts), *_unheard(office)]
    found += [*_twice(posts, office.workspace.removed), *_astray(office, frozenset(hosts))]
    if burst is not None:
        found += _floods(posts, burst)
    return found


def _invalid(office: Office) -> Iterator[str]:
    for channel in office.workspace.channels.values():
        for message in channel.messages.values():
            if faults(message.blocks, Surface.MESSAGE) or too_long(message.blocks):
                yield f"{channel.id} {message.ts} holds blocks that Slack would refuse."


def _shouting(posts: list[Made]) -> Iterator[str]:
    for made in posts:
        blocks = made.args.get("blocks") or []
        said = [str(made.args.get("text")), *_formatted(_parsed(blocks))]
        if any(broadcast in text for text in said for broadcast in _BROADCASTS):
            yield f"{made.method} in {made.args.get('channel')} called everybody."


def _formatted(part: object) -> Iterator[str]:
    """Every text in which a mention would be one; plain and rich text say it literally."""
    if isinstance(part, list):
        for item in part:
            yield from _formatted(item)
    elif isinstance(part, dict):
        if part.get("type") in ("mrkdwn", "markdown"):
            yield str(part.get("text"))
        elif part.get("type") == "broadcast":
            yield _BROADCASTS[0]
        for item in part.values():
            yield from _formatted(item)


def _astray(office: Office, hosts: frozenset[str]) -> Iterator[str]:
    """Every address that somebody could press, in messages and in views."""
    for made in office.calls:
        if made.error or not (made.method in _WRITES or made.method.startswith("views.")):
            continue
        whole = [_parsed(made.args.get(name)) for name in ("blocks", "view")]
        texts = [str(made.args.get("text") or ""), *_formatted(whole)]
        written = [address for text in texts for address in _WRITTEN.findall(text)]
        for address in (*written, *_pressable(whole)):
            if address.startswith(f"{office.base_url}/archives/"):
                continue  # a message of this Slack
            if urlsplit(address).hostname not in {*hosts, "slack.com", "app.slack.com"}:
                yield f"{made.method} leads to {address}, which nobody allowed."


def _pressable(part: object) -> Iterator[str]:
    if isinstance(part, list):
        for item in part:
            yield from _pressable(item)
    elif isinstance(part, dict):
        for name, item in part.items():
            if name in _ADDRESSES and isinstance(item, str):
                yield item
            yield from _pressable(item)


def _previews(posts: list[Made]) -> Iterator[str]:
    for made in posts:
        for flag in ("unfurl_links", "unfurl_media"):
            if made.method == "chat.postMessage" and made.args.get(flag) not in (False, "0", 0):
                yield f"{made.method} in {made.args.get('channel')} did not say {flag}=False."


def _unheard(office: Office) -> Iterator[str]:
    for delivery in office.sockets.deliveries:
        what = f"{delivery.kind} {_kind(delivery.payload)}"
        if delivery.state in (State.FAILED, State.DROPPED):
            yield f"{what} was never acknowledged ({delivery.state})."
        elif delivery.late or delivery.attempts > 1:
            yield f"{what} took {delivery.attempts} deliveries, one acknowledged late or never."


def _kind(payload: Mapping[str, Any]) -> str:
    event = payload.get("event")
    kind = event if isinstance(event, Mapping) else payload
    return str(kind.get("type") or kind.get("command") or "")


def _twice(posts: list[Made], removed: Sequence[Message]) -> Iterator[str]:
    """Whatever was posted again without having been deleted."""
    keys: Counter[str] = Counter()
    for message in removed:
        keys[_key(message.metadata)] -= 1
    for made in posts:
        key = _key(_parsed(made.args.get("metadata")))
        if made.method == "chat.postMessage" and key:
            keys[key] += 1
    for key, times in keys.items():
        if times > 1:
            yield f"The message with the key {key} was posted {times} times."


def _key(metadata: Mapping[str, Any] | None) -> str:
    return str(metadata["event_payload"].get("key", "")) if metadata else ""


def _parsed(value: Any) -> Any:  # noqa: ANN401 — any JSON
    """An argument that a client may have sent as a string of JSON."""
    return json.loads(value) if isinstance(value, str) else value


def _floods(posts: list[Made], burst: int) -> Iterator[str]:
    """A bucket of `burst` posts for each channel that fills at Slack's pace."""
    times: dict[str, list[float]] = defaultdict(list)
    for made in posts:
        if made.method == "chat.postMessage":
            times[str(made.args.get("channel"))].append(made.at)
    for channel, moments in times.items():
        left, last = float(burst), moments[0]
        for moment in moments:
            left = min(burst, left + (moment - last) * limits.POSTS_PER_SECOND) - 1
            last = moment
            if left < 0:
                yield f"{channel} was given more than {limits.POSTS_PER_SECOND:g} post a second."
                break
