"""The tables, as steps from one schema version to the next.

Step n (from 1) leads to version n; a step that was released is never changed again. What happened
is in `entry` (hash-chained envelopes) and `payload`; neither can be changed through SQL as long as
its triggers stand, but that what `redacted` names may leave `payload`. The incident of an entry is
read from its envelope, so it cannot disagree.
"""

_ENTRY = """
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY,
    env BLOB NOT NULL,
    h BLOB NOT NULL,
    incident TEXT GENERATED ALWAYS AS (
        CASE WHEN json_valid(CAST(env AS TEXT))
        THEN json_extract(CAST(env AS TEXT), '$.incident') END
    ) VIRTUAL
)
"""
_PAYLOAD = """
CREATE TABLE payload (
    seq INTEGER PRIMARY KEY REFERENCES entry (seq),
    salt BLOB NOT NULL,
    body BLOB NOT NULL
)
"""
_INTENT = """
CREATE TABLE intent (
    request TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES entry (seq)
)
"""
_REDACTED = """
CREATE TABLE redacted (
    seq INTEGER PRIMARY KEY REFERENCES entry (seq),
    by INTEGER NOT NULL REFERENCES entry (seq)
)
"""
REDACTED = 3  # the version that brought it
_BUTTON = """
CREATE TABLE button (
    token TEXT PRIMARY KEY,
    incident TEXT NOT NULL,
    command BLOB NOT NULL,
    UNIQUE (incident, command)
)
"""
_INBOX = "CREATE TABLE inbox (key TEXT PRIMARY KEY, at TEXT NOT NULL, body BLOB)"
_MESSAGE = """
CREATE TABLE message (
    slot TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    ts TEXT,
    thread TEXT,
    digest TEXT NOT NULL,
    state TEXT NOT NULL
)
"""


def _guards(table: str) -> tuple[str, str]:
    """Return triggers that refuse to change or remove what was written."""
    return (
        f"CREATE TRIGGER {table}_unchanged BEFORE UPDATE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'what was written to {table} is never changed'); END",
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'what was written to {table} is never removed'); END",
    )


MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _ENTRY,
        "CREATE INDEX entry_incident ON entry (incident)",
        _PAYLOAD,
        _INTENT,
        *_guards("entry"),
        *_guards("payload"),
        *_guards("intent"),
        _BUTTON,
        _INBOX,
        _MESSAGE,
    ),
    (
        "CREATE TABLE pen (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL)",
        "INSERT INTO pen VALUES (1, 0)",
    ),
    (
        _REDACTED,
        *_guards("redacted"),
        "DROP TRIGGER payload_kept",
        "CREATE TRIGGER payload_kept BEFORE DELETE ON payload "
        "WHEN NOT EXISTS (SELECT 1 FROM redacted WHERE seq = old.seq) "
        "BEGIN SELECT RAISE(ABORT, "
        "'what was written to payload is never removed, only redacted'); END",
    ),
)


def missing(version: int) -> tuple[str, ...]:
    """Return what makes a database of an earlier version readable: tables that it has not, empty.

    Who only reads may not bring the file up to date; a temporary table lies outside of it.
    """
    return (_REDACTED.replace("CREATE TABLE", "CREATE TEMP TABLE"),) if version < REDACTED else ()
