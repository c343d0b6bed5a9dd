"""How fast lines are redacted: `python -m bench.redaction [DIR…]`.

Lines a second of one core's CPU time, over the log lines of recordings (without any: lines made up
here), beside a pass that only asks each line for its length; and the slowest of lines that are made
to be slow.
"""

import argparse
import random
import time
from pathlib import Path

import polars as pl

from connectors.redact import redact_series

LENGTH = 200_000
COUNT = 100_000


def hostile() -> dict[str, str]:
    """Return long lines in which an expression could lose itself."""
    return {
        "a": "a" * LENGTH,
        "quotes": '\\"' * (LENGTH // 2),
        "keys": "password=" * (LENGTH // 9),
        "flags": "--token abc " * (LENGTH // 12),
        "begins": "-----BEGIN RSA PRIVATE KEY-----" * (LENGTH // 31),
        "cookies": "cookie: " + "a=b; " * (LENGTH // 5),
        "addresses": "a@" * (LENGTH // 2),
        "digits": "4" * LENGTH,
        "braces": "{" * LENGTH,
        "tokens": "eyJ" * (LENGTH // 3),
    }


def lines(folders: list[Path]) -> pl.Series:
    """Return the log lines of recordings, or made-up ones."""
    if folders:
        return pl.concat([pl.read_parquet(f / "logs.parquet").get_column("body") for f in folders])
    rng = random.Random(1)
    words = ("order", "stored", "for", "user", "after", "retry", "from", "cache", "with", "status")
    return pl.Series(
        [f"{rng.choice(words)} {' '.join(rng.choices(words, k=12))} {n}" for n in range(COUNT)]
    )


def cpu(work: object, column: pl.Series) -> float:
    """Return the CPU seconds of one pass."""
    began = time.process_time()
    work(column)  # type: ignore[operator]
    return time.process_time() - began


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="recordings")
    column = lines(parser.parse_args().folders)
    took = min(cpu(redact_series, column) for _ in range(3))
    bare = min(cpu(lambda c: c.str.len_chars(), column) for _ in range(3))
    print(f"{column.len()} lines: {column.len() / took:,.0f} a second of CPU, bare {bare:.3f} s")
    worst = {
        n: min(cpu(redact_series, pl.Series([t])) for _ in range(3)) for n, t in hostile().items()
    }
    name = max(worst, key=worst.__getitem__)
    print(f"slowest line of {LENGTH:,} characters: {name}, {worst[name] * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
