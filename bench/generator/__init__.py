"""A seeded generator of telemetry: microservice systems of any shape, with a known fault.

`generate(seed)` gives a `Recorded`; `python -m bench.generator` writes recordings to disk.
"""

from bench.generator.recorded import FAULTS, Recorded, generate
from bench.generator.scene import Circumstances, NoPlace
from bench.generator.second import PAIRED
from bench.generator.shape import Shape, random_shape

__all__ = [
    "FAULTS",
    "PAIRED",
    "Circumstances",
    "NoPlace",
    "Recorded",
    "Shape",
    "generate",
    "random_shape",
]
