"""Keeps a store in sync with the API server, and notifies handlers of its changes.

One thread lists, watches, writes the store and calls the handlers that never block; a handler that may block has a
thread and a buffer of its own; one more thread replays the store for handlers with resyncs.
"""

import math
import random
import threading
from collections.abc import Callable
from typing import Final

import structlog

from api.meta import Resource
from controller.runtime.cache.delivery import BufferedDelivery, Delivery, DirectDelivery, Handler
from controller.runtime.cache.informer_metrics import InformerMetrics
from controller.runtime.cache.reflector import Batch, ListerWatcher, Reflector, WatchEvent, log_failure
from controller.runtime.cache.store import Change, Replacement, Snapshot, Store, Tombstone
from controller.runtime.clock import Clock
from controller.runtime.errors import ClassifiedError
from controller.runtime.threads import Stop, ThreadGroup

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_MIN_RESYNC_S: Final = 1.0


class HandlerRegistration:
    """The registration of a handler with an informer."""

    def __init__(self, delivery: Delivery, resync_period_s: float) -> None:
        self._delivery = delivery
        # Guarded by the informer's _distributing:
        self.resync_period_s = resync_period_s
        """0: never."""
        self.next_resync = math.inf
        """Monotonic."""
        self.is_due = True
        """Whether resyncs and unchanged objects reach the handler now; true until the first check (I7)."""

    @property
    def delivery(self) -> Delivery:
        """Return the delivery to the handler."""
        return self._delivery

    @property
    def has_synced(self) -> bool:
        """Return whether the handler has processed the adds of all objects that existed when it was added (I11)."""
        return self._delivery.has_synced

    def schedule(self, now: float) -> None:
        """Start a resync period at `now`."""
        self.next_resync = now + (self.resync_period_s or math.inf)


class Informer:
    """Lists and watches one resource into a store. Thread-safe; runs once (I16).

    Notifications are derived from the store's previous content, not from the event's type (I1), and are delivered after
    the store has changed (I2).
    """

    def __init__(
        self,
        resource: Resource,
        source: ListerWatcher,
        store: Store,
        *,
        metrics: InformerMetrics,
        clock: Clock,
        namespace: str = "",
        rng: random.Random | None = None,
        on_failure: Callable[[Resource, ClassifiedError], None] = log_failure,
    ) -> None:
        """`namespace`: the only one that `source` lists; informers of several namespaces may share a store."""
        self.resource = resource
        self.namespace = namespace
        self.store = store
        self._clock = clock
        self._reflector = Reflector(resource, source, self, clock=clock, rng=rng, on_failure=on_failure)
        # Held while the store changes and its notifications are passed to the deliveries, by design also during the
        # calls of non-blocking handlers: a late handler gets neither a gap nor a duplicate (I13), and a resync cannot
        # deliver a version older than the last one delivered (I6).
        self._distributing = threading.RLock()
        self._handlers: tuple[HandlerRegistration, ...] = ()  # replaced under _distributing
        self._group: ThreadGroup | None = None  # guarded by _distributing; set while running
        self._check_period_s = math.inf  # guarded by _distributing; shortest resync period known at the start
        self._started = 0  # guarded by _distributing; handler threads so far, for their names
        self._is_watching = False  # guarded by _distributing
        self._has_run = False  # guarded by _distributing
        self._has_ended = False  # guarded by _distributing
        self._has_synced = False  # written under _distributing
        self._metrics = metrics.attach(resource, namespace, self)

    @property
    def has_synced(self) -> bool:
        """Return whether the first list is in the store and passed to the handlers; also if it is empty (I10)."""
        return self._has_synced

    @property
    def version(self) -> str:
        """Return the last version received; for metrics."""
        return self._reflector.version

    def queued(self) -> int:
        """Return the number of notifications that wait in all handlers' buffers (I14)."""
        return sum(len(registration.delivery) for registration in self._handlers)

    def add_handler(self, handler: Handler, *, resync_period_s: float = 0.0) -> HandlerRegistration:
        """Notify `handler` of the store's content, as initial, and of all changes from now on (I13).

        `resync_period_s`: how often all objects are delivered as unchanged updates, at least 1 s; 0: never (I8). For a
        handler that is added after the start, no shorter than the shortest earlier period, never if there was none.
        Raises RuntimeError after the informer ended (I16).
        """
        period_s = max(resync_period_s, _MIN_RESYNC_S) if resync_period_s else 0.0
        with self._distributing:
            if self._has_ended:
                raise RuntimeError("the informer has ended")
            if period_s and not self._has_run:
                self._check_period_s = min(self._check_period_s, period_s)
            elif period_s:
                period_s = max(period_s, self._check_period_s)
            delivery: Delivery
            if handler.never_blocks:
                delivery = DirectDelivery(handler, self._metrics.handler_failed)
            else:
                delivery = BufferedDelivery(handler, self._metrics.handler_failed)
                self._start(delivery)
            registration = HandlerRegistration(delivery, period_s)
            if self._is_watching:
                registration.schedule(self._clock.monotonic())
            for obj in self.store.snapshots(self.namespace):
                _tell_add(delivery, obj, initial=True)
            if self._has_synced:
                delivery.mark_synced()
            self._handlers = (*self._handlers, registration)
            return registration

    def run(self, stop: Stop) -> None:
        """List and watch until `stop`, in the calling thread. Raises RuntimeError when called twice (I16)."""
        with self._distributing:
            if self._has_run:
                raise RuntimeError("an informer runs once")
            self._has_run = True
        with ThreadGroup(f"informer-{self.resource.plural}", stop) as group:
            with self._distributing:
                self._group = group
                for registration in self._handlers:
                    self._start(registration.delivery)
                check_period_s = self._check_period_s
            if check_period_s < math.inf:
                group.start("resync", lambda stop: self._resync_until(stop, check_period_s))
            try:
                self._reflector.run(stop)
            finally:
                with self._distributing:
                    self._has_ended = True
                    self._group = None

    def check_resync(self) -> None:
        """Replay the store to the handlers that are due, as update(x, x), without any API call (I8).

        Does nothing before the first list, nor while a list is needed (I9).
        """
        with self._distributing:
            if not self._is_watching:
                return
            now = self._clock.monotonic()
            for registration in self._handlers:
                registration.is_due = registration.next_resync <= now
                if registration.is_due:
                    registration.schedule(now)
            keys = self.store.keys(self.namespace) if any(each.is_due for each in self._handlers) else []
        for key in keys:
            # One object at a time: a resync of 100,000 objects must not hold up the watch.
            with self._distributing:
                obj = self.store.snapshot(key)
                if obj is not None:
                    self._tell_update(obj, obj)

    # The reflector's target: called in its thread, within `run`.

    def replacement(self) -> Batch:
        """See `Target.replacement`."""
        return _Batch(self.store.replacement(self.namespace), self._commit)

    def apply(self, event: WatchEvent) -> None:
        """See `Target.apply`. The event's type only distinguishes deletions from the rest (I1)."""
        with self._metrics.processing(), self._distributing:
            if event.type == "DELETED":
                final = self.store.remove_as(event.object)
                for registration in self._handlers:
                    _tell_delete(registration.delivery, final)
            else:
                self._tell_change(self.store.upsert(event.object))

    def watching(self, is_watching: bool, /) -> None:
        """See `Target.watching`: every resync period restarts with a watch (I9)."""
        with self._distributing:
            self._is_watching = is_watching
            now = self._clock.monotonic()
            for registration in self._handlers:
                registration.schedule(now)

    def _commit(self, replacement: Replacement) -> None:
        with self._distributing:
            replaced = replacement.commit()
            for rejected in replaced.rejected:
                log.error("object rejected", resource=self.resource.plural, error=str(rejected))
            for tombstone in replaced.deleted:  # before the rest (I3)
                for registration in self._handlers:
                    _tell_delete(registration.delivery, tombstone)
            for change in replaced.changes():
                self._tell_change(change)
            if not self._has_synced:
                self._has_synced = True
                for registration in self._handlers:
                    registration.delivery.mark_synced()

    def _tell_change(self, change: Change) -> None:
        if change.old is None:
            for registration in self._handlers:
                _tell_add(registration.delivery, change.new, initial=not self._has_synced)
        else:
            self._tell_update(change.old, change.new)

    def _tell_update(self, old: Snapshot, new: Snapshot) -> None:
        """Deliver an update; one without a change only to the handlers that are due for a resync (I7)."""
        is_unchanged = old.resource_version == new.resource_version
        for registration in self._handlers:
            if registration.is_due or not is_unchanged:
                registration.delivery.deliver(lambda handler: handler.on_update(old, new))

    def _start(self, delivery: Delivery) -> None:
        """Start the thread of a buffered delivery, if the informer runs."""
        if self._group is not None and isinstance(delivery, BufferedDelivery):
            self._group.start(f"handler-{self._started}", delivery.run)
            self._started += 1

    def _resync_until(self, stop: Stop, period_s: float) -> None:
        while not stop.wait(self._until_resync_s(period_s)):
            self.check_resync()

    def _until_resync_s(self, period_s: float) -> float:
        """Return the seconds until the next resync, at most `period_s`: handlers may be added, watches may end."""
        due = min((registration.next_resync for registration in self._handlers), default=math.inf)
        return min(max(due - self._clock.monotonic(), _MIN_RESYNC_S), period_s)


class _Batch:
    """A replacement of the store's content that notifies the handlers when it is committed."""

    def __init__(self, replacement: Replacement, commit: Callable[[Replacement], None]) -> None:
        self._replacement = replacement
        self._commit = commit
        self.add = replacement.add
        self.discard = replacement.discard

    def commit(self) -> None:
        """See `Batch.commit`."""
        self._commit(self._replacement)


def _tell_add(delivery: Delivery, obj: Snapshot, *, initial: bool) -> None:
    delivery.deliver(lambda handler: handler.on_add(obj, initial=initial))


def _tell_delete(delivery: Delivery, obj: Snapshot | Tombstone) -> None:
    delivery.deliver(lambda handler: handler.on_delete(obj))
