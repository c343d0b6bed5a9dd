"""The shop as it is written down: its shape, and that renaming changes names alone."""

from shop.model import edges, entry, rename
from shop.naming import invent
from shop.services import SERVICES


def _depth(service: str, callees: dict[str, set[str]]) -> int:
    return 1 + max((_depth(callee, callees) for callee in callees.get(service, ())), default=0)


def _callees() -> dict[str, set[str]]:
    callees: dict[str, set[str]] = {}
    for caller, callee in edges(SERVICES):
        callees.setdefault(caller, set()).add(callee)
    return callees


def test_the_shop_is_wide_and_deep_enough():
    assert len(SERVICES) >= 7
    assert _depth(entry(SERVICES), _callees()) >= 4
    assert sum(service.instances > 1 for service in SERVICES.values()) >= 3


def test_every_call_reaches_an_operation_that_exists():
    for service in SERVICES.values():
        for route in service.routes:
            for call in route.calls():
                if call.outside:
                    assert call.service not in SERVICES
                    continue
                offered = {other.name for other in SERVICES[call.service].routes}
                assert f"{call.method} {call.path}" in offered


def test_renaming_leaves_no_old_name_anywhere():
    renamed = rename(SERVICES, invent(7, SERVICES))
    text = repr(renamed)
    assert not [name for name in SERVICES if name in text]
    assert len(edges(renamed)) == len(edges(SERVICES))
