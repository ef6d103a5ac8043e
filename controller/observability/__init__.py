"""Metrics registry, logs and the HTTP endpoints that show them."""
