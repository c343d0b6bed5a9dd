"""The line of an incident through the service: asked, approved, done once, verified."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from desk import CALL, TIMING, Desk
from world import ANA, BEN, CLEO, Approvers

from assistant.commands import (
    AcceptRunbook,
    Approve,
    Close,
    CorrectCause,
    Deny,
    Freeze,
    Investigate,
    Merge,
    RejectRunbook,
    Reopen,
    RequestAction,
    RequestUndo,
    Split,
    Steer,
    Thaw,
)
from assistant.domain.action import Status
from assistant.domain.events import (
    ActionStarted,
    Closed,
    HypothesesRanked,
    Opened,
    PostmortemWritten,
    Refused,
    RunbookDrafted,
)
from assistant.domain.hypothesis import Finding, Verdict
from assistant.domain.judgement import CauseCorrected
from assistant.domain.memory import Draft
from assistant.domain.people import FIRSTLINE, Actor, ActorKind
from assistant.domain.recovery import Effect
from assistant.store.database import StoreError
from assistant.views import view
from connectors.errors import Unavailable


class Readers:
    """Says of every place who can read along there."""

    def __init__(self, who):
        self.who = who

    async def readers(self, place):
        return self.who


@pytest.fixture
async def desk():
    async with Desk().open() as made:
        yield made


async def test_an_approved_action_runs_once_and_its_effect_is_measured(desk):
    incident, state = await desk.opened()
    assert state.finding.hypotheses[0].service == "back"
    _, tracked = await desk.requested(incident)
    await desk.approve(incident, tracked)
    done = desk.last(incident)
    assert done.status is Status.VERIFIED
    assert done.recovery.effect is Effect.RECOVERED
    measure = done.recovery.measures[0]
    assert measure.during > 5 * measure.before
    assert measure.after < 1.2 * measure.before
    assert desk.world.runs == 1


async def test_an_action_that_does_not_help_is_told_so_and_can_be_undone():
    async with Desk(helps=False).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        await desk.approve(incident, tracked)
        assert desk.last(incident).recovery.effect is Effect.NO_EFFECT
        undo = RequestUndo(incident=incident, request=tracked.request.id)
        await desk.service.submit(undo, ANA)
        assert desk.last(incident).request.undo_of == tracked.request.id


@pytest.mark.parametrize(("actor", "why"), [(ANA, "another person"), (CLEO, "not on call")])
async def test_who_may_not_approve_is_refused_and_it_is_written_down(desk, actor, why):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    answer = await desk.approve(incident, tracked, actor)
    assert answer.refused
    assert why in answer.said
    assert desk.events(Refused)[-1].actor == actor
    assert desk.world.runs == 0


async def test_the_prompting_alert_or_firstline_itself_decides_nothing(desk):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    alert = Actor(kind=ActorKind.ALERT, id="U2", name="ben", team="T1")
    for actor in (FIRSTLINE, alert):
        assert (await desk.approve(incident, tracked, actor)).refused
    assert (await desk.requested(incident, FIRSTLINE))[0].refused
    assert desk.world.runs == 0


async def test_the_approval_of_something_else_does_not_count(desk):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    assert (await desk.approve(incident, tracked, digest="0" * 64)).refused
    assert desk.last(incident).status is Status.PENDING


@pytest.mark.parametrize(("typed", "runs"), [("", 0), ("Front", 0), ("front", 1)])
async def test_a_high_risk_is_approved_by_typing_the_name_of_its_target(desk, typed, runs):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident, action="return")
    answer = await desk.approve(incident, tracked, CLEO, typed=typed)
    assert "not on call" in answer.said
    answer = await desk.approve(incident, tracked, typed=typed)
    assert ("type front, the name of its target" in answer.said) == (not runs)
    assert len(desk.last(incident).approvals) == runs


async def test_what_changed_since_it_was_shown_is_not_started(desk):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    desk.world.state = "somebody was here"
    await desk.approve(incident, tracked)
    assert desk.last(incident).status is Status.STALE
    assert desk.world.runs == 0


@pytest.mark.parametrize("readers", ["public", "private", "shared", "foreign", ""])
async def test_a_correction_notes_whether_every_member_could_read_it(readers):
    async with Desk(audience=Readers(readers)).open() as desk:
        incident, _ = await desk.opened()
        said = CorrectCause(incident=incident, service="back", text="its cache")
        await desk.service.submit(said, BEN)
        (noted,) = desk.service.incident(incident).corrections
        assert (noted.told, noted.public) == ("back: its cache", readers == "public")
        again = await desk.service.submit(said, BEN)  # a form is told twice after a crash
        assert (again.refused, again.said) == (False, "Noted: back: its cache")
        assert desk.service.incident(incident).corrections == (noted,)
        await desk.service.submit(said, CLEO)
        await desk.service.submit(said, BEN)
        assert len(desk.service.incident(incident).corrections) == 3


async def test_a_secret_in_what_somebody_says_is_never_written_down(tmp_path):
    secret = "ghp_" + "a1B2" * 9
    said = f"it broke with {secret}"
    async with Desk(tmp_path / "f.db").open() as desk:
        incident, _ = await desk.opened()
        tell = desk.service.submit
        await desk.requested(incident, reason=said)
        request = desk.last(incident).request.id
        commands = (
            Investigate(text=said, at=desk.clock.now(), service=secret),
            Steer(incident=incident, text=f"not the back, {said}"),
            Deny(incident=incident, request=request, reason=said),
            Split(incident=incident, text=said),
            CorrectCause(incident=incident, service="back", text=said),
            Freeze(reason=said),
            Close(incident=incident, reason=said),
            Reopen(incident=incident, reason=said),
        )
        answers = [await tell(command, BEN) for command in commands]
        assert [a.said for a in answers if a.refused] == []
        assert secret not in str(answers)
        for opened in desk.service.incidents():
            await desk.service.settled(opened)
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in written
    assert written.count(b"it broke with [redacted:") >= len(commands) + 1


async def test_an_approver_who_left_the_group_does_not_count_any_more():
    class Leaving(Approvers):
        asked = 0

        async def refusal(self, actor, *, group=None, fresh=False):
            self.asked += 1
            return "you are not on call" if self.asked > 1 else None

    async with Desk(approvers=Leaving()).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        await desk.approve(incident, tracked)
        assert "does not count any more" in desk.last(incident).why
        assert desk.world.runs == 0


async def test_one_no_ends_it(desk):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    await desk.service.submit(Deny(incident=incident, request=tracked.request.id), CLEO)
    assert (await desk.approve(incident, tracked)).refused
    assert desk.world.runs == 0


async def test_a_freeze_stops_what_is_asked_and_what_is_approved(desk):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    await desk.service.submit(Freeze(reason="audit"), CLEO)
    await desk.approve(incident, tracked)
    assert "frozen by cleo" in desk.last(incident).why
    assert (await desk.requested(incident))[0].refused
    await desk.service.submit(Thaw(), CLEO)
    assert not (await desk.requested(incident))[0].refused
    assert desk.world.runs == 0


async def test_a_late_click_is_told_that_it_is_late(desk):
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    desk.clock.at = tracked.request.expires
    answer = await desk.approve(incident, tracked)
    assert "expired" in answer.said
    assert desk.last(incident).status is Status.EXPIRED


async def test_the_same_action_is_not_asked_for_twice_at_a_time(desk):
    incident, _ = await desk.opened()
    await desk.requested(incident)
    answer, _ = await desk.requested(incident)
    assert answer.refused
    assert len(desk.service.incident(incident).requests) == 1


async def test_a_broken_connection_is_found_out_not_repeated(desk):
    desk.world.fails_after_doing = True
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    await desk.approve(incident, tracked)
    assert desk.last(incident).status is Status.VERIFIED
    assert desk.world.runs == 1


async def test_after_a_crash_in_the_act_it_is_looked_up_and_never_run_again(tmp_path):
    desk = Desk(tmp_path / "a.db")
    async with desk.open():
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        approval = Approve(
            incident=incident, request=tracked.request.id, digest=tracked.request.digest
        )
        decided = await desk.service._admission.decide(  # noqa: SLF001 — a crash leaves this
            approval, BEN, incident, desk.service.incident(incident)
        )
        started = ActionStarted(
            request=tracked.request.id, digest=tracked.request.digest, at=desk.clock.now()
        )
        desk.journal.append(incident, BEN, list(decided.events))
        intent = (tracked.request.id, tracked.request.digest)
        desk.journal.append(incident, FIRSTLINE, [started], intent=intent)
    async with desk.open():
        await desk.service.resume()
        await desk.service.settled(incident)
        assert desk.last(incident).status is Status.FAILED
        assert "did not happen" in desk.last(incident).why
        assert desk.world.runs == 0


async def test_a_new_process_goes_on_where_the_journal_says(tmp_path):
    desk = Desk(tmp_path / "a.db")
    async with desk.open():
        incident, before = await desk.opened()
        await desk.requested(incident)
    async with desk.open():
        assert desk.service.incident(incident).finding == before.finding
        await desk.approve(incident, desk.last(incident))
        assert desk.last(incident).status is Status.VERIFIED


async def test_steering_ranks_anew_and_says_who_said_it(desk):
    incident, before = await desk.opened()
    await desk.service.submit(Steer(incident=incident, text="it's not the back"), CLEO)
    after = await desk.service.settled(incident)
    assert before.finding.hypotheses[0].service == "back"
    assert "back" not in {h.service for h in after.finding.hypotheses}
    assert after.steering.said == ("it's not the back",)
    answer = await desk.service.submit(Steer(incident=incident, text="hm"), CLEO)
    assert answer.refused


async def test_what_is_over_is_not_steered_and_the_answer_says_what_to_do(desk):
    incident, before = await desk.opened()
    await desk.service.submit(Close(incident=incident), ANA)
    answer = await desk.service.submit(Steer(incident=incident, text="not the back"), CLEO)
    assert (answer.refused, "INC-1 is closed: say reopen" in answer.said) == (True, True)
    assert desk.service.incident(incident).steering == before.steering
    other, _ = await desk.opened()
    into, _ = await desk.opened()
    await desk.service.submit(Merge(incident=other, into=into), ANA)
    answer = await desk.service.submit(Steer(incident=other, text="not the back"), CLEO)
    assert answer.said == f"Not done: {other} is followed in {into}: say it there."


async def test_looking_since_an_earlier_time_there_is_something_from_before_it(desk):
    incident, _ = await desk.opened()
    since = desk.clock.now() - timedelta(hours=2)
    await desk.service.submit(Steer(incident=incident, text=f"since {since:%H:%M}"), CLEO)
    state = await desk.service.settled(incident)
    assert state.steering.since is not None
    assert state.steering.since - state.window[0] >= timedelta(hours=1)


async def test_the_time_in_a_question_is_looked_at_and_said(desk):
    since = (desk.clock.now() - timedelta(days=1)).replace(second=0, microsecond=0)
    local = since.astimezone(ZoneInfo("Asia/Tokyo"))
    for text, zone in (
        (f"front is slow since {since:%Y-%m-%d %H:%M} UTC", "Asia/Tokyo"),
        (f"front is slow since {local:%Y-%m-%dT%H:%M}", "Asia/Tokyo"),
    ):
        ask = Investigate(text=text, at=desk.clock.now(), zone=zone)
        answer = await desk.service.submit(ask, ANA)
        state = await desk.service.settled(answer.incident)
        assert state.steering.since == since
        assert since - state.window[0] >= timedelta(hours=1)
        assert f"since {since:%H:%M:%S} UTC" in view(state).headline.text


async def test_the_time_in_an_alert_is_its_monitors(desk):
    ask = Investigate(text="slow since 00:01", at=desk.clock.now(), source="alert")
    answer = await desk.service.submit(ask, ANA)
    state = await desk.service.settled(answer.incident)
    assert state.steering.since is None


async def test_who_asks_with_a_clock_that_is_ahead_is_answered_all_the_same(desk):
    ask = Investigate(text="front is slow", at=desk.clock.at + timedelta(days=1), service="front")
    answer = await desk.service.submit(ask, ANA)
    told = await desk.service.settled(answer.incident)
    assert told.finding.verdict is Verdict.LIKELY
    assert told.opened.at < desk.clock.at


async def test_alerts_about_the_same_trouble_join_its_incident(desk):
    incident, _ = await desk.opened(fingerprint="f1", source="alert")
    again, _ = await desk.opened(fingerprint="f1", source="alert")
    sibling, _ = await desk.opened(fingerprint="f2", source="alert")
    assert {incident, again, sibling} == {"INC-1"}


@pytest.mark.parametrize("source", ["alert", "slack"])
async def test_an_alert_that_sounds_again_after_the_end_is_news(desk, source):
    incident, _ = await desk.opened(fingerprint="f1", source=source)
    await desk.service.submit(Close(incident=incident), ANA)
    desk.clock.at += timedelta(seconds=5)
    late, _ = await desk.opened(fingerprint="f1", source=source)
    assert late == incident  # monitors look at the past
    desk.clock.at += timedelta(minutes=30)
    again, state = await desk.opened(fingerprint="f1", source=source)
    assert again != incident
    assert state.finding is not None


async def test_what_is_told_twice_opens_one_incident(desk):
    one, _ = await desk.opened(key="slack:t1")
    again, _ = await desk.opened(key="slack:t1")
    other, _ = await desk.opened(key="slack:t2")
    unkeyed = [(await desk.opened())[0] for _ in range(2)]
    assert [one, again, other, *unkeyed] == ["INC-1", "INC-1", "INC-2", "INC-3", "INC-4"]


async def test_incidents_are_merged_split_closed_and_reopened(desk):
    one, _ = await desk.opened()
    two, _ = await desk.opened()
    assert one != two
    answer = await desk.service.submit(Merge(incident=two, into=one), ANA)
    assert answer.incident == one
    assert not desk.service.incident(two).open
    made = await desk.service.submit(Split(incident=one, text="mail is late"), ANA)
    assert desk.service.incident(made.incident).opened.text == "mail is late"
    await desk.service.submit(Close(incident=one), ANA)
    assert not desk.service.incident(one).open
    await desk.service.submit(Reopen(incident=one), ANA)
    assert desk.service.incident(one).open


async def test_a_quiet_system_is_called_healthy_and_nothing_is_proposed(desk):
    desk.world.broken = []
    _, state = await desk.opened()
    assert state.finding.verdict in (Verdict.HEALTHY, Verdict.NOT_DETERMINED)
    assert state.plan is None


async def test_a_surface_that_fails_does_not_fail_the_record(desk):
    async def broken(_incident, _event, _state):
        raise StoreError("the disk is full")

    desk.service.watch(broken)
    incident, _ = await desk.opened()
    answer, tracked = await desk.requested(incident)
    assert not answer.refused
    await desk.approve(incident, tracked)
    assert desk.last(incident).status is Status.VERIFIED


async def test_who_stops_waiting_for_an_answer_stops_nothing(desk):
    ask = Investigate(text="front is slow", at=desk.clock.now(), service="front")
    left = asyncio.create_task(desk.service.submit(ask, ANA))
    await asyncio.sleep(0)
    left.cancel()
    second = await desk.service.submit(ask, ANA)
    await desk.service.settled(second.incident)
    assert second.incident == "INC-2"
    assert sorted(desk.service.incidents()) == ["INC-1", "INC-2"]
    assert [r.incident for r in desk.events(Opened)] == ["INC-1", "INC-2"]


async def test_an_action_that_only_looks_is_done_at_once_and_leaves_its_target_free(desk):
    incident, _ = await desk.opened()
    look = RequestAction(incident=incident, action="look", args=CALL)
    answer = await desk.service.submit(look, ANA)
    await desk.service.settled(incident)
    assert answer.said.startswith("Allowed by the policy")
    assert desk.last(incident).status is Status.FINISHED
    other, _ = await desk.opened()
    assert not (await desk.requested(other))[0].refused
    assert not (await desk.service.submit(Close(incident=incident), ANA)).refused


@pytest.mark.parametrize("comes", [True, False])
async def test_an_order_that_may_still_be_on_its_way_is_not_told_as_not_done(monkeypatch, comes):
    async with Desk(timing=replace(TIMING, grace_s=60)).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)

        async def queued(*_):
            raise Unavailable("The gateway keeps it for later.")

        async def looked_at(seconds):
            desk.clock.at += timedelta(seconds=seconds)
            await desk.service.resume()
            await desk.service.settled(incident)
            return desk.last(incident).status

        with monkeypatch.context() as patch:
            patch.setattr(desk.world, "run", queued)
            await desk.approve(incident, tracked)
        assert desk.last(incident).status is Status.UNKNOWN
        assert await looked_at(30) is Status.UNKNOWN
        if comes:
            await desk.world.run(tracked.request.call, tracked.request.id)
            assert await looked_at(0) is Status.VERIFIED
        else:
            assert await looked_at(30) is Status.FAILED


@pytest.mark.parametrize("fault", [Unavailable("The connection broke."), KeyError("outcome")])
async def test_an_action_of_which_nobody_knows_holds_up_nothing_else(desk, monkeypatch, fault):
    incident, _ = await desk.opened()
    _, first = await desk.requested(incident)

    async def broken(*_):
        raise fault

    monkeypatch.setattr(desk.world, "probe", broken)
    with monkeypatch.context() as patch:
        patch.setattr(desk.world, "run", broken)
        await desk.approve(incident, first)
    assert desk.last(incident).status is Status.UNKNOWN
    look = RequestAction(incident=incident, action="look", args=CALL)
    await desk.service.submit(look, ANA)
    await desk.service.settled(incident)
    assert desk.last(incident).status is Status.FINISHED
    assert desk.service.incident(incident).requests[first.request.id].status is Status.UNKNOWN


async def test_a_preview_that_fails_in_an_odd_way_is_told_and_starts_nothing(desk, monkeypatch):
    async def broken(*_):
        raise KeyError("a fault of its own")

    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    monkeypatch.setattr(desk.world, "preview", broken)
    await desk.approve(incident, tracked)
    assert desk.last(incident).status is Status.STALE
    assert "world failed: KeyError; the log says more" in desk.last(incident).why
    answer, _ = await desk.requested(incident, action="look")
    assert answer.said == "Not done: world failed: KeyError; the log says more."


async def test_an_actuator_that_fails_in_an_odd_way_leaves_nobody_waiting(desk, monkeypatch):
    async def broken(*_):
        raise KeyError("a fault of its own")

    monkeypatch.setattr(desk.world, "run", broken)
    incident, _ = await desk.opened()
    _, tracked = await desk.requested(incident)
    await desk.approve(incident, tracked)
    assert desk.last(incident).status is Status.FAILED
    assert "did not happen" in desk.last(incident).why


@pytest.mark.parametrize(("now", "runs"), [(None, 1), ("dba", 1), ("other", 0)])
async def test_who_was_shown_has_to_approve_and_whom_the_policy_names_now_as_well(
    tmp_path, now, runs
):
    class Groups(Approvers):
        async def refusal(self, actor, *, group=None, fresh=False):
            return None if group == "dba" else "you are not in that group"

    policy = tmp_path / "policy.yaml"
    rule = "version: 1\nrules: [{name: a, when: 'true', then: {approvals: 1%s}}]\n"
    policy.write_text(rule % ", from: dba")
    async with Desk(approvers=Groups(), policy=policy).open() as desk:
        incident, _ = await desk.opened()
        _, tracked = await desk.requested(incident)
        policy.write_text(rule % (f", from: {now}" if now else ""))
        await desk.approve(incident, tracked)
        assert desk.world.runs == runs


NOTHING = Finding(
    verdict=Verdict.NOT_DETERMINED, why_verdict="nothing", onset=None, hypotheses=(), change=None,
    innocent_changes=(), ruled_out=(), evidence=(), gaps=(),
)  # fmt: skip


async def test_a_draft_whose_cause_was_refuted_cannot_be_accepted(tmp_path):
    desk = Desk(tmp_path / "f.db", seen=False)
    draft = Draft(runbook="x", markdown="# x", digest="d" * 64, provenance=())
    said = CauseCorrected(by=BEN, service="", text="its cache was full")
    async with desk.open():
        opened = Opened(at=desk.clock.now(), text="front is slow", service="front")
        closed = Closed(by=ANA, at=desk.clock.now(), reason="over")
        events = (opened, HypothesesRanked(finding=NOTHING, seconds=0.1), closed,
                  PostmortemWritten(markdown="# x"), RunbookDrafted(draft=draft), said)  # fmt: skip
        desk.journal.append("INC-1", FIRSTLINE, list(events))
    async with desk.open():
        yes = AcceptRunbook(incident="INC-1", digest=draft.digest)
        answer = await desk.service.submit(yes, BEN)
        assert answer.refused
        assert "its cause was wrong" in answer.said
        no = RejectRunbook(incident="INC-1", digest=draft.digest, reason="the cause is wrong")
        assert not (await desk.service.submit(no, BEN)).refused
