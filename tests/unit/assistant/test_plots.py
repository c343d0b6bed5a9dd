"""The picture of the evidence: it can be read, it says the numbers, and no name can break it."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from assistant.engine.series import Mark, Series
from assistant.plots import png

T0 = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
ONSET = T0 + timedelta(minutes=20)
ALT = "Line chart of E1: mean time of requests to front POST /book, 38 ms before, 412 ms after."
BLUE, VERMILION = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)
HOSTILE = {
    "mathematics": r"$\frac{",
    "markup": r"$x_1$ ^ \alpha {",
    "long": "n" * 10_000,
    "emoji": "😀 👩‍👩‍👧",
    "bidi": "a\u202egnp.exe\u2066",
    "nul": "a\x00b\x1b[31m",
    "surrogate": "\ud800",
    "unassigned": "\U0010ffff\u0378",
    "nothing": "",
}


def series(**more):
    fields = {
        "evidence": "E1",
        "title": "mean time of requests to front POST /book",
        "unit": "ms",
        "times": tuple(T0 + timedelta(seconds=15 * i) for i in range(120)),
        "values": tuple(38.0 if i < 80 else 412.0 for i in range(120)),
        "step_s": 15,
        "before": 38.0,
        "after": 412.0,
        "onset": ONSET,
        "marks": (
            Mark(at=ONSET - timedelta(seconds=20), label="deploy b-42", blamed=True, evidence="E7"),
            Mark(at=T0, label="flag f-1", blamed=False, evidence="E8"),
        ),
        "alt": ALT,
    }
    return Series(**{**fields, **more})


def opened(image):
    return Image.open(io.BytesIO(image))


def coloured(image, colour):
    """Return the columns in which a colour is seen."""
    pixels = np.asarray(opened(image).convert("RGB")).astype(int)
    near = (np.abs(pixels - np.array(colour)) < 24).all(axis=2)
    return np.flatnonzero(near.any(axis=0))


@pytest.mark.parametrize("count", [1, 2])
def test_the_picture_is_twice_as_wide_as_high_and_carries_its_sentences(count):
    image = opened(png(*[series()] * count))
    image.load()
    assert image.format == "PNG"
    assert image.size == (1800, 900)
    assert image.info["Description"] == " ".join([ALT] * count)
    assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_the_blamed_change_has_a_colour_of_its_own():
    innocent = tuple(replace(m, blamed=False) for m in series().marks)
    assert coloured(png(series()), VERMILION).size > 0
    assert coloured(png(series(marks=innocent)), VERMILION).size == 0


def test_the_line_goes_from_the_first_point_to_the_last():
    columns = coloured(png(series(evidence="")), BLUE)
    assert columns.max() - columns.min() > 0.7 * 1800


def test_the_same_series_give_the_same_bytes_whatever_the_settings():
    first = png(series(), series(unit="share"))
    with mpl.rc_context({"text.usetex": True, "font.size": 40, "savefig.dpi": 30}):
        assert png(series(), series(unit="share")) == first
    assert b"matplotlib" not in first


def test_other_numbers_make_another_picture():
    assert png(series()) != png(series(after=413.0))


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_no_name_breaks_the_picture(name):
    marks = tuple(replace(m, label=name) for m in series().marks)
    drawn = series(evidence=name, title=name, unit=name, alt=name, marks=marks)
    image = opened(png(drawn, series()))
    image.load()
    assert image.size == (1800, 900)


@pytest.mark.parametrize(
    "more",
    [
        {"onset": None, "marks": ()},
        {"before": None, "after": None},
        {"values": (0.0,) * 120, "before": 0.0, "after": 0.0},
        {"times": (ONSET,), "values": (1e15,), "unit": "By", "marks": ()},
        {"times": (T0, T0 + timedelta(days=2)), "values": (-1.0, 2.0)},
    ],
    ids=["no onset", "no levels", "all zero", "one point", "two days"],
)
def test_a_picture_is_made_of_whatever_was_measured(more):
    assert opened(png(series(**more))).size == (1800, 900)


def test_nothing_cannot_be_drawn():
    with pytest.raises(ValueError, match="nothing to draw"):
        png()
