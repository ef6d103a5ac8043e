"""Ends the calls of a client at once, whatever they wait for: its open sockets are shut down together."""

import socket
import threading
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any


class Sockets:
    """The open sockets of a client. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()  # guarded by _lock
        self._is_shut = False  # guarded by _lock

    def add(self, sock: socket.socket) -> None:
        """Register a socket; shut it down if that has happened to all."""
        with self._lock:
            self._open.add(sock)
            is_shut = self._is_shut
        if is_shut:
            _shut_down([sock])

    def shut_down(self) -> None:
        """End all calls under way, and those to come."""
        with self._lock:
            self._is_shut = True
            sockets = list(self._open)
        _shut_down(sockets)

    def registering(self, pools: Mapping[str, Any]) -> dict[str, Any]:
        """Return urllib3's connection pool classes by scheme, with connections that register their sockets here."""
        return {scheme: self._registering_pool(pool) for scheme, pool in pools.items()}

    def _registering_pool(self, pool: Any) -> Any:
        add = self.add

        class Connection(pool.ConnectionCls):  # type: ignore[misc]  # a class of the caller
            def connect(self) -> None:
                super().connect()
                add(self.sock)

        class Pool(pool):  # type: ignore[misc]  # a class of the caller
            ConnectionCls = Connection

        return Pool


def _shut_down(sockets: Iterable[socket.socket]) -> None:
    for sock in sockets:
        # The base class's method: SSLSocket's would switch a concurrent reader from TLS to plain bytes.
        # An error means that it is no longer connected, which is the goal.
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
