"""Defaults that a namespace sets for its objects by annotations."""
