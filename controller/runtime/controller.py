"""The worker loop: takes keys, calls the reconciler, and handles its outcome by the outcome table (C2)."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from structlog.contextvars import bound_contextvars

from api.meta import ObjectKey
from controller.runtime.clock import Clock
from controller.runtime.controller_metrics import ControllerMetrics
from controller.runtime.errors import ClassifiedError, ErrorClass, Terminal, release_frames
from controller.runtime.queue.work_queue import PRIORITY_RETRY, Handed, WorkQueue
from controller.runtime.threads import Stop, ThreadGroup

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_SYNC_TIMEOUT_S: Final = 120.0
_SYNC_POLL_S: Final = 0.1
_SOON_S: Final = (0.5, 1.5)
"""Bounds of the pause after a throttled call without a Retry-After."""
_LOGGED_A_MINUTE: Final = 10
"""Failed calls that one controller logs a minute: metrics count them all, and the objects' conditions show them."""
_NOT_FAILURES: Final = frozenset({ErrorClass.THROTTLED, ErrorClass.CONFLICT})


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a successful reconcile: whether, and when, to requeue the key."""

    requeue_after_s: float | None = None
    """Seconds until the key is requeued; None: not before an event enqueues it."""
    priority: int | None = None
    """Priority of that requeue; None: the priority that `get` returned (P8)."""


DONE: Final = Result()


class Reconciler(Protocol):
    """Brings one object closer to its desired state. Called by several threads, but never concurrently for one key."""

    def reconcile(self, key: ObjectKey) -> Result:
        """Observe the current state and act once. A deleted object is a success: DONE (C8).

        Raises `Terminal` to stop retries until a change, `ClassifiedError` for failed calls: THROTTLED and CONFLICT are
        retried soon and do not count as failures. Every other exception is retried with growing delays, behind the
        keys that did not fail; `retry_after_s` is the least delay.
        """
        ...


class SyncTimeoutError(Exception):
    """The caches that a controller reads were not filled in time (C1)."""


class Controller:
    """Workers that take keys from one queue to one reconciler.

    Starts after its sources have synced (C1). When stopped, each worker finishes its current key; queued keys are
    dropped: the next process finds them in its first list.
    """

    def __init__(
        self,
        name: str,
        queue: WorkQueue[ObjectKey],
        reconciler: Reconciler,
        *,
        metrics: ControllerMetrics,
        clock: Clock,
        workers: int = 1,
        has_synced: Callable[[], bool] = lambda: True,
        rng: random.Random | None = None,
    ) -> None:
        """`has_synced` returns whether the handlers that feed `queue` have received the initial list."""
        self.name = name
        self.workers = workers
        self._queue = queue
        self._reconciler = reconciler
        self._clock = clock
        self._has_synced = has_synced
        self._rng = rng or random.Random()  # noqa: S311 (spreads load, keeps no secret)
        self._metrics = metrics.attach(name, workers)
        self._log_quota = _LogQuota(clock)

    def run(self, stop: Stop) -> None:
        """Wait for the sources, then work until `stop`; returns when the last worker has ended.

        Raises `SyncTimeoutError` if they have not synced after 2 min.
        """
        forget = stop.on_set(self._queue.shut_down)
        try:
            if self._wait_for_sources(stop):
                with ThreadGroup(self.name, stop) as group:
                    _Crew(group, self.workers, self.work).start()
                    stop.wait()
        finally:
            forget()

    def work(self, stop: Stop, busy: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
        """Process keys until `stop`, or until the queue is shut down and empty, each within a context of `busy`."""
        while not stop.is_set():
            handed = self._queue.get()
            if handed is None:
                return
            if stop.is_set():
                self._queue.done(handed.key)
                return
            with busy():
                self.process(handed, gets_next=True)

    def process(self, handed: Handed[ObjectKey], *, gets_next: bool = False) -> None:
        """Reconcile one key in a log context of its own (C5), handle the outcome, and mark the key done (C2)."""
        key = handed.key
        started_at = self._clock.monotonic()
        self._metrics.active_workers.inc()
        reconcile_id = f"{self._rng.getrandbits(64):016x}"  # for logs only; a UUID costs a system call
        with bound_contextvars(controller=self.name, namespace=key.namespace, name=key.name, reconcile_id=reconcile_id):
            try:
                self._account(handed)
            finally:
                self._metrics.seconds.observe(self._clock.monotonic() - started_at)
                self._metrics.active_workers.dec()
                self._queue.done(key, gets_next=gets_next)

    def _wait_for_sources(self, stop: Stop) -> bool:
        """Block until the sources have synced; False if stopped meanwhile."""
        deadline = self._clock.monotonic() + _SYNC_TIMEOUT_S
        while not self._has_synced():
            if self._clock.monotonic() >= deadline:
                raise SyncTimeoutError(f"the caches of controller {self.name!r} were not filled in time")
            if stop.wait(_SYNC_POLL_S):
                return False
        return True

    def _account(self, handed: Handed[ObjectKey]) -> None:
        """Run the reconciler and apply the first matching row of the outcome table (C2)."""
        try:
            result = self._reconciler.reconcile(handed.key)
        except Terminal as error:
            self._metrics.terminal_errors.inc()
            self._count_error()
            # No error of the operator's: the object says what its user has to change.
            log.info("reconcile waits for a change of the object", error=str(error))
            release_frames(error)
        except ClassifiedError as error:
            if error.error_class in _NOT_FAILURES:
                self._wait_its_turn(handed, error)
            else:
                self._count_error()
                self._log_failure(error)
                self._retry(handed, at_least_s=error.retry_after_s or 0.0)
            release_frames(error)
        except Exception as error:  # logged in full; the worker survives whatever it is (C4)
            self._metrics.panics.inc()
            self._count_error()
            log.exception("reconcile failed unexpectedly")
            self._retry(handed)
            release_frames(error)
        else:
            self._succeed(handed, result)

    def _succeed(self, handed: Handed[ObjectKey], result: Result) -> None:
        self._queue.forget(handed.key)
        if result.requeue_after_s is not None and result.requeue_after_s > 0:
            priority = handed.priority if result.priority is None else result.priority
            self._queue.add_after(handed.key, result.requeue_after_s, priority)
            self._metrics.results["requeue_after"].inc()
        else:
            self._metrics.results["success"].inc()

    def _retry(self, handed: Handed[ObjectKey], *, at_least_s: float = 0.0) -> None:
        self._queue.add_rate_limited(handed.key, min(handed.priority, PRIORITY_RETRY), at_least_s=at_least_s)

    def _log_failure(self, error: ClassifiedError) -> None:
        """Log a failed call, unless many have been logged this minute; those are counted in the next line."""
        unlogged = self._log_quota.take()
        if unlogged is None:
            return
        facts = {"error_class": error.error_class.value, "code": error.code, "error": str(error)}
        if unlogged:
            facts["unlogged_failures"] = str(unlogged)
        log.error("reconcile failed", **facts)

    def _wait_its_turn(self, handed: Handed[ObjectKey], error: ClassifiedError) -> None:
        """Requeue soon: a throttled call or a lost race is not the object's failure, so its back-off does not grow."""
        delay_s = error.retry_after_s or self._rng.uniform(*_SOON_S)
        log.debug("reconcile waits its turn", error_class=error.error_class.value, code=error.code, delay_s=delay_s)
        self._queue.add_after(handed.key, delay_s, handed.priority)
        self._metrics.results["requeue"].inc()

    def _count_error(self) -> None:
        self._metrics.errors.inc()
        self._metrics.results["error"].inc()


class _Crew:
    """The workers of a controller: one more than are busy, up to a limit. Thread-safe.

    Most kinds are idle most of the time: the workers of all of them would be three hundred threads, which take 5 MB.
    """

    def __init__(
        self, group: ThreadGroup, most: int, work: Callable[[Stop, Callable[[], AbstractContextManager[None]]], None]
    ) -> None:
        """`work` is what a worker does; it enters the context that it is given for each key."""
        self._group = group
        self._most = most
        self._work = work
        self._lock = threading.Lock()
        self._started = 0  # guarded by _lock
        self._idle = 0  # guarded by _lock

    def start(self) -> None:
        """Start a worker, unless all have been started."""
        with self._lock:
            if self._started == self._most:
                return
            number = self._started
            self._started += 1
            self._idle += 1
        self._group.start(f"worker-{number}", lambda stop: self._work(stop, self._busy))

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """Count a worker as busy; where none is left to wait for the next key, another one starts."""
        with self._lock:
            self._idle -= 1
            is_last = self._idle == 0
        if is_last:
            self.start()
        try:
            yield
        finally:
            with self._lock:
                self._idle += 1


class _LogQuota:
    """Lets `_LOGGED_A_MINUTE` lines through, and counts the others. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since = float("-inf")  # begin of the current minute; guarded by _lock, as are the counts
        self._lines = 0
        self._unlogged = 0

    def take(self) -> int | None:
        """Return how many lines were left out since the last that was let through; None: leave this one out, too."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._since >= 60.0:
                self._since, self._lines = now, 0
            if self._lines >= _LOGGED_A_MINUTE:
                self._unlogged += 1
                return None
            self._lines += 1
            unlogged, self._unlogged = self._unlogged, 0
            return unlogged
