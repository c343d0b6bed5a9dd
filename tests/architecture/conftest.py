"""What the architecture tests look at: the checkout and its Python files."""

from pathlib import Path

import pytest

PACKAGES = ("assistant", "connectors", "retrieval", "runbooks")


@pytest.fixture(scope="session")
def root(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath


@pytest.fixture(scope="session")
def shipped(root: Path) -> list[Path]:
    """Every file of the four packages, as they should be in the wheel."""
    return [
        path
        for package in PACKAGES
        for path in sorted((root / package).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


@pytest.fixture(scope="session")
def sources(root: Path, shipped: list[Path]) -> list[Path]:
    """Every Python file of the packages, the examples and the benchmarks."""
    beside = [path for folder in ("examples", "bench") for path in (root / folder).rglob("*.py")]
    return [path for path in [*shipped, *beside] if path.suffix == ".py"]
