"""What an operator may order: previews that are exact, keys that are kept, refusals in words."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from idle_shop import idle_plane, served
from shop.actuator import build
from shop.control import ControlPlane
from shop.feed import application

from connectors.actions import ActionCall, Actuator
from connectors.errors import Rejected, Unavailable
from runbooks.parse import load_library
from runbooks.render import render


@pytest.fixture
def control(tmp_path: Path) -> ControlPlane:
    return idle_plane(tmp_path)


@pytest.fixture
async def actuator(control: ControlPlane) -> AsyncIterator[Actuator]:
    async with served(application(control)) as url:
        made = build({"url": url})
        yield made
        await made.aclose()


def called(action: str, **args: str) -> ActionCall:
    return ActionCall(action=action, args=args)


async def test_a_release_is_taken_back_and_so_is_taking_it_back(
    control: ControlPlane, actuator: Actuator
):
    before = control.version("cart")
    ref = await control.deploy("cart", actor="deploy-bot", summary="tidy up")
    bad = control.version("cart")
    roll_back = called("rollback_deploy", service="cart", change=ref)
    shown = await actuator.preview(roll_back)
    assert shown.target == "service/cart"
    assert shown.summary == f"Return cart from release {bad} to {before}."
    assert shown.diff == (f"- version {bad}", f"+ version {before}")
    done = await actuator.run(roll_back, "k1")
    assert control.version("cart") == before
    assert done.ref is not None
    with pytest.raises(Rejected, match=f"cart runs {before}, not {bad}"):
        await actuator.preview(roll_back)
    await actuator.run(called("rollback_deploy", service="cart", change=done.ref), "k2")
    assert control.version("cart") == bad


async def test_a_release_after_a_roll_back_has_a_number_of_its_own(control: ControlPlane):
    ref = await control.deploy("cart", actor="deploy-bot", summary="tidy up")
    bad = control.version("cart")
    await control.redeploy("cart", control.releases("cart")[0], actor="operator")
    assert await control.deploy("cart", actor="deploy-bot", summary="again") != ref
    assert control.version("cart") != bad


async def test_a_change_of_another_service_or_kind_is_refused(
    control: ControlPlane, actuator: Actuator
):
    release = await control.deploy("cart", actor="deploy-bot", summary="tidy up")
    for call, why in (
        (called("rollback_deploy", service="payment", change=release), "a change of cart"),
        (called("revert_config", service="cart", change=release), "of the kind deploy"),
        (called("set_flag", service="cart", flag=release, value="off"), "of the kind deploy"),
        (called("rollback_deploy", service="cart", change="cart@9"), "No change is called cart@9"),
    ):
        with pytest.raises(Rejected, match=why):
            await actuator.preview(call)


@pytest.mark.parametrize(
    ("by", "size"), [("+100%", "8"), ("+50%", "6"), ("-33%", "3"), ("-50%", "2"), ("+2", "6")]
)
async def test_a_pool_grows_and_shrinks(
    control: ControlPlane, actuator: Actuator, by: str, size: str
):
    await actuator.run(called("scale_pool", service="inventory", by=by), "k")
    assert control.setting("inventory", "pool_size") == size


async def test_rerouting_goes_to_the_other_route_and_back(
    control: ControlPlane, actuator: Actuator
):
    reroute = called("reroute_traffic", service="cart", peer="pricing")
    for key, route in (("k1", "standby"), ("k2", "primary")):
        await actuator.run(reroute, key)
        assert control.setting("cart", "route.pricing") == route


async def test_a_key_sent_twice_at_once_is_done_once(control: ControlPlane, actuator: Actuator):
    order = called("set_flag", service="cart", flag="gift-note", value="on")
    outcomes = await asyncio.gather(*(actuator.run(order, "same") for _ in range(5)))
    assert len(set(outcomes)) == 1
    assert control.changes.find(str(outcomes[0].ref)) is not None
    assert control.changes.find(f"{outcomes[0].ref}~2") is None


async def test_a_refused_order_leaves_its_key_free(control: ControlPlane, actuator: Actuator):
    off = called("set_flag", service="cart", flag="gift-note", value="off")
    with pytest.raises(Rejected, match="is off already"):
        await actuator.run(off, "k")
    await control.switch("cart", "gift-note", on=True, actor="m.okafor")
    assert (await actuator.run(off, "k")).summary == "The flag gift-note of cart is off."


async def test_what_runbooks_say_is_understood_once_it_is_filled_in(actuator: Actuator):
    specs = {spec.name: spec for spec in actuator.specs}
    values = {"service": "cart", "peer": "pricing", "instance": "cart-0", "change": "cart@1.2.3"}
    understood = set()
    for runbook in load_library():
        for step in render(runbook, values).steps:
            if step.action in specs:
                specs[step.action].args.model_validate(dict(step.args))
                understood.add(step.action)
    assert understood >= {"rollback_deploy", "set_flag", "revert_config", "scale_pool"}
    assert understood >= {"restart_instance", "enable_circuit_breaker", "reroute_traffic"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/orders", {"key": "k", "action": "no-such-action", "args": {}}, 422),
        ("/orders", {"key": "k", "action": "redeploy", "args": {"service": "cart"}}, 422),
        ("/orders", {"key": "k", "action": "set_flag"}, 400),
        ("/orders", {"key": 7, "action": "set_flag", "args": {}}, 400),
        ("/orders", {"key": "k", "action": "set_flag", "args": {"service": 1}}, 400),
        ("/orders", ["k"], 400),
        ("/preview", {"action": "restart_instance", "args": {"service": "x"}}, 422),
        (
            "/orders",
            {
                "key": "used",
                "action": "set_flag",
                "args": {"service": "cart", "flag": "gift-note", "value": "off"},
            },
            409,
        ),
    ],
)
async def test_an_operator_is_told_what_cannot_be_done(
    control: ControlPlane, path: str, body: object, status: int
):
    on = {"service": "cart", "flag": "gift-note", "value": "on"}
    async with served(application(control)) as url, aiohttp.ClientSession() as session:
        first = {"key": "used", "action": "set_flag", "args": on}
        async with session.post(f"{url}/orders", json=first) as response:
            assert response.status == 200
        async with session.post(url + path, json=body) as response:
            assert response.status == status
            assert (await response.json(content_type="application/problem+json"))["detail"]
        async with session.get(f"{url}/changes", params={"from": "yesterday"}) as response:
            assert response.status == 400


async def test_nothing_at_the_address_is_no_refusal():
    gone = build({"url": "http://127.0.0.1:1"})
    with pytest.raises(Unavailable):
        await gone.run(called("redeploy", service="cart", version="1.0.0"), "k")
    await gone.aclose()


async def test_an_order_that_is_answered_in_words_of_others_may_have_been_carried_out():
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"accepted": True})

    app = web.Application()
    app.router.add_post("/orders", answer)
    async with served(app) as url:
        actuator = build({"url": url})
        with pytest.raises(Unavailable, match="not a control plane's answer"):
            await actuator.run(called("set_flag", service="cart", flag="bulk", value="on"), "k1")
        await actuator.aclose()
