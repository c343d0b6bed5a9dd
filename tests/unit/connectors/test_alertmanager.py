"""Alertmanager's webhook: what becomes of a payload, and which payloads are refused."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.alertmanager import build
from connectors.api import Alert
from connectors.errors import Forbidden, Rejected


def payload(**changed: object) -> dict[str, object]:
    alert = {
        "status": "firing",
        "labels": {"alertname": "Slow", "service": "cart", "severity": "page"},
        "annotations": {"summary": "cart is slow", "description": "p95 over 1 s"},
        "startsAt": "2026-06-01T14:00:00.5+02:00",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=up",
        "fingerprint": "4b2f",
        **changed,
    }
    return {"version": "4", "groupKey": "{}", "status": "firing", "alerts": [alert]}


def received(content: object, headers: Mapping[str, str] | None = None) -> list[object]:
    return list(build({}).receive(headers or {}, json.dumps(content).encode()))


def test_a_payload_becomes_alerts():
    (alert,) = received(payload())
    assert alert == Alert(
        at=datetime(2026, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC),
        status="firing",
        symptom="cart is slow",
        service="cart",
        fingerprint="4b2f",
        labels={"alertname": "Slow", "service": "cart", "severity": "page"},
        source="alertmanager",
        link="http://prometheus.example/graph?g0.expr=up",
    )


def test_what_grafanas_contact_point_sends_becomes_the_same():
    said = payload(values={"A": 1.5}, silenceURL="http://g/silence", dashboardURL="", panelURL="")
    grafana = {**said, "version": "1", "orgId": 1, "title": "[FIRING:1]", "state": "alerting"}
    assert received(grafana) == received(payload())


@pytest.mark.parametrize(
    ("annotations", "symptom"),
    [({"description": "p95"}, "p95"), ({"summary": ""}, "Slow"), ({}, "Slow")],
)
def test_the_symptom_is_the_best_text_there_is(annotations: dict[str, str], symptom: str):
    (alert,) = received(payload(annotations=annotations))
    assert isinstance(alert, Alert)
    assert alert.symptom == symptom


@pytest.mark.parametrize(
    ("labels", "service"),
    [
        ({"job": "cart", "app": "x"}, "cart"),
        ({"app": "cart"}, "cart"),
        ({"service_name": "cart", "job": "x"}, "cart"),
        ({"alertname": "Slow"}, None),
    ],
)
def test_the_service_is_found_in_the_labels(labels: dict[str, str], service: str | None):
    (alert,) = received(payload(labels=labels))
    assert isinstance(alert, Alert)
    assert alert.service == service


def test_secrets_are_redacted():
    (alert,) = received(
        payload(
            labels={"dsn": "postgres://app:hunter2@db/x"},
            annotations={"summary": "login with password=hunter2 fails"},
            generatorURL="http://u:hunter2@prometheus/graph",
        )
    )
    assert "hunter2" not in repr(alert)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({}, "version: Field required"),
        ([], "the body: "),
        ({"version": 4, "alerts": []}, "version: "),
        ({"version": "4", "alerts": {}}, "alerts: "),
        (payload(startsAt="noon"), r"alerts\.0\.startsAt: "),
        (payload(startsAt="2026-06-01T12:00:00"), r"alerts\.0\.startsAt: .*timezone"),
        (payload(startsAt="0001-01-01T00:00:00+14:00"), r"alerts\.0\.startsAt: .*not in the years"),
        (payload(status="maybe"), r"alerts\.0\.status: "),
        (payload(labels={"a": 1}), r"alerts\.0\.labels\.a: "),
        (payload(fingerprint=""), r"alerts\.0\.fingerprint: "),
    ],
)
def test_what_is_no_such_payload_is_refused_in_a_sentence(content: object, sentence: str):
    with pytest.raises(Rejected, match="This is not an Alertmanager payload: " + sentence):
        received(content)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_refused(body: bytes):
    with pytest.raises(Rejected):
        build({}).receive({}, body)


def test_a_huge_payload_is_refused():
    with pytest.raises(Rejected, match="larger than"):
        build({}).receive({}, b" " * (4 * 1024 * 1024 + 1))


def test_the_token_is_asked_for_where_one_is_set():
    body = json.dumps(payload()).encode()
    guarded = build({"token": "s3cret"})
    assert len(guarded.receive({"authorization": "Bearer s3cret"}, body)) == 1
    for headers in (
        {},
        {"Authorization": "Bearer s3cre"},
        {"Authorization": "é"},
        {"Authorization": "\udcff"},
    ):
        with pytest.raises(Forbidden):
            guarded.receive(headers, body)


def test_settings_are_checked_without_repeating_them():
    with pytest.raises(Rejected, match="tokn: unknown key") as caught:
        build({"tokn": "s3cret"})
    assert "s3cret" not in str(caught.value)
