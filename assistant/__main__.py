"""Where `firstline` begins: nothing is imported before an interruption would end it cleanly."""

import io
import os
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line; what cannot be written, because of its letters or its reader, is not.

    Nobody is told that a reader of our output has gone: `head` has seen enough.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        from assistant.cli.line import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        sys.stderr.write("firstline: stopped\n")
        sys.exit(INTERRUPTED)
    finally:
        for stream in (sys.__stdout__, sys.__stderr__):
            _finish(stream)


def _finish(stream: object) -> None:
    """Write what is left; where nobody reads it, let the end of Python find nothing to say."""
    if not isinstance(stream, io.TextIOWrapper):
        return
    try:
        stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


if __name__ == "__main__":
    main()
