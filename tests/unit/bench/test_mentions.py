"""What counts as seen after a mention, and when a bar is missed."""

import pytest

from assistant.slack.local.people import Message, Stream
from bench.mentions import BARS, CPU, SOURCES, Answered, p95, seen, told

ASKED = Message(ts="1", channel="C", user="U", text="@firstline it is slow")
EYES = Message(ts="1", channel="C", user="U", reactions=(("eyes", "B"),))
TASK = {"id": "s", "title": "spans (otlp)", "status": "in_progress"}
LINE = ({"type": "rich_text", "text": "spans (otlp) 12 rows in 0.4 s"},)


def message(**more):
    return Message(**{"ts": "2", "channel": "C", "user": "B", "app": "A", "thread": "1"} | more)


@pytest.mark.parametrize(
    ("thread", "figures"),
    [
        ([ASKED], set()),
        ([EYES], {"first sign"}),
        ([ASKED, message(stream=Stream(tasks=(TASK,)))], {"first sign"}),
        (
            [ASKED, message(stream=Stream(tasks=(TASK | {"status": "error"},)))],
            {"first sign", "first content"},
        ),
        ([ASKED, message(text="slow (looking)", blocks=LINE)], {"first sign", "first content"}),
        ([ASKED, message(text="slow (open)", blocks=LINE)], set(BARS)),
    ],
)
def test_what_a_person_sees(thread, figures):
    assert {name for name in BARS if seen(name, lambda: thread)} == figures


def test_of_few_values_the_highest_is_what_one_in_twenty_exceeds():
    assert p95([3.0, 1.0, 2.0]) == 3.0
    assert p95([float(n) for n in range(100)]) == 95.0


@pytest.mark.parametrize(("verdict", "status"), [(9.9, 0), (10.1, 1)])
def test_a_bar_that_is_missed_is_told_and_is_the_exit_status(capsys, verdict, status):
    seconds = {"first sign": 0.1, "first content": 0.2, "verdict": verdict, SOURCES: 0.1, CPU: 2.0}
    assert told([Answered(seconds=seconds, named=True, at_once=False)]) == status
    printed = capsys.readouterr().out
    assert ("MISSED" in printed) == bool(status)
    assert "1 of 1 named a cause, 0 by the first look" in printed
