"""The shop's change feed, from the control plane's HTTP interface to firstline's words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from idle_shop import idle_plane, served
from shop.changefeed import build
from shop.control import ControlPlane
from shop.feed import application

from connectors.api import Ask, Capability, Connector, Page, Window
from connectors.errors import Rejected, Unavailable


@pytest.fixture
def control(tmp_path: Path) -> ControlPlane:
    return idle_plane(tmp_path)


async def _pages(connector: Connector, **asked: object) -> list[Page]:
    now = datetime.now(UTC)
    window = Window(start=now - timedelta(minutes=1), end=now + timedelta(minutes=1))
    ask = Ask(capability=Capability.CHANGES, window=window, **asked)  # type: ignore[arg-type]
    try:
        return [page async for page in connector.fetch(ask)]
    finally:
        await connector.aclose()


async def test_changes_arrive_with_all_that_is_known_about_them(control: ControlPlane):
    await control.switch("catalog", "fuzzy-match", on=True, actor="m.okafor")
    await control.configure("cart", "log_level", "DEBUG", actor="deploy-bot")
    async with served(application(control)) as url:
        (page,) = await _pages(build({"url": url}))
    assert [(change.kind, change.target, change.actor) for change in page.changes] == [
        ("flag", "catalog", "m.okafor"),
        ("config", "cart", "deploy-bot"),
    ]
    assert page.changes[0].at.tzinfo is UTC
    assert len({change.ref for change in page.changes}) == 2
    assert page.complete
    assert url in page.query


async def test_a_filter_and_a_bound_are_kept_and_a_cut_is_told(control: ControlPlane):
    for service in ("cart", "pricing", "cart"):
        await control.configure(service, "client_timeout_ms", "2500", actor="a.lindqvist")
    async with served(application(control)) as url:
        (of_cart,) = await _pages(build({"url": url}), services=("cart",))
        (newest,) = await _pages(build({"url": url}), max_items=1)
    assert {change.target for change in of_cart.changes} == {"cart"}
    assert len(newest.changes) == 1
    assert not newest.complete
    assert newest.gaps


async def test_an_unfinished_change_is_told_as_under_way(control: ControlPlane):
    ref = control.changes.begin(
        kind="deploy", target="cart", ref="cart@1.0.1", actor="deploy-bot", summary="Deploy"
    )
    async with served(application(control)) as url:
        (before,) = await _pages(build({"url": url}))
        control.changes.end(ref)
        (after,) = await _pages(build({"url": url}))
    assert before.changes[0].until is None
    assert after.changes[0].until is not None


async def test_check_and_errors_say_what_is_wrong(control: ControlPlane):
    async with served(application(control)) as url:
        healthy = build({"url": url})
        assert (await healthy.check()).ok
        await healthy.aclose()
    gone = build({"url": url})
    assert not (await gone.check()).ok
    with pytest.raises(Unavailable):
        await _pages(gone)
    with pytest.raises(Rejected, match="url"):
        build({})


async def test_something_else_at_the_address_is_not_an_empty_feed():
    async def other(_: web.Request) -> web.Response:
        return web.json_response(["hello"])

    app = web.Application()
    app.router.add_get("/changes", other)
    async with served(app) as url:
        with pytest.raises(Rejected, match="not a change feed"):
            await _pages(build({"url": url}))


async def test_the_same_change_again_has_a_reference_of_its_own(control: ControlPlane):
    for value in ("DEBUG", "INFO", "DEBUG"):
        await control.configure("cart", "log_level", value, actor="a.lindqvist")
    async with served(application(control)) as url:
        (page,) = await _pages(build({"url": url}))
    assert len({change.ref for change in page.changes}) == 3
