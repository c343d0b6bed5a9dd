r"""Takes secrets and personal data out of text before it leaves a connector.

Each finding becomes `[redacted:class]`. The expressions run in Polars' regular-expression engine
(the Rust crate `regex`): linear time whatever the text, and whole columns at once. Rows that one
combined test finds clean, nearly all of them, are not touched again.

What it is and is not: a sieve for the common formats below; `python -m bench.redaction` measures
it. IP addresses stay, because a diagnosis needs them. A secret without a telling name or shape
passes. A private key that a logger has split over several rows is followed from row to row of its
instance. Redacting twice changes nothing.
"""

import re
from collections.abc import Callable

import polars as pl

# Columns that hold an identifier or one word of a closed vocabulary: nothing in them to find, and
# no chance taken with an id that looks like a card number.
_PLAIN = frozenset({"trace_id", "span_id", "parent_span_id", "kind", "status", "severity", "unit"})

_QUOTE = r"""\\*["']"""
_STRONG_KEY = (
    r"(?i:password|passwd|passphrase|pwd|secret|credentials?"
    r"|(?:api|access|account|auth|private|secret|shared|signing|encryption)[_.-]?key)"
)
_WEAK_KEY = r"(?i:token|jwt|session[_.-]?id)"
# `pass` alone is a word of every test's report: a key only behind what has a password, or as part
# of an environment variable.
_SHORT_KEY = (
    r"(?:(?i:db|database|sql|postgres|pg|mongo|redis|rabbit|amqp|ldap|smtp|imap|mail|ftp|ssh|http"
    r"|proxy|basic|auth|api|app|service|svc|client|server|user|usr|admin|root|login|account|sudo"
    r"|key|key[_.-]?store|store|trust[_.-]?store|registry|docker|git|vpn|wifi|bind|master)"
    r"(?i:[_.-]?pass)|[A-Z0-9]_PASS)"
)
# What may stand between the key and its sign: SECRET_KEY_BASE, PASSWORD_2.
_ENDING = (
    r"(?:[_.-]?(?i:base|confirm(?:ation)?|value|text|string|primary|secondary|old|new|current"
    r"|previous|prod(?:uction)?|stag(?:e|ing)|dev(?:elopment)?|test|live|[0-9]{1,3})){0,2}"
)
_STRONG_KEY = rf"(?:{_STRONG_KEY}|{_SHORT_KEY}){_ENDING}"
_WEAK_KEY = rf"{_WEAK_KEY}{_ENDING}"
_KEY = rf"(?:{_STRONG_KEY}|{_WEAK_KEY})"
_BARE = r"""[^\s"'&,;(){}\[\]<>\\]"""

_VENDOR_TOKENS = (
    r"(?-u:\b)(?:"
    r"gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_-]{20,64}"
    r"|xox[a-z]-[A-Za-z0-9-]{10,255}|xapp-[0-9]-[A-Za-z0-9-]{10,255}"
    r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,255}|whsec_[A-Za-z0-9+/=]{16,255}"
    r"|sk-[A-Za-z0-9_-]{20,255}"
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,64}"
    r"|npm_[A-Za-z0-9]{36}|do[opr]_v1_[a-f0-9]{64}|hvs\.[A-Za-z0-9_-]{24,255}"
    r"|SG\.[A-Za-z0-9_-]{16,64}\.[A-Za-z0-9_-]{16,64}"
    r"|pypi-AgE[A-Za-z0-9_-]{32,255}|hf_[A-Za-z0-9]{30,64}|dapi[a-f0-9]{32}|SK[a-f0-9]{32}"
    r"|key-[a-f0-9]{32}|gl(?:sa|c)_[A-Za-z0-9_=+/-]{32,255}|NRAK-[A-Z0-9]{27}"
    r"|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}|sq0[a-z]{3}-[A-Za-z0-9_-]{22,64}"
    r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}"
    r"|lin_api_[A-Za-z0-9]{32,64}|dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"
    r"|dp\.[a-z]{2,5}\.[A-Za-z0-9]{40,44}|AGE-SECRET-KEY-1[A-Z0-9]{58}|ATATT3[A-Za-z0-9_=-]{32,255}"
    r"|sntry[su]_[A-Za-z0-9_=+/-]{32,255}|rubygems_[a-f0-9]{48}|figd_[A-Za-z0-9_-]{32,64}"
    r"|pscale_[a-z]{2,5}_[A-Za-z0-9_.-]{32,64}|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"
    r"|hooks\.slack\.com/[a-z]{1,16}/[A-Za-z0-9/_-]{10,255})"
)

# (what it finds, what it becomes), in order: a later expression may swallow what an earlier one
# left, never the other way round.
_RULES: tuple[tuple[str, str], ...] = (
    (
        # No five dashes inside: else each of many beginnings would look for an end to the last.
        r"-----BEGIN [A-Z0-9 ]{1,40}-----(?:[^-]|-{1,4}[^-])*-----END [A-Z0-9 ]{1,40}-----"
        r"|-----BEGIN [A-Z0-9 ]{1,40}-----[A-Za-z0-9+/=\\\s]*",
        "[redacted:pem]",
    ),
    (r"""(://)[^\s/@"'<>]{1,256}@""", "${1}[redacted:credentials]@"),
    (
        rf"(?i)(authorization(?:{_QUOTE})?\s*[:=]\s*(?:\[?\s*{_QUOTE})?)"
        rf"(?:(?:bearer|basic|token|digest|apikey|negotiate)\s+{_BARE}+|{_BARE}{{16,}})",
        "${1}[redacted:authorization]",
    ),
    (
        r"(?i)((?-u:\b)(?:bearer|basic)\s+)[a-z._~+/-]{0,40}[0-9=][a-z0-9._~+/=-]{6,}",
        "${1}[redacted:authorization]",
    ),
    (r"(?-u:\b)eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,4}", "[redacted:jwt]"),
    (r"(?-u:\b)(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?-u:\b)", "[redacted:aws]"),
    (_VENDOR_TOKENS, "[redacted:token]"),
    (r"([?&;]sig=)[A-Za-z0-9%+/=_-]{20,}", "${1}[redacted:signature]"),
    (rf"({_QUOTE}auth{_QUOTE}\s*:\s*{_QUOTE})[A-Za-z0-9+/=]{{8,}}", "${1}[redacted:authorization]"),
    (
        rf"""(?i)((?:set-)?cookie(?:{_QUOTE})?\s*[:=]\s*(?:\[?\s*{_QUOTE})?)"""
        r"""(?:[a-z0-9_.$-]{1,64}=[^\s;"'\[]+(?:;\s*)?)+""",
        "${1}[redacted:cookie]",
    ),
    # "key": "value", also inside a JSON text that is itself quoted (\"key\": \"value\")
    (
        rf"(?s)({_KEY}(?:{_QUOTE})?\s*(?:=>|[:=])\s*(?:\[\s*)?\\+\")[^\"]*?(\\+\")",
        "${1}[redacted:secret]${2}",
    ),
    (
        rf"(?s)({_KEY}(?:{_QUOTE})?\s*(?:=>|[:=])\s*(?:\[\s*)?\")(?:[^\"\\]|\\.)+",
        "${1}[redacted:secret]",
    ),
    (
        rf"({_KEY}(?:{_QUOTE})?\s*(?:=>|[:=])\s*(?:\[\s*)?')[^']+",
        "${1}[redacted:secret]",
    ),
    # "key": value, where the replacement takes the key's kind of quotes to leave valid JSON
    (
        rf"""({_KEY}({_QUOTE})\s*:\s*){_BARE}+""",
        "${1}${2}[redacted:secret]${2}",
    ),
    (rf"({_KEY}\s*(?:=>|=|%3[dD])\s*){_BARE}+", "${1}[redacted:secret]"),
    (rf"({_STRONG_KEY}\s*:\s*){_BARE}{{4,}}", "${1}[redacted:secret]"),
    # a parser's "unexpected token: word" is no secret: here the value has to look like one
    (
        rf"({_WEAK_KEY}\s*:\s*)[A-Za-z_+/~.-]{{0,40}}[0-9][A-Za-z0-9_+/=~.-]{{7,}}",
        "${1}[redacted:secret]",
    ),
    # `pass` alone: in a query, before a quoted word, or before a word with a digit
    (rf"([?&](?i:pass)=){_BARE}+", "${1}[redacted:secret]"),
    (
        rf"((?-u:\b)(?i:pass)(?:{_QUOTE})?\s*[:=]\s*{_QUOTE})[^\s\"'\\\[]{{6,}}",
        "${1}[redacted:secret]",
    ),
    (
        rf"((?-u:\b)(?i:pass)\s*=\s*)[A-Za-z][A-Za-z_+/~.!@#$%^*-]{{2,40}}[0-9]{_BARE}*",
        "${1}[redacted:secret]",
    ),
    (
        r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}",
        "[redacted:email]",
    ),
)

# One row of a key: its base64, a header such as "Proc-Type: 4,ENCRYPTED", or its last line.
_KEY_OPENS = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----"
_OPENS_ONLY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----\s*\Z")
_KEY_LINE = re.compile(
    r"\s*(?:[A-Za-z0-9+/]{40,120}={0,2}|[A-Za-z0-9+/]{1,118}={1,2}"
    r"|(?:Proc-Type|DEK-Info): [^\n]{1,80}|-----END [A-Z0-9 ]{0,40}-----)\s*"
)
_LONGEST_KEY = 200  # rows
_GIVE_UP = _LONGEST_KEY // 3  # rows less for each that is no part of a key: after three it is over
_CARD_DIGITS = frozenset({15, 16, 19})
_JSON_BEFORE = frozenset({":", ",", "["})
_QUOTES = re.compile(r'\\*"')
_JSON_AFTER = frozenset({",", "]", "}"})
_CARD = (
    r"(?:^|[^A-Za-z0-9_.-])((?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|3[47][0-9]{2}|6[05][0-9]{2})"
    r"[ -]?[0-9]{4,6}[ -]?[0-9]{4,5}[ -]?[0-9]{0,4})(?-u:\b)"
)
_CARD_PYTHON = re.compile(_CARD.replace(r"(?-u:\b)", r"\b"))
# A flag and its value: --token abc, -password "a b", ["--api-key", "abc"].
_QUOTE_NEAR = r"""\\{0,8}["']"""  # bounded: Python looks for it anew at each backslash
_FLAG_NAME = rf"-{{1,2}}(?:[A-Za-z0-9_.-]*?{_KEY}|(?i:pass))"
_FLAG = (
    rf"((?:^|[\s=,;:(\[`])(?:{_QUOTE_NEAR})?{_FLAG_NAME}\s{{1,8}}"
    rf"|{_QUOTE_NEAR}{_FLAG_NAME}{_QUOTE_NEAR}\s{{0,8}},\s{{0,8}})"
    r"""(?:(\\{0,8}"[^"\\\s,:;\[\]}][^"\\]*|\\{0,8}'[^'\\\s,:;\[\]}][^'\\]*)"""
    rf"""|([^\s"'&,;(){{}}\[\]<>\\:=|-]{_BARE}*))"""
)
_FLAG_PYTHON = re.compile(_FLAG)
_LONG = 20_000  # bytes
_OPENS_QUOTE = re.compile(_QUOTE)
# What is said of a flag, and is no value: "--token is deprecated".
_OF_FLAGS = re.compile(
    r"(?i:a|also|an|and|are|argument|as|at|be|because|before|but|by|can|cannot|could|deprecated"
    r"|does|empty|expects|flag|for|from|given|had|has|if|ignored|in|instead|invalid|is|it"
    r"|may|missing|must|need|needed|needs|no|not|of|on|only|option|or|parameter|required"
    r"|requires|set|should|so|takes|than|that|the|then|this|to|twice|used|using|via|was"
    r"|were|when|where|which|will|with|without|would)[.:!?`]*"
)
# The one test of every row: the keys stand in it once and more widely than in the rules, for what
# many long expressions make of them together is slow.
_ANY_KEY = (
    r"(?i:pass|passw(?:or)?d|passphrase|pwd|secret|credentials?|key|token|jwt|session[_.-]?id)"
)
_SUSPECT = "|".join(
    f"(?:{pattern})"
    for pattern in (
        *(rule for rule, _ in _RULES if _WEAK_KEY not in rule and _STRONG_KEY not in rule),
        rf"{_ANY_KEY}{_ENDING}(?:{_QUOTE})?\s*(?:[:=]|%3[dD])",
        rf"""[\s=,;:(\["'`]-[A-Za-z0-9_.-]*{_ANY_KEY}|^-[A-Za-z0-9_.-]*{_ANY_KEY}""",
        _CARD,
    )
)


# What one replacement uncovers (a token that began where another ended) falls in the next pass.
_PASSES = 8


def redact_text(text: str) -> str:
    """Return `text` with each secret replaced by `[redacted:class]`."""
    cleaned: str = redact_series(pl.Series([text], dtype=pl.String))[0]
    return cleaned


class SplitKeys:
    """The private keys that have begun in rows of their own and may go on in the next frame."""

    def __init__(self) -> None:
        self._left: dict[tuple[object, ...], int] = {}  # rows that may still belong to a key

    def without(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Take out what follows the first line of a private key in rows of its own."""
        if "body" not in frame.columns:
            return frame
        if not self._left and not frame.get_column("body").str.contains(_KEY_OPENS).any():
            return frame
        body = frame.get_column("body").to_list()
        place = [c for c in ("service", "instance") if c in frame.columns]
        speakers = frame.select(place).rows() if place else [()] * len(body)
        left = self._left
        for number, (text, speaker) in enumerate(zip(body, speakers, strict=True)):
            if text is None:
                continue
            if _OPENS_ONLY.search(text):
                left[speaker] = _LONGEST_KEY
            elif speaker in left:
                inside = _KEY_LINE.fullmatch(text) is not None
                over = inside and "-----END" in text
                left[speaker] -= left[speaker] if over else 1 if inside else _GIVE_UP
                if inside:
                    body[number] = "[redacted:pem]"
                if left[speaker] <= 0:
                    del left[speaker]
        return frame.with_columns(pl.Series("body", body, dtype=pl.String))


def redact_frame(frame: pl.DataFrame, keys: SplitKeys | None = None) -> pl.DataFrame:
    """Return `frame` with its String columns redacted, ids and closed vocabularies apart.

    `keys` is what began in the frames before, where a stream comes in pieces; null: this is all.
    """
    frame = (keys or SplitKeys()).without(frame)
    texts = [column for column in frame if column.dtype == pl.String and column.name not in _PLAIN]
    if not texts:
        return frame
    # One test over all columns: most frames are clean, and small ones come often.
    suspects = _suspects(pl.concat([column.unique().alias("text") for column in texts]))
    if suspects.is_empty():
        return frame
    cleaned = _clean(suspects)
    return frame.with_columns(column.replace(suspects, cleaned) for column in texts)


def redact_series(column: pl.Series) -> pl.Series:
    """Return a String column redacted; the order, the name and nulls stay."""
    suspects = _suspects(column.unique())
    return column if suspects.is_empty() else column.replace(suspects, _clean(suspects))


def _suspects(texts: pl.Series) -> pl.Series:
    return texts.filter(texts.str.contains(_SUSPECT).fill_null(value=False)).unique()


def _clean(texts: pl.Series) -> pl.Series:
    for _ in range(_PASSES):
        before, texts = texts, _once(texts)
        if texts.equals(before):
            break
    return _without_flag_values(texts)


def _once(texts: pl.Series) -> pl.Series:
    for pattern, replacement in _RULES:
        texts = texts.str.replace_all(pattern, replacement)
    return _judged(texts, _CARD, _CARD_PYTHON, _card)


def _without_flag_values(texts: pl.Series) -> pl.Series:
    # In a long line what is said of a flag is taken for its value: to judge each takes too long.
    long = texts.str.len_bytes() > _LONG
    if long.any():
        bare = texts.filter(long)
        texts = texts.scatter(long.arg_true(), bare.str.replace_all(_FLAG, "${1}[redacted:secret]"))
    return _judged(texts, _FLAG, _FLAG_PYTHON, _flag) if not long.all() else texts


def _judged(
    texts: pl.Series,
    pattern: str,
    compiled: re.Pattern[str],
    judge: Callable[[re.Match[str]], str],
) -> pl.Series:
    """Replace what `pattern` finds by what `judge` makes of it, row by row, where there is any."""
    rows = texts.str.contains(pattern)
    if not rows.any():
        return texts
    return pl.Series(
        texts.name,
        [compiled.sub(judge, text) if row else text for text, row in zip(texts, rows, strict=True)],
        dtype=pl.String,
    )


def _flag(match: re.Match[str]) -> str:
    before, quoted, word = match.groups()
    if word is not None:
        return match[0] if _OF_FLAGS.fullmatch(word) else f"{before}[redacted:secret]"
    opens = _OPENS_QUOTE.match(quoted)
    return f"{before}{opens[0] if opens else ''}[redacted:secret]"


def _card(match: re.Match[str]) -> str:
    whole, number = match[0], match[1]
    digits = [int(character) for character in number if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    if len(digits) not in _CARD_DIGITS or (sum(digits[-1::-2]) + sum(doubled)) % 10:
        return whole
    before = match.string[: match.start(1)].rstrip()[-1:]
    after = match.string[match.end() :].lstrip()[:1]
    quote = ""
    if before in _JSON_BEFORE and after in _JSON_AFTER:
        # a bare number in JSON: what takes its place has to be a string, quoted as its key is
        quote = (_QUOTES.findall(match.string[: match.start(1)]) or [""])[-1]
    return f"{whole[: len(whole) - len(number)]}{quote}[redacted:card]{quote}"
