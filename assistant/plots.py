"""The evidence as a picture: before and after, the onset, and the changes, for people on call.

Everything is said directly in the picture (no legend), in colours that colour-blind people can tell
apart. Names come from telemetry and are data: cut to a length, and never read as mathematics.
"""

import io
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from assistant.engine.series import Series, shown
from assistant.engine.wording import BARE, number

# Inches from the lower left corner, at DPI points an inch: 1800 by 900 points.
WIDTH, HEIGHT, DPI = 12.0, 6.0, 150
LEFT, RIGHT, TOP, FOOT = 1.2, 1.2, 0.1, 0.8
TITLE, ROW, GAP, PAD = 0.44, 0.32, 0.14, 0.08
TITLE_PT, TEXT_PT, SMALL_PT = 15.0, 13.0, 11.0
INK, GREY, RULE, PAPER = "#1a1a1a", "#666666", "#dddddd", "#ffffff"
LINE, BLAMED, SINCE = "#0072b2", "#d55e00", "#f4f4f4"  # Okabe and Ito's blue and vermilion
TITLE_MOST, LABEL_MOST, ID_MOST, ALT_MOST = 120, 60, 6, 4000  # characters
AXIS = {"share": (100.0, "%"), "By": (1 / 1_048_576, "MiB"), "bytes": (1 / 1_048_576, "MiB")}
TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
UNIT_MOST = 5  # characters; a longer one stands in the title
FEW_POINTS = 60  # up to which each has a dot that is seen
MOST_TICKS, MINUTE_S = 8, 60
LABEL_SHARE = 0.2  # of the width, which the words of a level may take
BROKEN_AFTER = 3  # steps without a measurement, from which the line is interrupted
NO_GLYPH = "□"

# The library keeps its settings for the whole process.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    colour: str
    dashes: Literal["-"] | tuple[float, tuple[float, ...]] = "-"
    bold: bool = True


ONSET, TO_BLAME = _Look(colour=INK), _Look(colour=BLAMED)
INNOCENT = _Look(colour=GREY, dashes=(0, (1.5, 2)), bold=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """A vertical line with its words, at `x` inches from the left."""

    x: float
    label: str
    look: _Look


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """An event whose words stand in `row` (0 is just above the panel), from `left` to `right`."""

    event: _Event
    row: int
    left: float
    right: float


def png(*series: Series) -> bytes:
    """Return series as a PNG, one above the other, with their sentences in its description.

    The same series give the same bytes, whatever settings of the library a person has. Raises
    `ValueError` for no series.
    """
    if not series:
        raise ValueError("there is nothing to draw")
    plain = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}
    out = io.BytesIO()
    with _one_at_a_time, mpl.rc_context(plain):
        picture = _Picture(series)
        picture.draw()
        said = shown(" ".join(s.alt for s in series), ALT_MOST)
        # The library would write its version, and the bytes would change with it.
        picture.figure.savefig(out, format="png", metadata={"Software": None, "Description": said})
    return out.getvalue()


class _Picture:
    """One canvas and what its panels share: the stretch of time, the events, the fonts."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.series = series
        self.figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor=PAPER)
        FigureCanvasAgg(self.figure)  # draws in memory: no window, nothing shared with others
        fonts = Path(mpl.get_data_path(), "fonts", "ttf")
        self.glyphs = FT2Font(str(fonts / "DejaVuSans.ttf"))
        self.font = FontProperties(fname=fonts / "DejaVuSans.ttf")
        self.bold = FontProperties(fname=fonts / "DejaVuSans-Bold.ttf")
        moments = [t for s in series for t in s.times]
        moments += [m.at for s in series for m in s.marks]
        moments += [s.onset for s in series if s.onset is not None]
        half = timedelta(seconds=max(s.step_s for s in series) / 2)
        self.start, self.end = min(moments) - half, max(moments) + half

    def draw(self) -> None:
        """Draw the events above the first panel, and every panel under its title."""
        placed = self._placed(self._events(self.series[0]))
        strip = ROW * (1 + max((p.row for p in placed), default=-1))
        count = len(self.series)
        height = (HEIGHT - TOP - strip - FOOT - count * TITLE - (count - 1) * GAP) / count
        top = HEIGHT - TOP
        for place, series in enumerate(self.series):
            self._title(series, top)
            top -= TITLE
            if place == 0:
                top -= strip
                for p in placed:
                    self._name(p, top)
            self._panel(series, top - height, height, placed, lowest=place == count - 1)
            top -= height + GAP
        each = " and ".join(dict.fromkeys(_length(s.step_s) for s in self.series))
        foot = f"{self.start:%d %b %Y}, times in UTC; one point is {each}"
        self._text(LEFT, 0.14, foot, size=SMALL_PT, colour=GREY)

    def _since(self, moment: datetime) -> float:
        return (moment - self.start).total_seconds()

    def _x(self, moment: datetime) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * self._since(moment) / self._since(self.end)

    def _text(
        self, x: float, y: float, words: str, *, size: float, colour: str = INK, bold: bool = False
    ) -> Text:
        return self.figure.text(
            x / WIDTH,
            y / HEIGHT,
            self._printable(words),
            fontproperties=self.bold if bold else self.font,
            fontsize=size,
            color=colour,
            va="baseline",
            parse_math=False,
        )

    def _printable(self, words: str) -> str:
        """Return the words with a box for each character that the font cannot show."""
        return "".join(c if self.glyphs.get_char_index(ord(c)) else NO_GLYPH for c in words)

    def _wide(self, text: Text) -> float:
        return float(text.get_window_extent().width) / DPI

    def _title(self, series: Series, top: float) -> None:
        base = top - 0.3
        record = shown(series.evidence, ID_MOST)
        head = self._text(PAD * 2, base, record, size=TITLE_PT, colour=LINE, bold=True)
        x = max(LEFT, 3 * PAD + self._wide(head))
        space, most = WIDTH - PAD - x, TITLE_MOST
        _, unit = _axis(series.unit)
        title = series.title if len(unit) <= UNIT_MOST else f"{series.title} ({unit})"
        text = self._text(x, base, shown(title, most), size=TITLE_PT)
        while (wide := self._wide(text)) > space and most > 1:
            most = max(1, min(most - 1, int(most * space / wide)))
            text.set_text(self._printable(shown(title, most)))

    def _events(self, series: Series) -> list[_Event]:
        events = []
        if series.onset is not None:
            label = f"onset {series.onset:%H:%M:%S}"
            events.append(_Event(x=self._x(series.onset), label=label, look=ONSET))
        for mark in series.marks:
            word, look = ("blamed", TO_BLAME) if mark.blamed else ("not blamed", INNOCENT)
            label = f"{word} {mark.at:%H:%M:%S} {shown(mark.label, LABEL_MOST)}"
            events.append(_Event(x=self._x(mark.at), label=label, look=look))
        return events

    def _placed(self, events: Sequence[_Event]) -> list[_Placed]:
        """Give the words of each event a row in which they meet no other words and no line.

        What came before the onset has its words on the left of its line, the rest on the right,
        where there is room. Lines nearer to the onset reach higher, and pass beside the words.
        """
        turn = next((e.x for e in events if e.look is ONSET), WIDTH)
        sides: dict[_Event, tuple[float, float]] = {}
        for event in events:
            wide = self._measured(event)
            left, right = event.x - PAD - wide, event.x + PAD
            before = event.look is not ONSET and event.x <= turn
            if (before and left >= PAD) or right + wide > WIDTH - PAD:
                sides[event] = (max(PAD, left), max(PAD, left) + wide)
            else:
                sides[event] = (right, right + wide)
        placed: list[_Placed] = []
        for event in sorted(events, key=lambda e: -abs(e.x - turn)):
            left, right = sides[event]
            met = [
                p.row
                for p in placed
                if (p.left - PAD < right and left < p.right + PAD)
                or left - PAD < p.event.x < right + PAD
            ]
            placed.append(
                _Placed(event=event, row=max(met, default=-1) + 1, left=left, right=right)
            )
        return placed

    def _measured(self, event: _Event) -> float:
        text = self._text(0, 0, event.label, size=TEXT_PT, bold=event.look.bold)
        wide = self._wide(text)
        text.remove()
        return wide

    def _name(self, placed: _Placed, base: float) -> None:
        """Draw an event's words, and its line from the panel's top (`base`) up to them."""
        event, bottom = placed.event, base + placed.row * ROW
        text = self._text(placed.left, bottom + 0.09, event.label, size=TEXT_PT,
                          colour=event.look.colour, bold=event.look.bold)  # fmt: skip
        text.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 1.0})
        self.figure.add_artist(
            Line2D(
                [event.x / WIDTH] * 2,
                [base / HEIGHT, (bottom + ROW - 0.05) / HEIGHT],
                color=event.look.colour,
                linestyle=event.look.dashes,
                linewidth=1.8,
            )
        )

    def _panel(
        self,
        series: Series,
        bottom: float,
        height: float,
        placed: Sequence[_Placed],
        *,
        lowest: bool,
    ) -> None:
        wide = WIDTH - LEFT - RIGHT
        axes = self.figure.add_axes(
            (LEFT / WIDTH, bottom / HEIGHT, wide / WIDTH, height / HEIGHT), facecolor="none"
        )
        total = self._since(self.end)
        axes.set_xlim(0, total)
        if series.onset is not None:
            axes.axvspan(self._since(series.onset), total, color=SINCE, linewidth=0, zorder=0)
        for p in placed:
            at = (p.event.x - LEFT) / wide * total
            axes.axvline(
                at,
                color=p.event.look.colour,
                linestyle=p.event.look.dashes,
                linewidth=1.8,
                zorder=2,
            )
        self._values(axes, series)
        self._levels(axes, series, total)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(GREY)
        self._times(axes, total, lowest=lowest)

    def _values(self, axes: Axes, series: Series) -> None:
        scale, unit = _axis(series.unit)
        times, values = _interrupted(
            [self._since(t) for t in series.times], series.values, BROKEN_AFTER * series.step_s
        )
        axes.plot(times, [v * scale for v in values], color=LINE, linewidth=2.4, marker="o",
                  markersize=4 if len(times) <= FEW_POINTS else 2, zorder=4)  # fmt: skip
        told = [v * scale for v in (*series.values, series.before, series.after) if v is not None]
        low, high = min([0.0, *told]), max([0.0, *told])
        high = high if high > low else low + 1.0
        axes.set_ylim(low, high + 0.2 * (high - low))
        ticks = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        ticks = [t for t in ticks if low <= t <= high + 0.2 * (high - low)]
        unit = unit if len(unit) <= UNIT_MOST else ""
        labels = [self._printable(f"{t:.10g} {unit}".strip()) for t in ticks]
        axes.set_yticks(ticks, labels, fontproperties=self.font, fontsize=TEXT_PT, color=GREY,
                        parse_math=False)  # fmt: skip
        axes.tick_params(axis="y", length=0, pad=6)
        axes.grid(visible=True, axis="y", color=RULE, linewidth=0.8, zorder=1)
        axes.set_axisbelow(True)

    def _levels(self, axes: Axes, series: Series, total: float) -> None:
        """Draw the record's own figures as dashed lines, each over the time that it is about."""
        scale, unit = _axis(series.unit)
        turn = (0.0, total)
        if series.onset is not None:
            turn = (self._since(series.onset),) * 2
        for word, value, first, last in (
            ("before", series.before, 0.0, turn[1]),
            ("after", series.after, turn[0], total),
        ):
            if value is None:
                continue
            level = value * scale
            axes.hlines(level, first, last, color=INK, linestyle=(0, (5, 3)), linewidth=1.6,
                        zorder=5)  # fmt: skip
            said = self._printable(number(value, series.unit if len(unit) <= UNIT_MOST else ""))
            early = word == "before"
            axes.annotate(
                f"{word} {said}" if early else f"{word}\n{said}",
                (0.0, self._clear_of(series, total, value) * scale) if early else (total, level),
                xytext=(6 if early else 8, 5 if early else 0),
                textcoords="offset points",
                va="bottom" if early else "center",
                fontproperties=self.bold,
                fontsize=TEXT_PT,
                color=INK,
                parse_math=False,
                zorder=6,
            )

    def _clear_of(self, series: Series, total: float, level: float) -> float:
        """Return a height at which words at the left end cover no measurement."""
        near = total * LABEL_SHARE
        under = zip(series.times, series.values, strict=True)
        return max([level, *(v for t, v in under if self._since(t) < near)])

    def _times(self, axes: Axes, total: float, *, lowest: bool) -> None:
        step = next((s for s in TICKS_S if total / s <= MOST_TICKS), TICKS_S[-1])
        midnight = self.start.replace(hour=0, minute=0, second=0, microsecond=0)
        offset = (self.start - midnight).total_seconds()
        first, last = math.ceil(offset / step), int((offset + total) // step)
        ticks = [k * step - offset for k in range(first, last + 1)]
        form = "%H:%M" if step >= MINUTE_S else "%H:%M:%S"
        labels = [(self.start + timedelta(seconds=t)).strftime(form) for t in ticks]
        axes.set_xticks(ticks, labels if lowest else [], fontproperties=self.font,
                        fontsize=TEXT_PT, color=GREY)  # fmt: skip
        axes.tick_params(axis="x", color=GREY, length=5 if lowest else 0, pad=5)


def _axis(unit: str) -> tuple[float, str]:
    """Return what a unit is multiplied with to be read, and how it is then called."""
    scale, name = AXIS.get(unit, (1.0, unit.strip("{}")))
    return scale, "" if name in BARE else shown(name)


def _interrupted(
    times: Sequence[float], values: Sequence[float], longest: float
) -> tuple[list[float], list[float]]:
    """Return the points with a hole where nothing was measured for longer than `longest` s."""
    out: tuple[list[float], list[float]] = ([], [])
    for time, value in zip(times, values, strict=True):
        if out[0] and time - out[0][-1] > longest:
            out[0].append(time)
            out[1].append(math.nan)
        out[0].append(time)
        out[1].append(value)
    return out


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < MINUTE_S else f"{seconds // MINUTE_S} min"
