"""A few rows of telemetry around noon, in seconds from then."""

from datetime import timedelta

import polars as pl
from written import NOON

from assistant.engine.question import Question, Telemetry
from connectors.api import LOGS, METRICS, SPANS, Change, Window


def moment(at):
    return NOON + timedelta(seconds=at)


def window(start, end):
    return Window(start=moment(start), end=moment(end))


def span(service, at, took=1.0, status="ok", **more):
    return {
        "trace_id": f"t{at}",
        "span_id": f"{service}{at}",
        "service": service,
        "name": "do",
        "status": status,
        "start": moment(at),
        "end": moment(at + took),
        **more,
    }


def line(service, at, severity="INFO", body="done"):
    return {"time": moment(at), "service": service, "severity": severity, "body": body}


def sample(service, at, value, name="cpu"):
    return {"time": moment(at), "service": service, "name": name, "value": value}


def change(ref, at, kind="deploy", target="a"):
    return Change(
        at=moment(at), until=None, kind=kind, target=target, ref=ref, actor=None, summary=""
    )


def seen(spans=(), logs=(), metrics=(), changes=()):
    return Telemetry(
        spans=_frame(spans, SPANS),
        logs=_frame(logs, LOGS),
        metrics=_frame(metrics, METRICS),
        changes=tuple(changes),
    )


def asked(at=600, service=None, onset=None, until=None, known=()):
    return Question(
        at=moment(at),
        horizon=moment(at if until is None else until),
        service=service,
        onset=None if onset is None else moment(onset),
        until=None if until is None else moment(until),
        known_incidents=tuple(known),
    )


def _frame(rows, schema):
    return pl.DataFrame([{**dict.fromkeys(schema), **row} for row in rows], schema=schema)
