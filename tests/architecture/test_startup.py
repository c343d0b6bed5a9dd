"""The command line must answer at once: what is heavy is imported by the one who needs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def loaded(root: Path) -> set[str]:
    """Top-level packages in memory after the command line was imported."""
    code = (
        "import json, sys, assistant.cli.line;"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


@pytest.mark.parametrize(
    "heavy",
    [
        "aiohttp",
        "httpx",
        "llama_index",
        "matplotlib",
        "polars",
        "qdrant_client",
        "qdrant_edge",
        "slack_bolt",
        "slack_sdk",
    ],
)
def test_importing_the_command_line_leaves_heavy_packages_alone(
    loaded: set[str], heavy: str
) -> None:
    assert "assistant" in loaded
    assert heavy not in loaded
