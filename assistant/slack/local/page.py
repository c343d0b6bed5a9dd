"""The local page: the loopback Slack in a browser, one window for all its people.

It is guarded as if hostile pages were open beside it: bound to 127.0.0.1, a random token in every
address, Host and Origin checked on every request, no foreign script, style, image or frame.

    async with LocalPage(slack) as page:
        print(page.url)
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from aiohttp import web

from assistant.slack.local.driver import Person
from assistant.slack.local.interactions import NotThere
from assistant.slack.local.screen import FOLDER, Screen, Shortcuts, State, picture_kind
from assistant.slack.local.slack import LocalSlack
from assistant.slack.manifest import SHORTCUTS

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # no-referrer would turn the Origin of forms into null
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_MAX_FORM = 256 * 1024
_HEARTBEAT = 15.0
_Form = Mapping[str, str]


class LocalPage:
    """Serves the page of one `LocalSlack`.

    `shortcuts` are those of the app's manifest: what they are called and where, by callback id.
    """

    def __init__(
        self, slack: LocalSlack, *, port: int = 0, shortcuts: Shortcuts = SHORTCUTS
    ) -> None:
        self._slack = slack
        self._screen = Screen(slack.office, shortcuts)
        self._complaints: dict[str, dict[str, str]] = {}
        self._token = secrets.token_urlsafe(24)
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def origin(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """The address to open; whoever has it can act as anybody in this workspace."""
        return f"{self.origin}/{self._token}/"

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guard], client_max_size=_MAX_FORM)
        app.add_routes(
            [
                web.get("/{token}/", self._show),
                web.get("/{token}/events", self._events),
                web.get("/{token}/files/{file}", self._file),
                web.get("/{token}/{name:page\\.(css|js|svg)}", self._asset),
                web.post("/{token}/say", self._act(self._say)),
                web.post("/{token}/press", self._act(self._press)),
                web.post("/{token}/submit", self._act(self._submit)),
                web.post("/{token}/close", self._act(self._close)),
                web.post("/{token}/home", self._act(self._home)),
                web.post("/{token}/dismiss", self._act(self._dismiss)),
            ]
        )
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        _, self._port = self._runner.addresses[0][:2]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        if not self._trusted(request):
            return web.Response(status=403, text="Open the address that the terminal shows.")
        answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    def _trusted(self, request: web.Request) -> bool:
        token = request.path.lstrip("/").partition("/")[0]
        return (
            request.headers.get("Host") == self.origin.removeprefix("http://")
            and request.headers.get("Origin", self.origin) == self.origin
            and request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
            and secrets.compare_digest(token.encode(), self._token.encode())
        )

    async def _show(self, request: web.Request) -> web.Response:
        state = State.read(request.query, self._slack.workspace)
        person = self._slack.person(state.user)
        modal = person.modal()
        complaints = self._complaints.get(modal.id, {}) if modal else {}
        html = self._screen.render(state, person, complaints)
        return web.Response(text=html, content_type="text/html")

    async def _asset(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(FOLDER / request.match_info["name"])

    async def _file(self, request: web.Request) -> web.Response:
        """An uploaded picture; anything else stays where it is."""
        file = self._slack.workspace.files.get(request.match_info["file"])
        content = file.content if file and file.shared else b""
        kind = picture_kind(content)
        if kind is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type=kind)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Tell the page whenever anything changed; it then asks for itself again."""
        stream = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await stream.prepare(request)
        changes = self._slack.changes()
        seen = changes.count
        while True:
            await stream.write(f"data: {seen}\n\n".encode())
            try:
                async with asyncio.timeout(_HEARTBEAT):
                    seen = await changes.after(seen)
            except TimeoutError:
                continue

    def _act(
        self, act: Callable[[Person, State, _Form], Awaitable[State]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler that lets a person act, and then shows the page again."""

        async def handle(request: web.Request) -> web.Response:
            form = await _joined(request)
            workspace = self._slack.workspace
            state = State.read(dict(parse_qsl(form.get("at", ""))), workspace)
            person = self._slack.person(state.user)
            try:
                state = await act(person, state, form)
            except NotThere as error:
                person.errors.append(str(error))
                workspace.changes.note()
            return web.Response(status=303, headers={"Location": f"./?{state.query()}"})

        return handle

    async def _say(self, person: Person, state: State, form: _Form) -> State:
        text, thread = form.get("text", "").strip(), form.get("thread") or None
        if text.startswith("/"):
            command, _, rest = text.partition(" ")
            await person.slash(command, rest, state.channel)
        elif text:
            await person.say(state.channel, text, thread=thread)
        return state

    async def _press(self, person: Person, state: State, form: _Form) -> State:
        try:
            press = {key: str(value) for key, value in json.loads(form["press"]).items()}
            if press.keys() == {"shortcut"}:
                await person.shortcut(press["shortcut"])
                return state
            where = press["view"] if "view" in press else (press["channel"], press.get("ts", ""))
            action = next(press[key] for key in ("stop", "shortcut", "action_id") if key in press)
        except (ValueError, KeyError, AttributeError, StopIteration):
            raise NotThere("This button is not one of the page.") from None
        option = press.get("option")
        if isinstance(where, str):
            await person.click_in_view(where, action, option=option)
        elif "stop" in press:
            await person.stop(press["channel"], action)
        elif "shortcut" in press:
            await person.shortcut(action, *where)
        else:
            await person.click(*where, action, block_id=press.get("block_id"), option=option)
        return state

    async def _submit(self, person: Person, state: State, form: _Form) -> State:
        view = form.get("view", "")
        values = {key: value for key, value in form.items() if key not in ("at", "view")}
        self._complaints[view] = await person.submit(view, values)
        self._slack.changes().note()
        return state

    async def _close(self, person: Person, state: State, form: _Form) -> State:
        self._complaints.pop(form.get("view", ""), None)
        await person.close(form.get("view", ""))
        return state

    async def _home(self, person: Person, state: State, _: _Form) -> State:
        await person.open_home()
        return State(user=state.user, channel=state.channel, home=True, raw=state.raw)

    async def _dismiss(self, person: Person, state: State, _: _Form) -> State:
        person.errors.clear()
        self._slack.changes().note()
        return state


async def _joined(request: web.Request) -> dict[str, str]:
    """The form; several values of one field (check boxes) joined by commas."""
    form = await request.post()
    return {key: ",".join(str(value) for value in form.getall(key)) for key in form}
