"""Leader election by a lease, with client-go's rules and a fence, so that at most one process acts.

`ElectionState` decides (last record, when it changed, whether to take the lease); `Elector` reads, writes and waits.
Time is the local monotonic clock: times that other machines wrote into the lease are compared for change only (E2), so
clock skew does no harm. Differences from client-go `tools/leaderelection`: durations are monotonic, a leader that reads
another holder's name gives up at once, release decides on the record just read (E16), the gauge is 0 after every exit
(E19), and every effect checks the fence (E20). A new leader is only logged, which blocks no thread (E17).
"""

import random
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, NoReturn, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from controller.runtime.clock import Clock
from controller.runtime.election.fence import LeaseFence
from controller.runtime.errors import ABSENT, Absent, ClassifiedError
from controller.runtime.record.events import LEADER_ELECTION, Recorder, Regarding
from controller.runtime.threads import Stop

log = structlog.get_logger(__name__)

_JITTER: Final = 1.2
"""client-go `JitterFactor`: candidates wait retry period · uniform(1, 1 + this)."""
_RELEASE_ATTEMPTS: Final = 3


class LeadershipLost(Exception):  # noqa: N818 (an event that ends the process, not a mistake)
    """The lease could not be kept. The process must end without finishing its work (E14)."""


@dataclass(frozen=True, slots=True)
class LeaseRecord:
    """The content of a lease. The times are for humans and kept as written: compared for change only (E2, E4)."""

    holder: str
    """Identity of the holder; empty when released."""
    duration_s: int
    """How long others wait for the holder after they last saw the record change (E3)."""
    transitions: int
    acquire_time: str
    renew_time: str


@dataclass(frozen=True, slots=True)
class Versioned:
    """A record as stored; an update must send its `version`."""

    record: LeaseRecord
    version: str


class Lock(Protocol):
    """Stores the record. Used by one thread at a time; calls block for `timeout_s` at most (E13)."""

    regarding: Regarding
    """The lease as an object, for Events."""

    def get(self, *, timeout_s: float) -> Versioned | Absent:
        """Return the stored record. Raises `ClassifiedError`."""
        ...

    def create(self, record: LeaseRecord, *, timeout_s: float) -> Versioned:
        """Store the first record. Raises `ClassifiedError` EXISTS when another candidate was faster."""
        ...

    def update(self, record: LeaseRecord, version: str, *, timeout_s: float) -> Versioned:
        """Replace the record of that version. Raises `ClassifiedError` CONFLICT if another version is stored (E10)."""
        ...


@dataclass(frozen=True, slots=True)
class ElectionConfig:
    """The candidate's identity and times. Raises ValueError for times that could elect two leaders (E1)."""

    identity: str
    lease_duration_s: float = 15.0
    renew_deadline_s: float = 10.0
    retry_period_s: float = 2.0

    def __post_init__(self) -> None:
        if not self.identity:
            raise ValueError("the identity must not be empty")
        if self.retry_period_s <= 0:
            raise ValueError("the retry period must be positive")
        if self.lease_duration_s < 1 or self.lease_duration_s != int(self.lease_duration_s):
            raise ValueError("the lease duration must be a whole number of seconds, at least 1")
        if self.lease_duration_s <= self.renew_deadline_s:
            raise ValueError("the lease duration must be longer than the renew deadline")
        if self.renew_deadline_s <= _JITTER * self.retry_period_s:
            raise ValueError(f"the renew deadline must be longer than {_JITTER} times the retry period")

    @property
    def request_timeout_s(self) -> float:
        """Return the time-out of one request, so that a hanging one cannot cost the lease (E13)."""
        return max(1.0, self.renew_deadline_s / 2)


def unique_identity() -> str:
    """Return `hostname_uuid`: the pod's name for humans, and unique for each process, as E7 requires."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


def micro_time(at: datetime) -> str:
    """Return RFC 3339 in UTC with exactly six decimals, as `metav1.MicroTime` is written (E21)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class ElectionState:
    """One candidate's view of the lease, and its decisions. No I/O, no clock; times: monotonic seconds."""

    def __init__(self, config: ElectionConfig) -> None:
        self._config = config
        self.seen: Versioned | None = None
        """The record last read or written; None before the first, and while there is no lease."""
        self.changed_at = 0.0
        """When this candidate first saw the current record (E2, E4)."""

    def observe(self, found: Versioned | Absent, now: float) -> bool:
        """Record what was read or written at `now`; returns whether the holder has changed."""
        before = self.seen.record if self.seen else None
        if found is ABSENT:
            self.seen = None
            return before is not None
        if before != found.record:
            self.changed_at = now
        self.seen = found
        return before is None or before.holder != found.record.holder

    @property
    def is_leader(self) -> bool:
        """Return whether this candidate is the holder."""
        return self.seen is not None and self.seen.record.holder == self._config.identity

    def is_valid(self, now: float) -> bool:
        """Return whether the lease, counted from its last observed change, has not expired (E2, E3)."""
        return self.seen is not None and self.changed_at + self.seen.record.duration_s > now

    def may_take(self, now: float) -> bool:
        """Return whether the lease has no holder (E5, E6), is ours already (E7), or has expired."""
        return self.seen is None or not self.seen.record.holder or self.is_leader or not self.is_valid(now)

    @property
    def rival(self) -> str | None:
        """Return the holder if it is another candidate, else None."""
        return None if self.seen is None or self.is_leader else self.seen.record.holder or None

    def wanted(self, utcnow: datetime) -> LeaseRecord:
        """Return the record that makes or keeps this candidate the leader (E5, E7, E8)."""
        stamp = micro_time(utcnow)
        mine = LeaseRecord(self._config.identity, int(self._config.lease_duration_s), 0, stamp, stamp)
        if self.seen is None:
            return mine
        last = self.seen.record
        if self.is_leader:
            return replace(mine, acquire_time=last.acquire_time or stamp, transitions=last.transitions)
        return replace(mine, transitions=last.transitions + 1)


class ElectionMetrics:
    """Leader election metrics (runtime-semantics 12)."""

    def __init__(self, registry: CollectorRegistry, name: str) -> None:
        self.is_master = Gauge(
            "leader_election_master_status", "1 while this process leads, else 0.", ["name"], registry=registry
        ).labels(name)
        self.slow_path = Counter(
            "leader_election_slowpath_total",
            "Renewals that had to read the lease first, because updating it from memory failed.",
            ["name"],
            registry=registry,
        ).labels(name)


class Elector:
    """Runs the election in the thread that calls `run`. `healthy` may be called from any thread."""

    def __init__(
        self,
        config: ElectionConfig,
        lock: Lock,
        *,
        fence: LeaseFence,
        recorder: Recorder,
        metrics: ElectionMetrics,
        clock: Clock,
        wait: Callable[[Stop, float], bool] = Stop.wait,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._config = config
        self._lock = lock
        self._fence = fence
        self._recorder = recorder
        self._metrics = metrics
        self._clock = clock
        self._wait = wait
        self._jitter = jitter
        self._state = ElectionState(config)
        self._guard = threading.Lock()
        self._renewed_at: float | None = None  # while leading: when last known to be ours; guarded by _guard
        metrics.is_master.set(0)

    def run(self, stop: Stop, on_started: Callable[[], None]) -> None:
        """Acquire the lease, call `on_started`, renew the lease until `stop`. Returns without releasing it.

        Raises `LeadershipLost`. The caller sets `stop` only after the guarded work has ended, then calls `release`.
        """
        try:
            if not self._acquire(stop):
                return
            self._metrics.is_master.set(1)
            log.info("became leader", lease=self._lock.regarding.name, identity=self._config.identity)
            self._tell("became leader")
            on_started()
            self._keep(stop)
        finally:
            self._metrics.is_master.set(0)
            with self._guard:
                self._renewed_at = None

    def release(self) -> None:
        """Close the fence and release the lease, if still held (E15, E16). A failure is logged: the lease expires.

        Blocks for the renew deadline at most. For the thread that joined `run`.
        """
        self._fence.close()
        deadline = self._clock.monotonic() + self._config.renew_deadline_s
        for _ in range(_RELEASE_ATTEMPTS):
            try:
                if self._release_once(deadline):
                    log.info("released the lease", lease=self._lock.regarding.name)
                    self._tell("stopped leading")
            except ClassifiedError as exc:
                log.warning("lease not released", lease=self._lock.regarding.name, error=str(exc))
                if self._remaining(deadline) <= 0:
                    return
            else:
                return

    def healthy(self, *, tolerance_s: float = 20.0) -> bool:
        """Return False when leading on a lease that is long overdue for renewal: the electing thread hangs (E18)."""
        with self._guard:
            renewed_at = self._renewed_at
        if renewed_at is None:
            return True
        return self._clock.monotonic() - renewed_at <= self._config.lease_duration_s + tolerance_s

    def _acquire(self, stop: Stop) -> bool:
        """Try to acquire at once, then every retry period with jitter (E11), until it succeeds or `stop` is set."""
        while not stop.is_set():
            if self._attempt(self._clock.monotonic() + self._config.renew_deadline_s):
                return True
            pause_s = self._config.retry_period_s * self._jitter(1.0, 1.0 + _JITTER)
            self._wait(stop, pause_s)
        return False

    def _keep(self, stop: Stop) -> None:
        """Renew every retry period; one round of attempts may last the renew deadline (E12)."""
        while not self._wait(stop, self._config.retry_period_s):
            deadline = self._clock.monotonic() + self._config.renew_deadline_s
            while not self._attempt(deadline):
                if self._state.rival is not None:
                    self._lose(f"{self._state.rival} holds it now")
                if self._wait(stop, min(self._config.retry_period_s, max(0.0, self._remaining(deadline)))):
                    return
                if self._remaining(deadline) <= 0:
                    self._lose(f"it could not be renewed within {self._config.renew_deadline_s:g} s")

    def _lose(self, why: str) -> NoReturn:
        self._fence.close()
        self._tell("stopped leading")
        raise LeadershipLost(f"lost the lease {self._lock.regarding.name}: {why}")

    def _attempt(self, deadline: float) -> bool:
        """Try once to acquire or renew; returns False on refusal or failure: the caller tries again (E5, E10)."""
        now = self._clock.monotonic()
        if self._state.is_leader and self._state.is_valid(now) and self._state.seen is not None:
            try:
                self._write(self._state.seen, deadline)
            except ClassifiedError as exc:
                self._metrics.slow_path.inc()
                log.info("lease not renewed from memory, reading it", error=str(exc))
            else:
                return True
        try:
            found = self._lock.get(timeout_s=self._timeout(deadline))
            self._observe(found)
            if not self._state.may_take(self._clock.monotonic()):
                return False
            self._write(found, deadline)
        except ClassifiedError as exc:
            log.info("lease not acquired", lease=self._lock.regarding.name, error=str(exc))
            return False
        return True

    def _write(self, found: Versioned | Absent, deadline: float) -> None:
        """Write our identity into the `found` record. Time counts from before the request, when others may see it."""
        record = self._state.wanted(self._clock.utcnow())
        sent_at = self._clock.monotonic()
        timeout_s = self._timeout(deadline)
        if found is ABSENT:
            stored = self._lock.create(record, timeout_s=timeout_s)
        else:
            stored = self._lock.update(record, found.version, timeout_s=timeout_s)
        self._observe(stored, at=sent_at)
        self._fence.renewed(sent_at=sent_at)
        with self._guard:
            self._renewed_at = sent_at

    def _observe(self, found: Versioned | Absent, *, at: float | None = None) -> None:
        is_new = self._state.observe(found, self._clock.monotonic() if at is None else at)
        if is_new and found is not ABSENT and found.record.holder:
            log.info("leader is", lease=self._lock.regarding.name, holder=found.record.holder)

    def _release_once(self, deadline: float) -> bool:
        """Empty the lease if this candidate holds it; returns whether it did."""
        found = self._lock.get(timeout_s=self._timeout(deadline))
        if found is ABSENT or found.record.holder != self._config.identity:
            return False
        stamp = micro_time(self._clock.utcnow())
        released = LeaseRecord("", 1, found.record.transitions, stamp, stamp)
        self._lock.update(released, found.version, timeout_s=self._timeout(deadline))
        return True

    def _remaining(self, deadline: float) -> float:
        return deadline - self._clock.monotonic()

    def _timeout(self, deadline: float) -> float:
        """Return the time-out of one request: not beyond the round's deadline, but long enough to be useful."""
        return max(0.1, min(self._config.request_timeout_s, self._remaining(deadline)))

    def _tell(self, what: str) -> None:
        self._recorder.event(self._lock.regarding, "Normal", LEADER_ELECTION, f"{self._config.identity} {what}")
