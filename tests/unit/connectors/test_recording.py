"""Recordings: asked like a live backend, dirty as real data are, refused in one sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.api import SPANS, Ask, Capability, Change, Page, Window
from connectors.errors import DeadlineExceeded, Rejected
from connectors.recording import build, open_recording, write_recording

Minute = Callable[[float], datetime]


async def answer(folder: Path, ask: Ask) -> Page:
    connector = build({"path": str(folder)})
    (page,) = [page async for page in connector.fetch(ask)]
    return page


def everything(capability: Capability, hour: Window) -> Ask:
    return Ask(capability=capability, window=hour)


async def test_what_was_written_is_read_back(
    recorded: Path, hour: Window, spans: pl.DataFrame, metrics: pl.DataFrame
):
    opened = open_recording(recorded)
    assert (opened.info.title, opened.info.source, opened.info.notes) == (
        "a title",
        "a test",
        "none",
    )
    assert (opened.info.start, opened.info.end) == (hour.start, hour.end)
    assert [(w.start.minute, w.end.minute) for w in opened.info.known_incidents] == [(1, 3)]
    (case,) = opened.cases
    assert (case.id, case.onset, case.alert, case.truth) == ("one", None, None, {"service": "cart"})
    assert opened.gaps == ()

    page = await answer(recorded, everything(Capability.SPANS, hour))
    assert page.frame is not None
    assert page.complete
    assert page.frame.drop("attributes").equals(spans.drop("attributes"))
    page = await answer(recorded, everything(Capability.METRICS, hour))
    assert page.frame is not None
    assert page.frame.equals(metrics)
    page = await answer(recorded, everything(Capability.GRAPH, hour))
    assert page.edges == (("shop", "cart"), ("cart", "db"))


async def test_secrets_of_a_recording_are_redacted(recorded: Path, hour: Window):
    for capability in (Capability.SPANS, Capability.LOGS):
        page = await answer(recorded, everything(capability, hour))
        assert page.frame is not None
        assert "hunter2" not in page.frame.write_json()
    page = await answer(recorded, everything(Capability.CHANGES, hour))
    assert page.changes[1].summary == "set password=[redacted:secret]"


async def test_a_span_is_known_only_when_it_is_over(recorded: Path, at: Minute):
    # spans begin every minute and take 90 s: at 12:05 those begun at 12:00 to 12:03 are over
    ask = Ask(capability=Capability.SPANS, window=Window(start=at(1), end=at(5)))
    page = await answer(recorded, ask)
    assert page.frame is not None
    assert page.frame["start"].to_list() == [at(1), at(2), at(3)]
    ends_exactly = replace(ask, window=Window(start=at(1), end=at(4.5)))
    page = await answer(recorded, ends_exactly)
    assert page.frame is not None
    assert page.frame["start"].to_list() == [at(1), at(2)]


async def test_who_asks_about_another_time_is_told_which_one_was_recorded(
    recorded: Path, hour: Window
):
    held = f"{hour.start:%H:%M:%S} to {hour.end:%H:%M:%S} UTC on {hour.start:%Y-%m-%d}"
    later = Window(start=hour.end + timedelta(days=1), end=hour.end + timedelta(days=2))
    for capability in (Capability.SPANS, Capability.LOGS, Capability.METRICS):
        page = await answer(recorded, everything(capability, later))
        (gap,) = page.gaps
        asked = f"{later.start:%Y-%m-%d %H:%M:%S} to {later.end:%Y-%m-%d %H:%M:%S} UTC"
        assert gap == f"The recording holds {held}; asked was {asked}."
        assert (await answer(recorded, everything(capability, hour))).gaps == ()
    said = await build({"path": str(recorded)}).check()
    assert held in said.message


async def test_a_window_starts_inclusive_and_ends_exclusive(recorded: Path, at: Minute):
    for capability in (Capability.LOGS, Capability.METRICS):
        page = await answer(
            recorded, Ask(capability=capability, window=Window(start=at(2), end=at(4)))
        )
        assert page.frame is not None
        assert page.frame["time"].to_list() == [at(2), at(3)]


async def test_the_end_of_a_change_is_not_told_before_its_time(recorded: Path, at: Minute):
    early = Ask(capability=Capability.CHANGES, window=Window(start=at(0), end=at(8)))
    (deploy, commit) = (await answer(recorded, early)).changes
    assert (deploy.ref, deploy.until) == ("v2", None)
    assert (commit.files, commit.diff) == (("a.py",), "+x")
    later = replace(early, window=Window(start=at(0), end=at(9)))
    assert (await answer(recorded, later)).changes[0].until == at(8)


async def test_a_service_filter_keeps_changes_without_a_target(recorded: Path, hour: Window):
    ask = replace(everything(Capability.CHANGES, hour), services=("shop",))
    assert [change.ref for change in (await answer(recorded, ask)).changes] == ["abc"]


async def test_services_and_the_number_of_rows_are_bounded(
    recorded: Path, hour: Window, at: Minute
):
    ask = replace(everything(Capability.SPANS, hour), services=("cart",), max_items=2)
    page = await answer(recorded, ask)
    assert page.frame is not None
    assert page.frame["start"].to_list() == [at(7), at(9)]
    assert not page.complete
    assert page.gaps == ("Only the newest 2 of 5 spans were looked at.",)
    assert "cart" in page.query


async def test_a_file_that_is_missing_is_not_looked_at(recorded: Path, hour: Window):
    (recorded / "logs.parquet").unlink()
    connector = build({"path": str(recorded)})
    assert Capability.LOGS not in connector.capabilities
    gap = "The recording has no logs.parquet: logs were not looked at."
    assert open_recording(recorded).gaps == (gap,)
    health = await connector.check()
    assert health.ok
    assert gap in health.message
    with pytest.raises(Rejected, match="recording has no logs"):
        await answer(recorded, everything(Capability.LOGS, hour))


async def test_rows_outside_the_recorded_time_are_counted(
    recorded: Path, hour: Window, spans: pl.DataFrame, at: Minute
):
    impossible = spans.head(4).with_columns(
        start=pl.Series(
            [datetime(1970, 1, 1, tzinfo=UTC), at(2), at(61), at(3)], dtype=SPANS["start"]
        ),
        end=pl.Series([at(1), at(1), at(62), at(4)], dtype=SPANS["end"]),
    )
    pl.concat([spans, impossible]).write_parquet(recorded / "spans.parquet")
    page = await answer(recorded, everything(Capability.SPANS, hour))
    assert page.frame is not None
    assert page.frame.height == spans.height + 1
    assert page.gaps == (
        "3 spans lie outside the recorded time or end before they begin, and were left out.",
    )


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
async def test_times_of_any_unit_and_zone(
    recorded: Path, hour: Window, spans: pl.DataFrame, unit: str, zone: str | None
):
    times = pl.col("start", "end").dt.cast_time_unit(unit)  # type: ignore[arg-type]
    times = times.dt.convert_time_zone(zone) if zone else times.dt.replace_time_zone(None)
    spans.with_columns(times).write_parquet(recorded / "spans.parquet")
    page = await answer(recorded, everything(Capability.SPANS, hour))
    assert page.frame is not None
    assert page.frame.schema == SPANS
    assert page.frame["start"].equals(spans["start"])


async def test_times_beyond_nanoseconds_are_left_out(
    recorded: Path, hour: Window, spans: pl.DataFrame
):
    far = pl.lit(datetime(9999, 1, 1)).dt.cast_time_unit("us")  # noqa: DTZ001 - no zone, as meant
    naive = spans.with_columns(
        pl.col("start", "end").dt.cast_time_unit("us").dt.replace_time_zone(None)
    )
    broken = pl.concat([naive, naive.head(1).with_columns(end=far)])
    broken.write_parquet(recorded / "spans.parquet")
    page = await answer(recorded, everything(Capability.SPANS, hour))
    assert page.frame is not None
    assert page.frame.height == spans.height
    assert page.gaps[0].startswith("1 spans lie outside")


async def test_categories_and_absent_columns_are_understood(
    recorded: Path, hour: Window, spans: pl.DataFrame
):
    required = [c for c in spans.columns if c not in ("peer", "version", "attributes", "cluster")]
    sparse = spans.select(required).with_columns(
        pl.col("service", "name").cast(pl.Categorical), kind=pl.lit(None, dtype=pl.Null)
    )
    sparse.write_parquet(recorded / "spans.parquet")
    page = await answer(recorded, everything(Capability.SPANS, hour))
    assert page.frame is not None
    assert page.frame.schema == SPANS
    assert page.frame["service"].equals(spans["service"])
    assert page.frame["peer"].is_null().all()


def break_parquet(folder: Path) -> None:
    (folder / "spans.parquet").write_bytes(b"PAR1 this is none PAR1")


def break_pages(folder: Path) -> None:
    raw = bytearray((folder / "spans.parquet").read_bytes())
    raw[4:200] = bytes(196)
    (folder / "spans.parquet").write_bytes(raw)


def drop_column(folder: Path) -> None:
    path = folder / "spans.parquet"
    pl.read_parquet(path).drop("service").write_parquet(path)


def wrong_type(folder: Path) -> None:
    path = folder / "spans.parquet"
    pl.read_parquet(path).with_columns(name=pl.lit(3)).write_parquet(path)


def times_as_text(folder: Path) -> None:
    path = folder / "spans.parquet"
    pl.read_parquet(path).with_columns(start=pl.lit("noon")).write_parquet(path)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (break_parquet, r"spans\.parquet is not a readable Parquet file"),
        (break_pages, r"spans\.parquet is damaged"),
        (drop_column, r"spans\.parquet: the column service is missing"),
        (wrong_type, r"spans\.parquet: the column name holds Int32"),
        (times_as_text, r"spans\.parquet: the column start holds String"),
    ],
)
async def test_a_malformed_parquet_file_is_named(
    recorded: Path, hour: Window, damage: Callable[[Path], None], sentence: str
):
    damage(recorded)
    with pytest.raises(Rejected, match=sentence):
        await answer(recorded, everything(Capability.SPANS, hour))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("changes.jsonl", '{"at":"2026-06-01T12:00:00Z"\n', r"changes\.jsonl, line 1 is not valid"),
        ("changes.jsonl", '\n{"at": "never"}', r"changes\.jsonl, line 2: at: "),
        (
            "changes.jsonl",
            '{"at":"2026-06-01T12:00:00Z","kind":"wish","ref":"x","summary":"y"}',
            r"changes\.jsonl, line 1: kind: ",
        ),
        (
            "changes.jsonl",
            '{"at":"0001-01-01T00:00:00+14:00","kind":"deploy","ref":"x","summary":"y"}',
            r"changes\.jsonl, line 1: at: .*not in the years",
        ),
        ("recording.json", "{}", r"recording\.json: format: Field required"),
        ("recording.json", "[" * 100_000, r"recording\.json is not valid JSON"),
        ("cases.json", '[{"id": 1}]', r"cases\.json: 0\.id: "),
        ("graph.json", '{"edges": [["a"]]}', r"graph\.json: edges\.0"),
    ],
)
async def test_a_malformed_text_file_is_named(
    recorded: Path, hour: Window, name: str, content: str, sentence: str
):
    (recorded / name).write_text(content)
    with pytest.raises(Rejected, match=sentence):
        open_recording(recorded)
    with pytest.raises(Rejected, match=sentence):
        await answer(recorded, everything(Capability.SPANS, hour))
    assert not (await build({"path": str(recorded)}).check()).ok


async def test_text_that_is_no_text_is_refused(recorded: Path):
    (recorded / "cases.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Rejected, match=r"cases\.json cannot be read as UTF-8"):
        open_recording(recorded)


async def test_a_recording_that_ends_before_it_starts_is_refused(recorded: Path):
    said = json.loads((recorded / "recording.json").read_text())
    said["from"], said["to"] = said["to"], said["from"]
    (recorded / "recording.json").write_text(json.dumps(said))
    with pytest.raises(Rejected, match=r"recording\.json: a window cannot end before"):
        open_recording(recorded)


async def test_a_folder_that_is_missing_or_no_recording(tmp_path: Path, hour: Window):
    ask = everything(Capability.SPANS, hour)
    with pytest.raises(Rejected, match="There is no recording folder nowhere"):
        await answer(tmp_path / "nowhere", ask)
    with pytest.raises(Rejected, match=r"has no recording\.json"):
        await answer(tmp_path, ask)


async def test_a_deadline_that_has_passed_is_said(recorded: Path, hour: Window):
    with pytest.raises(DeadlineExceeded, match="did not answer within 0 s"):
        await answer(recorded, replace(everything(Capability.SPANS, hour), deadline_s=0.0))


def test_settings_are_checked(tmp_path: Path):
    with pytest.raises(Rejected, match="settings of recording are wrong: path: is missing"):
        build({})
    with pytest.raises(Rejected, match="pth: unknown key"):
        build({"path": str(tmp_path), "pth": "x"})


def test_writing_never_replaces_what_is_there(recorded: Path, hour: Window):
    before = sorted(path.name for path in recorded.iterdir())
    with pytest.raises(Rejected, match="recorded is not empty"):
        write_recording(recorded, title="t", source="s", window=hour)
    assert sorted(path.name for path in recorded.iterdir()) == before


def test_writing_all_or_nothing(tmp_path: Path, hour: Window, spans: pl.DataFrame):
    with pytest.raises(Rejected, match="frame of logs does not have the columns"):
        write_recording(tmp_path / "x", title="t", source="s", window=hour, spans=spans, logs=spans)
    assert list(tmp_path.iterdir()) == []


async def test_nothing_recorded_and_nothing_happened_differ(tmp_path: Path, hour: Window):
    write_recording(tmp_path / "x", title="t", source="s", window=hour, changes=())
    opened = open_recording(tmp_path / "x")
    assert opened.offered == {Capability.CHANGES}
    assert len(opened.gaps) == 3
    page = await answer(tmp_path / "x", everything(Capability.CHANGES, hour))
    assert (page.changes, page.complete, page.gaps) == ((), True, ())


async def test_changes_older_than_the_telemetry_can_be_asked_for(tmp_path: Path, hour: Window):
    old = Change(
        at=hour.start - timedelta(hours=2),
        until=None,
        kind="deploy",
        target="cart",
        ref="v1",
        actor=None,
        summary="",
    )
    write_recording(tmp_path / "x", title="t", source="s", window=hour, changes=(old,))
    window = Window(start=hour.start - timedelta(hours=3), end=hour.end)
    page = await answer(tmp_path / "x", Ask(capability=Capability.CHANGES, window=window))
    assert page.changes == (old,)
