"""What an app must never do, judged from everything that it did: for the end of each test.

Each rule has a name, and yields one sentence for each breach.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from assistant.slack import limits
from assistant.slack.check import faults, too_long, view_faults
from assistant.slack.local.deliveries import State
from assistant.slack.local.office import Made, Office
from assistant.slack.local.shown import Shown, shown, structure

_OPENS = ("chat.postMessage", "chat.startStream")
_ADDRESSES = ("url", "image_url", "title_url")
_WRITTEN = re.compile(r"(?:<|\]\()(https?://[^|>)\s]*)")  # <https://…|x> and [x](https://…)
_SLACK = ("slack.com", "app.slack.com")
_BROADCASTS = ("<!channel", "<!here", "<!everyone")
APPROVERS, WAITS = "sre", "Approval needed"  # the one group that is called, and to what
_GROUP = re.compile(r"<!subteam\^([^>|]*)")
_ENDED = ("stopped_by_user", "message_not_in_streaming_state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`burst` posts may come at once to a channel, then one a second (null: any number).

    Links may lead to `hosts`, and to Slack itself.
    """

    burst: int | None
    hosts: frozenset[str]


Rule: TypeAlias = Callable[[Office, Bounds], Iterator[str]]


def broken_rules(
    office: Office, *, burst: int | None, hosts: Collection[str], rules: Collection[str]
) -> list[str]:
    """Every breach of the rules with these names."""
    bounds = Bounds(burst=burst, hosts=frozenset(hosts))
    return [said for name in RULES if name in rules for said in RULES[name](office, bounds)]


def _blocks(office: Office, _: Bounds) -> Iterator[str]:
    for one in shown(office):
        if view_faults(one.view) if one.view else faults(one.blocks, one.surface):
            yield f"{one.where} has blocks that Slack would refuse."
        elif one.view is None and too_long(one.blocks):
            yield f"{one.where} has more in its blocks than Slack takes."


def _broadcast(office: Office, _: Bounds) -> Iterator[str]:
    for one in shown(office):
        said = [*one.texts, *_formatted([one.blocks])]
        if any(broadcast in text for text in said for broadcast in _BROADCASTS):
            yield f"{one.where} called everybody."
        called = {found for text in said for found in _GROUP.findall(text)}
        if called and not (_waits(one) and called <= _approvers(office)):
            yield f"{one.where} called a group, and nobody waits for it there."


def _waits(one: Shown) -> bool:
    """Whether it is the first post of a request; Slack tells nobody of what an edit says."""
    return one.method == "chat.postMessage" and any(text.startswith(WAITS) for text in one.texts)


def _approvers(office: Office) -> set[str]:
    return {group.id for group in office.workspace.groups.values() if group.handle == APPROVERS}


def _previews(office: Office, _: Bounds) -> Iterator[str]:
    for made in _taken(office, "chat.postMessage"):
        for flag in ("unfurl_links", "unfurl_media"):
            if made.args.get(flag) not in (False, "0", 0):
                yield f"{made.method} in {made.args.get('channel')} did not say {flag}=False."


def _addresses(office: Office, bounds: Bounds) -> Iterator[str]:
    """Every address that somebody could press, in messages and in views."""
    for one in shown(office):
        for address in _led(one):
            ours = address.startswith(f"{office.base_url}/")  # a permalink of this very Slack
            if not ours and urlsplit(address).hostname not in {*bounds.hosts, *_SLACK}:
                yield f"{one.method} leads to {address}, which nobody allowed."


def _led(one: Shown) -> Iterator[str]:
    for text in (*one.texts, *_formatted([one.blocks])):
        yield from _WRITTEN.findall(text)
    yield from _pressable([one.blocks, one.chunks])


def _acknowledged(office: Office, _: Bounds) -> Iterator[str]:
    for delivery in office.deliveries.all:
        what = f"{delivery.kind} {_kind(delivery.payload)}"
        if delivery.state in (State.FAILED, State.DROPPED):
            yield f"{what} was never acknowledged ({delivery.state})."
        elif delivery.late or delivery.attempts > 1:
            yield f"{what} took {delivery.attempts} deliveries, one acknowledged late or never."


def _once(office: Office, _: Bounds) -> Iterator[str]:
    """Two messages with one key; one that was deleted does not count."""
    stand: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for made in _taken(office, "chat.postMessage"):
        channel = str(made.args.get("channel"))
        metadata = structure(made.args.get("metadata")) or {}
        if key := metadata.get("event_payload", {}).get("key"):
            stand[str(key)].add((channel, made.ts))
    removed = {(message.channel, message.ts) for message in office.workspace.removed}
    for key, places in stand.items():
        if (times := len(places - removed)) > 1:
            yield f"The message with the key {key} was posted {times} times."


def _streams(office: Office, _: Bounds) -> Iterator[str]:
    """Every stream is stopped by the app, or the app was told that it had ended."""
    ended = {
        (made.args.get("channel"), made.args.get("ts"))
        for made in office.calls
        if made.error in _ENDED or (made.method == "chat.stopStream" and not made.error)
    }
    for made in _taken(office, "chat.startStream"):
        if (made.args.get("channel"), made.ts) not in ended:
            yield f"The stream {made.ts} in {made.args.get('channel')} was left open."


def _pace(office: Office, bounds: Bounds) -> Iterator[str]:
    """A bucket of `burst` posts for each channel that fills at Slack's pace."""
    times: dict[str, list[float]] = defaultdict(list)
    for made in _taken(office, *_OPENS) if bounds.burst is not None else ():
        times[str(made.args.get("channel"))].append(made.at)
    for channel, moments in times.items():
        most = float(bounds.burst or 0)
        left, last = most, moments[0]
        for moment in moments:
            left = min(most, left + (moment - last) * limits.POSTS_PER_SECOND) - 1
            last = moment
            if left < 0:
                yield f"{channel} was given more than {limits.POSTS_PER_SECOND:g} post a second."
                break


RULES: Mapping[str, Rule] = {
    "blocks": _blocks,
    "broadcast": _broadcast,
    "previews": _previews,
    "addresses": _addresses,
    "acknowledged": _acknowledged,
    "once": _once,
    "streams": _streams,
    "pace": _pace,
}


def _taken(office: Office, *methods: str) -> Iterator[Made]:
    return (made for made in office.calls if made.method in methods and not made.error)


def _kind(payload: Mapping[str, Any]) -> str:
    event = payload.get("event")
    kind = event if isinstance(event, Mapping) else payload
    return str(kind.get("type") or kind.get("command") or "")


def _formatted(part: object) -> Iterator[str]:
    """Every text in which a mention would be one; plain and rich text say it literally."""
    if isinstance(part, list | tuple):
        for item in part:
            yield from _formatted(item)
    elif isinstance(part, dict):
        if part.get("type") in ("mrkdwn", "markdown"):
            yield str(part.get("text"))
        elif part.get("type") == "broadcast":
            yield _BROADCASTS[0]
        elif part.get("type") == "usergroup":
            yield f"<!subteam^{part.get('usergroup_id')}>"
        for item in part.values():
            yield from _formatted(item)


def _pressable(part: object) -> Iterator[str]:
    if isinstance(part, list | tuple):
        for item in part:
            yield from _pressable(item)
    elif isinstance(part, dict):
        for name, item in part.items():
            if name in _ADDRESSES and isinstance(item, str):
                yield item
            yield from _pressable(item)
