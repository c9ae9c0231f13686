"""Benchmarks: `run.py bench NAME`. Figures are written down in docs/measurements.md."""
