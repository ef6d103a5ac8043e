"""Reads one watch: the lines of one HTTP response as events, each decoded once (K1, K2).

It never reconnects: the reflector decides when to watch again, and from which version.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Final, Protocol, Self

import orjson
import urllib3

from controller.kube.errors import CONNECTION_BROKEN, ConnectionFailed, ServerError
from controller.runtime.cache.reflector import WatchEvent

_CHUNK: Final = 1 << 16


class _Failures(Protocol):
    def failures(self, what: str) -> AbstractContextManager[None]: ...


class HttpWatchStream:
    """Implements `runtime.reflector.WatchStream`: read by one thread, closed by any."""

    def __init__(self, response: urllib3.BaseHTTPResponse, failures: _Failures, what: str) -> None:
        self._response = response
        self._failures = failures
        self._what = what
        self._closing = threading.Event()
        self._events = self._read_events()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
        self._response.close()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self

    def __next__(self) -> WatchEvent:
        return next(self._events)

    def close(self) -> None:
        """Wake the reader, which then ends; the thread that leaves the context closes the response itself."""
        if self._closing.is_set():
            return
        self._closing.set()
        # The read side only, which is enough to wake. An error means that the stream has just ended by itself.
        with suppress(OSError, RuntimeError, ValueError):
            self._response.shutdown()

    def _read_events(self) -> Iterator[WatchEvent]:
        for line in self._read_lines():
            if self._closing.is_set():
                return
            if line:
                yield self._decode(line)

    def _read_lines(self) -> Iterator[bytes]:
        rest = b""
        while chunk := self._read_some():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
        if rest and not self._closing.is_set():
            raise ConnectionFailed(CONNECTION_BROKEN, f"{self._what}: the stream ended within an event")

    def _read_some(self) -> bytes:
        """Return the next bytes; empty at the end, and once `close` was called, however the read failed."""
        try:
            with self._failures.failures(self._what):
                chunk = self._response.read1(_CHUNK)
        except (ConnectionFailed, ValueError):
            # ValueError: raised when a TLS socket was shut down just before the read
            if self._closing.is_set():
                return b""
            raise
        return b"" if self._closing.is_set() else chunk

    def _decode(self, line: bytes) -> WatchEvent:
        try:
            document = orjson.loads(line)
            event_type, obj = document["type"], document["object"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as exc:
            raise ServerError("UnreadableReply", f"{self._what}: a line is not an event") from exc
        if not isinstance(event_type, str) or not isinstance(obj, dict):
            raise ServerError("UnreadableReply", f"{self._what}: a line is not an event")
        return WatchEvent(event_type, obj)
