"""Injects faults: which calls fail, how, and how often. A table defines the faults, not code paths."""

import fnmatch
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from hack.sandbox.aws.wire import ApiError


class When(Enum):
    """What happens to the call that a fault hits."""

    INSTEAD = "instead"  # an error is returned, nothing took effect
    AFTER = "after"  # the call takes effect, then an error is returned
    DELAYED = "delayed"  # the call takes effect, late
    LOST_BEFORE = "lost_before"  # no answer, nothing took effect
    LOST_AFTER = "lost_after"  # no answer, but the call took effect


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way to fail: error code, HTTP status and text if there is a response."""

    when: When
    help: str
    code: str = ""
    message: str = ""
    status: int = 400
    delay_s: float = 0.0


_LIMIT = (
    "The account-level service limit 'ml.m4.xlarge for training job usage' is 0 Instances, with current utilization of"
    " 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this"
    " quota."
)
_DENIED = (
    "User: arn:aws:sts::{account}:assumed-role/sandbox/operator is not authorized to perform: {service}:{operation}"
    " because no identity-based policy allows the {service}:{operation} action"
)
FAULTS: Mapping[str, FaultKind] = {
    "throttle": FaultKind(When.INSTEAD, "ThrottlingException: Rate exceeded", "ThrottlingException", "Rate exceeded"),
    "deny": FaultKind(When.INSTEAD, "AccessDeniedException, as IAM says it", "AccessDeniedException", _DENIED),
    "quota": FaultKind(When.INSTEAD, "ResourceLimitExceeded", "ResourceLimitExceeded", _LIMIT),
    "expired": FaultKind(
        When.INSTEAD,
        "ExpiredTokenException: credentials are too old",
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ),
    "invalid": FaultKind(
        When.INSTEAD,
        "ValidationException: the request can never succeed",
        "ValidationException",
        "1 validation error detected: Value at 'field' failed to satisfy constraint: a fault was asked for",
    ),
    "refused": FaultKind(
        When.INSTEAD,
        "ValidationException about the state of something",
        "ValidationException",
        "The request was refused because a fault was asked for",
    ),
    "too-many": FaultKind(
        When.INSTEAD, "HTTP 429 TooManyRequestsException", "TooManyRequestsException", "Too Many Requests", status=429
    ),
    "error": FaultKind(
        When.INSTEAD, "HTTP 500 InternalFailure", "InternalFailure", "We encountered an internal error.", status=500
    ),
    "unavailable": FaultKind(
        When.INSTEAD, "HTTP 503 ServiceUnavailable", "ServiceUnavailable", "Service is temporarily down.", status=503
    ),
    "error-after": FaultKind(
        When.AFTER,
        "the call takes effect, then HTTP 500",
        "InternalFailure",
        "We encountered an internal error.",
        status=500,
    ),
    "slow": FaultKind(When.DELAYED, "the answer comes after DELAY seconds", delay_s=2.0),
    "cut-before": FaultKind(When.LOST_BEFORE, "the connection is cut; nothing took effect"),
    "cut-after": FaultKind(When.LOST_AFTER, "the connection is cut; the call took effect"),
    "hang-before": FaultKind(When.LOST_BEFORE, "no answer for DELAY seconds; nothing took effect", delay_s=120.0),
    "hang-after": FaultKind(When.LOST_AFTER, "no answer for DELAY seconds; the call took effect", delay_s=120.0),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An injected fault: the next `count` calls of `operation` (None: all of them, until cleared) fail with `fault`.

    `operation` may contain wildcards (`Describe*`); `contains` limits the fault to requests with that text in the body,
    a job's name for example, `region` to those of a region, `user_agent` to callers whose User-Agent has that text;
    `after` passes that many matching calls first.
    `retry_after_s` is sent as the header Retry-After.
    """

    operation: str
    fault: str
    count: int | None = 1
    contains: str = ""
    after: int = 0
    delay_s: float | None = None
    code: str = ""
    message: str = ""
    region: str = ""
    retry_after_s: int | None = None
    user_agent: str = ""

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"unknown fault '{self.fault}', known are: {', '.join(FAULTS)}")
        if self.count is not None and self.count < 1:
            raise ValueError("count must be at least 1, or null for every call")

    @property
    def kind(self) -> FaultKind:
        """Return the fault's kind, with its own code, text and delay in place of the defaults."""
        base = FAULTS[self.fault]
        return replace(
            base,
            code=self.code or base.code,
            message=self.message or base.message,
            delay_s=base.delay_s if self.delay_s is None else self.delay_s,
        )

    def is_about(self, operation: str, body: str, region: str, user_agent: str = "") -> bool:
        """Return whether the fault matches such a call."""
        if (self.region and self.region != region) or self.user_agent not in user_agent:
            return False
        return fnmatch.fnmatchcase(operation, self.operation) and self.contains in body

    def error(self, *, service: str, operation: str, account: str) -> ApiError:
        """Return the error for the response."""
        text = self.message or self.kind.message.format(service=service, operation=operation, account=account)
        return ApiError(self.kind.code, text, status=self.kind.status, retry_after_s=self.retry_after_s)


class Faults:
    """The active faults, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Fault] = []  # guarded by _lock
        self._struck: Counter[tuple[str, str]] = Counter()  # guarded by _lock

    def add(self, operation: str, fault: str, count: int | None = 1, **details: Any) -> Fault:
        """Add a fault; `details` are the other fields of `Fault`. Raises ValueError or TypeError for invalid fields."""
        order = Fault(operation, fault, count, **details)
        with self._lock:
            self._orders.append(order)
        return order

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._orders.clear()

    def reset(self) -> None:
        """Remove all faults and forget how many calls they hit."""
        with self._lock:
            self._orders.clear()
            self._struck.clear()

    def pending(self) -> list[dict[str, Any]]:
        """Return the active faults as JSON values."""
        with self._lock:
            return [asdict(order) for order in self._orders]

    def struck(self) -> Counter[tuple[str, str]]:
        """Return how many calls have been hit so far, by fault and operation."""
        with self._lock:
            return Counter(self._struck)

    def take(self, operation: str, body: str, region: str = "", user_agent: str = "") -> Fault | None:
        """Return the fault that hits this call, if any, and count it."""
        with self._lock:
            for number, order in enumerate(self._orders):
                if not order.is_about(operation, body, region, user_agent):
                    continue
                if order.after:
                    self._orders[number] = replace(order, after=order.after - 1)
                    continue
                if order.count == 1:
                    del self._orders[number]
                elif order.count is not None:
                    self._orders[number] = replace(order, count=order.count - 1)
                self._struck[order.fault, operation] += 1
                return order
        return None
