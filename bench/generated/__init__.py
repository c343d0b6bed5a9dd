"""The engine measured on generated systems: `python -m bench.generated`."""
