"""What monitors write into channels, read as alerts. Pure.

Nothing is believed but that somebody's monitor complains, or does so no more: what stands there
becomes the words of a question and never a command.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from assistant.slack.text import clip
from assistant.slack.told import told_in
from connectors.redact import redact_text

MOST_TEXT = 300
_KINDS = (None, "bot_message")
_EDITED = "message_changed"
_STATE = (
    "firing|resolved|recovered|triggered|alerting|alert|closed|cleared|ok|error|warning|critical"
)
# Each of these words begins other sentences as well: something has to set it apart. A hyphen does
# that only between spaces, since within a word it joins: Closed-loop control fails.
_OVER = re.compile(
    r"^\W*(?:resolved|recovered|closed|cleared|ok)"
    r"(?:\s*[\])*:|—]|\s+[–-](?=\s|$)|\s*[.!]?$)",
    re.IGNORECASE,
)
_EMOJI = re.compile(r":[a-z0-9_+'-]+:", re.IGNORECASE)
_LINK = re.compile(r"https?://\S+")
_MARK = re.compile(rf"\[(?:{_STATE})(?::\d+)?\]", re.IGNORECASE)
_SAID = re.compile(rf"^\W*(?:(?:{_STATE})\b\W*)+", re.IGNORECASE)
_TOKEN = re.compile(r"[^\W_]+(?:[._/-][^\W_]+)*", re.UNICODE)
_UNIT = r"(?:ms|us|ns|s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|[kmgt]?i?b|k|x|utc|am|pm)"
_AMOUNT = re.compile(rf"^\d[\d.,:/tz-]*{_UNIT}?$")
_APART = re.compile(rf"\b(\d[\d.,]*)\s+{_UNIT}\b", re.IGNORECASE)
_RANDOM = re.compile(r"^(?=[a-z]*\d)[0-9a-z]{5,}$")  # what systems make up: pods, commits, ids
# What Alertmanager and Grafana call one alert, in messages as in webhooks: 64 bits of its labels.
_NAMED = re.compile(r"\bfingerprint\W{1,6}([0-9a-f]{16})\b", re.IGNORECASE)
ENOUGH = 8  # letters that tell one alert from another
# Words that stand above alerts of every kind: "New alert from Grafana".
_ABOVE_ALL = re.compile(
    r"an?|the|new|this|you|ha(?:ve|s)|been|[io]n|of|from|by|for|via|(?:alert|alarm|event)s?|issue"
    r"|incident|problem|notification|message|monitor(?:ing)?|triggered|prometheus|alertmanager"
    r"|grafana|datadog|pagerduty|opsgenie|zabbix|sentry|cloudwatch|nagios"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounded:
    """An alert: `fingerprints` are the same for its repeats and for its end.

    There is one, or one for each alert where the monitor names several. `thread` is where it
    stands, if it is a reply, which only an end can be.
    """

    channel: str
    ts: str
    thread: str | None
    bot: str
    name: str
    text: str
    fingerprints: tuple[str, ...]
    over: bool


def sounded(event: Mapping[str, Any], us: str) -> Sounded | None:
    """Return the alert in an event of Slack, null for what is none; `us` is our own bot's id.

    An edit counts only where it says that it is over, and so does a reply: monitors do both.
    """
    edited = event.get("subtype") == _EDITED
    message = event.get("message") if edited else event
    if not isinstance(message, Mapping) or message.get("subtype") not in _KINDS:
        return None
    bot, whole = str(message.get("bot_id") or ""), told_in(message)
    if not bot or bot == us or not whole.strip():
        return None
    first = _EMOJI.sub(" ", whole.strip()).strip().split("\n", 1)[0]
    over = _OVER.match(first) is not None
    thread = message.get("thread_ts")
    if (edited or thread) and not over:
        return None
    ts = str(message["ts"])
    profile = message.get("bot_profile") or {}
    return Sounded(
        channel=str(event["channel"]),
        ts=ts,
        thread=str(thread) if thread else None,
        bot=bot,
        name=str(message.get("username") or profile.get("name") or "a monitor"),
        text=clip(redact_text(whole), MOST_TEXT),  # half a secret would not be known for one
        fingerprints=_named(whole) or (fingerprint(whole),),
        over=over,
    )


def _named(text: str) -> tuple[str, ...]:
    """Return the fingerprints that a message names, in its order."""
    return tuple(dict.fromkeys(found.lower() for found in _NAMED.findall(text)))


def fingerprint(text: str) -> str:
    """Return what an alert and its repeats have in common: words, without amounts and times.

    The first lines tell, until they say enough; what follows changes from one repeat to the next.
    """
    same, telling = [], 0
    for line in map(_words, text.strip().split("\n")):
        same += line.split()
        telling += sum(len(word) for word in line.split() if not _ABOVE_ALL.fullmatch(word))
        if telling >= ENOUGH:
            break
    return f"slack:{sha256(' '.join(same).encode()).hexdigest()[:32]}"


def _words(line: str) -> str:
    plain = _MARK.sub(" ", _LINK.sub(" ", _EMOJI.sub(" ", line)))
    plain = _APART.sub(" ", _SAID.sub(" ", plain)).lower()
    kept = [token for token in _TOKEN.findall(plain) if not _AMOUNT.match(token)]
    same = ["-".join(p for p in token.split("-") if not _RANDOM.match(p)) for token in kept]
    return " ".join(word for word in same if word)
