"""Structural schemas: defaulting, pruning, keywords, formats and list types."""
