"""Runs the tests under conditions that a busy and unlucky machine has."""
