"""How many calls may go out: one adaptive budget per target and operation, shared by everything in the process.

A refused call is not an error of the object: it gets a ticket for a time slot and comes back then (DESIGN 4.6).
Tickets make the wait fair and the requeues few: a thousand waiting keys come back once each, not all at every slot.
"""

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass


@dataclass(frozen=True, slots=True)
class Limit:
    """A ceiling: `rate` calls a second on average, `burst` at once after a quiet time."""

    rate: float
    burst: float


DEFAULT_LIMIT: Final = Limit(rate=4.0, burst=8.0)
"""For what the table below does not name. AWS does not publish the quotas; AIMD finds the true value from here."""

LIMITS: Final[Mapping[str, Limit]] = {
    # About two a second per account, cannot be raised (DESIGN 4.5); half of it is left to people and other tools.
    "ListTrainingJobs": Limit(1.0, 2.0),
    "ListHyperParameterTuningJobs": Limit(1.0, 2.0),
    "ListTransformJobs": Limit(1.0, 2.0),
    "ListProcessingJobs": Limit(1.0, 2.0),
    "ListEndpoints": Limit(1.0, 2.0),
    "ListTrainingJobsForHyperParameterTuningJob": Limit(1.0, 4.0),
    "CreateTrainingJob": Limit(2.0, 5.0),
    "CreateHyperParameterTuningJob": Limit(1.0, 2.0),
    "CreateTransformJob": Limit(2.0, 5.0),
    "CreateProcessingJob": Limit(2.0, 5.0),
}

_FLOOR: Final = 0.05
"""Share of the ceiling below which throttling does not push a rate: progress must not stop for good."""
_DECREASE: Final = 0.5
_INCREASE: Final = 0.02
"""Share of the ceiling gained per call that AWS accepted: fifty of them undo everything, as TCP would."""
_CALM_S: Final = 1.0
"""One decrease per such time: calls that were under way together are refused together and count once."""
_GRACE_S: Final = 30.0
"""How long a slot is kept for a ticket whose holder does not come (its object is gone)."""
_USER_SHARE: Final = 0.5
"""Share of the burst that background calls leave untouched."""


class Bucket:
    """A token bucket as a virtual schedule (GCRA), with tickets and two lanes. Pure: every method gets `now`.

    `_due` is the time at which the schedule is level again; each admitted or promised call moves it by 1/rate. A call
    may run ahead of it by the burst. Background calls have tickets of their own, behind the user's: they are
    admitted only while half of the burst is left.
    Not thread-safe: `Budgets` locks. Source: ITU-T I.371 (GCRA); AIMD as in TCP, RFC 5681.
    """

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self.rate = limit.rate
        self._due = float("-inf")
        self._background_due = float("-inf")
        self._tickets: dict[Hashable, float] = {}  # caller -> slot
        self._last_decrease = float("-inf")
        self._drop_at = float("-inf")

    def admit(self, caller: Hashable, *, background: bool, now: float) -> float:
        """Seconds to wait before `caller` may try again; 0 means: go now, the call is charged.

        A caller that comes back not earlier than it was told to is admitted, unless throttling has slowed the schedule
        down meanwhile (background callers also yield to users who came later).
        """
        self._drop_abandoned(now)
        return self._admit_background(caller, now) if background else self._admit_user(caller, now)

    def throttled(self, now: float) -> None:
        """AWS refused a call: halve the rate and start a pause of one interval."""
        if now - self._last_decrease < _CALM_S:
            return
        self._last_decrease = now
        before, self.rate = self.rate, max(self.rate * _DECREASE, self._limit.rate * _FLOOR)
        # Slots that are promised already were spaced for the old rate: stretch what lies ahead, or a long queue of
        # waiting objects would go on at a rate that AWS has just refused.
        self._stretch(before / self.rate, now)
        # The burst is spent, whatever we believed: AWS's bucket is empty.
        self._due = max(self._due, now + self._ahead(1.0) + 1.0 / self.rate)

    def accepted(self) -> None:
        """AWS took a call: regain some rate."""
        self.rate = min(self.rate + self._limit.rate * _INCREASE, self._limit.rate)

    def __len__(self) -> int:
        """Tickets that wait for their slot."""
        return len(self._tickets)

    def _admit_user(self, caller: Hashable, now: float) -> float:
        slot = self._tickets.get(caller)
        if slot is None:
            slot = max(now, self._due - self._ahead(1.0))
            self._due = max(now, self._due) + 1.0 / self.rate
        if slot <= now:
            self._tickets.pop(caller, None)
            return 0.0
        self._tickets[caller] = slot
        return slot - now

    def _admit_background(self, caller: Hashable, now: float) -> float:
        slot = self._tickets.get(caller)
        if slot is None:
            slot = max(now, self._background_due)
            self._background_due = slot + 1.0 / self.rate
        wait = max(slot - now, self._due - self._ahead(1.0 - _USER_SHARE) - now)
        if wait <= 0:
            self._tickets.pop(caller, None)
            self._due = max(now, self._due) + 1.0 / self.rate
            return 0.0
        self._tickets[caller] = slot
        return wait

    def _ahead(self, share: float) -> float:
        """Seconds that calls may run ahead of the schedule: the first one costs nothing, hence minus one."""
        return max(self._limit.burst * share - 1.0, 0.0) / self.rate

    def _stretch(self, factor: float, now: float) -> None:
        def later(time: float) -> float:
            return now + (time - now) * factor if time > now else time

        self._due, self._background_due = later(self._due), later(self._background_due)
        self._tickets = {caller: later(slot) for caller, slot in self._tickets.items()}

    def _drop_abandoned(self, now: float) -> None:
        if now < self._drop_at:
            return
        self._drop_at = now + _GRACE_S
        expired = [caller for caller, slot in self._tickets.items() if slot + _GRACE_S < now]
        for caller in expired:
            del self._tickets[caller]


class Budgets:
    """All buckets of the process. Thread-safe, never blocks.

    Metric: `sagemaker_operator_aws_budget_waits_total`, calls that were told to come back later.
    """

    def __init__(self, clock: Clock, registry: CollectorRegistry, limits: Mapping[str, Limit] = LIMITS) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._buckets: dict[tuple[Target, str], Bucket] = {}  # guarded by _lock, as are the buckets
        self._waits = Counter(
            "sagemaker_operator_aws_budget_waits",
            "AWS calls that had to wait for the operator's own budget.",
            ["operation"],
            registry=registry,
        )

    def admit(self, target: Target, operation: str, caller: Hashable, *, background: bool) -> None:
        """Charge one call. Raises `AwsError` THROTTLED with `retry_after_s` where it has to wait its turn."""
        now = self._clock.monotonic()
        with self._lock:
            wait_s = self._bucket(target, operation).admit(caller, background=background, now=now)
        if wait_s > 0:
            self._waits.labels(operation).inc()
            raise AwsError(
                ErrorClass.THROTTLED,
                "BudgetExhausted",
                f"{operation} waits for its turn",
                operation=operation,
                retry_after_s=wait_s,
            )

    def throttled(self, target: Target, operation: str) -> None:
        """AWS said that this was too much."""
        now = self._clock.monotonic()
        with self._lock:
            self._bucket(target, operation).throttled(now)

    def accepted(self, target: Target, operation: str) -> None:
        """AWS let a call through, whatever else it thought of it."""
        with self._lock:
            self._bucket(target, operation).accepted()

    def _bucket(self, target: Target, operation: str) -> Bucket:
        bucket = self._buckets.get((target, operation))
        if bucket is None:
            bucket = self._buckets[target, operation] = Bucket(self._limits.get(operation, DEFAULT_LIMIT))
        return bucket
