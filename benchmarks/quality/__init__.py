"""Reconstruction quality: one module a comparison, started with `python -m benchmarks.quality.NAME`."""
