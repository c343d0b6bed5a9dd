"""The data folder among processes that take turns."""

import subprocess
import sys
import threading
import time

import pytest

from assistant.folder import FolderInUse, held

HOLDER = (
    "import sys; from pathlib import Path; from assistant.folder import held\n"
    "with held(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "data")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.communicate()


def test_the_patient_get_the_folder_once_the_other_lets_go(tmp_path, holder):
    release = threading.Timer(0.2, holder.stdin.close)
    release.start()
    with held(tmp_path / "data", patience_s=60) as folder:
        assert folder == tmp_path / "data"
    release.join()
    holder.stdin = None
    assert holder.wait(60) == 0


def test_patience_ends(tmp_path, holder):
    began = time.monotonic()
    refused = pytest.raises(FolderInUse, match="stop it, or choose another folder with --data")
    with refused, held(tmp_path / "data", patience_s=0.2):
        pass
    assert 0.2 <= time.monotonic() - began < 5


def test_the_folder_is_free_again_after_a_failure_inside(tmp_path):
    with pytest.raises(KeyError), held(tmp_path / "data"):
        raise KeyError
    with held(tmp_path / "data"):
        pass


def test_a_file_in_the_folders_place_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("")
    with (
        pytest.raises(FolderInUse, match=r"the data folder .*data cannot be used: "),
        held(tmp_path / "data"),
    ):
        pass
