"""The HTTP server for what monitors post, and for whoever watches over firstline itself."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from connectors.errors import Forbidden, Rejected

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]
Receive = Callable[[Mapping[str, str], bytes], Awaitable[tuple[int, object]]]
MAX_BODY = 4 * 1024 * 1024


class Inbound:
    """POST /webhooks/NAME, GET /healthz (the loop turns) and /readyz (it can work)."""

    def __init__(self, host: str, port: int, ready: Callable[[], str | None]) -> None:
        self._host, self._port, self._ready = host, port, ready
        self._routes: dict[str, Receive] = {}
        self._paths: dict[str, Respond] = {}
        self._runner: web.AppRunner | None = None

    def add(self, name: str, receive: Receive) -> None:
        """Serve a webhook; before `start`."""
        self._routes[name] = receive

    def mount(self, path: str, respond: Respond) -> None:
        """Serve a path with all its methods; before `start`."""
        self._paths[path] = respond

    async def start(self) -> str:
        """Open the port and return the address; raises `Rejected` if it cannot be had."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/readyz", self._readiness)
        app.router.add_post("/webhooks/{name}", self._webhook)
        for path, respond in self._paths.items():
            app.router.add_route("*", path, respond)
        # What is compressed would be unpacked before anybody could refuse it.
        # What is refused unread is not read on for long.
        runner = web.AppRunner(app, access_log=None, auto_decompress=False, lingering_time=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise Rejected(
                f"The port {self._host}:{self._port} cannot be opened ({error.strerror}); "
                "stop what uses it, or set `listen` to another one."
            ) from error
        self._runner = runner
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def aclose(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def _readiness(self, _: web.Request) -> web.Response:
        why = self._ready()
        return web.json_response({"ok": why is None, "why": why}, status=503 if why else 200)

    async def _webhook(self, request: web.Request) -> web.Response:
        receive = self._routes.get(request.match_info["name"])
        if receive is None:
            return web.json_response({"error": "no such webhook is configured"}, status=404)
        if "Content-Encoding" in request.headers:
            return web.json_response({"error": "send it uncompressed"}, status=415)
        try:
            status, answer = await receive(request.headers, await request.read())
        except Rejected as error:
            return web.json_response({"error": str(error)}, status=400)
        except Forbidden as error:
            return web.json_response({"error": str(error)}, status=403)
        return web.json_response(answer, status=status)
