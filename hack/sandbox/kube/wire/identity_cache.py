"""A cache of values derived from a JSON value, keyed by the value's identity.

Hashing a CRD schema costs more than validating an object with it. The cache keeps each key alive, so that an identity
is never reused while its entry exists.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class IdentityCache(Generic[T]):
    """Derived values of the most recently used keys. Thread-safe; a value may be built twice, never used half built."""

    def __init__(self, make: Callable[[Any], T], size: int = 512) -> None:
        self._make = make
        self._size = size
        self._lock = Lock()
        self._entries: OrderedDict[int, tuple[Any, T]] = OrderedDict()
        """Guarded by `_lock`. The first of the pair is the key itself, kept alive."""

    def get(self, value: Any) -> T:
        """Return the derived value of `value`, built on first use. Raises the exceptions of `make`, without caching."""
        identity = id(value)
        with self._lock:
            entry = self._entries.get(identity)
            if entry is not None:
                self._entries.move_to_end(identity)
                return entry[1]
        made = self._make(value)
        with self._lock:
            self._entries[identity] = (value, made)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return made
