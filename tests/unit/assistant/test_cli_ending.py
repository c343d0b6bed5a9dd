"""What a demo run prints at its end: the thread, both times side by side, and the judgement."""

from solved import fold, story

from assistant.cli.ending import show_end
from assistant.demo import Episode, Result
from assistant.journal.verify import Report, State
from assistant.story import Solved
from connectors.demo import Truth

SOUND = Report(state=State.SOUND, records=44, head="0" * 64)
TRUTH = Truth(service="ledger", instance=None, type="code", change="ledger@2")


def episode(name, seconds, waited):
    incident = fold(story())
    solved = Solved(incident=name, recovered=True, seconds=seconds, tried=1, refused=())
    return Episode(
        id=name, incident=incident, truth=TRUTH, correct=True, waited=waited, solved=solved
    )


def test_both_times_stand_side_by_side_after_the_thread(capsys):
    came = Result(
        fault="wrong",
        first=episode("INC-1", 25.94, 7.3),
        second=episode("INC-2", 21.1, 6.6),
        learnt=True,
    )
    show_end(came, SOUND, ["the thread"], right=True)
    printed = capsys.readouterr().out
    lines = {
        line.split("  ")[0].strip(): line.split()[-2:] for line in printed.splitlines() if line
    }
    assert lines["Verdict, s after the alert"] == ["7.3", "6.6"]
    assert lines["Recovered, s after the alert"] == ["25.9", "21.1"]
    assert printed.index("the thread") < printed.index("First time (INC-1)")
    assert "What really happened: wrong at ledger; change ledger@2." in printed
    assert "The second time it was not recognised as INC-1." in printed
    assert "audit verify: OK, 44 records" in printed
    assert printed.splitlines()[-1] == "All in all: right."
    assert max(map(len, printed.splitlines())) <= 100


def test_where_nobody_acted_the_card_is_shown_once(capsys):
    first = Episode(
        id="INC-1", incident=fold(story()), truth=TRUTH, correct=False, waited=7.3, solved=None
    )
    broken = Report(state=State.TAMPERED, records=3, head="0" * 64, why="record 4 was changed")
    came = Result(fault="wrong", first=first, second=None, learnt=False)
    show_end(came, broken, ["the thread"], right=False)
    printed = capsys.readouterr().out
    assert printed.count("Verdict") == 1
    assert "the thread" not in printed
    assert "audit verify: tampered: record 4 was changed" in printed
    assert "All in all: wrong." in printed
