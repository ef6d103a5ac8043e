"""All functions that rules may call: CEL's standard ones and those of k8s.io/apiserver pkg/cel/library."""

from hack.sandbox.kube.cel import conversions, lists, naming, network, optionals, quantities, strings, times, versions
from hack.sandbox.kube.cel.registry import LIBRARY

find = LIBRARY.find
signatures = LIBRARY.signatures

MODULES = (conversions, lists, naming, network, optionals, quantities, strings, times, versions)
"""Imported for their declarations."""
