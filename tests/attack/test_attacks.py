"""Every attack does nothing with its guards in place, and harm without them."""

import pytest
from table import BOOK

ROWS = [pytest.param(one, id=f"{one.row}: {one.what}") for one in BOOK]


@pytest.mark.parametrize("attack", ROWS)
async def test_the_guards_hold(attack, tmp_path):
    harm, said = await attack.guarded(tmp_path)
    assert harm is None
    assert attack.told in said


@pytest.mark.parametrize("attack", ROWS)
async def test_without_the_guards_harm_is_done(attack, tmp_path):
    harm, _ = await attack.unguarded(tmp_path)
    assert harm is not None


def test_every_row_stands_once():
    rows = [attack.row for attack in BOOK]
    assert sorted(rows) == sorted(set(rows))
