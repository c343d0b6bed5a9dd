"""Which change is blamed for hand-made trouble, and which are cleared."""

from dataclasses import replace

import pytest
from frames import minute, request, spans
from verdicts import ONSET, ask, at, before, deploy, reads

from assistant.engine.diagnose import diagnose
from assistant.engine.question import Question, Telemetry
from connectors.api import Change, Window


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


def canary(new, old=5.0):
    """`back` on four instances; from the onset on half of them run version 2."""
    rows = []
    for prefix, first, count, out in (("t", 0, 5 * ONSET, False), ("u", ONSET, 120, True)):
        for i in range(count):
            second = out and i % 4 < 2
            made = request(
                f"{prefix}{i}",
                first + i / 5,
                work=(new if second else old if out else 5.0) + 0.5 * (i % 5),
                callee_instance=f"b-{i % 4}",
            )
            version = "2" if second else "1"
            rows += [{**r, "version": version if r["service"] == "back" else None} for r in made]
    return rows


def test_a_slow_canary_is_told_by_its_version_and_what_runs_beside_it():
    finding = ask(canary(80.0), end=ONSET + 24, changes=[deploy("back", ONSET - 2)])
    assert finding.change.ref == "v2"
    assert "only its new version" in finding.change.why
    (contrast,) = (e for e in finding.evidence if e.kind == "peer_contrast")
    assert contrast.id in finding.hypotheses[0].supports
    assert "version 2 carries 100 %" in contrast.statement


def test_no_version_is_named_where_the_old_one_is_as_slow():
    finding = ask(canary(80.0, old=80.0), end=ONSET + 24, changes=[deploy("back", ONSET - 2)])
    assert finding.change is None
    assert "the old version is affected as well" in finding.innocent_changes[0].why
    assert "peer_contrast" not in {e.kind for e in finding.evidence}


def scaled(**more):
    return Change(
        at=at(ONSET - 2), until=None, kind="scale", target="back", ref="scale-back",
        **{"actor": None, "summary": "from 2 to 3 instances"} | more,
    )  # fmt: skip


@pytest.mark.parametrize("change", [scaled(), scaled(actor="HPA"), scaled(summary="KEDA: 2 to 3")])
def test_a_change_of_scale_is_not_blamed_like_a_release(change):
    slow = minute(100, ONSET, prefix="u", work=90.0)
    finding = ask([*before(), *slow], changes=[change])
    assert finding.change is None
    assert "follow" in finding.innocent_changes[0].why


def told_by_kubernetes(target, seconds, said):
    return Change(
        at=at(seconds), until=None, kind="kubernetes_event", target=target, ref=f"pod/{target}",
        actor=None, summary=said,
    )  # fmt: skip


@pytest.mark.parametrize("target", ["back", "b-1"])
@pytest.mark.parametrize("said", ["OOMKilled", "Back-off restarting container", "NodeNotReady"])
def test_what_kubernetes_tells_of_the_suspect_is_cited(target, said):
    slow = minute(100, ONSET, prefix="u", work=90.0)
    finding = ask([*before(), *slow], changes=[told_by_kubernetes(target, ONSET - 1, said)])
    (event,) = (e for e in finding.evidence if e.kind == "k8s_event")
    assert event.id in finding.hypotheses[0].supports
    assert said in event.statement
    assert (finding.change, finding.innocent_changes) == (None, ())


@pytest.mark.parametrize(
    "event",
    [
        told_by_kubernetes("front-9", ONSET, "OOMKilled"),
        told_by_kubernetes("back", ONSET, "moved to another node"),
        told_by_kubernetes("back", ONSET - 3600, "OOMKilled"),
    ],
    ids=["of another", "no trouble", "long before"],
)
def test_what_kubernetes_tells_of_others_or_of_no_trouble_is_no_evidence(event):
    slow = minute(100, ONSET, prefix="u", work=90.0)
    finding = ask([*before(), *slow], changes=[event])
    assert "k8s_event" not in {e.kind for e in finding.evidence}
