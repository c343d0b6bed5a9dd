"""How much is found of what nobody may see, and how much is taken that anybody may."""

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from secrets_corpus import corpus

from connectors.redact import redact_series

SHARED = Path(__file__).parents[3] / "shared" / "data"
LINES = sorted(SHARED.glob("train-ticket-*/logs.parquet"))
LEGIT = r"eyJ[A-Za-z0-9_-]{8,}|@"  # tokens and addresses that real programs have logged


def test_nearly_all_secrets_of_every_class_are_found():
    secrets = corpus()
    told = redact_series(pl.Series([s.line for s in secrets]))
    missed = Counter(s.kind for s, t in zip(secrets, told, strict=True) if s.value in t)
    assert len(secrets) >= 500
    assert len({s.kind for s in secrets}) >= 20
    assert missed.total() <= 0.01 * len(secrets), missed


def test_another_draw_of_secrets_is_found_as_well():
    secrets = corpus(seed=7, each=40)
    told = redact_series(pl.Series([s.line for s in secrets]))
    missed = Counter(s.kind for s, t in zip(secrets, told, strict=True) if s.value in t)
    assert missed.total() <= 0.01 * len(secrets), missed


@pytest.mark.skipif(not LINES, reason="../shared is absent")
@pytest.mark.parametrize("file", LINES, ids=lambda f: f.parent.name)
def test_real_lines_without_secrets_stay_as_they_are(file):
    lines = pl.read_parquet(file).get_column("body")
    clean = lines.filter(~lines.str.contains(LEGIT))
    assert (redact_series(clean) != clean).sum() <= 0.001 * clean.len()
