"""All functions that rules may call: CEL's standard ones, those on strings, and those that read optional values."""

from hack.sandbox.kube.cel import conversions, optionals, strings
from hack.sandbox.kube.cel.registry import LIBRARY

find = LIBRARY.find
signatures = LIBRARY.signatures

MODULES = (conversions, optionals, strings)
"""Imported for what they declare."""
