"""Injects faults: which calls fail, how, and how often. A table defines the faults, not code paths."""

import fnmatch
import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from hack.sandbox.aws.hostile.kinds import FAULTS, FaultKind, When
from hack.sandbox.aws.hostile.refusals import wording
from hack.sandbox.aws.wire import READS, ApiError

GROUPS: Final[Mapping[str, bool]] = {"mutating": True, "reading": False}
"""Words for operations, by whether they change something."""


@dataclass(frozen=True, slots=True)
class Fault:
    """An injected fault: the next `count` calls of `operation` (None: all of them, until cleared) fail with `fault`.

    `operation` may contain wildcards (`Describe*`), or be one of GROUPS; `name` limits the fault to requests about the
    resource of that name, `contains` to those with that text in the body, `larger_than` to bodies of more bytes,
    `region` to those of a region, `user_agent` to callers whose User-Agent has that text; `after` passes that many
    matching calls first. `code`, `message`, `status` and `delay_s` replace those of the kind. `retry_after_s` is sent
    as the header Retry-After, in seconds or as a date.
    """

    operation: str
    fault: str
    count: int | None = 1
    contains: str = ""
    name: str = ""
    larger_than: int = 0
    after: int = 0
    delay_s: float | None = None
    code: str = ""
    message: str = ""
    status: int | None = None
    region: str = ""
    retry_after_s: int | None = None
    retry_after_is_date: bool = False
    user_agent: str = ""

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"unknown fault '{self.fault}', known are: {', '.join(FAULTS)}")
        if self.count is not None and self.count < 1:
            raise ValueError("count must be at least 1, or null for every call")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status must be one of HTTP's, from 200 to 599")

    @property
    def kind(self) -> FaultKind:
        """Return the fault's kind, with its own code, text and delay in place of the defaults."""
        base = FAULTS[self.fault]
        return replace(
            base,
            code=self.code or base.code,
            message=self.message or base.message,
            status=base.status if self.status is None else self.status,
            delay_s=base.delay_s if self.delay_s is None else self.delay_s,
        )

    def is_about(self, operation: str, body: str, region: str, user_agent: str = "") -> bool:
        """Return whether the fault matches such a call."""
        if self.kind.when is When.FORESTALLED and not operation.startswith("Create"):
            return False
        if (self.region and self.region != region) or self.user_agent not in user_agent:
            return False
        if self.contains not in body or (self.larger_than and len(body.encode()) <= self.larger_than):
            return False
        if self.name and not re.search(rf'["/]{re.escape(self.name)}["/]', body, re.IGNORECASE):
            return False  # a value, the end of an ARN, or within a scalable target's id
        if self.operation in GROUPS:
            return GROUPS[self.operation] is not operation.startswith(READS)
        return fnmatch.fnmatchcase(operation, self.operation)

    def worded(self, operation: str, number: int) -> "Fault":
        """Return the fault in the words for the `number`-th call of an operation that it hits."""
        found = wording(operation, number) if self.kind.has_wordings and not self.message else None
        return self if found is None else replace(self, code=self.code or found[0], message=found[1])

    def error(self, *, service: str, operation: str, account: str) -> ApiError:
        """Return the error for the response."""
        text = self.message or self.kind.message.format(service=service, operation=operation, account=account)
        return ApiError(
            self.kind.code,
            text,
            status=self.kind.status,
            retry_after_s=self.retry_after_s,
            retry_after_is_date=self.retry_after_is_date,
            is_html=self.kind.is_html,
        )


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
                return order.worded(operation, self._struck[order.fault, operation] - 1)
        return None
