"""The deterministic engine: frames of telemetry in, a `Finding` out. No clock, no model, no I/O."""
