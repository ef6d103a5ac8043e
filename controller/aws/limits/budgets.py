"""Limits the calls: one adaptive budget per account, region and operation, shared by the whole process.

A refused call is not an error of the object: it gets a ticket for a time slot and is retried then (DESIGN 4.6).
`token_bucket` decides the order, `adaptive_rate` the speed; here are the table, the lock and the metrics.
"""

import random
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Final

from controller.aws.errors import BUDGET_EXHAUSTED, LocalRefusal
from controller.aws.limits.adaptive_rate import Limit
from controller.aws.limits.token_bucket import TokenBucket
from controller.aws.targets import Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter

_PROBED: Final = 50.0
"""Calls a second up to which an operation is probed: more than this process makes of one operation."""

DEFAULT_LIMIT: Final = Limit(4.0, 8.0, ceiling=_PROBED)
"""For operations not in the table below. AWS publishes no quotas of theirs: `AdaptiveRate` finds the rate from here."""

_LAST_LOOK: Final = Limit(10.0, 20.0, ceiling=200.0, doubling_s=0.5, decrease=0.3)
"""For Describe of jobs, which each job needs once, at its end: a thousand that end together are shown within ten
seconds, where AWS allows that. It starts at the rate that accounts are known to allow. A refused read has no effect and
no side to clear up, so it may be probed faster and further than calls that create something."""

LIMITS: Final[Mapping[str, Limit]] = {
    # About two a second per account, cannot be raised (DESIGN 4.5); half of it is left to users and other tools.
    # Never probed: a probe would take the calls from others.
    "ListTrainingJobs": Limit(1.0, 2.0),
    "ListHyperParameterTuningJobs": Limit(1.0, 2.0),
    "ListTransformJobs": Limit(1.0, 2.0),
    "ListProcessingJobs": Limit(1.0, 2.0),
    "ListEndpoints": Limit(1.0, 2.0),
    "ListTrainingJobsForHyperParameterTuningJob": Limit(1.0, 4.0),
    # Its quota is published nowhere. One call an interval and kind is enough; the burst is for changes in bursts.
    "Search": Limit(1.0, 10.0),
    "CreateTrainingJob": Limit(4.0, 5.0, ceiling=_PROBED, doubling_s=2.5),
    "CreateHyperParameterTuningJob": Limit(2.0, 4.0, ceiling=_PROBED),
    "CreateTransformJob": Limit(4.0, 5.0, ceiling=_PROBED, doubling_s=2.5),
    "CreateProcessingJob": Limit(4.0, 5.0, ceiling=_PROBED, doubling_s=2.5),
    # SQS allows thousands; this keeps receivers from spinning.
    "ReceiveMessage": Limit(50.0, 100.0),
    "DeleteMessageBatch": Limit(50.0, 100.0),
    "DescribeTrainingJob": _LAST_LOOK,
    "DescribeHyperParameterTuningJob": _LAST_LOOK,
    "DescribeTransformJob": _LAST_LOOK,
    "DescribeProcessingJob": _LAST_LOOK,
}

MOST_BUCKETS: Final = 1024
"""Users choose regions and endpoints: the least recently used beyond this are evicted; their callers queue again."""


class Budgets:
    """All buckets of the process. Thread-safe, never blocks.

    Metric: `sagemaker_operator_aws_budget_waits_total`, calls that had to wait.
    """

    def __init__(
        self,
        clock: Clock,
        registry: "CollectorRegistry | None",
        limits: Mapping[str, Limit] = LIMITS,
        rand: Callable[[], float] = random.random,
    ) -> None:
        """`rand` returns the jitter of back-offs, 0 ≤ r < 1. Waits are counted in `registry`, if there is one."""
        self._clock = clock
        self._limits = limits
        self._rand = rand
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[Hashable, str], TokenBucket] = OrderedDict()
        """Least recently used first; guarded by _lock, as are the buckets."""
        self._waits = None if registry is None else _waits(registry)

    def admit(self, target: Target, operation: str, caller: Hashable, *, background: bool) -> None:
        """Charge one call. Raises `CallError` THROTTLED with `retry_after_s` if it has to wait."""
        now = self._clock.monotonic()
        with self._lock:
            wait_s = self._bucket(target, operation).admit(caller, background=background, now=now)
        self._raise_if(wait_s, operation)

    def reserve(self, target: Target, operation: str, caller: Hashable) -> None:
        """Raise as `admit` would for a call that a user caused, without charging it."""
        now = self._clock.monotonic()
        with self._lock:
            wait_s = self._bucket(target, operation).reserve(caller, now=now)
        self._raise_if(wait_s, operation)

    def refused(
        self,
        target: Target,
        operation: str,
        caller: Hashable,
        *,
        background: bool,
        sent_at: float,
        retry_after_s: float = 0.0,
    ) -> float:
        """Record that AWS throttled a call that was sent at `sent_at` (monotonic).

        Returns the seconds after which `caller` may retry: at least `retry_after_s`, which AWS asked for.
        """
        now = self._clock.monotonic()
        with self._lock:
            return self._bucket(target, operation).refused(
                caller,
                background=background,
                sent_at=sent_at,
                now=now,
                jitter=1.0 + self._rand(),
                retry_after_s=retry_after_s,
            )

    def accepted(self, target: Target, operation: str, caller: Hashable) -> None:
        """Record that AWS carried out a call."""
        with self._lock:
            self._bucket(target, operation).accepted(caller)

    def failed(self, target: Target, operation: str, caller: Hashable, *, is_answered: bool) -> None:
        """Record that a call failed for another reason than throttling: `caller` queues behind others next time."""
        now = self._clock.monotonic()
        with self._lock:
            self._bucket(target, operation).failed(caller, is_answered=is_answered, now=now)

    def _raise_if(self, wait_s: float, operation: str) -> None:
        if wait_s > 0:
            if self._waits is not None:
                self._waits.labels(operation).inc()
            raise LocalRefusal(
                ErrorClass.THROTTLED,
                BUDGET_EXHAUSTED,
                f"{operation} waits for its turn",
                operation=operation,
                retry_after_s=wait_s,
            )

    def _bucket(self, target: Target, operation: str) -> TokenBucket:
        key = (target.quota, operation)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._limits.get(operation, DEFAULT_LIMIT))
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        return bucket

    def __len__(self) -> int:
        with self._lock:
            return len(self._buckets)


def _waits(registry: "CollectorRegistry") -> "Counter":
    from prometheus_client import Counter  # noqa: PLC0415 - the plugin starts without metrics

    return Counter(
        "sagemaker_operator_aws_budget_waits",
        "AWS calls that had to wait for the operator's own budget.",
        ["operation"],
        registry=registry,
    )
