"""Asking and doing: how firstline reads telemetry, changes and alerts from other systems."""
