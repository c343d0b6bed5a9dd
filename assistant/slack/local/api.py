"""The loopback Slack over HTTP: the Web API, uploads, answers by URL, and the socket's address."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web

from assistant.slack.local.call import Call, Method
from assistant.slack.local.faults import Failure, Fault, Faults
from assistant.slack.local.methods import METHODS
from assistant.slack.local.office import Made, Office
from assistant.slack.local.people import Token
from assistant.slack.local.refusals import RateLimited, Refused
from assistant.slack.local.responses import respond

MAX_BODY = 16 * 1024 * 1024


class Api:
    """Request handlers around one office."""

    def __init__(self, office: Office, faults: Faults) -> None:
        self._office = office
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/api/{method}", self._call),
            web.post("/upload/{file}", self._upload),
            web.post("/respond/{url}", self._respond),
            web.get("/link/{ticket}", self._office.sockets.serve),
        ]

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        fault = self._faults.take(name)
        if fault is not None and (answer := await _fail(fault)) is not None:
            self._office.workspace.changes.note()
            return answer
        args: dict[str, Any] = {}
        token = None
        too_often: int | None = None
        try:
            args = await _arguments(request)
            token = self._token(request, args)
            reply = {"ok": True, **self._run(name, token, args)}
        except Refused as refused:
            reply = {"ok": False, "error": refused.code, **refused.more}
            too_often = refused.seconds if isinstance(refused, RateLimited) else None
        self._office.calls.append(
            Made(
                method=name,
                args=args,
                at=self._office.clock.monotonic(),
                error=reply.get("error", ""),
                ts=str(reply.get("ts") or ""),
            )
        )
        if reply.get("error"):
            self._office.workspace.changes.note()
        if fault is not None and fault.failure is Failure.LOST_ANSWER and request.transport:
            request.transport.abort()
        if too_often is not None:
            return _slower(too_often)
        scopes = ",".join(sorted(token.scopes)) if token else ""
        return web.json_response(reply, headers={"X-OAuth-Scopes": scopes})

    def _run(self, name: str, token: Token, args: Mapping[str, Any]) -> dict[str, Any]:
        method: Method | None = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        if method.kind != token.kind:
            raise Refused("not_allowed_token_type")
        call = Call(office=self._office, token=token, args=args)
        if method.scope is not None:
            call.need(method.scope)
        return method.run(call)

    def _token(self, request: web.Request, args: dict[str, Any]) -> Token:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        value = args.pop("token", None) or sent
        if not value:
            raise Refused("not_authed")
        token = self._office.workspace.tokens.get(str(value))
        if token is None or self._faults.revoked:
            raise Refused("invalid_auth")
        return token

    async def _upload(self, request: web.Request) -> web.Response:
        """The bytes of a file; whoever knows its id was told it by files.getUploadURLExternal."""
        files = self._office.workspace.files
        file = files.get(request.match_info["file"])
        content = await request.read()
        if file is None or file.shared or len(content) != file.length:
            return web.Response(status=400, text="This upload was not asked for in this size.")
        files[file.id] = replace(file, content=content)
        return web.Response(text=f"OK - {len(content)}")

    async def _respond(self, request: web.Request) -> web.Response:
        try:
            respond(self._office, request.match_info["url"], await _json(request))
        except Refused as refused:
            return web.json_response({"ok": False, "error": refused.code}, status=404)
        return web.Response(text="ok")


async def _fail(fault: Fault) -> web.Response | None:
    if fault.failure is Failure.RATE_LIMITED:
        return _slower(int(fault.seconds))
    if fault.failure is Failure.ERROR:
        return web.Response(status=fault.status, text="Something broke on purpose.")
    if fault.failure is Failure.SLOW:
        await asyncio.sleep(fault.seconds)
    return None


def _slower(seconds: int) -> web.Response:
    wait = {"Retry-After": str(seconds)}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=wait)


async def _arguments(request: web.Request) -> dict[str, Any]:
    """What was sent, whichever of the three ways Slack's clients have."""
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        args |= await _json(request)
    elif request.can_read_body:
        args |= dict(await request.post())
    return args


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(body, dict):
        raise Refused("json_not_object")
    return body
