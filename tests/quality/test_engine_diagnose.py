"""Whole diagnoses of hand-made requests."""

from dataclasses import replace
from datetime import timedelta

import pytest
from frames import T0, logs, metrics, minute, request, span, spans

from assistant.domain.hypothesis import Verdict
from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from connectors.api import Change, Window

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


def test_a_slow_way_is_charged_to_the_way_not_to_the_caller():
    finding = ask([*before(), *minute(100, ONSET, prefix="u", gap=150.0)])
    first = finding.hypotheses[0]
    assert (first.service, first.peer, first.cause) == ("back", "front", "slow_edge")
    assert finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    assert abs((finding.onset - at(ONSET)).total_seconds()) <= 3


def test_slow_work_is_charged_to_who_does_it():
    finding = ask([*before(), *minute(100, ONSET, prefix="u", work=90.0)])
    assert (finding.hypotheses[0].service, finding.hypotheses[0].cause) == ("back", "slow_code")


def test_errors_are_charged_to_where_they_begin_and_the_caller_is_cleared():
    rows = [*before()]
    for i in range(100):
        rows += minute(1, ONSET + i / 5, prefix=f"u{i}", failing=i % 2 == 0)
    finding = ask(rows, service="front")
    first = finding.hypotheses[0]
    assert (first.service, first.cause, first.type.value) == ("back", "code_error", "code")
    assert "front" in {r.service for r in finding.ruled_out}


def looped(trace, at_s, parts):
    """One request whose work writes a line for each part of a batch."""
    row = span(trace, "r", "batch", at=at_s, ms=20, name="POST /batch", kind="server", status="ok")
    written = [
        {"time": at(at_s) + timedelta(milliseconds=n), "service": "batch", "severity": "INFO",
         "body": f"part {n} is done", "trace_id": trace, "span_id": "r"}
        for n in range(parts)
    ]  # fmt: skip
    return [row], written


def test_lines_that_are_written_fewer_times_than_usual_are_found():
    """An exception in a loop that is swallowed: no error, no slower request, one line less."""
    rows, lines = [], []
    for i in range(700):
        more, written = looped(f"t{i}", i / 5, 2 if i / 5 >= ONSET and i % 10 else 3)
        rows, lines = rows + more, lines + written
    first = ask(rows, lines=lines).hypotheses[0]
    assert (first.service, first.cause) == ("batch", "behaviour_change")


def test_who_cannot_reach_somebody_speaks_of_them():
    """Without status: the caller's error lines name the component that is not there."""
    rows, lines = [], []
    for i in range(700):
        gone = i / 5 >= ONSET and i % 2
        trace = f"t{i}"
        rows.append(span(trace, "r", "shop", at=i / 5, ms=10 if gone else 20, name="order"))
        if gone:
            lines.append(
                {"time": at(i / 5), "service": "shop", "severity": "ERROR", "trace_id": trace,
                 "span_id": "r", "body": "no instances available for stock-service"}
            )  # fmt: skip
        else:
            rows += [
                span(trace, "c", "shop", at=i / 5, ms=10, name="GET /stock", parent="r"),
                span(trace, "s", "stock-service", at=i / 5, ms=8, name="stock", parent="c"),
            ]
    finding = ask(rows, lines=lines)
    assert finding.hypotheses[0].service == "stock-service"
    assert "complaint" in {e.kind for e in finding.evidence if e.stance.value == "for"}
    assert ("shop", "passes_on") in {(r.service, r.reason) for r in finding.ruled_out}


def test_what_is_as_before_is_healthy():
    finding = ask(minute(700, 0))
    assert finding.verdict is Verdict.HEALTHY
    assert finding.change is None


def test_too_few_requests_are_not_called_healthy():
    finding = ask(minute(6, 0), end=60)
    assert finding.verdict is Verdict.NOT_DETERMINED
    assert any("requests were seen" in gap for gap in finding.gaps)


def test_everything_slower_alike_is_nobodys_fault():
    """A host under load slows all of a system down: no component stands out."""
    rows = []
    for i in range(700):
        factor = 1.3 if i / 5 >= ONSET else 1.0
        wobble = 1.0 + 0.1 * ((i * 7) % 5)
        rows.append(span(f"t{i}", "r", "front", at=i / 5, ms=100 * wobble * factor, kind="server"))
        rows += [
            span(f"t{i}", f"s{n}", f"part{n}", at=i / 5, ms=8 * wobble * factor, parent="r")
            for n in range(9)
        ]
    assert ask(rows).verdict in (Verdict.HEALTHY, Verdict.NOT_DETERMINED)


def test_all_that_is_cited_exists():
    finding = ask(
        [*before(), *minute(100, ONSET, prefix="u", gap=150.0)],
        changes=[deploy("back", ONSET), deploy("front", ONSET - 60, ref="old")],
    )
    assert cited(finding) <= {e.id for e in finding.evidence}
    assert cited(finding)


def test_the_release_that_it_began_with_is_named():
    slow = minute(100, ONSET, prefix="u", work=90.0)
    finding = ask([*before(), *slow], changes=[deploy("back", ONSET), deploy("front", 30, ref="x")])
    assert finding.change.ref == "v2"
    assert [c.ref for c in finding.innocent_changes] == ["x"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (deploy("back", ONSET + 9), "after the fault"),
        (deploy("back", ONSET - 20), "executions after it were as before"),
        (deploy("elsewhere", ONSET), "not on back"),
    ],
)
def test_an_innocent_release_is_cleared_with_a_reason(change, why):
    finding = ask([*before(), *minute(100, ONSET, prefix="u", work=90.0)], changes=[change])
    assert finding.change is None
    (innocent,) = finding.innocent_changes
    assert why in innocent.why or "it came" in innocent.why
    assert any(e.kind == "no_change" for e in finding.evidence)


def test_of_two_changes_within_seconds_the_one_before_the_first_affected_request_is_named():
    rows = [*before()]
    for i in range(100):
        rows += minute(1, ONSET + i / 5, prefix=f"u{i}", failing=i % 3 == 1)
    close = Change(
        at=at(ONSET + 2), until=None, kind="config", target="back", ref="level", actor=None,
        summary="config level",
    )  # fmt: skip
    finding = ask(rows, changes=[deploy("back", ONSET - 0.5), close])
    assert finding.change.ref == "v2"
    (innocent,) = finding.innocent_changes
    assert "before it" in innocent.why or "after the fault" in innocent.why


def test_a_change_after_the_processor_had_risen_is_cleared():
    """The processor is burnt from the onset on; requests are slow only some seconds later."""
    rows = [*minute(620, 0), *minute(80, ONSET + 4, prefix="u", work=90.0)]
    cpu = [
        {"time": at(s), "service": "back", "instance": "b-1", "name": "process.cpu.utilization",
         "unit": "1", "value": 0.9 if s > ONSET else 0.05 + 0.01 * (s % 3)}
        for s in range(0, ONSET + 20, 2)
    ]  # fmt: skip
    finding = ask(rows, samples=cpu, changes=[deploy("back", ONSET + 3.5)])
    assert finding.hypotheses[0].cause == "cpu_saturation"
    assert finding.change is None
    assert "before it already" in finding.innocent_changes[0].why


def brings(*, diff, files, at_s, ref="abc"):
    return Change(
        at=at(at_s), until=None, kind="commit", target=None, ref=ref, actor=None,
        summary="a commit", files=files, diff=diff,
    )  # fmt: skip


def test_a_release_is_judged_by_the_commits_that_it_brought():
    """Of two releases the closer one only moves code about; the other asks in a loop."""
    loop = "+    for item in cart:\n+        item.name = store.get_name(item.key)"
    moved = "-def total(a, b):\n-    return a + b\n+def total(a, b):\n+\n+    return a + b"
    slow = minute(100, ONSET, prefix="u", work=90.0)
    finding = ask(
        [*before(), *slow],
        changes=[
            brings(diff=loop, files=("services/back/cart.py",), at_s=ONSET - 90),
            deploy("back", ONSET - 2, ref="v7"),
            brings(diff=moved, files=("services/back/sum.py",), at_s=ONSET - 1.5, ref="def"),
            deploy("back", ONSET - 1, ref="v8"),
        ],
    )
    assert finding.change.ref == "v7"
    assert "asks for something in a loop" in finding.change.why
    assert {c.ref: c.why for c in finding.innocent_changes}["v8"].count("moves or reformats")


def test_a_commit_that_no_release_has_brought_is_not_named():
    guard = "-    if item is None:\n-        return 0"
    finding = ask(
        [*before(), *minute(100, ONSET, prefix="u", work=90.0)],
        changes=[
            deploy("back", 5, ref="old"),
            brings(diff=guard, files=("services/back/cart.py",), at_s=ONSET - 1),
        ],
    )
    assert finding.change is None
    assert any("no deploy has brought it" in c.why for c in finding.innocent_changes)


def test_the_one_bad_instance_is_named():
    rows = [*before()]
    for i in range(100):
        bad = i % 2 == 0
        work = 90.0 if bad else 5.0
        rows += minute(1, ONSET + i / 5, prefix=f"u{i}", work=work, callee_instance=f"b-{1 + bad}")
    # Both instances were there before as well.
    rows = [
        {**r, "instance": "b-2"} if r["instance"] == "b-1" and r["trace_id"] in EVEN else r
        for r in rows
    ]
    first = ask(rows).hypotheses[0]
    assert (first.service, first.instance) == ("back", "b-2")


EVEN = {f"t{i}" for i in range(0, 600, 2)}


def test_a_busy_processor_makes_it_a_matter_of_resources():
    samples = [
        {
            "time": at(s),
            "service": "back",
            "instance": "b-1",
            "name": "process.cpu.utilization",
            "unit": "1",
            "value": 0.95 if s >= ONSET else 0.05 + 0.01 * (s % 3),
        }
        for s in range(0, ONSET + 20, 2)
    ]
    rows = [*before(), *minute(100, ONSET, prefix="u", work=90.0)]
    first = ask(rows, samples=samples).hypotheses[0]
    assert (first.type.value, first.cause) == ("resource", "cpu_saturation")


def test_a_service_that_exists_only_since_the_fault_does_no_harm():
    rows = [*before(), *minute(100, ONSET, prefix="u", gap=150.0)]
    rows += [
        span(f"u{i}", f"n{i}", "newborn", at=ONSET + i, ms=4, parent=f"u{i}s") for i in range(9)
    ]
    assert ask(rows).hypotheses[0].service == "back"


def outward(trace, at_s, *, ms=10.0, failing=False):
    """Front → somebody who sends no spans of its own."""
    status = "error" if failing else "ok"
    return [
        span(f"{trace}", f"{trace}r", "front", at=at_s, ms=ms + 5, name="POST /", kind="server",
             status=status, instance="f-1"),
        span(f"{trace}", f"{trace}c", "front", at=at_s + 0.001, ms=ms, parent=f"{trace}r",
             name="POST /pay", kind="client", status=status, peer="bank.test", instance="f-1"),
    ]  # fmt: skip


def test_a_third_party_that_is_silent_until_the_time_out_does_not_answer():
    rows = [r for i in range(600) for r in outward(f"t{i}", i / 5, ms=10 + i % 5)]
    rows += [
        r
        for i in range(100)
        for r in outward(f"u{i}", ONSET + i / 5, ms=3000 + i % 5, failing=True)
    ]
    finding = ask(rows, service="front")
    first = finding.hypotheses[0]
    assert (first.service, first.peer, first.cause) == (
        "bank.test",
        "front",
        "unreachable_dependency",
    )


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


def test_who_asks_more_for_the_same_work_is_not_short_of_connections():
    rows = [r for i in range(600) for r in reads(f"t{i}", i / 5, 1)]
    rows += [r for i in range(100) for r in reads(f"u{i}", ONSET + i / 5, 40)]
    waits = [
        {
            "time": at(second),
            "service": "store",
            "instance": "s-1",
            "name": "db.client.connection.wait_time.mean",
            "unit": "s",
            "value": 0.0001 if second < ONSET else 0.05,
        }
        for second in range(0, ONSET + 20, 2)
    ]
    first = ask(rows, samples=waits, service="store").hypotheses[0]
    assert (first.service, first.cause, first.type.value) == ("store", "added_calls", "code")


def test_the_flag_is_blamed_that_was_switched_when_the_reads_began():
    rows = [r for i in range(600) for r in reads(f"t{i}", i / 5, 1)]
    rows += [r for i in range(100) for r in reads(f"u{i}", ONSET + i / 5, 30 if i % 2 else 1)]
    early = replace(deploy("store", ONSET - 25, ref="early"), kind="flag")
    then = replace(deploy("store", ONSET, ref="then"), kind="flag")
    finding = ask(rows, changes=[early, then], service="store")
    assert finding.change is not None
    assert finding.change.ref == "then"
    assert {c.ref for c in finding.innocent_changes} == {"early"}


@pytest.mark.parametrize(
    ("affected", "number"),
    [(range(12, 75, 6), 40), ({1, *range(25, 75, 2)}, 120)],
    ids=["the first came a little later", "a gap after the first"],
)
def test_the_flag_is_blamed_whenever_chance_brings_the_few_affected_users(affected, number):
    rows = [r for i in range(600) for r in reads(f"t{i}", i / 5, 1)]
    rows += [
        r for i in range(75) for r in reads(f"u{i}", ONSET + i / 5, number if i in affected else 1)
    ]
    then = replace(deploy("store", ONSET, ref="then"), kind="flag")
    finding = ask(rows, changes=[then], end=ONSET + 15, service="store")
    assert finding.change is not None
    assert finding.change.ref == "then"


def test_a_machine_that_grew_slower_long_before_does_not_hide_when_some_users_were_hit():
    rows = [r for i in range(600) for r in reads(f"t{i}", i / 5, 1)]
    rows += [r for i in range(75) for r in reads(f"u{i}", ONSET + i / 5, 1 if i % 4 else 20)]
    for row in rows:
        if row["start"] >= at(ONSET - 80):
            row["end"] = row["start"] + 1.3 * (row["end"] - row["start"])
    finding = ask(rows, end=ONSET + 15, service="store")
    first = finding.hypotheses[0]
    assert (first.service, first.cause) == ("store", "added_calls")
    assert abs((finding.onset - at(ONSET)).total_seconds()) <= 3


def test_added_reads_for_a_few_users_of_a_rare_request_are_found():
    rows = [
        r
        for i in range(2400)
        for r in reads(f"t{i}", i / 18, 1 + i % 7, kind=f"GET /{i % 7}")
    ]  # fmt: skip
    rows += [
        r
        for i in range(180)
        for r in reads(
            f"u{i}",
            2400 / 18 + i / 18,
            40 if i % 7 == 3 and i % 3 == 0 else 1 + i % 7,
            kind=f"GET /{i % 7}",
        )
    ]
    finding = ask(rows, end=2580 / 18, service="store")
    assert finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    first = finding.hypotheses[0]
    assert (first.operation, first.cause) == ("GET /3", "added_calls")
    assert any(e.kind == "symptom_tail" for e in finding.evidence)


def test_added_calls_for_some_of_the_users_are_found_within_seconds():
    rows = [r for i in range(600) for r in reads(f"t{i}", i / 5, 1)]
    rows += [r for i in range(30) for r in reads(f"u{i}", ONSET + i / 5, 14 if i % 5 == 1 else 1)]
    rows += minute(160, ONSET - 60, prefix="w", rate=2.5)
    finding = ask(rows, end=ONSET + 6, service="store")
    assert finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    assert finding.hypotheses[0].cause == "added_calls"


def test_an_instance_is_not_named_for_calls_that_all_instances_added():
    rows = [r for i in range(600) for r in reads(f"t{i}", i / 5, 1, instance=f"s-{i % 2}")]
    for i in range(60):
        of = {"instance": f"s-{i % 2}", "own": 5 if i % 2 else 9}
        rows += reads(f"u{i}", ONSET + i / 5, 14 if i % 5 < 2 else 1, **of)
    first = ask(rows, end=ONSET + 12, service="store").hypotheses[0]
    assert (first.cause, first.instance) == ("added_calls", None)


def test_an_instance_is_not_named_for_a_handful_of_requests_that_fell_on_it():
    rows = [r for i in range(600) for r in reads(f"t{i}", i / 5, 1, instance=f"s-{i % 2}")]
    many = (0, 2, 4, 6, 8, 10, 12, 1, 3, 5)
    for i in range(50):
        rows += reads(f"u{i}", ONSET + i / 5, 24 if i in many else 1, instance=f"s-{i % 2}")
    first = ask(rows, end=ONSET + 10, service="store").hypotheses[0]
    assert (first.cause, first.instance) == ("added_calls", None)


def test_requests_that_fail_before_they_are_handed_on_are_felt():
    rows = before()
    for i in range(100):
        broken = {"name": "GET /", "kind": "server", "status": "error", "instance": "f-1"}
        rows += [span(f"u{i}", f"u{i}r", "front", at=ONSET + i / 5, ms=2, **broken)]
    finding = ask(rows)
    felt = [e for e in finding.evidence if e.kind == "symptom_errors"]
    assert [(e.subject.service, e.after) for e in felt] == [("front", 1.0)]
    assert finding.hypotheses[0].service == "front"


def test_slow_work_that_is_left_over_does_not_make_its_way_slow():
    """Where a fault keeps quick requests out, what comes anyway is not slower than it was."""

    def reads(trace, at, name, wait):
        root = span(trace, f"{trace}r", "front", at=at, ms=wait + 4, name=name, kind="server")
        more = {"name": "SELECT", "kind": "client", "peer": "store", "parent": f"{trace}r"}
        return [root, span(trace, f"{trace}c", "front", at=at + 0.001, ms=wait, **more)]

    rows = []
    for i in range(600):
        rows += reads(f"t{i}", i / 5, "GET /", 3)
    for i in range(60):
        rows += reads(f"j{i}", 2 * i, "GET /job", 300)
    for i in range(20):
        rows += reads(f"u{i}", ONSET + i, "GET /job", 300)
    finding = ask(rows)
    assert not [e for e in finding.evidence if e.kind == "edge_gap_shift"]


def test_without_anything_from_before_nobody_is_said_to_be_healthy():
    finding = ask(minute(100, ONSET, failing=True), onset=at(ONSET), until=at(ONSET + 20))
    assert finding.verdict is Verdict.NOT_DETERMINED
    assert "no requests were seen before it" in finding.gaps


def test_two_changes_that_fit_as_well_are_both_told():
    broken = [
        deploy("back", ONSET - 1, ref="back@2"),
        deploy("back", ONSET - 0.5, ref="back@2-fix"),
    ]
    finding = ask([*before(), *minute(100, ONSET, prefix="u", work=90.0)], changes=broken)
    other = ({"back@2", "back@2-fix"} - {finding.change.ref}).pop()
    assert f"{other} fits as well as {finding.change.ref} and may be it instead" in finding.gaps
    assert other not in {c.ref for c in finding.innocent_changes}


def test_what_was_not_looked_at_is_not_said_to_explain_nothing():
    rows = [*before(), *minute(100, ONSET, prefix="u", work=90.0)]
    telemetry = replace(Telemetry.empty(), spans=spans(rows))
    finding = diagnose(telemetry, Question(at=at(ONSET + 20), horizon=at(ONSET + 20)))
    assert finding.hypotheses[0].service == "back"
    assert "no_change" not in {e.kind for e in finding.evidence}
    assert any("changes were not looked at" in gap for gap in finding.gaps)


def test_a_change_that_ran_well_but_for_an_earlier_incident_is_cleared():
    slow = {"prefix": "v", "gap": 150.0, "rate": 5.0}
    rows = [*minute(450, 0), *minute(75, 90, **slow)]
    rows += [*minute(75, 105, prefix="w"), *minute(75, ONSET, prefix="u", gap=150.0)]
    known = (Window(start=at(88), end=at(106)),)
    finding = ask(rows, changes=[deploy("back", 80)], known_incidents=known)
    assert finding.hypotheses[0].service == "back"
    assert finding.change is None
    (innocent,) = finding.innocent_changes
    assert "executions after it were as before" in innocent.why


def test_a_change_is_cleared_though_a_few_after_it_were_a_little_slower_than_ever():
    rows = [*before(), *minute(100, ONSET, prefix="u", gap=150.0)]
    for number, seconds in enumerate((90, 97, 104)):
        rows += request(f"slow{number}", seconds + 0.1, gap=3.5)
    finding = ask(rows, changes=[deploy("back", 80)])
    assert finding.hypotheses[0].cause == "slow_edge"
    assert finding.change is None
    (innocent,) = finding.innocent_changes
    assert "executions after it were as before" in innocent.why


def test_spans_that_are_under_way_do_not_look_like_an_incident():
    rows = [*before(), *minute(100, ONSET, prefix="u", gap=150.0)]
    lost = {f"u{i}s" for i in range(88, 100)}
    whole, ragged = ask(rows), ask([row for row in rows if row["span_id"] not in lost])
    assert ragged.hypotheses[0].service == whole.hypotheses[0].service == "back"
    assert [h.service for h in ragged.hypotheses if h.cause == "behaviour_change"] == []
    assert any("spans of back since" in gap for gap in ragged.gaps)
    assert not any("have not arrived" in gap for gap in whole.gaps)


def test_a_service_that_fails_to_answer_is_not_taken_for_a_late_one():
    rows = [*before(), *minute(50, ONSET + 10, prefix="u", failing=True)]
    finding = ask([row for row in rows if row["span_id"][0] != "u" or row["span_id"][-1] != "s"])
    assert finding.hypotheses[0].service == "back"
    assert not any("have not arrived" in gap for gap in finding.gaps)
