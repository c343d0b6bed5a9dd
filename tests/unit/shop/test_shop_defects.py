"""What a bad release does: it really fails, for its share of the users, and says so once."""

import logging

import pytest
from shop.defects import KINDS, Defect, Loop, run

FACTS = [
    {"user": f"u-{number:04d}", "sku": f"sku-{number:04d}", "category": "toys", "ref": "0"}
    for number in range(200)
]
LOG = logging.getLogger("shop.test")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_fails_where_it_hits_and_logs_what_it_was(
    kind: str, caplog: pytest.LogCaptureFixture
):
    defect = Defect(route="GET /", kind=kind, step=0, share=0.5)
    failed = 0
    for facts in FACTS:
        if defect.hits(facts):
            with pytest.raises((ArithmeticError, LookupError, TypeError, ValueError)):
                run(defect, facts, LOG)
            failed += 1
        else:
            run(defect, facts, LOG)
    assert 0.3 < failed / len(FACTS) < 0.7
    assert [record.levelname for record in caplog.records] == ["ERROR"] * failed


def test_a_loop_hits_the_same_users_each_time_and_about_its_share():
    loop = Loop(service="s", flag="f", route="GET /", step=0, times=20, share=0.4)
    hit = [loop.hits(facts) for facts in FACTS]
    assert hit == [loop.hits(facts) for facts in FACTS]
    assert 0.25 < sum(hit) / len(hit) < 0.55
