"""How threads live and end: one `Stop` token each process part, threads owned by a group that joins them."""

import threading
from collections.abc import Callable


class Stop:
    """A thread-safe, one-way "please end" signal. Waits end at once when it is set."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []  # guarded by _lock

    def set(self) -> None:
        """Set the signal and run the callbacks once, in the caller's thread. Idempotent."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def is_set(self) -> bool:
        """Whether the end was asked for."""
        return self._event.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until set or for `timeout_s` seconds; returns whether it is set."""
        return self._event.wait(timeout_s)

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Run `callback` when the signal is set (at once if it is); returns a function that takes it back.

        For what a flag cannot reach: closing a socket that a thread reads from (K3).
        """
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return lambda: self._forget(callback)
        callback()
        return lambda: None

    def _forget(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)
