"""Generators, the sandbox and benchmarks: run from a checkout, not installed."""
