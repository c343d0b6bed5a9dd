"""Requests to the request URL: what proves to be Slack's is taken once, all else is refused."""

import json
import logging
from datetime import timedelta
from urllib.parse import urlencode

import aiohttp
import pytest
from slack_sdk.signature import SignatureVerifier
from slackdesk import LOOKS, HttpRig
from slackrig import judged

from assistant.clock import SystemClock
from assistant.failure import Unusable
from assistant.slack.guard import MAX_BODY, SIGNATURE, STAMP
from assistant.slack.local.deliveries import State, Timing
from assistant.slack.local.requests import Signed

WORDS = "the launch codes"


class Stopped:
    """A clock that stands where it was made, and moves by so many seconds."""

    seconds = 0.0

    def __init__(self):
        self.made = SystemClock().now()

    def now(self):
        return self.made + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds


@pytest.fixture
async def slack():
    timing = Timing(ack=60.0, retries=(0.0, 0.05, 0.1))
    async with judged(
        hosts=LOOKS.hosts, burst=None, timing=timing, excused=["acknowledged"]
    ) as slack:
        yield slack


@pytest.fixture
def rig(slack):
    return HttpRig(slack)


def mention(slack, text=WORDS, **more):
    """Return the payload of a mention, as Slack would send it."""
    workspace = slack.workspace
    event = {
        "type": "app_mention",
        "user": slack.person("ana").id,
        "text": f"<@{workspace.bot.id}> {text}",
        "channel": workspace.channel_named("incidents").id,
        "ts": slack.office.now_ts(),
    }
    whole = {"type": "event_callback", "team_id": workspace.team, "event": event}
    return whole | {"event_id": workspace.new_id("Ev")} | more


def stamped(slack, body, stamp, secret=None):
    """Sign a body with any timestamp."""
    signer = SignatureVerifier(secret or slack.signing_secret)
    return Signed(
        headers={
            "Content-Type": "application/json",
            STAMP: stamp,
            SIGNATURE: signer.generate_signature(timestamp=stamp, body=body),
        },
        body=body,
    )


def now(shift=0):
    return str(int(SystemClock().now().timestamp()) + shift)


async def test_a_request_that_is_sent_again_as_it_was_is_refused(rig, slack, caplog):
    async with rig.running():
        request = rig.requests.signed("events_api", mention(slack))
        assert (await rig.requests.post(request))[0] == 200
        for _ in range(3):
            status, _, said = await rig.requests.post(request)
            assert (status, said) == (401, "replay")
        assert rig.http.refused == {"replay": 3}
        await slack.wait_for(lambda: rig.desk.taken)
    assert len(rig.desk.taken) == 1
    assert WORDS not in caplog.text
    assert [r.getMessage() for r in caplog.records if "refused" in r.getMessage()] == [
        f"a request to /slack/events was refused: replay ({n} so far)" for n in (1, 2)
    ]


def with_headers(request, headers):
    return Signed(headers={**request.headers, **headers}, body=request.body)


def with_body(request, body):
    return Signed(headers=request.headers, body=body)


PLAIN, ZIPPED = {"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}
NO_ASCII, UNSIGNED = {SIGNATURE: "v0=é"}, {SIGNATURE: ""}
FORGED = {
    "old": (lambda s, b: stamped(s, b, now(-301)), 401, "stale"),
    "from the future": (lambda s, b: stamped(s, b, now(+310)), 401, "stale"),
    "another secret": (lambda s, b: stamped(s, b, now(), "another secret"), 401, "signature"),
    "no number": (lambda s, b: stamped(s, b, "soon"), 400, "timestamp"),
    "endless number": (lambda s, b: stamped(s, b, "9" * 5000), 400, "timestamp"),
    "signed number": (lambda s, b: stamped(s, b, "+" + now()), 400, "timestamp"),
    "no stamp": (lambda s, b: with_headers(stamped(s, b, now()), {STAMP: ""}), 400, "timestamp"),
    "no ASCII": (lambda s, b: with_headers(stamped(s, b, now()), NO_ASCII), 401, "signature"),
    "unsigned": (lambda s, b: with_headers(stamped(s, b, now()), UNSIGNED), 401, "signature"),
    "changed": (lambda s, b: with_body(stamped(s, b, now()), b + b" "), 401, "signature"),
    "plain text": (lambda s, b: with_headers(stamped(s, b, now()), PLAIN), 400, "type"),
    "compressed": (lambda s, b: with_headers(stamped(s, b, now()), ZIPPED), 400, "type"),
    "large": (lambda s, b: stamped(s, b + b" " * MAX_BODY, now()), 413, "size"),
    "no JSON": (lambda s, b: stamped(s, b"no JSON: " + b, now()), 400, "body"),
    "deep": (lambda s, _: stamped(s, b"[" * 100_000, now()), 400, "body"),
    "no object": (lambda s, _: stamped(s, b"[]", now()), 400, "body"),
    "no event": (lambda s, _: stamped(s, b'{"event": "x"}', now()), 400, "body"),
    "no text": (lambda s, b: with_body(stamped(s, b, now()), b"\xff\xfe" + b), 401, "signature"),
}


@pytest.mark.parametrize("how", FORGED)
async def test_what_is_not_slacks_is_refused_with_a_word(rig, slack, caplog, how):
    forge, status, word = FORGED[how]
    caplog.set_level(logging.DEBUG)
    async with rig.running():
        body = json.dumps(mention(slack)).encode()
        got, headers, said = await rig.requests.post(forge(slack, body))
        assert (got, said) == (status, word)
        assert headers["Content-Type"].startswith("text/plain")
        assert rig.http.refused == {word: 1}
        await slack.settled()
    assert rig.desk.taken == []
    assert WORDS not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_methods_are_refused(rig, method):
    async with (
        rig.running(),
        aiohttp.ClientSession() as session,
        session.request(method, rig.url) as answer,
    ):
        assert (answer.status, await answer.text()) == (400, "method")


async def test_a_body_without_a_length_is_read_no_further_than_allowed(rig, slack):
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(64):
            sent += 1
            yield b"x" * 256 * 1024

    async with rig.running(), aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/json"}
        async with session.post(rig.url, data=endless(), headers=headers) as answer:
            assert (answer.status, await answer.text()) == (413, "size")
    assert sent < 64


async def test_another_workspace_is_refused(rig, slack):
    async with rig.running():
        request = rig.requests.signed("events_api", mention(slack, team_id="T0STRANGER"))
        assert (await rig.requests.post(request))[::2] == (401, "team")
        await slack.settled()
    assert rig.desk.taken == []


async def test_a_command_and_what_is_neither_are_told_apart(rig, slack):
    async with rig.running():
        command = {"command": "/firstline", "text": "help", "team_id": slack.workspace.team}
        assert (await rig.requests.post(rig.requests.signed("slash_commands", command)))[0] == 200
        form = "application/x-www-form-urlencoded"
        for fields in ({"ssl_check": "1"}, {"payload": "{"}, {f"a{n}": "" for n in range(200)}):
            request = rig.requests.sign(urlencode(fields).encode(), form)
            assert (await rig.requests.post(request))[::2] == (400, "body")


async def test_what_cannot_be_kept_is_not_acknowledged_and_slack_tells_it_again(rig, slack):
    claim, failed = rig.tables.inbox.claim, []

    def full_once(key, body, at):
        if not failed:
            failed.append(key)
            raise Unusable("the disk is full")
        return claim(key, body, at)

    rig.tables.inbox.claim = full_once
    async with rig.running():
        delivery = slack.deliveries.send("events_api", mention(slack))
        await delivery.finished.wait()
        await slack.wait_for(lambda: rig.desk.taken)
    assert (delivery.state, delivery.attempts) == (State.ACKED, 2)
    assert [command.text for command, _ in rig.desk.taken] == [WORDS]


async def test_what_slack_tells_again_with_a_new_stamp_is_acknowledged_and_done_once(rig, slack):
    async with rig.running():
        told, first = mention(slack), int(now(-10))
        for number in (0, 1, 2):
            body = json.dumps(told).encode()
            retry = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": "http_timeout"}
            request = with_headers(stamped(slack, body, str(first + number)), retry)
            assert (await rig.requests.post(request))[0] == 200
        await slack.wait_for(lambda: rig.desk.taken)
        await slack.settled()
    assert len(rig.desk.taken) == 1


async def test_nothing_is_taken_before_it_runs(rig, slack):
    rig.build()
    async with rig.served() as requests:
        await rig.http.check()
        request = requests.signed("events_api", mention(slack))
        assert (await requests.post(request))[::2] == (503, "later")


async def test_ten_minutes_later_a_replay_is_too_old_instead(slack):
    rig = HttpRig(slack)
    rig.clock = Stopped()
    async with rig.running():
        request = rig.requests.signed("events_api", mention(slack))
        assert (await rig.requests.post(request))[0] == 200
        rig.clock.seconds = 299
        assert (await rig.requests.post(request))[::2] == (401, "replay")
        rig.clock.seconds = 601
        assert (await rig.requests.post(request))[::2] == (401, "stale")
