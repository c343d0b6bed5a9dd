"""One call of the Web API: its arguments, who makes it, and what it may reach.

Slack's Python client sends arguments as JSON, as a form, or in the query of a GET or a POST; a
method must not care which.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from assistant.slack.local.office import Office
from assistant.slack.local.people import Channel, Kind, Message, Token, User
from assistant.slack.local.refusals import Refused

Reply: TypeAlias = dict[str, Any]
_TRUE = (True, 1, "1", "true", "True")
_SCOPE_WORDS = {Kind.PUBLIC: "channels", Kind.PRIVATE: "groups", Kind.DIRECT: "im"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The arguments as they came, and the office they are about."""

    office: Office
    token: Token
    args: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        value = self.args.get(name)
        return default if value is None else str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.args.get(name)
        return default if value is None else value in _TRUE

    def number(self, name: str, default: int) -> int:
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise Refused("invalid_arguments") from None

    def structure(self, name: str, otherwise: str) -> Any:  # noqa: ANN401 — any JSON
        """An argument that is JSON, or a string of JSON; `otherwise` is the code if it is not."""
        value = self.args.get(name)
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                raise Refused(otherwise) from None
        return value

    def need(self, scope: str) -> None:
        """Refuse the call unless the token has the scope."""
        if scope not in self.token.scopes:
            raise Refused(
                "missing_scope", needed=scope, provided=",".join(sorted(self.token.scopes))
            )

    def need_for(self, channel: Channel, what: str) -> None:
        """The same for a scope that each kind of channel has of its own: read, history, write."""
        self.need(f"{_SCOPE_WORDS[channel.kind]}:{what}")

    def channel(self, name: str = "channel") -> Channel:
        """The channel that is meant; one that the app cannot see does not exist."""
        channel = self.office.workspace.channels.get(self.text(name))
        if channel is None or not self.reaches(channel):
            raise Refused("channel_not_found")
        return channel

    def reaches(self, channel: Channel) -> bool:
        return channel.kind is Kind.PUBLIC or self.bot.id in channel.members

    def joined_channel(self, name: str = "channel") -> Channel:
        """A channel that the app is in and can write to."""
        channel = self.channel(name)
        if channel.archived:
            raise Refused("is_archived")
        if self.bot.id not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def message(self, channel: Channel, name: str) -> Message:
        """A message that all members see."""
        message = channel.messages.get(self.text(name))
        if message is None or message.only_for is not None:
            raise Refused("message_not_found")
        return message

    def user(self, name: str = "user") -> User:
        user = self.office.workspace.users.get(self.text(name))
        if user is None:
            raise Refused("user_not_found")
        return user

    @property
    def bot(self) -> User:
        return self.office.workspace.bot


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of the Web API, the scope it takes (if any) and the kind of token."""

    run: Callable[[Call], Reply]
    scope: str | None = None
    kind: str = "bot"
