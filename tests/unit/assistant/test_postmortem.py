"""The postmortem: everything from the journal's records, each line of its timeline with its own."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from solved import ANA, FIRST_SEQ, WENT, fold, seen_too_little, story
from written import NOON, evidence, finding, hypothesis

from assistant.domain.events import Opened, Verified
from assistant.domain.hypothesis import Verdict
from assistant.domain.record import Record
from assistant.lesson import draft_of
from assistant.postmortem import plain, postmortem


def tell(record):
    return f"{record.actor.name}: {type(record.event).__name__}"


def written(records, incident="INC-7"):
    return postmortem(incident, records, fold(records), tell)


def section(text, name):
    return text.partition(f"## {name}\n")[2].partition("\n## ")[0]


def test_the_same_records_give_the_same_bytes():
    assert written(story()).encode() == written(story()).encode()


def test_the_summary_says_what_when_why_and_who():
    summary = section(written(story()), "Summary")
    assert "booking fails (seen in front)" in summary
    assert "from 2026-03-01 11:59:00 to 2026-03-01 12:01:23 UTC, 143.0 s" in summary
    assert "Cause (likely): ledger raises errors of its own (E1)" in summary
    assert "Requested by ana, approved by ben" in summary
    assert "requests to front POST / (E2): 0 % before, 29 % during, 0 % after" in summary


def test_a_figure_of_which_too_little_was_seen_is_not_told_as_recovered():
    records = [
        replace(r, event=replace(r.event, recovery=seen_too_little(WENT)))
        if isinstance(r.event, Verified) and r.event.recovery == WENT
        else r
        for r in story()
    ]
    summary = section(written(records), "Summary")
    assert "Recovered: requests to front POST / (E2)" in summary
    assert "Recovered: failed requests" not in summary
    assert (
        "Too little was seen to tell of failed requests to front POST /pay (E1) "
        "(2 since the action): 0 % before, 40 % during, 50 % after"
    ) in summary
    draft = draft_of("INC-7", records, fold(records))
    assert "requests to front POST /: normal is 0 %" in draft.markdown
    assert "50 % after the action" not in draft.markdown
    assert "the symptoms were as before" not in draft.markdown


def test_every_record_has_its_line_in_order():
    records = story()
    lines = section(written(records), "Timeline").strip().splitlines()[2:]
    assert [int(re.search(r"\[#(\d+)\]$", line)[1]) for line in lines] == [r.seq for r in records]
    assert lines[0] == f"- 2026-03-01 12:00:00 firstline: Opened [#{FIRST_SEQ}]"


def test_times_are_counted_from_the_alert():
    assert section(written(story()), "Times").strip().splitlines()[2:] == [
        "| The trouble had begun | -60.0 |",
        "| The first hypothesis was there | 4.0 |",
        "| The action was approved | 70.0 |",
        "| The action was finished | 72.0 |",
        "| The figures were as before | 83.0 |",
    ]


def test_each_action_shows_what_was_approved_and_what_it_did():
    text = written(story())
    acts = section(text, "Actions").split("### ")[1:]
    digests = [t.request.digest[:12] for t in fold(story()).requests.values()]
    assert [re.search(r"Digest `(\w+)`", act)[1] for act in acts] == digests
    assert "no effect; the symptom is as large as before the action" in acts[0]
    assert "| requests to front POST / (E2) | 0 % | 29 % | 0 % |" in acts[1]
    assert "Approved by ben at 12:01:10" in acts[1]


def test_what_was_cleared_and_what_was_not_seen_is_said():
    text = written(story())
    assert "front only passes the errors on (E4)" in text
    assert "flag f-7 was touched before the first error (E5)" in text
    assert "store logs were not looked at: The store is down." in text


def test_open_questions_are_asked_only_where_it_did_not_recover():
    assert "## Open questions" not in written(story())
    asked = section(written(story(finding(Verdict.POSSIBLE), solved=False)), "Open questions")
    assert "Is it over" in asked
    assert "Was this the cause?" in asked


def test_without_a_cause_it_says_so_and_names_none():
    nothing = finding(Verdict.NOT_DETERMINED, change=None)
    text = written(story(nothing, solved=False))
    assert text.startswith("# INC-7: booking fails\n")
    assert "Not determined" in section(text, "Root cause")
    assert "What was the cause?" in text


def test_an_incident_that_was_only_opened_can_be_told():
    record = Record(
        seq=1, id="a", at=NOON, actor=ANA, incident="INC-1",
        event=Opened(at=NOON, text="it is slow", service=None),
    )  # fmt: skip
    text = written([record], "INC-1")
    assert "No action was asked for." in text
    assert "[#1]" in text


HOSTILE = [
    "[click](https://evil.example/a) <https://evil.example> https://evil.example www.evil.example",
    "![x](https://evil.example/p.png) <img src=x onerror=alert(1)> &lt;b&gt;",
    "one\n\n# heading\n\n```\ncode\n``` `code` **bold** _soft_ ~~gone~~ ~~~",
    "cell | cell | cell\n| --- | --- |",
    "1. item",
    "- item",
    "# heading",
    "> quote",
    "---",
    "@channel @here \u202egnirts",
]


@pytest.mark.parametrize("said", HOSTILE)
def test_nothing_that_was_said_becomes_markdown(said):
    """The document has the same shape as with harmless words in the same places."""
    markdown = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])

    def shape(words):
        bad = finding(
            why_verdict=words,
            hypotheses=(hypothesis(words, supports=("E1",)),),
            evidence=(evidence(1, words), *finding().evidence[1:]),
            gaps=(words,),
        )
        records = story(bad, text=words, service=words)
        text = postmortem("INC-7", records, fold(records), lambda _: words)
        inside = (t for token in markdown.parse(text) for t in (token, *(token.children or ())))
        return [(t.type, t.tag, t.level) for t in inside if t.type not in ("text", "text_special")]

    assert shape(said) == shape("harmless")


@pytest.mark.parametrize("said", HOSTILE)
def test_made_plain_it_still_says_the_same(said):
    line = " ".join(said.replace("\u202e", " ").split())
    shown = MarkdownIt("commonmark").renderInline(plain(said))
    unescaped = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert unescaped.replace("&amp;", "&") == line


def test_bare_addresses_and_names_are_not_linked_by_readers_that_do_so():
    assert "https://" not in plain("see https://evil.example")
    assert "www." not in plain("see www.evil.example")
    assert plain("ask @channel") == r"ask \@channel"
    assert plain("ledger@2.1.7 uses process_cpu") == "ledger@2.1.7 uses process_cpu"


def test_a_question_about_the_past_is_timed_from_when_it_was_asked():
    records = story()
    later = NOON.replace(year=2027)
    moved = later - NOON
    opened = replace(records[0].event, horizon=NOON)
    records = [replace(r, at=r.at + moved) for r in records]
    records[0] = replace(records[0], event=opened)
    assert "| The first hypothesis was there | 4.0 |" in written(records)
