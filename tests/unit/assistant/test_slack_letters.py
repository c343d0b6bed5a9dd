"""What an incident's messages say, and that Slack would take every one of them."""

import json
from dataclasses import replace

import pytest
from acting import ASKED, BEN, done, request, started
from recalled import DRAFT, SIMILAR
from slackdesk import LOOKS, Buttons
from written import BLAMED, FACTS, NOON, PLAN, finding, grown, hypothesis, incident

from assistant.domain.events import (
    ActionFailed,
    ActionRequested,
    ActionUnknown,
    AlertJoined,
    AlertResolved,
    Closed,
    Denied,
    Opened,
    PostmortemWritten,
    ReadPerformed,
    Recalled,
    RunbookAccepted,
    RunbookDrafted,
    Steered,
)
from assistant.domain.hypothesis import Verdict
from assistant.domain.incident import apply
from assistant.domain.recovery import Effect
from assistant.domain.steering import Steering
from assistant.slack.check import Surface, faults, too_long
from assistant.slack.letters import letters
from assistant.slack.places import Place
from assistant.slack.text import escape

HOSTILE = "<!channel> <@U1> *b* `c` <https://evil.example|here> \u202e\u200b\x07 @here"


def written(state):
    """Return the letters by slot, each of which Slack would take."""
    buttons = Buttons()
    place = Place(channel="C1", thread="1.0")
    made = letters("INC-1", state, place, LOOKS, lambda c: buttons.token(c, "INC-1"))
    for letter in made:
        assert faults(letter.blocks, Surface.MESSAGE) == [], letter.slot
        assert not too_long(letter.blocks)
        assert letter.text
    assert len({letter.slot for letter in made}) == len(made)
    return {letter.slot.removeprefix("INC-1/"): letter for letter in made}


def shown(letter):
    """Return all words of the blocks, in order."""

    def texts(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "text" and isinstance(inner, str):
                    yield inner
                elif key != "confirm":
                    yield from texts(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from texts(inner)

    return " ".join(" ".join(texts(letter.blocks)).split())


def pressable(letter):
    """Return what can be pressed to do something; what only looks is on every answered card."""
    rows = [block for block in letter.blocks if block["type"] == "actions"]
    elements = [element for row in rows for element in row["elements"]]
    return [e["text"]["text"] for e in elements if not e["action_id"].startswith("see:")]


def test_the_card_answers_first_in_at_most_six_lines():
    card = written(incident(plan=PLAN))["card"]
    answer = card.blocks[2]["elements"][0]["elements"]
    assert sum(part["text"] == "\n" for part in answer) < 6
    said = shown(card)
    order = ("INC-1 · booking fails", "Likely (0.90)", "E1 ledger raises errors", "Change", "Why")
    at = [said.index(part) for part in order]
    assert at == sorted(at)
    assert "⚠ Could not see metrics were not recorded" in said
    assert "11:59:00 UTC" in said
    assert pressable(card) == ["Request: Roll ledger back."]
    assert "Likely (0.90): ledger raises errors of its own" in card.text


def test_the_last_line_of_the_card_names_the_head_of_the_journal():
    looks = replace(LOOKS, audit=lambda name: f"audit of {name} 3f9c… chain OK")
    place = Place(channel="C1", thread="1.0")
    card = letters("INC-1", incident(plan=PLAN), place, looks, str)[0]
    assert " s · audit of INC-1 3f9c… chain OK" in shown(card)


def test_while_it_looks_the_card_says_who_answered_so_far():
    read = ReadPerformed(
        source="store", capability="spans", rows=5, seconds=0.1, complete=True, query="q",
        link="https://traces.example/x",
    )  # fmt: skip
    state = grown(read, state=apply(None, Opened(at=NOON, text="x fails", service=None)))
    card = written(state)["card"]
    assert "looking" in shown(card)
    links = [p for p in json.dumps(card.blocks).split('"') if p.startswith("https://")]
    assert links == ["https://traces.example/x"]


def test_a_request_shows_what_exactly_and_is_approved_or_rejected():
    made = written(grown(ASKED))
    letter = made["request/r-1"]
    said = shown(letter)
    for part in (
        "Approval needed: Roll ledger back from v2 to v1.",
        "rollback(service=ledger, version=v1)",
        "service/ledger",
        "one instance restarts",
        "rollout(service=ledger, version=v2)",
        "medium",
        "@sre, and not ana",
        "- version v2 + version v1",
        "12:15:00 UTC",
        ASKED.digest[:12],
    ):
        assert part in said, part
    assert pressable(letter) == ["Approve", "Reject…"]
    assert "Target: service/ledger." in json.dumps(letter.blocks)
    assert pressable(made["card"]) == []


@pytest.mark.parametrize(
    ("effect", "note", "after"),
    [
        (Effect.RECOVERED, ["Close and write the postmortem"], []),
        (Effect.NO_EFFECT, [], ["Undo"]),
        (Effect.WORSE, [], ["Undo"]),
    ],
)
def test_the_record_says_who_did_what_and_whether_it_helped(effect, note, after):
    made = written(grown(*done(effect)))
    record = made["request/r-1"]
    said = shown(record)
    assert "Approved by ben" in said
    assert "Done: ledger runs v1 (v1)" in said
    assert "E1 errors of ledger: 0 % → 30 % → 0.4 % (n 220)" in said
    assert pressable(record) == after
    assert pressable(made["recovery/r-1"]) == note


def test_what_was_taken_back_is_not_offered_again():
    undo = request(id="r-2", undo_of="r-1", undo=None)
    state = grown(*done(Effect.WORSE), ActionRequested(request=undo, digest=undo.digest))
    assert pressable(written(state)["request/r-1"]) == []


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (ActionFailed, "was not taken back (it is locked)"),
        (ActionUnknown, "may not have been taken back: nobody knows (it is locked)"),
    ],
)
def test_an_undo_that_fails_is_told_in_a_note_of_its_own(end, said):
    undo = request(id="r-2", undo_of="r-1", undo=None)
    failed = end(request="r-2", why="it is locked.")
    made = written(grown(*done(Effect.WORSE), *started(undo), failed))
    note = made["alarm/r-2"]
    assert said in shown(note)
    assert said in note.text
    assert "alarm/r-1" not in made


@pytest.mark.parametrize(
    ("effect", "after"),
    [(Effect.NOT_MEASURED, ["Undo"]), (Effect.IMPROVED, ["Undo"]), (Effect.RECOVERED, [])],
)
def test_what_a_failed_step_leaves_half_done_can_be_taken_back(effect, after):
    second = request(id="r-2", step=2)
    failed = ActionFailed(request="r-2", why="it is locked.")
    state = grown(*done(effect), *started(second))
    assert pressable(written(state)["request/r-1"]) == []
    assert pressable(written(grown(failed, state=state))["request/r-1"]) == after


def test_a_step_that_was_done_the_second_time_leaves_nothing_half_done():
    second, again = request(id="r-2", step=2), request(id="r-3", step=2)
    failed = ActionFailed(request="r-2", why="it is locked.")
    state = grown(*done(Effect.IMPROVED), *started(second), failed, *started(again))
    assert pressable(written(state)["request/r-1"]) == []


def test_a_rejected_step_can_be_asked_for_again():
    state = grown(ASKED, Denied(request="r-1", by=BEN, reason="not now"))
    made = written(state)
    assert "denied by ben: not now" in shown(made["request/r-1"])
    assert pressable(made["request/r-1"]) == []
    assert pressable(made["card"]) == ["Request: Roll ledger back."]


def test_memory_speaks_of_what_was_seen_before():
    state = grown(Recalled(similar=(SIMILAR,), seconds=0.1))
    said = shown(written(state)["similar"])
    assert said == (
        "Seen before: INC-0, 3 days ago: booking failed The same: service, cause "
        "Different: another change Resolved by rollback, 4 minutes after the alert "
        "Runbook: exception-in-new-release"
    )


def test_the_postmortem_and_its_draft_follow_the_close():
    closed = Closed(by=BEN, at=NOON, reason="resolved")
    told = PostmortemWritten(markdown="# What happened\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    state = grown(closed, told, RunbookDrafted(draft=DRAFT))
    made = written(state)
    assert "Postmortem of INC-1" in shown(made["postmortem"])
    assert "1 · 2" in shown(made["postmortem"])
    draft = made["draft"]
    assert "2 steps made from 3 records of the journal" in shown(draft)
    assert "Look at E1" in shown(draft)
    assert "id: x" not in shown(draft)
    assert pressable(draft) == ["Accept runbook", "Reject…"]
    assert pressable(made["card"]) == ["Reopen"]
    accepted = written(grown(RunbookAccepted(digest=DRAFT.digest, by=BEN), state=state))["draft"]
    assert pressable(accepted) == []
    assert "Runbook accepted" in accepted.text


def test_steering_is_answered_with_what_is_taken_into_account():
    steered = Steered(by=BEN, text="not front", steering=Steering(said=("front is not blamed",)))
    made = written(grown(steered))
    assert "front is not blamed" in shown(made["answer/1"])
    assert "looking again" in shown(made["card"])


def test_when_the_alert_has_ended_the_incident_can_be_closed():
    joined = AlertJoined(at=NOON, text="x", service=None, fingerprint="f1")
    state = grown(joined, AlertResolved(at=NOON, fingerprint="f1"))
    card = written(state)["card"]
    assert "the alert has ended" in shown(card)
    assert "Close and write the postmortem" in pressable(card)


def test_words_from_outside_stay_words():
    bad = finding(
        gaps=(HOSTILE,),
        why_verdict=HOSTILE,
        ruled_out=(),
        change=BLAMED,
    )
    state = grown(
        ActionRequested(
            request=(asked := request(summary=HOSTILE, reason=HOSTILE, diff=(HOSTILE,))),
            digest=asked.digest,
        ),
        Closed(by=BEN, at=NOON, reason=HOSTILE),
        PostmortemWritten(markdown=f"# {HOSTILE}\n\n- {HOSTILE}\n"),
        state=incident(bad, plan=PLAN),
    )
    for letter in written(state).values():
        whole = json.dumps(letter.blocks, ensure_ascii=False)
        assert '"mrkdwn"' not in whole
        assert '"link"' not in whole
        assert '"broadcast"' not in whole
        for hidden in ("\u202e", "\u200b", "\x07"):
            assert hidden not in whole + letter.text
        assert "<" not in letter.text


def test_a_huge_incident_still_fits_or_is_cut():
    many = tuple(hypothesis(rank=n + 1, supports=tuple(f.id for f in FACTS)) for n in range(9))
    long = "x" * 3_000
    state = grown(
        *done(),
        Closed(by=BEN, at=NOON, reason=long),
        PostmortemWritten(markdown="\n".join(f"- {n} {long}" for n in range(400))),
        state=incident(finding(hypotheses=many, why_verdict=long), plan=PLAN),
    )
    told = shown(written(state)["postmortem"])
    assert "cut here: firstline audit export has all of it; so has the file that Post" in told


def test_the_same_state_makes_the_same_letters():
    state, buttons = grown(*done()), Buttons()

    def made():
        place = Place(channel="C1")
        return letters("INC-1", state, place, LOOKS, lambda c: buttons.token(c, "INC-1"))

    assert [letter.digest for letter in made()] == [letter.digest for letter in made()]
    assert escape("a & b") == "a &amp; b"


@pytest.mark.parametrize(
    ("verdict", "label"), [("likely", "Wrong cause"), ("not_determined", "Tell the cause")]
)
def test_what_it_was_can_be_told_whether_or_not_a_cause_was_named(verdict, label):
    card = written(incident(finding(Verdict(verdict))))["card"]
    assert label in shown(card)


def test_the_text_of_a_request_alone_says_what_an_approver_has_to_know():
    waits = written(grown(ASKED))["request/r-1"]
    assert waits.text == (
        "Approval needed: Roll ledger back from v2 to v1. Target: service/ledger, risk: medium. "
        "May approve: @sre, and not ana, who asked, until 2026-03-01 12:15:00 UTC."
    )
    over = written(grown(ASKED, Denied(request="r-1", by=BEN, reason="not now.")))["request/r-1"]
    assert over.text == "Rejected: Roll ledger back from v2 to v1. denied by ben: not now."


def test_the_text_of_a_card_alone_says_what_is_next_and_what_was_not_seen():
    found = finding(gaps=("metrics were not recorded", "logs were down", "traces were cut."))
    text = written(incident(found, plan=PLAN))["card"].text
    assert text.endswith(
        " Next: Roll ledger back. Could not see: metrics were not recorded, and 3 more."
    )
    assert "Next: " not in written(incident(found))["card"].text


@pytest.mark.parametrize("effect", Effect)
def test_the_text_of_a_result_is_made_of_whole_sentences(effect):
    text = written(grown(*done(effect)))["recovery/r-1"].text
    assert text.endswith(
        ": errors of ledger are as before. What was done: Roll ledger back from v2 to v1."
    )


def test_no_text_ends_with_two_full_stops():
    failed = (*started(request()), ActionFailed(request="r-1", why="it is locked."))
    assert written(grown(*failed))["request/r-1"].text.endswith(" it is locked.")
