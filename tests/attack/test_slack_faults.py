"""Seeds of people and accidents around Slack, and bugs that are planted to be found."""

# ruff: noqa: SLF001 — a planted bug stands in the place of what it breaks

import os

import pytest
from approvals import unchecked
from scene import nobody_objects, yes
from simulated import play, simulate
from slack_bolt.request.async_request import AsyncBoltRequest
from targets import RETRIED

from assistant.slack.errors import code

SLACK_SEEDS = int(os.environ.get("SLACK_SEEDS", "30"))
PART, FAR = 10, 100


@pytest.mark.parametrize("first", range(0, SLACK_SEEDS, PART))
def test_whatever_happens_nothing_is_lost_posted_twice_or_done_twice(first):
    wrong = simulate(range(first, first + PART))
    assert wrong == {}, f"make slack-faults SEED={min(wrong)} tells the story"


async def acknowledged_first(link, envelope, payload):
    """Say that it was heard, and write it down then."""
    await link.acknowledge(envelope)
    await link.keep(envelope, payload)


async def noted_afterwards(courier, letter):
    """Post, and note it when it is there."""
    thread = letter.thread or courier._under(letter.under)
    reply = await courier._send(
        letter, "chat.postMessage", thread_ts=thread, unfurl_links=False, unfurl_media=False
    )
    courier._messages.intend(letter.slot, letter.channel, thread, letter.digest)
    courier._messages.sent(letter.slot, str(reply["ts"]), letter.digest)


async def not_looked_for(*_):
    """Believe that what was not answered did not arrive."""


async def done_before(ingress, told):
    """Note that it is done, and do it then."""
    if await told.kept:
        ingress._inbox.done(told.key)
        request = AsyncBoltRequest(mode="socket_mode", body=told.payload)
        await ingress._app.async_dispatch(request)


async def left_undone(_ingress):
    """Forget what was left when the process ended."""


CLAIMED = {"assistant.store.inbox.Inbox.claim": lambda *_: True}
BUGS = {
    "acknowledged before it is kept": {"wire.Link.take": acknowledged_first},
    "what is told twice has two names": {
        "assistant.slack.ingress.key_of": lambda _payload, envelope: envelope,
        "assistant.slack.places.Places.asked": lambda *_: False,
    },
    "a post is noted when it is there": {"assistant.slack.courier.Courier._post": noted_afterwards},
    "after a lost answer it is posted again": {
        "assistant.slack.courier.Courier._lost": not_looked_for
    },
    "Retry-After is not read": {"assistant.slack.courier.wait_s": lambda _: 0.1},
    "a letter is dropped on a 503": {
        "assistant.slack.courier.passing": lambda error: code(error) == "ratelimited"
    },
    "done before it is handled": {"assistant.slack.ingress.Ingress._handle": done_before},
    "what was left is not taken up": {"assistant.slack.ingress.Ingress._resume": left_undone},
    "a double click counts twice": {
        **RETRIED,
        **CLAIMED,
        "assistant.admission.may_decide": yes,
        "assistant.domain.requests._decided": unchecked,
    },
    "lines are taken side by side": {"assistant.slack.ingress.lane_of": lambda _: None},
    "a question is taken again": {"assistant.slack.places.Places.asked": lambda *_: False},
    "after a crash it is done again": RETRIED,
    "anybody's yes counts": {
        "assistant.slack.authz.SlackApprovers.refusal": nobody_objects,
        "assistant.slack.people._outside": lambda _: None,
    },
    "a restart shows nothing": {
        "assistant.slack.surface.SlackSurface.resume": lambda *_: None,
    },
}


# Where each is found; a number that is wrong by now only takes time.
SOON = {
    "acknowledged before it is kept": 13,
    "a post is noted when it is there": 2,
    "after a lost answer it is posted again": 2,
    "Retry-After is not read": 5,
    "a letter is dropped on a 503": 14,
    "done before it is handled": 2,
    "what was left is not taken up": 2,
    "lines are taken side by side": 22,
    "a question is taken again": 9,
    "anybody's yes counts": 5,
    "a restart shows nothing": 20,
}


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_planted_bug_is_found(bug, monkeypatch):
    for name, replacement in BUGS[bug].items():
        monkeypatch.setattr(name, replacement)
    seeds = (SOON.get(bug, 0), *range(FAR))
    assert any(simulate([seed], storm=True) for seed in seeds)


def test_a_seed_tells_the_same_story_again():
    assert play(5).told == play(5).told


def test_much_happens():
    """The seeds are worth something: things are done, refused and killed, and calls fail."""
    told = "\n".join(line for seed in range(8) for line in play(seed, storm=True).told)
    for word in ("effect for", "killed", "Rejected", "(closed by", "429", "lost", "is cut"):
        assert word in told, word
