"""What could not be seen is told, with how much of it."""

from frames import T0, logs, metrics, minute, spans

from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry


def told(*, named):
    """Return the gaps where some lines and samples name no service, or all of them do."""
    missing = "front" if named else None
    lines = [
        {"time": T0, "service": service, "severity": 9, "body": "done"}
        for service in (missing, missing, "front", "back")
    ]
    samples = [
        {"time": T0, "service": service, "name": "cpu", "value": 0.5, "unit": "1"}
        for service in (missing, "front")
    ]
    seen = Telemetry(spans=spans(minute(300, 0)), logs=logs(lines), metrics=metrics(samples))
    return diagnose(seen, Question(at=T0, horizon=T0.replace(minute=5))).gaps


def test_lines_and_samples_that_name_no_service_are_counted():
    assert {
        "2 log lines name no service (service.name) and were left out",
        "1 metric sample names no service (service.name) and was left out",
    } <= set(told(named=False))
    assert not [gap for gap in told(named=True) if "service.name" in gap]
