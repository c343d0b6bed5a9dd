"""Where the policy comes from: the team's file, or the one that is shipped."""

from collections.abc import Callable
from functools import lru_cache, partial
from importlib.resources import files
from pathlib import Path

from assistant.policy.rules import Bundle, PolicyError, parse

# The file is read for each decision; rules that are the same need not be compiled again.
_parsed = lru_cache(maxsize=8)(parse)

SHIPPED, SHIPPED_CASES = "default.yaml", "default.cases.yaml"


def reader(path: Path | None) -> Callable[[], Bundle]:
    """Return what reads the policy anew each time; it raises `PolicyError`.

    A policy that was made stricter, or broken, counts from that moment on, also for what was
    approved before.
    """
    return shipped if path is None else partial(_read, path)


def shipped() -> Bundle:
    """Return the policy of a team that has written none."""
    return _parsed(shipped_text(SHIPPED), SHIPPED)


def shipped_text(name: str) -> str:
    """Return a file that comes with this package."""
    return files(__package__).joinpath(name).read_text("utf-8")


def read_text(path: Path) -> str:
    """Return a file's text; raises `PolicyError`."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise PolicyError(f"{path} cannot be read: {reason}.") from None


def _read(path: Path) -> Bundle:
    return _parsed(read_text(path), str(path))
