"""The control plane over HTTP: the change feed, what runs, and what an operator can do."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from shop.children import ShopError
from shop.control import ControlPlane

_OPERATOR = "operator"


def application(control: ControlPlane) -> web.Application:
    """GET /changes?from=&to= (ISO 8601), GET /status, POST /rollback /restart /flag /config."""

    async def changes(request: web.Request) -> web.Response:
        start = _time(request, "from", datetime.min.replace(tzinfo=UTC))
        end = _time(request, "to", datetime.max.replace(tzinfo=UTC))
        found = control.changes.between(start, end)
        return web.json_response({"changes": [change.as_json() for change in found]})

    async def status(_: web.Request) -> web.Response:
        return web.json_response(control.status())

    async def roll_back(order: Mapping[str, str]) -> str:
        return await control.roll_back(order["service"], actor=_OPERATOR)

    async def restart(order: Mapping[str, str]) -> str:
        return await control.restart(order["instance"], actor=_OPERATOR)

    async def flag(order: Mapping[str, str]) -> str:
        on = order["state"] == "on"
        return await control.switch(order["service"], order["flag"], on=on, actor=_OPERATOR)

    async def config(order: Mapping[str, str]) -> str:
        return await control.configure(
            order["service"], order["key"], order["value"], actor=_OPERATOR
        )

    app = web.Application()
    app.router.add_get("/changes", changes)
    app.router.add_get("/status", status)
    for path, action in (
        ("/rollback", roll_back),
        ("/restart", restart),
        ("/flag", flag),
        ("/config", config),
    ):
        app.router.add_post(path, _ordered(action))
    return app


def _time(request: web.Request, name: str, otherwise: datetime) -> datetime:
    text = request.query.get(name)
    if text is None:
        return otherwise
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise web.HTTPBadRequest(text=f"{name} must be an ISO 8601 time with its zone.")
    return time


def _ordered(
    action: Callable[[Mapping[str, str]], Awaitable[str]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        # a form of another site cannot send this type without asking first
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="Send a JSON object.")
        try:
            ref = await action(await request.json())
        except (KeyError, TypeError, ValueError) as error:
            raise web.HTTPBadRequest(text=f"The order is incomplete: {error}.") from error
        except ShopError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        return web.json_response({"ref": ref})

    return handle
