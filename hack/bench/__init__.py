"""Benchmarks: `python -m hack.bench.<name>`; figures for people, asserted by no test."""
