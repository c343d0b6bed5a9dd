"""What came in, on disk before it is acknowledged, so that a crash loses nothing.

Senders repeat themselves: a key that was claimed once is never claimed again.
"""

from datetime import UTC, datetime

from assistant.store.database import Database


class Inbox:
    """Deliveries by the sender's key for them (a Slack event id, an alert's delivery id)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, key: str, body: bytes, now: datetime) -> bool:
        """Keep a delivery; false if its key was claimed before. Raises `StoreError`."""
        with self._database.transaction() as connection:
            claimed = connection.execute(
                "INSERT INTO inbox (key, at, body) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING",
                (key, now.astimezone(UTC).isoformat(), body),
            )
            return claimed.rowcount == 1

    def done(self, key: str) -> None:
        """Forget the body of a delivery that was dealt with; its key stays claimed."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE inbox SET body = NULL WHERE key = ?", (key,))

    def unfinished(self) -> list[tuple[str, bytes]]:
        """Return key and body of everything that is not done, the oldest first."""
        with self._database.reading() as connection:
            return connection.execute(
                "SELECT key, body FROM inbox WHERE body IS NOT NULL ORDER BY rowid"
            ).fetchall()
