"""Requests that objects look for their resources at AWS: something that needs one was refused, since it does not exist.

In memory only: what was refused is retried, and requests the check again.
"""

import threading
from collections.abc import Iterable
from typing import Final

from api.meta import JsonObject, ObjectKey
from api.v1 import MODEL

NAMES_AT_SAGEMAKER: Final = "names-at-sagemaker"
"""Index of Models by their names at SageMaker."""


def names_at_sagemaker(obj: JsonObject) -> Iterable[str]:
    """Index function for `NAMES_AT_SAGEMAKER`."""
    name = (obj.get("status") or {}).get(MODEL.name.status_field)
    return (str(name),) if name else ()


class Checks:
    """The requests of a process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requested: set[tuple[str, ObjectKey]] = set()  # guarded by _lock

    def request(self, kind: str, key: ObjectKey) -> None:
        """Request a check of an object."""
        with self._lock:
            self._requested.add((kind, key))

    def is_requested(self, kind: str, key: ObjectKey) -> bool:
        """Return whether a check of the object is to be made."""
        with self._lock:
            return (kind, key) in self._requested

    def done(self, kind: str, key: ObjectKey) -> None:
        """Record that the resource is there, or that the object is gone."""
        with self._lock:
            self._requested.discard((kind, key))
