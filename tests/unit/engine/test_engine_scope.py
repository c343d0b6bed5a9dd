"""How a component that is at fault is narrowed: what it lacks, and what it only says in passing."""

import polars as pl
import pytest
from frames import spans

from assistant.domain.hypothesis import CauseType
from assistant.engine.explain import Suspect
from assistant.engine.scope import scope
from assistant.engine.shift import Mechanism, Shift

NO_SPANS = spans([]).with_columns(
    pl.lit(None, pl.Int32).alias("bucket"),
    pl.lit(None, pl.String).alias("role"),
    pl.lit(None, pl.String).alias("callee"),
    pl.lit(None, pl.String).alias("callee_instance"),
    pl.lit(None, pl.Boolean).alias("origin"),
    pl.lit(None, pl.Float64).alias("self_ms"),
)


def moved(mechanism, kind, strength, **more):
    known = {"service": "stock", "unit": "", "before": 0.1, "after": 0.9, "n0": 40, "n1": 9}
    return Shift(
        mechanism=mechanism, kind=kind, t=30.0, weight=30.0, strength=strength, **known | more
    )


def narrowed(shifts, **parts):
    suspect = Suspect("stock", {Mechanism[name]: part for name, part in parts.items()})
    return scope(suspect, shifts, NO_SPANS, visible=True, load=1.0)


def short(family, strength):
    return moved(Mechanism.RESOURCE, "resource_saturation", strength, operation=family)


def test_who_gets_no_processor_time_is_not_said_to_lack_connections():
    waiting, starving = short("pool", 0.99), short("cpu", 0.76)
    assert narrowed([waiting, starving], RESOURCE=0.99).cause == "cpu_saturation"
    assert narrowed([waiting], RESOURCE=0.99).cause == "pool_exhaustion"
    assert narrowed([waiting, short("cpu", 0.2)], RESOURCE=0.99).cause == "pool_exhaustion"


@pytest.mark.parametrize(
    ("line", "before", "after", "cause"),
    [
        ("lookup db: no such host", 0.0, 0.6, "dns_failure"),
        ("x509: certificate has expired", 0.0, 0.6, "tls_failure"),
        ("refreshed the dns-cache", 0.9, 0.1, "code_error"),
        ("the dns-cache has <*> entries", 0.1, 0.9, "code_error"),
    ],
)
def test_only_what_is_newly_said_names_the_cause(line, before, after, cause):
    failing = moved(Mechanism.ERROR, "error_origin", 0.8, operation="GET /stock")
    said = moved(Mechanism.CONTROL, "template_shift", 0.4, detail=line, before=before, after=after)
    found = narrowed([failing, said], ERROR=0.8)
    assert found.cause == cause
    assert (found.type is CauseType.CODE) == (cause == "code_error")


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("HikariPool-<*> - Connection is not available, request timed out", "pool_exhaustion"),
        ("Timeout acquiring a connection. The pool is probably full.", "pool_exhaustion"),
        ("FATAL: sorry, too many clients already", "pool_exhaustion"),
        ("java.lang.OutOfMemoryError: GC overhead limit exceeded", "memory_pressure"),
        ("write /var/lib: no space left on device", "disk_pressure"),
        ("opened a connection to <*>", "behaviour_change"),
    ],
)
def test_what_software_says_that_it_lacks_is_believed(line, cause):
    said = moved(Mechanism.CONTROL, "new_template", 0.6, detail=line, before=0.0, after=0.7)
    assert narrowed([said], CONTROL=0.6).cause == cause
