"""An embedded OTLP/HTTP receiver with bounded retention, and the connector over it.

For teams without a trace or log store, for local development and for the demo. OTLP/gRPC is not
spoken.
"""

from collections.abc import Mapping

from connectors.otlp.connector import OtlpConnector
from connectors.otlp.receiver import OtlpReceiver, Settings
from connectors.registry import parse_settings

__all__ = ["OtlpConnector", "OtlpReceiver", "Settings", "build"]


def build(settings: Mapping[str, object]) -> OtlpConnector:
    """Return the connector; it hears nothing before its `start()`."""
    return OtlpReceiver(parse_settings(Settings, settings, source="otlp")).connector
