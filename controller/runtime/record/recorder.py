"""Records what happened to objects as Kubernetes Events, without ever blocking the caller (V1-V5).

Callers put occurrences into a bounded buffer; one thread correlates and writes them. Events are best effort: they are
dropped rather than waited for. Source: client-go `tools/record/event.go`.
"""

import random
import re
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from controller.observability.redact import redact_text, shortened
from controller.runtime.cache.reflector import Unreachable
from controller.runtime.clock import Clock
from controller.runtime.errors import ClassifiedError, ErrorClass
from controller.runtime.record.correlator import Correlator, Occurrence, Planned
from controller.runtime.record.events import EventSink, EventType, Recorder, Regarding
from controller.runtime.threads import Stop

__all__ = ["EventRecorder", "Recorder", "Regarding"]

log = structlog.get_logger(__name__)

BUFFER_SIZE: Final = 4096
"""Those of a burst of two thousand jobs, at 1 kB. A loaded API server takes half a second for each write, and then the
1,000 of client-go are not enough for a thousand jobs."""
TRIES: Final = 12
PAUSE_S: Final = 10.0
MESSAGE_LIMIT: Final = 1024
"""Characters that `events.k8s.io/v1` allows in a note."""
_REASON: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,127}")


class EventRecorder:
    """Implements `runtime.events.Recorder`. `event` may be called from any thread; one thread calls `run`."""

    def __init__(
        self,
        sink: EventSink,
        *,
        clock: Clock,
        buffer_size: int = BUFFER_SIZE,
        flush_s: float = 5.0,
        wait: Callable[[Stop, float], bool] = Stop.wait,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._buffer_size = buffer_size
        self._flush_s = flush_s
        self._wait = wait
        self._correlator = Correlator()  # used by the thread in run() only
        self._changed = threading.Condition()
        self._buffer: deque[Occurrence] = deque()  # guarded by _changed
        self._is_closed = False  # guarded by _changed

    def event(self, regarding: Regarding, type: EventType, reason: str, message: str) -> None:  # noqa: A002
        """See `Recorder.event`. Raises ValueError for a type or reason that Kubernetes would reject (V1)."""
        if type not in ("Normal", "Warning"):
            raise ValueError(f"event type {type!r} is neither Normal nor Warning")
        if not _REASON.fullmatch(reason):
            raise ValueError(f"event reason {reason!r} is not UpperCamelCase of at most 128 characters")
        message = shortened(redact_text(message), MESSAGE_LIMIT)
        occurrence = Occurrence(regarding, type, reason, message, self._clock.utcnow())
        with self._changed:
            is_kept = not self._is_closed and len(self._buffer) < self._buffer_size
            if is_kept:
                self._buffer.append(occurrence)
                self._changed.notify()
        if not is_kept:
            log.warning("event dropped", event_reason=reason, kind=regarding.kind, regarding=regarding.name)

    def run(self, stop: Stop) -> None:
        """Write until `stop`, then flush the buffer for at most `flush_s` seconds, without retries."""
        take_back = stop.on_set(self._wake)
        try:
            while (occurrence := self._next(stop)) is not None:
                self._handle(occurrence, stop)
            deadline = self._clock.monotonic() + self._flush_s
            while (rest := self._rest()) and self._clock.monotonic() < deadline:
                self._handle(rest, stop)
        finally:
            take_back()
            with self._changed:
                self._is_closed = True
                dropped = len(self._buffer)
            if dropped:
                log.warning("events dropped at the end", count=dropped)

    def _next(self, stop: Stop) -> Occurrence | None:
        """Wait for the oldest occurrence in the buffer and return it; None once `stop` is set."""
        with self._changed:
            while not self._buffer and not stop.is_set():
                self._changed.wait()
            return None if stop.is_set() else self._buffer.popleft()

    def _rest(self) -> Occurrence | None:
        with self._changed:
            return self._buffer.popleft() if self._buffer else None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _handle(self, occurrence: Occurrence, stop: Stop) -> None:
        planned = self._correlator.plan(occurrence, self._clock.monotonic())
        if planned is None:
            log.debug("event dropped: too many about this object", event_reason=occurrence.reason)
            return
        for attempt in range(TRIES):
            try:
                self._write(planned)
            except Unreachable as exc:
                log.info("event not written", error=str(exc), attempt=attempt + 1)
                pause_s = PAUSE_S if attempt else PAUSE_S * random.random()  # noqa: S311 (spreads load, no secret)
                if stop.is_set() or self._wait(stop, pause_s):
                    return
            except ClassifiedError as exc:
                # a reply is final (V5): the namespace may be terminating, or the Event was rejected
                log.info("event refused", error=str(exc), event_reason=occurrence.reason)
                return
            else:
                return
        log.warning("event given up", event_reason=occurrence.reason)

    def _write(self, planned: Planned) -> None:
        """Raise the count of the existing Event, or create one, also if it has expired meanwhile."""
        if planned.ref is not None:
            try:
                self._sink.update(planned.ref, planned.record)
            except ClassifiedError as exc:
                if exc.error_class is not ErrorClass.NOT_FOUND:
                    raise
            else:
                return
        self._correlator.written(planned, self._sink.create(planned.record))
