"""Benchmarks: `python -m hack.bench.<name>`; figures for humans, not asserted by tests."""
