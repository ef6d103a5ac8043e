"""How threads start and end: one `Stop` token per part of the process, and groups that join their threads."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self


class Stop:
    """A thread-safe, one-way stop signal. Setting it ends all waits at once."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []  # guarded by _lock

    def set(self) -> None:
        """Set the signal and run the callbacks once, in the caller's thread. Idempotent.

        All callbacks run even if one of them raises; the exception is raised after that.
        """
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        with ExitStack() as stack:
            for callback in reversed(callbacks):
                stack.callback(callback)

    def is_set(self) -> bool:
        """Return whether the signal is set."""
        return self._event.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until set or for `timeout_s` seconds; returns whether it is set."""
        return self._event.wait(timeout_s)

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Run `callback` when the signal is set (at once if it is); returns a function that removes the callback.

        For threads that cannot check a flag: closes a socket that a thread blocks on (K3).
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


class ThreadGroup:
    """Threads with a common end. Leaving the context sets `stop`, joins all, re-raises the first failure.

    A thread that fails sets `stop` at once, so its siblings end too; later failures are attached to the first as notes.
    Every thread is named `group/name` and none is a daemon. Functions receive `stop` and return soon after it is set.
    """

    def __init__(self, name: str, stop: Stop) -> None:
        self.name = name
        self.stop = stop
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []  # guarded by _lock
        self._failures: list[tuple[str, BaseException]] = []  # guarded by _lock; in order of occurrence

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop.set()
        self.join()
        if exc is None:
            self.raise_failure()

    def start(self, name: str, run: Callable[[Stop], None]) -> None:
        """Start a thread; does nothing once `stop` is set."""
        full_name = f"{self.name}/{name}"
        thread = threading.Thread(target=self._guard, args=(full_name, run), name=full_name, daemon=False)
        with self._lock:
            if self.stop.is_set():
                return
            self._threads.append(thread)
            thread.start()

    def join(self, timeout_s: float | None = None) -> list[str]:
        """Wait up to `timeout_s` seconds in total for all threads; returns the names of those still alive."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return [thread.name for thread in threads if thread.is_alive()]

    @property
    def failure(self) -> BaseException | None:
        """Return the exception of the first failed thread."""
        with self._lock:
            return self._failures[0][1] if self._failures else None

    @property
    def failures(self) -> list[tuple[str, BaseException]]:
        """Return the names of the failed threads with their exceptions, in order of occurrence."""
        with self._lock:
            return list(self._failures)

    def raise_failure(self) -> None:
        """Re-raise the first failed thread's exception; its notes name the thread and list later failures."""
        failures = self.failures
        if not failures:
            return
        (name, first), *others = failures
        first.add_note(f"in thread {name}")
        for other_name, other in others:
            first.add_note(f"then in thread {other_name}: {other!r}")
        raise first

    def _guard(self, name: str, run: Callable[[Stop], None]) -> None:
        try:
            run(self.stop)
        except BaseException as exc:  # noqa: BLE001 (kept and re-raised by the owner; no thread dies silently)
            with self._lock:
                self._failures.append((name, exc))
            self.stop.set()
