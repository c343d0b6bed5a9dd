"""A process that writes records until it may not any more, and says so with its exit status."""

import sys
import time
from pathlib import Path

from assistant.clock import SystemClock
from assistant.domain.events import Refused
from assistant.domain.people import FIRSTLINE
from assistant.journal.sql import SqlJournal
from assistant.store.database import open_database
from assistant.store.pen import Fenced, take

database = open_database(Path(sys.argv[1]))
journal = SqlJournal(database, SystemClock(), take(database))
give_up = time.monotonic() + 60
while time.monotonic() < give_up:
    try:
        journal.append("", FIRSTLINE, [Refused(by=FIRSTLINE, tried="write", why=sys.argv[2])])
    except Fenced:
        sys.exit(3)
    time.sleep(0.03)  # so that it is mostly paused where it holds no lock of SQLite's
