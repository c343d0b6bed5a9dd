"""CPU that is burnt inside one instance, so that it and nothing else becomes slow.

A spinning thread takes the interpreter lock each time the event loop gives it up, and with a raised
switch interval it keeps it for that long: every turn of the loop waits.
"""

import sys
import threading


class Burner:
    """Spins until the process is told to end; a restarted instance is well again."""

    def __init__(self) -> None:
        self._usual_s = sys.getswitchinterval()
        self._spins = False

    def start(self, *, switch_ms: float) -> None:
        """Begin to spin, in one thread however often it is called."""
        sys.setswitchinterval(switch_ms / 1000)
        if not self._spins:
            self._spins = True
            threading.Thread(target=self._spin, daemon=True).start()

    def stop(self) -> None:
        self._spins = False
        sys.setswitchinterval(self._usual_s)

    def _spin(self) -> None:
        number = 1
        while self._spins:
            number = number * 1103515245 % 2147483648 + 12345
