"""Recorded telemetry: a folder of Parquet and JSON that is asked like a live backend.

It serves the demo, tests and benchmarks, and turns an incident into a regression test. The format
("recording/1") is described in docs/connectors.md; `read` knows it, `write` makes it, `connector`
answers from it.
"""

from collections.abc import Mapping

from connectors.recording.connector import RecordingConnector, Settings
from connectors.recording.folder import Case, Recording, RecordingInfo, open_recording
from connectors.recording.write import write_recording
from connectors.registry import parse_settings

__all__ = [
    "Case",
    "Recording",
    "RecordingConnector",
    "RecordingInfo",
    "build",
    "open_recording",
    "write_recording",
]


def build(settings: Mapping[str, object]) -> RecordingConnector:
    """Return the connector for `{"path": folder}`; reads nothing yet."""
    return RecordingConnector(parse_settings(Settings, settings, source="recording").path)
