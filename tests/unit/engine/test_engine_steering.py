"""What plain words in a thread mean to the engine."""

from datetime import UTC, datetime

import pytest

from assistant.domain.steering import Steering
from assistant.engine.steering import Vocabulary, understand

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WORDS = Vocabulary(components=("orders", "orders-db", "front"), changes=("front@2.1", "flag/x=on"))


def said(text, before=Steering(), zone="UTC"):  # noqa: B008 — frozen
    return understand(text, before, WORDS, now=NOW, zone=zone)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("it's not the db", "ruled_out", ("orders-db",)),
        ("Not orders.", "ruled_out", ("orders",)),
        ("not the database", "ruled_out", ("orders-db",)),
        ("rule out databases", "ruled_out", ("orders-db",)),
        ("please ignore deploy front@2.1", "ignored", ("front@2.1",)),
        ("look at front", "focus", "front"),
        ("look at orders", "focus", "orders"),
    ],
)
def test_plain_words_are_understood(text, field, value):
    assert getattr(said(text), field) == value


@pytest.mark.parametrize(
    ("text", "back", "field", "left"),
    [
        ("not orders", "do not rule out orders", "ruled_out", ()),
        ("not orders, not front", "don't exclude the orders", "ruled_out", ("front",)),
        ("ignore deploy front@2.1", "please do NOT ignore deploy front@2.1", "ignored", ()),
        ("ignore flag/x=on", "never ignore flag flag/x=on", "ignored", ()),
        ("look at front", "don\u2019t look at front", "focus", None),
        ("look at front", "do not focus on orders, look at front", "focus", "front"),
    ],
)
def test_a_negation_takes_back_what_was_said(text, back, field, left):
    before = said(text)
    after = said(back, before)
    assert getattr(after or before, field) == left


@pytest.mark.parametrize(
    "text", ["do not ignore deploy front@2.1", "don't look at orders", "do not rule out orders"]
)
def test_a_negation_of_what_nobody_said_changes_nothing(text):
    assert said(text) is None


def test_times_are_in_the_speakers_zone_and_in_the_past():
    assert said("since 12:30", zone="Europe/Berlin").since == NOW.replace(hour=11, minute=30)
    assert said("it began at 11:30").since == said("started around 11:30").since
    assert said("it began at 11:30").since == NOW.replace(hour=11, minute=30)
    assert said("since 23:00").since == NOW.replace(day=28, month=2, hour=23)


@pytest.mark.parametrize(
    ("text", "day", "hour"),
    [
        ("since 2026-02-24 01:07", 24, 0),
        ("since 2026-02-24T01:07:00", 24, 0),
        ("since 2026-02-24T01:07:00Z", 24, 1),
        ("since 2026-02-24 01:07:00.5 UTC", 24, 1),
        ("since 2026-02-24 01:07+05:00", 23, 20),
        ("since 01:07 UTC", 1, 1),
        ("since 1:07 for all", 1, 0),
    ],
)
def test_a_day_and_a_zone_may_be_named(text, day, hour):
    moment = NOW.replace(month=3 if day == 1 else 2, day=day, hour=hour, minute=7)
    assert said(text, zone="Europe/Berlin").since == moment


@pytest.mark.parametrize(
    "when", ["2026-03-02 10:00", "2006-02-24 01:07", "0001-01-01 00:00", "2026-02-30 10:00"]
)
def test_a_day_that_is_not_over_long_gone_or_none_is_not_understood(when):
    assert said(f"since {when}") is None


def test_the_same_time_said_again_is_looked_at_again():
    first = said("since 11:30")
    assert said("since 11:30", first).since == first.since


@pytest.mark.parametrize("text", ["thanks!", "not today", "since 29:99", "ignore it", ""])
def test_what_means_nothing_here_changes_nothing(text):
    assert said(text) is None


def test_what_was_said_adds_up():
    first = said("not orders-db")
    second = said("ignore front@2.1", first)
    assert second.ruled_out == ("orders-db",)
    assert second.said == ("not orders-db", "ignore front@2.1")
