"""What a person means by a message, decided from its words alone."""

import re
from dataclasses import dataclass

HELP = """Mention me with what you see, for example "logins fail since 14:02".
In an incident's thread, mention me (or begin with ignore, not, look at, since, rule out) to say \
what to consider.
"stop" in an incident's thread cancels what is under way there, "go on" looks again.
"status" lists open incidents; "close", "reopen" work in an incident's thread; "freeze" stops all \
actions, "thaw" lets them go on. "channel" gives the incident of a thread a channel of its own.
/firstline help says what can be typed without me."""
SLASH_HELP = """/firstline declare WHAT: open an incident; without words a form asks
/firstline investigate WHAT: ask what is wrong
/firstline status: the open incidents
/firstline postmortem: the account of this channel's incident, to look at before it is posted
/firstline help: these lines"""
_SLASH = ("declare", "investigate", "status", "postmortem", "help")
_STEERING = re.compile(r"^(ignore|not|look at|since|rule out)\b", re.IGNORECASE)
# These words are commands only alone, with what means nothing more, or with a reason, so that a
# sentence is never taken for one.
_WORD = re.compile(
    r"^(?:please,?\s+)?(?P<word>help|status|stop|go on|close|reopen|freeze|thaw|channel)"
    r"(?:,?\s+(?:please|now|it|this|me|all|actions|everything|immediately|again))*"
    r"(?:\s*[:,–—-]\s*(?P<reason>.+)|[.!?]*)$",
    re.IGNORECASE | re.DOTALL,
)
_POLITE = re.compile(
    r"^(?:thanks|thank you|thx|ty|hi|hello|hey|ok|okay|great|nice|cool|good (?:morning|job))"
    r"(?:,?\s+(?:so much|very much|a lot|there|all|again))?[.!]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """`word` is help, status, stop, go on, close, reopen, freeze, thaw, channel, or else tell."""

    word: str
    text: str


def steers(text: str) -> bool:
    """Tell whether words in a thread are clearly meant for us although nobody mentions us."""
    return _STEERING.match(text) is not None


def intent(text: str) -> Intent:
    """Return what is meant by words that are addressed to us."""
    if not text or _POLITE.match(text):  # nobody who says thanks opens an incident
        return Intent(word="help", text="")
    found = _WORD.match(text)
    if found is None:
        return Intent(word="tell", text=text)
    return Intent(word=found["word"].lower(), text=(found["reason"] or "").strip())


def slash(text: str) -> Intent:
    """Return what is meant by the words after /firstline.

    `word` is one of its sub-commands, or unknown with the first word as `text`.
    """
    first, *rest = text.split(maxsplit=1) or ("help",)
    word = first.lower()
    if word not in _SLASH:
        return Intent(word="unknown", text=first)
    return Intent(word=word, text=rest[0].strip() if rest else "")
