"""The command line writes recordings that can be opened, or says what is wrong."""

import hashlib
from pathlib import Path

import pytest

from bench.generator.__main__ import main
from connectors.recording import open_recording

QUICK = ["--services", "4", "--minutes", "6", "--rps", "1"]


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_same_seed_writes_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        assert main(["--seed", "1", "--out", str(tmp_path / name), *QUICK]) == 0
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert {"spans.parquet", "cases.json"} <= set(digests(tmp_path / "a"))


def test_a_written_recording_opens_with_its_truth(tmp_path: Path):
    folder = tmp_path / "r"
    main(["--seed", "2", "--out", str(folder), "--fault", "slow_code", "--dirt", "1", *QUICK])
    recording = open_recording(folder)
    (case,) = recording.cases
    assert case.truth["fault"] == "slow_code"
    assert case.truth["change"] in {change.ref for change in recording.changes}


def test_count_writes_one_folder_a_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--seed", "1", "--out", str(tmp_path), "--count", "2", *QUICK]) == 0
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert len(folders) == 2
    printed = capsys.readouterr().out
    assert all(name in printed for name in folders)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--fault", "gremlins"], "slow_edge"),
        (["--services", "1"], "services"),
        (["--rps", "0"], "rps"),
        (["--dirt", "9"], "dirt"),
        (["--count", "0"], "--count"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_wrong_arguments_give_one_sentence(
    arguments: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    status = main(["--seed", "1", "--out", str(tmp_path / "r"), *arguments])
    said = capsys.readouterr().err
    assert status == 2
    assert word in said
    assert said.count("\n") == 1
    assert not (tmp_path / "r").exists()


def test_a_full_folder_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine").write_text("keep")
    assert main(["--seed", "1", "--out", str(tmp_path), *QUICK]) == 2
    assert "not empty" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "keep"


def test_an_argument_of_the_wrong_type_gives_one_line(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        main(["--seed", "x", "--out", "r"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.strip() == "argument --seed: invalid int value: 'x'"
