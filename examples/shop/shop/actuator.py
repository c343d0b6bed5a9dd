"""The shop's control plane as something that firstline can act on."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar
from urllib.parse import quote

from pydantic import Field, TypeAdapter, ValidationError

from connectors.actions import ActionCall, ActionSpec, Args, Effect, Outcome, Preview, Risk
from connectors.errors import Rejected, Unavailable
from connectors.http import HttpClient, Limits
from connectors.registry import parse_settings
from shop.changefeed import Settings

_NAME = "shop"
_LOOK_S = 10.0
_RUN_S = 60.0  # two instances are replaced one after the other on a slow machine

_Shape = TypeVar("_Shape")
_PREVIEW = TypeAdapter(Preview)
_OUTCOME = TypeAdapter(Outcome)
_PROBED = TypeAdapter(dict[Literal["outcome"], Outcome | None])

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Rollback(Args):
    """`change` is a deploy's reference in the change feed: its release is taken back."""

    service: Name
    change: Name


class Redeploy(Args):
    """`version` is a release that the service has run before."""

    service: Name
    version: Name


class SetFlag(Args):
    """`flag` is a flag's name, or the reference of a change that switched it."""

    service: Name
    flag: Name
    value: Literal["on", "off"]


class RevertConfig(Args):
    """`change` is a configuration change's reference: its setting gets the value before it."""

    service: Name
    change: Name


class SetConfig(Args):
    """One setting of a service."""

    service: Name
    key: Name
    value: Name


class Restart(Args):
    """`instance` is one of the service's."""

    service: Name
    instance: Name


class ScalePool(Args):
    """`by` is a number of connections or a share of them: +2, -1, +100%, -33%."""

    service: Name
    by: Annotated[str, Field(pattern=r"^[+-][1-9]\d{0,2}%?$")]


class Way(Args):
    """The calls from `service` to `peer`."""

    service: Name
    peer: Name


def _spec(
    name: str, summary: str, args: type[Args], risk: Risk, *, target: str = "service"
) -> ActionSpec:
    return ActionSpec(
        name=name,
        summary=summary,
        effect=Effect.MUTATE,
        args=args,
        target=target,
        reversible=target == "service",  # an instance that is gone does not come back
        risk=risk,
        demo=True,
    )


_SPECS = (
    _spec("rollback_deploy", "Take a release back.", Rollback, Risk.MEDIUM),
    _spec("redeploy", "Run a release that ran before.", Redeploy, Risk.MEDIUM),
    _spec("set_flag", "Switch a feature flag.", SetFlag, Risk.LOW),
    _spec("revert_config", "Put a setting back to its value before.", RevertConfig, Risk.MEDIUM),
    _spec("set_config", "Give a setting a value.", SetConfig, Risk.MEDIUM),
    _spec("restart_instance", "Replace an instance.", Restart, Risk.MEDIUM, target="instance"),
    _spec("scale_pool", "Make the pool of database connections larger.", ScalePool, Risk.LOW),
    _spec("enable_circuit_breaker", "Answer without the peer until it is well.", Way, Risk.MEDIUM),
    _spec("reroute_traffic", "Send the calls to the peer over the other route.", Way, Risk.LOW),
)


def build(settings: Mapping[str, object]) -> "ShopActuator":
    """The entry point of `firstline.actuators`; raises `Rejected` for faulty settings."""
    url = parse_settings(Settings, settings, source=_NAME).url
    return ShopActuator(HttpClient(url, source=_NAME, limits=Limits(timeout_s=_RUN_S)))


class ShopActuator:
    """Sends orders to the control plane, which looks them through and does each key once."""

    name = _NAME
    specs = _SPECS

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def preview(self, call: ActionCall) -> Preview:
        answer = await self._http.post_json("/preview", _order(call), deadline_s=_LOOK_S)
        return _read(_PREVIEW, answer)

    async def run(self, call: ActionCall, key: str) -> Outcome:
        answer = await self._http.post_json(
            "/orders", {"key": key, **_order(call)}, deadline_s=_RUN_S
        )
        return _read(_OUTCOME, answer, unread=Unavailable)  # it may have been done all the same

    async def probe(self, key: str) -> Outcome | None:
        answer = await self._http.get_json(f"/orders/{quote(key, safe='')}", deadline_s=_RUN_S)
        return _read(_PROBED, answer)["outcome"]

    async def aclose(self) -> None:
        await self._http.aclose()


def _order(call: ActionCall) -> dict[str, object]:
    """The call as the control plane takes it; raises `Rejected` for one that is not in `specs`."""
    spec = next((spec for spec in _SPECS if spec.name == call.action), None)
    if spec is None:
        raise Rejected(f"{_NAME}: no action is called {call.action}.")
    try:
        args = spec.args.model_validate(dict(call.args))
    except ValidationError as error:
        wrong = ", ".join(str(fault["loc"][0]) for fault in error.errors(include_input=False))
        raise Rejected(f"{_NAME}: {call.action} cannot take these arguments: {wrong}.") from None
    return {"action": call.action, "args": args.model_dump()}


def _read(
    shape: TypeAdapter[_Shape],
    answer: object,
    *,
    unread: type[Rejected | Unavailable] = Rejected,
) -> _Shape:
    try:
        return shape.validate_python(answer)
    except ValidationError:
        raise unread(
            f"{_NAME}: this is not a control plane's answer; check that url is the control plane's."
        ) from None
