"""The card of a hand-written incident, as it stands in a terminal 100 columns wide."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console
from written import BLAMED, FACTS, PLAN, finding, hypothesis, incident

from assistant.card import show
from assistant.domain.hypothesis import Verdict
from assistant.result import dumps, result
from assistant.views import view

SAID = [
    "booking fails",
    "Verdict Likely (0.90) — E1 ledger raises errors of its own, since 11:59:00 UTC",
    "Change E3 deploy v2 of ledger at 11:58:40: it touched the service that fails, 20 s before",
    "Symptom E2 requests to front POST / fail in 0 % → 29 %",
    "Why E1 errors begin in ledger POST /book in 0 % → 30 % of its executions (n 400 → 100)",
    "Ruled out E4 front only passes the errors on",
    "Innocent E5 flag f-7 was touched before the first error",
    "Could not see metrics were not recorded store logs were not looked at: The store is down.",
    "Next: A new release raises exceptions — exception-in-new-release (match 0.71)",
    "1 look Compare both versions. kubectl get pods",
    "2 act Roll ledger back.",
    "Sources ✗ logs (store) not looked at: The store is down. ✓ spans (store) 500 rows in 0.4 s",
    "5 evidence records · 0 tokens",
]


def printed(shown):
    """Return the card's lines and its words without the frame and the layout."""
    out = io.StringIO()
    show(shown, Console(width=100, file=out))
    lines = out.getvalue().splitlines()
    return lines, " ".join(" ".join(line.strip("│╭╮╰╯─ ") for line in lines).split())


def claims(shown):
    """Return every line that claims something."""
    one = [line for line in (shown.headline, shown.change) if line is not None]
    many = (shown.symptom, shown.why, shown.others, shown.against, shown.ruled_out, shown.innocent)
    return one + [line for lines in many for line in lines]


def test_the_card_reads_from_the_verdict_to_its_sources():
    lines, words = printed(view(incident(plan=PLAN)))
    assert all(len(line) == 100 for line in lines)
    at = 0
    for part in SAID:
        assert part in words[at:], part
        at = words.index(part, at)


def test_every_claim_can_be_looked_up():
    known = {fact.id for fact in FACTS}
    found = claims(view(incident()))
    assert len(found) >= 6
    assert all(line.evidence and set(line.evidence) <= known for line in found)


@pytest.mark.parametrize("verdict", [Verdict.NOT_DETERMINED, Verdict.HEALTHY])
def test_without_a_cause_none_is_told_as_a_fact(verdict):
    why = "nothing that was looked at explains it"
    quiet = finding(verdict, why_verdict=why, change=BLAMED, ruled_out=())
    shown = view(incident(quiet))
    assert shown.headline.text == why
    assert (shown.change, shown.why, shown.against, shown.steps) == (None, (), (), ())
    _, words = printed(shown)
    before = words.partition("Or else")[0]
    assert "ledger raises errors" not in before
    assert "0.90" not in words


def test_words_of_the_system_are_not_taken_for_markup():
    shown = view(incident(finding(gaps=("[bold red]evil[/] [link=http://x]y[/link] [/]",))))
    _, words = printed(shown)
    assert "[bold red]evil[/] [link=http://x]y[/link] [/]" in words


def test_a_near_second_is_told_and_a_cleared_one_is_not():
    second = hypothesis("vault", 2, 0.8, supports=("E1",), cause="memory_pressure")
    third = hypothesis("front", 3, 0.8, supports=("E2",))
    shown = view(incident(finding(hypotheses=(hypothesis(), second, third))))
    assert [line.text for line in shown.others] == ["vault is short of memory"]


def test_the_result_is_json_with_the_same_bytes_each_time():
    told = json.loads(dumps(result(incident(plan=PLAN))))
    assert dumps(result(incident(plan=PLAN))) == dumps(result(incident(plan=PLAN)))
    assert (told["verdict"], told["onset"]) == ("likely", "2026-03-01T11:59:00.000Z")
    assert {"ref", "kind", "target", "why", "likelihood_ratio"} <= set(told["change"])
    first = {"rank", "service", "instance", "type", "cause", "score", "confidence", "supports"}
    assert first | {"contradicts", "affected"} <= set(told["hypotheses"][0])
    assert set(told["innocent_changes"][0]) >= {"ref", "why"}
    assert set(told["evidence"]) == {fact.id for fact in FACTS}
    assert "store logs were not looked at: The store is down." in told["gaps"]
    assert "seconds" not in dumps(result(incident()))


def test_words_of_the_system_do_not_steer_the_terminal():
    evil = "\x1b]0;pwned\x07 \x1b[31mred\x1b[0m \u202eabc \x9b2J"
    found = finding(gaps=(evil,), why_verdict=evil)
    shown = replace(view(incident(found, plan=PLAN)), title=evil, plan_title=evil)
    lines, words = printed(shown)
    assert "pwned" in words
    assert all(line.isprintable() for line in lines)
