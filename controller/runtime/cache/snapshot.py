"""Objects as values that decode on demand: a store's content, as handlers receive it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from api.meta import JsonObject, ObjectKey
from controller.runtime.cache.packing import Codec


class Snapshot:
    """One version of one object, cheap to pass around: holds what routing needs, decodes the rest on demand.

    Immutable; safe to share between threads.
    """

    __slots__ = ("_codec", "_metadata", "_packed", "key", "resource_version")

    def __init__(
        self,
        key: ObjectKey,
        resource_version: str,
        codec: Codec,
        packed: bytes,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.key = key
        self.resource_version = resource_version
        """Opaque: compare for equality only (S8)."""
        self._codec = codec
        self._packed = packed
        self._metadata = metadata

    @property
    def data(self) -> bytes:
        """Return the object as compact JSON."""
        return self._codec.unpack(self._packed)

    def decode(self) -> JsonObject:
        """Return a fresh copy of the object, owned by the caller."""
        decoded: JsonObject = orjson.loads(self.data)
        return decoded

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the object's metadata, shared and therefore read-only; decoded on first use."""
        if self._metadata is None:
            # Two threads may both decode: they get equal mappings, and one of them is kept.
            self._metadata = self.decode()["metadata"]
        return self._metadata

    def __repr__(self) -> str:
        return f"Snapshot({self.key}, {self.resource_version!r})"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A deletion that a list showed: its event was missed, so `last` may not be the deleted state (I4)."""

    key: ObjectKey
    last: Snapshot


@dataclass(frozen=True, slots=True)
class Change:
    """The effect of a write on one key: `old` is None for an addition."""

    old: Snapshot | None
    new: Snapshot
