"""Measurements: each runs by itself as `python -m benchmarks.NAME` and prints a table."""
