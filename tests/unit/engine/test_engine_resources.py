"""What counts as a resource that left its habits, and what only looks like one."""

import json

import polars as pl
import pytest
from frames import T0, metrics

from assistant.engine import resources
from assistant.engine.windows import INCIDENT

WAIT = "db.client.connection.wait_time.mean"


def judged(name, unit, before, after, *, labels=None, load=1.0):
    """Return the shifts of one metric whose values were `before` and are `after`."""
    rows = [
        {
            "time": T0,
            "service": "store",
            "instance": "store-1",
            "name": name,
            "unit": unit,
            "value": float(value),
            "labels": json.dumps(labels) if labels else None,
        }
        for value in (*before, *after)
    ]
    buckets = pl.Series("bucket", [0] * len(before) + [INCIDENT] * len(after), dtype=pl.Int32)
    table = resources.table(metrics(rows).with_columns(buckets))
    return resources.shifts(table, INCIDENT, {"store": load})


def test_a_wait_that_requests_feel_is_a_shortage():
    (found,) = judged(WAIT, "s", [4e-5, 5e-5, 4e-5, 6e-5], [0.07, 0.06, 0.12])
    assert found.operation == "pool"


@pytest.mark.parametrize(
    ("name", "unit", "before", "after", "labels"),
    [
        (WAIT, "s", [4e-5, 5e-5, 4e-5, 6e-5], [2e-3, 3e-3, 2e-3], None),
        ("db.client.connection.wait_time.rate", "1/s", [8, 8, 9, 8], [140, 150, 143], None),
        ("db.client.connection.count", "{connection}", [0, 0, 0, 1], [1, 1, 1], {"state": "used"}),
        ("db.client.connection.count", "{connection}", [1, 1, 1, 1], [9, 9, 9], {"state": "idle"}),
        ("db.client.connection.max", "{connection}", [4, 4, 4, 4], [40, 40, 40], None),
    ],
    ids=["unfelt", "how often", "one more", "unused", "the bound"],
)
def test_what_burdens_nobody_is_none(name, unit, before, after, labels):
    assert judged(name, unit, before, after, labels=labels) == []


def test_many_who_wait_are_a_shortage_unless_the_work_has_grown_as_much():
    waiting = ("db.client.connection.pending_requests", "{request}", [2, 3, 2, 2], [30, 28, 31])
    assert judged(*waiting)
    assert judged(*waiting, load=14.0) == []


def test_an_instance_that_has_just_started_is_judged_by_the_habits_of_its_service():
    calm, start = [0.1, 0.12, 0.11] * 8, [0.9, 0.8, 0.1, 0.12, 0.7]
    values = [("store-1", 0, v) for v in calm] + [("store-2", 0, v) for v in start]
    values += [("store-2", INCIDENT, v) for v in (0.96, 0.97, 0.98)]
    rows = [
        {"time": T0, "service": "store", "instance": i, "name": "process.cpu.utilization"}
        | {"unit": "1", "value": v, "labels": None}
        for i, _, v in values
    ]
    buckets = pl.Series("bucket", [bucket for _, bucket, _ in values], dtype=pl.Int32)
    table = resources.table(metrics(rows).with_columns(buckets))
    (found,) = resources.shifts(table, INCIDENT, {"store": 1.0})
    assert (found.instance, found.operation) == ("store-2", "cpu")
    assert found.before == pytest.approx(0.11, abs=0.02)


@pytest.mark.parametrize(
    ("name", "unit", "before", "after", "found"),
    [
        ("system.cpu.load_average.1m", "", [2, 2.1, 2, 2.2], [8, 8.2, 8.1], "cpu"),
        ("container_cpu_usage_cores", "", [0.9, 1, 0.9, 1], [3.9, 4, 3.9], "cpu"),
        ("cpu_usage", "%", [20, 21, 20, 22], [24, 25, 24], None),
        ("rooms.booked", "", [40, 41, 40, 42], [90, 91, 92], None),
        ("team.members", "", [40, 41, 40, 42], [90, 91, 92], None),
        ("feature.flag.evaluations", "", [40, 41, 40, 42], [90, 91, 92], None),
    ],
)
def test_names_and_units_are_read_as_people_mean_them(name, unit, before, after, found):
    assert [s.operation for s in judged(name, unit, before, after)] == ([found] if found else [])
