"""Time and memory: one module a measurement, started with `python -m benchmarks.speed.NAME`."""
