"""Drift: how changes made outside the operator are found, described and counted."""
