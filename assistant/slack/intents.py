"""What a person means by a message, decided from its words alone."""

import re
from dataclasses import dataclass

HELP = """Mention me with what you see, for example "logins fail since 14:02".
In an incident's thread, mention me (or begin with ignore, not, look at, since, rule out) to say \
what to consider.
"stop" in an incident's thread cancels what is under way there, "go on" looks again.
"status" lists open incidents; "close", "reopen" work in an incident's thread; "freeze" stops all \
actions, "thaw" lets them go on."""
_STEERING = re.compile(r"^(ignore|not|look at|since|rule out)\b", re.IGNORECASE)
# These words are commands only alone or with a reason, so that a sentence is never taken for one.
_WORD = re.compile(
    r"^(?P<word>help|status|stop|go on|close|reopen|freeze|thaw)"
    r"(?:\s*[:,–—-]\s*(?P<reason>.+)|[.!?]?)$",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """`word` is help, status, stop, go on, close, reopen, freeze, thaw; tell for anything else."""

    word: str
    text: str


def steers(text: str) -> bool:
    """Tell whether words in a thread are clearly meant for us although nobody mentions us."""
    return _STEERING.match(text) is not None


def intent(text: str) -> Intent:
    """Return what is meant by words that are addressed to us."""
    if not text:
        return Intent(word="help", text="")
    found = _WORD.match(text)
    if found is None:
        return Intent(word="tell", text=text)
    return Intent(word=found["word"].lower(), text=(found["reason"] or "").strip())
