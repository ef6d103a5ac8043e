"""Modules that are imported when something of them is used: listing the tests must not wait for them."""

from importlib import import_module
from typing import Any


class Late:
    """Stands for a module that takes long to import, and that a few tests need."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # pytest looks for such at everything in a module of tests
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)
