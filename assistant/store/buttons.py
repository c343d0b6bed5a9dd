"""What a button on a surface stands for, kept on our side under an unguessable token.

Only the token travels, so nobody can make a button that we did not make.
"""

import secrets
from typing import get_args

from assistant.commands import Pressable
from assistant.store.database import Database, StoreError
from assistant.store.tagged import Tagged, Unreadable

TOKEN_BYTES = 20  # 160 bits
COMMANDS: Tagged[Pressable] = Tagged(get_args(Pressable))


class Buttons:
    """Commands by token; the same command and incident always have the same one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def token(self, command: Pressable, incident: str) -> str:
        """Return the token of a command, made when it is asked for first; raises `StoreError`."""
        try:
            data = COMMANDS.encode(command)
        except Unreadable as error:
            raise StoreError(f"a button cannot be kept: {error}") from error
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO button (token, incident, command) VALUES (?, ?, ?) "
                "ON CONFLICT (incident, command) DO NOTHING",
                (secrets.token_hex(TOKEN_BYTES), incident, data),
            )
            (token,) = connection.execute(
                "SELECT token FROM button WHERE incident = ? AND command = ?", (incident, data)
            ).fetchone()
        return str(token)

    def command(self, token: str) -> Pressable | None:
        """Return what a token stands for, or null if we never made it; raises `StoreError`."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT command FROM button WHERE token = ?", (token,)
            ).fetchone()
        if row is None:
            return None
        try:
            return COMMANDS.decode(row[0])
        except Unreadable as error:
            raise StoreError(f"a button of this incident cannot be read: {error}") from error
