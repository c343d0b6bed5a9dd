"""Whole diagnoses of hand-made requests."""

from datetime import timedelta

import pytest
from frames import minute, request, span
from verdicts import ONSET, ask, at, before, cited, deploy, reads

from assistant.domain.hypothesis import Verdict


def test_a_slow_way_is_charged_to_the_way_not_to_the_caller():
    finding = ask([*before(), *minute(100, ONSET, prefix="u", gap=150.0)])
    first = finding.hypotheses[0]
    assert (first.service, first.peer, first.cause) == ("back", "front", "slow_edge")
    assert finding.verdict in (Verdict.LIKELY, Verdict.POSSIBLE)
    assert abs((finding.onset - at(ONSET)).total_seconds()) <= 3


@pytest.mark.parametrize("ahead_ms", [20, 200, 5000, -5000])
def test_slow_work_is_charged_to_who_does_it_whatever_its_clock_says(ahead_ms):
    ahead = timedelta(milliseconds=ahead_ms)
    rows = [*before(), *minute(100, ONSET, prefix="u", work=90.0)]
    for row in rows:
        if row["service"] == "back":
            row["start"], row["end"] = row["start"] + ahead, row["end"] + ahead
    finding = ask(rows)
    first = finding.hypotheses[0]
    assert (first.service, first.cause, finding.verdict) == ("back", "slow_code", Verdict.LIKELY)
    assert any("clocks differ between front and back" in gap for gap in finding.gaps)


def test_nobody_is_blamed_for_calling_one_who_answers_under_a_new_name():
    rows = [*before(), *minute(100, ONSET, prefix="u", work=90.0)]
    for row in rows[len(before()) :]:
        if row["service"] == "back":
            row["name"] = f"{row['name']} v2"
    finding = ask(rows)
    assert "front" not in [hypothesis.service for hypothesis in finding.hypotheses]
    assert finding.verdict != Verdict.HEALTHY


def test_a_system_to_which_a_kind_of_request_comes_no_more_is_not_called_healthy():
    paid = [
        span(f"p{i}", "r", "front", at=i / 5, ms=9 + i % 3, name="POST /pay", kind="server")
        for i in range(5 * ONSET)
    ]
    finding = ask([*before(), *minute(100, ONSET, prefix="u"), *paid])
    assert finding.verdict == Verdict.NOT_DETERMINED
    assert any(gap.startswith("no POST /pay requests to front") for gap in finding.gaps)


def test_spans_without_a_service_are_told_and_nobody_is_blamed_for_them():
    rows = [*before(), *minute(100, ONSET, prefix="u", gap=150.0)]
    for row in rows:
        if row["service"] == "back":
            row["service"] = None
        row["peer"] = None
    finding = ask(rows)
    assert "unknown" not in {h.service for h in finding.hypotheses}
    assert finding.verdict != Verdict.LIKELY
    assert any(gap.startswith("700 spans name no service") for gap in finding.gaps)


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


def test_an_alerted_service_that_is_second_is_cleared_once():
    rows = []
    for i in range(700):
        late, wobble = i / 5 >= ONSET, 1.0 + 0.1 * (i % 5)
        rows += request(f"t{i}", i / 5, work=(60 if late else 5) * wobble)
        rows.append(
            span(f"t{i}", "p", "payments", at=i / 5, ms=(18 if late else 3) * wobble,
                 parent=f"t{i}r", name="pay", kind="server", status="ok")
        )  # fmt: skip
    finding = ask(rows, service="payments")
    assert [h.service for h in finding.hypotheses] == ["back", "payments"]
    assert [(r.service, r.reason) for r in finding.ruled_out] == [("payments", "weaker")]


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


def test_of_logs_alone_shares_are_of_lines_and_rates_are_per_second():
    lines = [
        {"time": at(i / 3), "service": "back", "severity": "INFO", "body": f"handled {i}"}
        for i in range(1200)
    ]
    lines += [
        {"time": at(i), "service": "back", "severity": "ERROR", "body": "pool exhausted"}
        for i in range(360, 400)
    ]
    finding = ask([], lines=lines, end=400)
    said = {e.kind: e.statement for e in finding.evidence}
    assert "of its lines" in said["new_template"]
    assert "times per second" in said["error_lines"]
    assert not any("execution" in statement for statement in said.values())
