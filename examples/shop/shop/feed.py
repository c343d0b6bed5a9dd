"""The control plane over HTTP: the change feed, what runs, and what an operator can order."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from aiohttp import web

from shop.children import ShopError
from shop.control import ControlPlane
from shop.ledger import KeyTaken, Ledger, Refused
from shop.orders import Order, look

Body = Mapping[str, object]


def application(control: ControlPlane) -> web.Application:
    """GET /changes?from=&to= (ISO 8601), GET /status; orders are JSON objects.

    POST /preview takes `action` and `args`, POST /orders a `key` besides; GET /orders/KEY tells
    what became of it. A refusal is a problem (RFC 9457): 422 where an order cannot be done, 409
    where its key belongs to another one.
    """
    ledger = Ledger(control)

    async def changes(request: web.Request) -> web.Response:
        start = _time(request, "from", datetime.min.replace(tzinfo=UTC))
        end = _time(request, "to", datetime.max.replace(tzinfo=UTC))
        found = control.changes.between(start, end)
        return web.json_response({"changes": [change.as_json() for change in found]})

    async def status(_: web.Request) -> web.Response:
        return web.json_response(control.status())

    async def preview(body: Body) -> object:
        intent = look(control, _order(body))
        return {
            "target": intent.target,
            "state": control.digest(intent.service),
            "summary": intent.summary,
            "diff": intent.diff,
            "blast": intent.blast.text,
            "touches": intent.blast.touches,
            "among": intent.blast.among,
            "undo": intent.undo.as_json() if intent.undo else None,
        }

    async def run(body: Body) -> object:
        key = body["key"]
        if not isinstance(key, str) or not key:
            raise ValueError("key must be a text")
        return (await ledger.run(key, _order(body))).as_json()

    async def outcome(request: web.Request) -> web.Response:
        try:
            done = await ledger.find(request.match_info["key"])
        except ShopError as error:
            return _problem(500, str(error))
        return web.json_response({"outcome": done.as_json() if done else None})

    async def close(_: web.Application) -> None:
        await ledger.close()

    app = web.Application()
    app.router.add_get("/changes", changes)
    app.router.add_get("/status", status)
    app.router.add_post("/preview", _answered(preview, cannot=422))
    app.router.add_post("/orders", _answered(run, cannot=500))
    app.router.add_get("/orders/{key}", outcome)
    app.on_cleanup.append(close)
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


def _order(body: Body) -> Order:
    action, args = body["action"], body["args"]
    if not isinstance(action, str) or not isinstance(args, dict):
        raise TypeError("action must be a text and args an object")
    if not all(isinstance(value, str) for value in args.values()):
        raise TypeError("the arguments must be texts")
    return Order(action=action, args=args)


def _answered(
    work: Callable[[Body], Awaitable[object]], *, cannot: int
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Handle a JSON object; a `ShopError` that is no refusal is answered with `cannot`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        # a form of another site cannot send this type without asking first
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType(text="Send a JSON object.")
        try:
            return web.json_response(await work(await request.json()))
        except (KeyError, TypeError, ValueError) as error:
            return _problem(400, f"The order is incomplete: {error}.")
        except KeyTaken as error:
            return _problem(409, str(error))
        except Refused as error:
            return _problem(422, str(error))
        except ShopError as error:
            return _problem(cannot, str(error))

    return handle


def _problem(status: int, detail: str) -> web.Response:
    return web.Response(
        status=status,
        text=json.dumps({"status": status, "detail": detail}),
        content_type="application/problem+json",
    )
