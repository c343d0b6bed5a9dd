"""Hand-made requests, and what the engine says of them."""

from datetime import timedelta

from frames import T0, logs, metrics, minute, span, spans

from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from connectors.api import Change

ONSET = 120


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def ask(rows, *, lines=(), samples=(), changes=(), end=ONSET + 20, **more):
    telemetry = Telemetry(
        spans=spans(rows),
        logs=logs(lines),
        metrics=metrics(samples),
        changes=tuple(changes),
        changes_seen=True,
    )
    return diagnose(telemetry, Question(at=at(end), horizon=at(end), **more))


def deploy(service, seconds, ref="v2", until=None):
    return Change(
        at=at(seconds),
        until=until and at(until),
        kind="deploy",
        target=service,
        ref=ref,
        actor=None,
        summary="a release",
    )


def before():
    return minute(600, 0)


def cited(finding):
    ids = [i for h in finding.hypotheses for i in (*h.supports, *h.contradicts)]
    ids += [r.evidence for r in finding.ruled_out]
    ids += [c.evidence for c in finding.innocent_changes]
    return {*ids, *([finding.change.evidence] if finding.change else [])}


def reads(trace, at_s, number, *, kind="GET /all", instance="s-1", own=5):
    """One request of a kind, with so many reads of a database, one after the other."""
    rows = [
        span(trace, f"{trace}r", "store", at=at_s, ms=own + 6 * number, name=kind, kind="server",
             status="ok", instance=instance)
    ]  # fmt: skip
    return rows + [
        span(trace, f"{trace}q{n}", "store", at=at_s + 0.002 + n * 0.006, ms=5 + n % 3,
             parent=f"{trace}r", name="SELECT", kind="client", status="ok", peer="db")
        for n in range(number)
    ]  # fmt: skip
