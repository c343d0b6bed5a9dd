"""firstline diagnoses the example shop without knowing a single name of it."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from shop.services import SERVICES


def _demo_names() -> set[str]:
    demo = next(iter(entry_points(group="firstline.demos", name="shop"))).load()()
    flags = {flag for service in SERVICES.values() for flag in service.flags}
    return {*SERVICES, *flags, *(fault.name for fault in demo.faults)}


def test_the_shop_declares_what_is_looked_for() -> None:
    assert len(_demo_names()) > len(SERVICES) > 1


@pytest.mark.parametrize("name", sorted(_demo_names()))
def test_no_shipped_file_names_a_service_flag_or_fault_of_the_shop(
    name: str, shipped: list[Path]
) -> None:
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])", re.IGNORECASE)
    assert [path for path in shipped if word.search(path.read_text())] == []
