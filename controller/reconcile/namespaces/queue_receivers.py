"""Reads the status queues that namespaces name: receivers start and stop as annotations change, on the leader only."""

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import structlog

from api.meta import ObjectKey
from controller.aws.errors import CallError
from controller.aws.events.receiver import EVENTS, HintedTracker, QueueAddress, Readers
from controller.aws.targets import Identity
from controller.reconcile.namespaces.named_queues import NamedQueues, trouble_with
from controller.runtime.queue.work_queue import PRIORITY_USER
from controller.runtime.threads import Stop, ThreadGroup

RECEIVERS: Final = 1
"""Threads for each queue: many namespaces may name one, and one thread takes some hundred messages a second."""

_log: Final = structlog.get_logger(__name__)


class Reading(Protocol):
    """`aws.events.receiver.Receiver`."""

    def read(self, stop: Stop) -> None:
        """See `Receiver.read`."""
        ...


class NewReceivers(Protocol):
    """`aws.events.receivers.Receivers`."""

    def new(
        self, address: QueueAddress, readers: Callable[[], Readers], on_lost: Callable[[CallError | None], None]
    ) -> Reading:
        """See `Receivers.new`."""
        ...

    def forget(self, address: QueueAddress) -> None:
        """See `Receivers.forget`."""
        ...

    def interrupt(self) -> None:
        """See `Receivers.interrupt`."""
        ...


@dataclass(slots=True)
class _Running:
    readers: Readers
    namespaces: tuple[str, ...]
    group: ThreadGroup


class QueueReceivers:
    """A part of the process. `run` has a thread of its own; `add` and `troubles` are for any thread and never block."""

    def __init__(
        self,
        named: Callable[[], NamedQueues],
        trackers: Iterable[HintedTracker],
        receivers: NewReceivers,
        wake: Callable[[str], None],
    ) -> None:
        """`named` reads the caches; `wake` enqueues the objects of a namespace, which show what is wrong."""
        self._named = named
        self._trackers = tuple(trackers)
        self._receivers = receivers
        self._wake = wake
        self._changed = threading.Event()
        self._lock = threading.Lock()
        self._running: dict[QueueAddress, _Running] = {}  # changed by `run` alone, under _lock
        self._leaving: list[ThreadGroup] = []
        self._lost: dict[QueueAddress, str] = {}  # guarded by _lock
        self._mistakes: dict[str, tuple[str, ...]] = {}  # guarded by _lock

    def add(self, key: ObjectKey, priority: int = PRIORITY_USER) -> None:
        """Look at the annotations again: a namespace has changed. A `KeySink` of handlers."""
        del key, priority
        self._changed.set()

    def troubles(self, namespace: str) -> tuple[str, ...]:
        """Return what keeps the queues of a namespace from being read."""
        with self._lock:
            found = [
                text
                for address, text in self._lost.items()
                if address in self._running and namespace in self._running[address].namespaces
            ]
            return (*self._mistakes.get(namespace, ()), *sorted(found))

    def run(self, stop: Stop) -> None:
        """Keep a receiver for each queue until `stop`. Raises what a receiver raised."""
        self._changed.set()
        cancels = [stop.on_set(self._receivers.interrupt), stop.on_set(self._changed.set)]
        try:
            while not stop.is_set():
                self._changed.wait()
                self._changed.clear()
                if not stop.is_set():
                    self._follow(self._named())
        finally:
            groups = [*self._leaving, *(each.group for each in self._running.values())]
            for group in groups:
                group.stop.set()
            for group in groups:
                group.join()
            for cancel in cancels:
                cancel()

    # --- changes

    def _follow(self, named: NamedQueues) -> None:
        for group in (*self._leaving, *(each.group for each in self._running.values())):
            group.raise_failure()
        for address in self._running.keys() - named.readers.keys():
            self._end(address)
        for address, readers in named.readers.items():
            known = self._running.get(address)
            if known is None:
                self._begin(address, readers, named.namespaces[address])
                continue
            gone = set(known.readers.concerns) - set(readers.concerns)
            with self._lock:
                known.readers, known.namespaces = readers, named.namespaces[address]
            self._withdraw(gone)
        self._leaving = [group for group in self._leaving if group.join(0)]
        with self._lock:
            before, self._mistakes = self._mistakes, dict(named.mistakes)
        for namespace in before.keys() | self._mistakes.keys():
            if before.get(namespace) != self._mistakes.get(namespace):
                self._wake(namespace)

    def _begin(self, address: QueueAddress, readers: Readers, namespaces: tuple[str, ...]) -> None:
        group = ThreadGroup(f"status-queue-{address.label}", Stop())
        running = _Running(readers, namespaces, group)
        receiver = self._receivers.new(address, partial(self._readers, running), partial(self._note, address))
        with self._lock:
            self._running[address] = running
        group.stop.on_set(self._changed.set)  # a thread that fails ends the process, wherever it was started
        for number in range(RECEIVERS):
            group.start(str(number), partial(self._read, receiver, address, running))
        _log.info("reading the status queue of namespaces", queue=address.label, namespaces=namespaces)

    def _end(self, address: QueueAddress) -> None:
        with self._lock:
            running = self._running.pop(address)
            self._lost.pop(address, None)
        running.group.stop.set()
        self._leaving.append(running.group)
        self._withdraw(running.readers.concerns)
        _log.info("no namespace names the status queue any more", queue=address.label)

    def _read(self, receiver: Reading, address: QueueAddress, running: _Running, stop: Stop) -> None:
        receiver.read(stop)
        if self._running.get(address) is None:
            self._withdraw(running.readers.concerns)  # what the last answer said
            self._receivers.forget(address)

    def _withdraw(self, identities: Collection[Identity]) -> None:
        """Let sweeps be frequent where a queue announces no changes any more; another one earns trust by itself."""
        if identities:
            for tracker in self._trackers:
                tracker.withdraw(EVENTS, identities)

    # --- receivers

    def _readers(self, running: _Running) -> Readers:
        with self._lock:
            return running.readers

    def _note(self, address: QueueAddress, error: CallError | None) -> None:
        """Keep why a queue is lost, or that it is not, and have the objects of its namespaces show it."""
        with self._lock:
            running = self._running.get(address)
            if running is None:
                return
            if error is None:
                self._lost.pop(address, None)
            else:
                self._lost[address] = trouble_with(address, running.readers, error)
            namespaces = running.namespaces
        for namespace in namespaces:
            self._wake(namespace)
