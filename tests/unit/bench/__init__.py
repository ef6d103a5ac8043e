"""The benchmarks' pure parts; what they measure is for their tables only."""
