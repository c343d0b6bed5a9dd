"""Independent streams of random numbers, one for each purpose.

Drawing one more name must not move a single span: so names, topology, traffic, faults, changes and
dirt each take their numbers from a stream of their own, derived from the seed and the purpose.
"""

import zlib

import numpy as np


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of `purpose` under `seed` (not negative); same input, same numbers."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])
