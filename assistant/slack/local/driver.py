"""What a person can do and see in the loopback Slack, and nothing more.

Whoever is not in a channel cannot write in it, and what is not on the screen cannot be pressed:
both raise `NotThere`. An app that does not answer in time shows the person an error, which is
found in `errors`.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from assistant.slack.local.deliveries import Delivery, State
from assistant.slack.local.interactions import (
    NotThere,
    Payloads,
    chosen_state,
    find_channel,
    find_element,
    initial_value,
    pressed,
)
from assistant.slack.local.methods.views import checked_view, new_view
from assistant.slack.local.office import Office
from assistant.slack.local.people import Channel, Kind, Message, User, View
from assistant.slack.local.responses import respond

_NAME = r"[A-Za-z0-9_.-]*[A-Za-z0-9_]"
_TYPED = re.compile(
    rf"(?P<url>https?://[^\s<>|]+)|(?<!\w)@(?P<at>{_NAME})|(?<!\w)#(?P<channel>{_NAME})"
)


class Person:
    """One user at their screen."""

    def __init__(self, office: Office, user: str) -> None:
        self._office = office
        self._workspace = office.workspace
        self.id = user

    @property
    def user(self) -> User:
        return self._workspace.users[self.id]

    @property
    def errors(self) -> list[str]:
        """What Slack told this person about an app that did not answer."""
        return self._workspace.troubles[self.id]

    def messages(self, channel: str, thread: str | None = None) -> list[Message]:
        """What this person sees in a channel or a thread, ephemeral messages included."""
        return self._workspace.visible(self.id, self._channel(channel), thread)

    def modal(self) -> View | None:
        """The modal that lies on top, if one is open."""
        open_ones = self._workspace.modals(self.id)
        return open_ones[-1] if open_ones else None

    def home(self) -> View | None:
        """The app's home tab, if it has published one."""
        return self._workspace.homes.get(self.id)

    async def say(self, channel: str, text: str, *, thread: str | None = None) -> str:
        """Write a message, as typed: @ana and #general become mentions. Returns its ts.

        `channel` is a name or an id, or @ and the app's name for direct messages.
        """
        place = self._joined(channel)
        if thread is not None and thread not in {m.ts for m in self.messages(place.id)}:
            raise NotThere(f"There is no message {thread} to reply to.")
        return self._office.post(place, user=self.id, text=self.encoded(text), thread=thread).ts

    def encoded(self, text: str) -> str:
        """Typed text as Slack stores it: &, < and > escaped, mentions and links as <…>."""

        def mark(found: re.Match[str]) -> str:
            if url := found["url"]:
                return f"<{url}>"
            if name := found["at"]:
                return self._mention(name) or found[0]
            channel = self._workspace.channel_named(found["channel"])
            return f"<#{channel.id}|{channel.name}>" if channel else found[0]

        return _TYPED.sub(mark, escape(text, quote=False))

    async def click(
        self,
        channel: str,
        ts: str,
        action_id: str,
        *,
        block_id: str | None = None,
        option: str | None = None,
    ) -> Delivery:
        """Press a button of a message, or choose `option` (its value) in one of its menus."""
        place = self._channel(channel)
        message = self._seen(place, ts)
        owner, element = find_element(message.blocks, self.id, action_id, block_id)
        action = pressed(element, owner, self._office.now_ts(), option)
        return await self._send("interactive", self._payloads.block_actions(action, message, place))

    async def click_in_view(
        self, view_id: str, action_id: str, *, option: str | None = None
    ) -> Delivery:
        """The same in an open modal or in the home tab."""
        view = self._open(view_id)
        owner, element = find_element(view.content["blocks"], self.id, action_id, None)
        action = pressed(element, owner, self._office.now_ts(), option)
        return await self._send("interactive", self._payloads.view_action(action, view))

    async def submit(self, view_id: str, values: Mapping[str, str]) -> dict[str, str]:
        """Fill a modal in, by action_id, and submit it.

        Returns the app's complaints by block_id; there are none when it was accepted. Raises
        `NotThere` for a field that the modal does not have or that must not stay empty.
        """
        view = self._open(view_id)
        if "submit" not in view.content:
            raise NotThere("This modal has no button to submit it.")
        payload = self._payloads.view_submission(view, _filled(view, values))
        delivery = await self._send("interactive", payload)
        if delivery.state is not State.ACKED:
            return {}
        return self._after_submission(view, delivery.answer)

    async def close(self, view_id: str) -> None:
        """Close a modal without submitting it."""
        view = self._open(view_id)
        self._workspace.drop([view])
        if view.content.get("notify_on_close"):
            await self._send("interactive", self._payloads.view_closed(view, cleared=False))

    async def edit(self, channel: str, ts: str, text: str) -> None:
        """Put other words, as typed, into one's own message."""
        place = self._channel(channel)
        message = self._seen(place, ts)
        if message.user != self.id:
            raise NotThere(f"{self.user.name} may not edit messages of others.")
        self._office.change(place, message, self.encoded(text))

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message: one's own, and with `admin` anybody's."""
        place = self._channel(channel)
        message = self._seen(place, ts)
        if message.user != self.id and not self.user.admin:
            raise NotThere(f"{self.user.name} may not delete messages of others.")
        self._office.remove(place, message)

    async def shortcut(
        self, callback_id: str, channel: str | None = None, ts: str | None = None
    ) -> Delivery:
        """Use a shortcut on a message, or a global one without `channel` and `ts`."""
        place = self._channel(channel) if channel else None
        message = self._seen(place, ts or "") if place else None
        return await self._send("interactive", self._payloads.shortcut(callback_id, message, place))

    async def slash(self, command: str, text: str, channel: str) -> Delivery:
        """Type a command, such as /firstline; an answer in its acknowledgement is shown."""
        place = self._joined(channel)
        payload = self._payloads.command(command, self.encoded(text), place)
        delivery = await self._send("slash_commands", payload)
        if delivery.answer:
            respond(self._office, payload["response_url"].rpartition("/")[2], delivery.answer)
        return delivery

    def invite(self, channel: str, name: str) -> None:
        """Let somebody, or the app, into a channel that this person is in.

        Direct messages stay with their two.
        """
        place, who = self._joined(channel), self._named(name)
        if place.kind is Kind.DIRECT:
            raise NotThere("Nobody can be let into direct messages.")
        if who.id not in place.members:
            self._office.joined(place, who.id, inviter=self.id)

    def remove(self, channel: str, name: str) -> None:
        """Take somebody, or the app, out of such a channel; the app is not told."""
        place, who = self._joined(channel), self._named(name)
        if who.id in place.members:
            place.members.remove(who.id)
            self._workspace.changes.note()

    async def open_home(self, tab: str = "home") -> Delivery:
        """Look at the app's home (or messages) tab."""
        view = self.home()
        delivery = self._office.tell(
            {
                "type": "app_home_opened",
                "user": self.id,
                "channel": self._workspace.direct(self._workspace.bot.id, self.id).id,
                "tab": tab,
                "event_ts": self._office.now_ts(),
                **({"view": {"id": view.id, "hash": view.hash}} if view else {}),
            }
        )
        await delivery.finished.wait()
        return delivery

    async def stop(self, channel: str, thread: str) -> Delivery:
        """Press the Stop that is shown while the app works in a thread."""
        place = self._joined(channel)
        if self._workspace.sessions.get((place.id, thread)) != "processing":
            raise NotThere("Nothing is under way in this thread.")
        delivery = self._office.tell(
            {
                "type": "agent_session_stopped",
                "channel": place.id,
                "thread_ts": thread,
                "streaming_message_ts": self._workspace.halt(place, thread),
                "user": self.id,
                "event_ts": self._office.now_ts(),
            }
        )
        await delivery.finished.wait()
        return delivery

    @property
    def _payloads(self) -> Payloads:
        return Payloads(self._office, self.user)

    def _channel(self, name: str) -> Channel:
        bot = self._workspace.bot
        if name == f"@{bot.name}":
            return self._workspace.direct(self.id, bot.id)
        channel = find_channel(self._workspace, name)
        if not self._workspace.sees(self.id, channel):
            raise NotThere(f"There is no channel {name}.")
        return channel

    def _joined(self, name: str) -> Channel:
        channel = self._channel(name)
        if self.id not in channel.members or channel.archived:
            raise NotThere(f"{self.user.name} cannot write in {name}.")
        return channel

    def _seen(self, channel: Channel, ts: str) -> Message:
        message = channel.messages.get(ts)
        if message is None or message.only_for not in (None, self.id):
            raise NotThere(f"{self.user.name} sees no message {ts}.")
        return message

    def _open(self, view_id: str) -> View:
        home = self.home()
        view = home if home and home.id == view_id else self._workspace.views.get(view_id)
        if view is None or view.user != self.id:
            raise NotThere("This view is not open.")
        return view

    def _named(self, name: str) -> User:
        user = self._workspace.user_named(name)
        if user is None:
            raise NotThere(f"Nobody is called {name}.")
        return user

    def _mention(self, name: str) -> str | None:
        if user := self._workspace.user_named(name):
            return f"<@{user.id}>"
        groups = self._workspace.groups.values()
        return next((f"<!subteam^{g.id}>" for g in groups if g.handle == name), None)

    async def _send(self, kind: str, payload: Mapping[str, Any]) -> Delivery:
        """Wait for the app's acknowledgement; without one the person is told."""
        delivery = self._office.deliveries.send(kind, payload)
        await delivery.finished.wait()
        if delivery.state is not State.ACKED:
            self.errors.append(f"{self._workspace.bot.name} did not respond. Try again.")
            self._workspace.changes.note()
        return delivery

    def _after_submission(self, view: View, answer: Mapping[str, Any]) -> dict[str, str]:
        workspace = self._workspace
        match answer.get("response_action"):
            case "errors":
                return dict(answer["errors"])
            case "update":
                content = checked_view(answer["view"], "modal", workspace)
                workspace.show(workspace.rehash(view, content))
            case "push":
                content = checked_view(answer["view"], "modal", workspace)
                workspace.show(new_view(workspace, self.id, content, view))
            case "clear":
                workspace.drop(workspace.modals(self.id))
            case _:
                workspace.drop([view])
        return {}


def _filled(view: View, values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """`state.values` of a modal: what was typed, and what stood there before."""
    state: dict[str, dict[str, Any]] = {}
    left = dict(values)
    for block in view.content["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = left.pop(element["action_id"], initial_value(element))
        if not value and not block.get("optional"):
            raise NotThere(f"{block['label']['text']} must be filled in.")
        state[block["block_id"]] = {element["action_id"]: chosen_state(element, value)}
    if left:
        raise NotThere(f"This modal has no field {', '.join(sorted(left))}.")
    return state
