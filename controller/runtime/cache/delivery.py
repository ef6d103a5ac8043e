"""Delivers notifications to one handler: in the informer's thread, or by a thread and a buffer of its own.

Calls to one handler are sequential and in order (I6). A handler that raises misses that notification only (I15).
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from controller.runtime.cache.store import Snapshot, Tombstone
from controller.runtime.threads import Stop

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Handler(Protocol):
    """Receives every change of a store, after the store has changed (I2).

    Intermediate states may be missing (I6). An update may span the deletion and recreation of an object: compare
    `metadata["uid"]` where that matters (I5). On a resync, or where a relist shows no change, versions are equal.
    """

    never_blocks: bool
    """True: called in the informer's thread, which is cheapest, and must return within microseconds. False: called in a
    thread of its own, behind an unbounded buffer, so that it delays no other handler (I14)."""

    def on_add(self, obj: Snapshot, *, initial: bool) -> None:
        """Handle a new `obj`; `initial` if it existed when the handler was added (I12)."""
        ...

    def on_update(self, old: Snapshot, new: Snapshot) -> None:
        """Handle the change from `old` to `new`."""
        ...

    def on_delete(self, obj: Snapshot | Tombstone) -> None:
        """Handle a deletion; `obj`: the final state, or a tombstone where a list showed its absence (I4)."""
        ...


Notification = Callable[[Handler], None]
"""One prepared call of a handler's method."""


class Delivery(Protocol):
    """Delivers notifications to one handler."""

    def deliver(self, notification: Notification) -> None:
        """Make the call now or later, after all earlier ones."""
        ...

    def mark_synced(self) -> None:
        """Mark everything delivered so far as the initial list."""
        ...

    @property
    def has_synced(self) -> bool:
        """Return whether the handler has processed the initial list (I11)."""
        ...

    def __len__(self) -> int:
        """Number of waiting notifications."""
        ...


class DirectDelivery:
    """Calls a non-blocking handler in the delivering thread, while the informer holds its lock."""

    def __init__(self, handler: Handler, on_error: Callable[[], None]) -> None:
        self._handler = handler
        self._on_error = on_error
        self._is_synced = False

    def deliver(self, notification: Notification) -> None:
        """See `Delivery.deliver`."""
        _call(self._handler, notification, self._on_error)

    def mark_synced(self) -> None:
        """See `Delivery.mark_synced`."""
        self._is_synced = True

    @property
    def has_synced(self) -> bool:
        """See `Delivery.has_synced`."""
        return self._is_synced

    def __len__(self) -> int:
        return 0


class BufferedDelivery:
    """Calls a handler from the thread that runs `run`, however long it takes. Thread-safe."""

    _SYNCED: Final = None
    """Marks the end of the initial list in the buffer."""

    def __init__(self, handler: Handler, on_error: Callable[[], None]) -> None:
        self._handler = handler
        self._on_error = on_error
        self._changed = threading.Condition()
        self._buffer: deque[Notification | None] = deque()  # guarded by _changed
        self._is_closed = False  # guarded by _changed
        self._is_synced = False

    def deliver(self, notification: Notification) -> None:
        """See `Delivery.deliver`."""
        self._append(notification)

    def mark_synced(self) -> None:
        """See `Delivery.mark_synced`."""
        self._append(self._SYNCED)

    @property
    def has_synced(self) -> bool:
        """See `Delivery.has_synced`."""
        return self._is_synced

    def __len__(self) -> int:
        return len(self._buffer)

    def run(self, stop: Stop) -> None:
        """Call the handler until `close` or `stop`; undelivered notifications are dropped (I16)."""
        forget = stop.on_set(self.close)
        try:
            while True:
                with self._changed:
                    while not self._buffer and not self._is_closed:
                        self._changed.wait()
                    if self._is_closed:
                        return
                    notification = self._buffer.popleft()
                if notification is None:
                    self._is_synced = True
                else:
                    _call(self._handler, notification, self._on_error)
        finally:
            forget()

    def close(self) -> None:
        """End `run` after its current call. Idempotent."""
        with self._changed:
            self._is_closed = True
            self._buffer.clear()
            self._changed.notify_all()

    def _append(self, item: Notification | None) -> None:
        with self._changed:
            if not self._is_closed:
                self._buffer.append(item)
                self._changed.notify()


def _call(handler: Handler, notification: Notification, on_error: Callable[[], None]) -> None:
    try:
        notification(handler)
    except Exception:
        on_error()
        log.exception("event handler failed", handler=type(handler).__name__)
