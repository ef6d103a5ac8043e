"""Records calls: counts of requests and errors, effects, plus the simulated call quota."""

import fnmatch
import re
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hack.sandbox.aws.wire import READS, ApiError, Call

_VERB: Final = re.compile(r"(Create|Update|Start|Stop|Delete)(?=[A-Z])")
_KEPT: Final = 20_000
"""Effects that are remembered; the oldest are dropped first."""


class Requests:
    """Counts since the start or the last reset. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()  # all guarded by _lock
        self._errors: Counter[tuple[str, str]] = Counter()

    def note(self, operation: str, error_code: str = "") -> None:
        """Count one request, and its error if any."""
        with self._lock:
            self._calls[operation] += 1
            if error_code:
                self._errors[operation, error_code] += 1

    def count(self, operation: str) -> int:
        """Return the number of requests of `operation`, answered or not."""
        with self._lock:
            return self._calls[operation]

    def errors(self, operation: str, code: str) -> int:
        """Return how often `operation` was answered with this error code; lost answers have the code `(lost)`."""
        with self._lock:
            return self._errors[operation, code]

    def counts(self) -> dict[str, int]:
        """Return operation → number of requests."""
        with self._lock:
            return dict(self._calls)

    def report(self) -> dict[str, Any]:
        """Return everything counted, as JSON."""
        with self._lock:
            errors: dict[str, dict[str, int]] = {}
            for (operation, code), number in self._errors.items():
                errors.setdefault(operation, {})[code] = number
            return {"requests": dict(self._calls), "errors": errors}

    def reset(self) -> None:
        """Count from zero again."""
        with self._lock:
            self._calls.clear()
            self._errors.clear()


@dataclass(frozen=True, slots=True)
class Effect:
    """A call that took effect, whatever its response was."""

    at: float
    """Epoch seconds of the sandbox's clock."""
    operation: str
    account: str
    region: str
    name: str
    """Name of the resource; `ResourceId` and policy for scaling calls, the ARN for tag calls, the client token of an
    execution that is started and the ARN of one that is stopped."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags in the request."""
    user_agent: str = ""
    """The caller, as its header User-Agent names it."""

    @classmethod
    def of(cls, call: Call, user_agent: str = "") -> "Effect":
        """Return the effect of a successful call."""
        params = call.params
        member = f"{_VERB.sub('', call.operation)}Name"
        known = (member, "ResourceArn", "EndpointName", "ResourceId", "PipelineExecutionArn", "ClientRequestToken")
        name = next((str(params[each]) for each in known if each in params), "")
        if "PolicyName" in params:
            name += f" {params['PolicyName']}"
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or () if isinstance(tag, Mapping)}
        return cls(call.now, call.operation, call.account, call.region, name, tags, user_agent)


class Effects:
    """All changes in order: names and tags, no specs. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._effects: deque[Effect] = deque(maxlen=_KEPT)  # guarded by _lock

    def note(self, call: Call, user_agent: str = "") -> None:
        """Record a successful call, unless it only reads."""
        if call.operation.startswith(READS):
            return
        effect = Effect.of(call, user_agent)
        with self._lock:
            self._effects.append(effect)

    def all(self) -> list[Effect]:
        """Return the recorded effects, oldest first."""
        with self._lock:
            return list(self._effects)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._effects.clear()


class CallQuota:
    """An account's quota of calls: a token bucket per operation, off until a rate is set.

    Thread-safe. SageMaker's own is about two calls a second for each List operation and cannot be raised; that of
    Search is published nowhere.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._limits: dict[str, tuple[float, float]] = {}  # pattern → (calls a second, burst); all guarded by _lock
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}  # caller → (tokens, when)

    def set(self, calls_per_second: float, burst: float | None = None, operations: str = "*") -> None:
        """Limit operations of an account and region; 0 removes the limit.

        `operations` is a pattern, such as `Create*`; the pattern `*` limits each List, Describe and Search operation
        and replaces all others. Of several that match, the one that was set first counts. Raises ValueError for a
        negative rate or a burst below one call.
        """
        if calls_per_second < 0 or (burst is not None and burst < 1):
            raise ValueError("the quota needs a rate of at least 0 and a burst of at least 1")
        with self._lock:
            if operations == "*":
                self._limits.clear()
            self._limits.pop(operations, None)
            if calls_per_second:
                self._limits[operations] = (calls_per_second, burst or max(1.0, calls_per_second))
            self._buckets.clear()

    def charge(self, account: str, region: str, operation: str, now: float) -> None:
        """Count one call. Raises ApiError, the throttling one, when the bucket is empty."""
        is_read = operation.startswith(("List", "Describe", "Search"))
        with self._lock:
            limits = (
                limit
                for pattern, limit in self._limits.items()
                if fnmatch.fnmatchcase(operation, pattern) and (is_read or pattern != "*")
            )
            limit = next(limits, None)
            if limit is None:
                return
            rate, burst = limit
            tokens, since = self._buckets.get((account, region, operation), (burst, now))
            tokens = min(burst, tokens + (now - since) * rate)
            is_spent = tokens < 1
            self._buckets[account, region, operation] = (tokens if is_spent else tokens - 1, now)
        if is_spent:
            raise ApiError("ThrottlingException", "Rate exceeded")
