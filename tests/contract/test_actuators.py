"""The example shop's actuator passes the contract that third parties' have to pass."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from idle_shop import idle_plane, served
from shop.actuator import build
from shop.feed import application

from connectors.actions import ActionCall, Actuator
from connectors.testing_actuators import CHECKS, ActuatorContract, Check


def called(action: str, **args: str) -> ActionCall:
    return ActionCall(action=action, args=args)


IMPOSSIBLE = (
    called("rollback_deploy", service="nothing", change="cart@1.0.0"),
    called("redeploy", service="cart", version="0.0.0"),
    called("set_flag", service="cart", flag="no-such-flag", value="on"),
    called("set_flag", service="cart", flag="gift-note", value="off"),
    called("set_flag", service="cart", flag="flag/cart/gift-note=on", value="off"),
    called("revert_config", service="cart", change="config/cart/log_level=DEBUG"),
    called("set_config", service="cart", key="log_level", value="LOUD"),
    called("set_config", service="cart", key="pool_size", value="2"),
    called("restart_instance", service="cart", instance="cart-0"),
    called("scale_pool", service="cart", by="+100%"),
    called("enable_circuit_breaker", service="cart", peer="shipping"),
    called("reroute_traffic", service="cart", peer="nothing"),
)


@asynccontextmanager
async def played(folder: Path) -> AsyncIterator[ActuatorContract]:
    """A shop in which some things have been done that can be taken back."""
    control = idle_plane(folder)
    release = await control.deploy("payment", actor="deploy-bot", summary="tidy up")
    setting = await control.configure("catalog", "log_level", "DEBUG", actor="m.okafor")
    flag = await control.switch("checkout", "express-lane", on=True, actor="m.okafor")
    first = control.releases("pricing")[0]
    await control.deploy("pricing", actor="deploy-bot", summary="tidy up")

    async def calls() -> tuple[ActionCall, ...]:
        return (
            called("rollback_deploy", service="payment", change=release),
            called("redeploy", service="pricing", version=first),
            called("set_flag", service="checkout", flag=flag, value="off"),
            called("revert_config", service="catalog", change=setting),
            called("set_config", service="shipping", key="client_timeout_ms", value="2000"),
            called("scale_pool", service="inventory", by="+50%"),
            called("enable_circuit_breaker", service="cart", peer="pricing"),
            called("reroute_traffic", service="storefront", peer="catalog"),
        )

    async with served(application(control)) as url:

        @asynccontextmanager
        async def make() -> AsyncIterator[Actuator]:
            actuator = build({"url": url})
            yield actuator
            await actuator.aclose()

        yield ActuatorContract(
            make=make, build=lambda: build({"url": url}), calls=calls, impossible=IMPOSSIBLE
        )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_an_actuator_keeps_its_promises(check: Check, tmp_path: Path):
    async with played(tmp_path) as contract:
        await check(contract)
