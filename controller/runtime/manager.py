"""Starts and stops the parts of the process in order, and decides its exit code (M1-M4).

    manager = Manager(election=elector, shutdown_timeout_s=30.0)
    manager.add(Stage.SERVERS, "health", health.run)
    manager.add_cache("trainingjobs", informer.run, has_synced=lambda: informer.has_synced)
    manager.add(Stage.LEADING, "trainingjob", controller.run)
    code = manager.run()      # blocks until SIGTERM, SIGINT or a failure

A part is a function `run(stop)` that blocks until `stop` is set; one that raises, or returns before, ends the process.
No thread may start before `run`: it blocks the signals first, so that no other thread receives them (K7).
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, TypeAlias

import structlog

from controller.runtime.clock import Clock, SystemClock
from controller.runtime.threads import Stop, ThreadGroup

log = structlog.get_logger(__name__)

Run: TypeAlias = Callable[[Stop], None]

_END_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_WAKE: Final = signal.SIGUSR1
"""Sent by a failing thread to the main thread, which waits for signals and nothing else."""
_SYNC_POLL_S: Final = 0.05
_LEAST_JOIN_S: Final = 0.2
"""Join time of a stage even if the stages before it used up the time-out: it may end quickly and flush its output."""


class Stage(Enum):
    """When a part runs. Stages start in this order."""

    EVENTS = "events"
    """Everything records events, so this starts first and stops last."""
    SERVERS = "servers"
    """Metrics and health, also on standby replicas."""
    CACHES = "caches"
    """The next stage waits until they have synced."""
    ALWAYS = "always"
    """Needs caches but no lease."""
    LEADING = "leading"
    """Runs on the leader only; without election it always runs."""


_STOP_ORDER: Final = (Stage.ALWAYS, Stage.LEADING, Stage.CACHES, Stage.SERVERS)
"""Then the lease is released and EVENTS end (M2)."""


class Election(Protocol):
    """`runtime.election.leader_election.Elector`."""

    def run(self, stop: Stop, on_started: Callable[[], None]) -> None:
        """Block until `stop`; call `on_started` once when leading. Raises when the lease is lost."""
        ...

    def release(self) -> None:
        """Release the lease if this process holds it. Blocks for a bounded time, raises nothing."""
        ...


class CachesNotSynced(Exception):  # noqa: N818 (what is the case, in the field's words)
    """The caches did not sync in time: the process exits, and the kubelet restarts it with back-off (C1)."""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    run: Run
    may_end: bool


class Manager:
    """Runs the added parts. Call `add` and `run` from the main thread, `readiness` from any."""

    def __init__(
        self,
        *,
        election: Election | None = None,
        shutdown_timeout_s: float = 30.0,
        sync_timeout_s: float = 120.0,
        clock: Clock | None = None,
    ) -> None:
        self._election = election
        self._shutdown_timeout_s = shutdown_timeout_s
        self._sync_timeout_s = sync_timeout_s
        self._clock = clock or SystemClock()
        self._parts: dict[Stage, list[_Part]] = {stage: [] for stage in Stage}
        self._groups = {stage: ThreadGroup(stage.value, Stop()) for stage in Stage}
        self._starting = ThreadGroup("manager", Stop())
        self._electing = ThreadGroup("election", Stop())
        self._synced: dict[str, Callable[[], bool]] = {}
        self._waker = _Waker()

    def add(self, stage: Stage, name: str, run: Run, *, may_end: bool = False) -> None:
        """Add a part. With `may_end` it may return before it is stopped, e.g. because it does something once."""
        self._parts[stage].append(_Part(name, run, may_end))

    def add_cache(self, name: str, run: Run, *, has_synced: Callable[[], bool]) -> None:
        """Add a part of stage CACHES; `has_synced`: store filled, and its handlers have the initial list (I11)."""
        self.add(Stage.CACHES, name, run)
        self._synced[name] = has_synced

    def readiness(self) -> str | None:
        """Return what is not ready yet, None when everything is; a check for `/readyz`."""
        if self._starting.stop.is_set():
            return "the process is ending"
        missing = self._unsynced()
        return f"not synced: {', '.join(missing)}" if missing else None

    def run(self) -> int:
        """Start everything, wait for a signal or a failure, stop everything. Returns the exit code, 0 or 1.

        A second signal while stopping ends the process at once. Threads that do not end in time are logged by name
        and left behind, so the caller should end the process with `os._exit`. After a lost lease it waits for no
        thread: those that still run may not act any more (E14).
        """
        groups = [*self._groups.values(), self._starting, self._electing]
        with _signals_blocked(), self._waker.armed():
            for group in groups:
                group.stop.on_set(self._waker.wake)
            self._starting.start("start", self._start)
            self._waker.wait(lambda: any(group.failure for group in groups))
            lost = self._electing.failure
            if lost is not None:
                log.error("leadership lost, ending at once", exc_info=lost)
                for group in groups:
                    group.stop.set()
                return 1
            with _second_signal_ends():
                late = self._stop(self._clock.monotonic() + self._shutdown_timeout_s)
        return self._exit_code([group for group in groups if group.failure], late)

    def _start(self, stop: Stop) -> None:
        """Start stage after stage; runs in a thread, since the main thread waits for signals (M1)."""
        self._start_stage(Stage.EVENTS)
        self._start_stage(Stage.SERVERS)
        self._start_stage(Stage.CACHES)
        if not self._wait_for_caches(stop):
            return
        log.info("caches synced", caches=len(self._synced))
        self._start_stage(Stage.ALWAYS)
        if self._election is None:
            self._start_stage(Stage.LEADING)
            return
        election = self._election
        self._electing.start("elector", lambda ending: election.run(ending, self._start_leading))

    def _start_leading(self) -> None:
        self._start_stage(Stage.LEADING)

    def _start_stage(self, stage: Stage) -> None:
        for part in self._parts[stage]:
            self._groups[stage].start(part.name, part.run if part.may_end else _endless(part))

    def _wait_for_caches(self, stop: Stop) -> bool:
        """Return True when all caches have synced, False when `stop` came first. Raises `CachesNotSynced` when late."""
        deadline = self._clock.monotonic() + self._sync_timeout_s
        while missing := self._unsynced():
            if stop.wait(_SYNC_POLL_S):
                return False
            if self._clock.monotonic() > deadline:
                raise CachesNotSynced(f"not synced within {self._sync_timeout_s:g} s: {', '.join(missing)}")
        return not stop.is_set()

    def _unsynced(self) -> list[str]:
        return [name for name, has_synced in self._synced.items() if not has_synced()]

    def _stop(self, deadline: float) -> list[str]:
        """Stop the stages in order (M2) by `deadline`; returns the names of threads that did not end."""
        late = self._end(self._starting, deadline)
        for stage in _STOP_ORDER:
            late += self._end(self._groups[stage], deadline)
        if self._election is not None:
            is_working = any(name.startswith(f"{Stage.LEADING.value}/") for name in late)
            still_electing = self._end(self._electing, deadline)
            late += still_electing
            if not is_working and not still_electing:  # else the lease is in use: let it expire (E15)
                self._election.release()
        return late + self._end(self._groups[Stage.EVENTS], deadline)

    def _end(self, group: ThreadGroup, deadline: float) -> list[str]:
        group.stop.set()
        return group.join(max(_LEAST_JOIN_S, deadline - self._clock.monotonic()))

    def _exit_code(self, failed: list[ThreadGroup], late: list[str]) -> int:
        for group in failed:
            for name, failure in group.failures:
                log.error("failed", thread=name, exc_info=failure)
        if late:
            log.error("not ended in time", threads=late, shutdown_timeout_s=self._shutdown_timeout_s)
        if failed or late:
            return 1
        log.info("ended")
        return 0


def _endless(part: _Part) -> Run:
    """Wrap a part so that its early return raises: it would leave the process alive but useless."""

    def run(stop: Stop) -> None:
        part.run(stop)
        if not stop.is_set():
            raise RuntimeError(f"{part.name} ended although nobody asked it to")

    return run


class _Waker:
    """The main thread's sleep, ended by a signal from outside or by `wake` from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sleeper: int | None = None  # thread id; guarded by _lock

    @contextmanager
    def armed(self) -> Iterator[None]:
        with self._lock:
            self._sleeper = threading.get_ident()
        try:
            yield
        finally:
            with self._lock:
                self._sleeper = None
            if _WAKE in signal.sigpending():  # sent after we woke: must not be delivered once unblocked
                signal.sigwait({_WAKE})

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Block until an end signal, or until a wake finds that `is_over`."""
        while True:
            got = signal.sigwait(_END_SIGNALS | {_WAKE})
            if got in _END_SIGNALS:
                log.info("ending", signal=signal.Signals(got).name)
                return
            if is_over():
                return

    def wake(self) -> None:
        with self._lock:
            if self._sleeper is not None:
                signal.pthread_kill(self._sleeper, _WAKE)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _END_SIGNALS | {_WAKE})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _second_signal_ends() -> Iterator[None]:
    """End the process on a second signal while stopping.

    A thread waits for the signal instead of a handler: the main thread joins others meanwhile, and a signal just
    before such a join would be handled only after it. It also works as pid 1, where the kernel ignores defaults.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            got = signal.sigwait(_END_SIGNALS | {_WAKE})
            if got in _END_SIGNALS:
                os._exit(128 + got)

    watcher = threading.Thread(target=watch, name="manager/second-signal")
    watcher.start()
    try:
        yield
    finally:
        over.set()
        assert watcher.ident is not None  # noqa: S101 (it was started)
        signal.pthread_kill(watcher.ident, _WAKE)
        watcher.join()
