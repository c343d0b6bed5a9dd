"""Who and what is in a workspace: people, groups, channels, messages, views, tokens.

Records are frozen; the workspace replaces them. Times are Slack's `ts` strings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person or a bot. `restricted` is a guest, `team` the workspace that they belong to.

    `enterprise` is the organisation of that workspace on Enterprise Grid, else empty; `grid` is
    who they are in all of it, which several accounts of one person share.
    """

    id: str
    name: str
    team: str
    enterprise: str = ""
    grid: str = ""
    title: str = ""
    bot: bool = False
    restricted: bool = False
    deleted: bool = False
    admin: bool = False
    zone: str = "UTC"


@dataclass(slots=True, kw_only=True)
class Group:
    """A user group, such as @sre."""

    id: str
    handle: str
    members: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a client may do; `kind` is bot or app."""

    value: str
    kind: str
    scopes: frozenset[str]


class Kind(StrEnum):
    """What a channel is; the value is Slack's `channel_type`."""

    PUBLIC = "channel"
    PRIVATE = "group"
    DIRECT = "im"


class Streaming(StrEnum):
    """How far a message is that grows while its app works."""

    GROWING = "growing"
    STOPPED = "stopped"  # by a person
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What a growing message shows beside its text: a plan, and its tasks as they came."""

    state: Streaming = Streaming.GROWING
    title: str = ""
    tasks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; `only_for` makes it ephemeral, `thread` is the ts of the thread's first one.

    `user` is the author's id, empty for a webhook-like bot, whose name is `name` then.
    """

    ts: str
    channel: str
    user: str = ""
    name: str = ""
    text: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    bot: str = ""
    app: str = ""
    thread: str | None = None
    broadcast: bool = False
    only_for: str | None = None
    edited: str | None = None
    metadata: Mapping[str, Any] | None = None
    reactions: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    stream: Stream | None = None


@dataclass(slots=True, kw_only=True)
class Channel:
    """A conversation with its members (ids, in the order of joining) and its messages by ts.

    A `shared` one belongs to several workspaces of an organisation, a `foreign` one to another
    organisation as well. `last` is the latest ts that was given out, in microseconds: a ts is never
    given out twice.
    """

    id: str
    name: str
    kind: Kind
    members: list[str]
    creator: str
    created: int = 0
    archived: bool = False
    shared: bool = False
    foreign: bool = False
    topic: str = ""
    last: int = 0
    messages: dict[str, Message] = field(default_factory=dict)
    pins: list[str] = field(default_factory=list)
    bookmarks: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An open modal or a home tab of one user; `content` is what the app sent."""

    id: str
    user: str
    content: Mapping[str, Any]
    hash: str
    root: str
    previous: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An uploaded file; `shared` is false until the upload is completed, at `at` (monotonic)."""

    id: str
    name: str
    length: int
    content: bytes = b""
    title: str = ""
    alt: str = ""
    shared: bool = False
    at: float = 0.0
