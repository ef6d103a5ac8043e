"""Compresses many similar documents: deflate with some of them as dictionary.

Objects of one kind share field names, enum values, image and role names; the rest of an object is little more than its
name, its uid and its numbers. A TrainingJob of 2.6 kB packs to 0.25 kB, for about 20 µs at each write and 4 µs at each
read, as much as decoding the JSON costs (measured by `hack/bench/runtime.py`, 2 cores of 2026).
"""

import threading
import zlib
from collections import deque
from typing import Final

_SAMPLES: Final = 4
_DICTIONARY_BYTES: Final = 8 * 1024
"""Two to four samples; more do not help."""
_WINDOW_BITS: Final = -14
"""16 kB: the dictionary and 8 kB of the object. Negative: raw deflate, without header and checksum."""
_LEVEL: Final = 6
_MEMORY_LEVEL: Final = 5
"""A compressor of 80 kB: it is copied for each object, and the default's 192 kB pack none smaller, in more time."""
_RENEWAL: Final = 8
"""The dictionary is renewed at the 1st, 8th, 64th … object: the first ones may not represent the later ones."""


class Codec:
    """How a document was packed. Immutable; stored with the documents that were packed with it."""

    __slots__ = ("_dictionary",)

    def __init__(self, dictionary: bytes | None) -> None:
        """None: not packed at all, unlike an empty dictionary."""
        self._dictionary = dictionary

    def unpack(self, packed: bytes) -> bytes:
        """Return the document. Thread-safe."""
        if self._dictionary is None:
            return packed
        return zlib.decompressobj(_WINDOW_BITS, zdict=self._dictionary).decompress(packed)


PLAIN: Final = Codec(None)
"""Leaves documents uncompressed."""


class Compactor:
    """Packs documents with a dictionary of earlier ones. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards all below
        self._samples: deque[bytes] = deque(maxlen=_SAMPLES)
        self._seen = 0
        self._renew_at = 1
        self._codec = PLAIN
        # Has read the dictionary; copied for each document, which costs less. The first one makes it: most kinds have
        # no objects, and theirs took 4 MB.
        self._primed: zlib._Compress

    def pack(self, document: bytes) -> tuple[Codec, bytes]:
        """Return the packed document and the codec that unpacks it."""
        with self._lock:
            self._seen += 1
            self._samples.append(document)
            if self._seen == self._renew_at:
                self._renew_locked()
            codec, compressor = self._codec, self._primed.copy()
        return codec, compressor.compress(document) + compressor.flush()

    def _renew_locked(self) -> None:
        self._renew_at *= _RENEWAL
        dictionary = b"".join(self._samples)[-_DICTIONARY_BYTES:]
        self._codec = Codec(dictionary)
        self._primed = zlib.compressobj(
            _LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL, zlib.Z_DEFAULT_STRATEGY, dictionary
        )
