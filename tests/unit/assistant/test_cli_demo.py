"""A demo stays away from what is really on call, whatever the settings say."""

from assistant import wiring
from assistant.cli.demo import apart
from assistant.config import QdrantSettings, Settings


def test_a_demo_keeps_its_index_in_its_own_folder(tmp_path):
    real = Settings(data=tmp_path / "real", qdrant=QdrantSettings(url="http://127.0.0.1:1"))
    folder = tmp_path / "demo"
    with wiring.index(apart(real, folder)) as index:
        assert index.status().engine == "qdrant-edge"
    assert (folder / "index").is_dir()
    assert not real.data.exists()
