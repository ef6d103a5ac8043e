"""Receives the messages of a status queue and passes them to the trackers as hints.

A message is deleted after the keys that it concerns were enqueued; what is received and not deleted comes again, to
this process or to the next leader. Nothing depends on a queue: while it fails, or says too little, trackers sweep as
without it.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import random
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from controller.aws.clients import LONG_POLL_S
from controller.aws.errors import BUDGET_EXHAUSTED, CallError
from controller.aws.events.message import Dropped, Heartbeat, StatusEvent, parse, time_of
from controller.aws.polling.hints import Effect, Hint
from controller.aws.targets import BASE_IDENTITY, Identity, Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass
from controller.runtime.threads import Stop

EVENTS: Final = "events"
"""The accelerator's name at the trackers, and in metrics."""
RECEIVERS: Final = 2
"""Threads for each queue: while one is at work on what it has received, another one waits for more."""
BATCH: Final = 10
"""Messages in one answer: the most that SQS allows."""
AHEAD: Final = timedelta(minutes=5)
"""How much later than its message was sent a change may have happened: no more than clocks differ."""
LOST_S: Final = 60.0
"""How long a queue may fail before it counts as lost; at once where it is denied or does not exist."""
MOST_SOURCES: Final = 64
"""Regions and accounts of a queue that are kept: rules may forward events from other ones."""
_BACKOFF_BASE_S: Final = 1.0
_BACKOFF_CAP_S: Final = 60.0
_PERMANENT: Final = frozenset(
    {ErrorClass.DENIED, ErrorClass.NOT_FOUND, ErrorClass.REFUSED, ErrorClass.INVALID, ErrorClass.QUOTA}
)
_AGES_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-\d")

_log: Final = structlog.get_logger(__name__)


class HintedTracker(Protocol):
    """The part of `polling.tracker.Tracker` that a queue needs. Thread-safe; none of it blocks on AWS."""

    def hint(self, source: str, region: str, account: str, hint: Hint) -> Effect:
        """See `Tracker.hint`."""
        ...

    def heard(self, source: str, region: str, account: str) -> None:
        """See `Tracker.heard`."""
        ...

    def failed(self, source: str, region: str, account: str) -> None:
        """See `Tracker.failed`."""
        ...


class QueueApi(Protocol):
    """The part of `clients.AwsApi` that a queue needs."""

    def call(
        self, target: Target, service: str, operation: str, request: Mapping[str, Any], *, caller: Hashable
    ) -> dict[str, Any]:
        """See `clients.AwsApi.call`."""
        ...

    def interrupt(self) -> None:
        """See `clients.AwsApi.interrupt`."""
        ...


class StatusQueueMetrics:
    """Metrics of all status queues of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.messages = Counter(
            "sagemaker_operator_status_messages",
            "Messages of status queues by what became of them: `change`, `progress`, `known`, `stale`, `unfollowed`,"
            " `heartbeat`, or why they were dropped.",
            ["queue", "kind", "outcome"],
            registry=registry,
        )
        self.age = Histogram(
            "sagemaker_operator_status_message_age_seconds",
            "Time from the event to its receipt, by the clocks of AWS and of this machine.",
            ["queue"],
            buckets=_AGES_S,
            registry=registry,
        )
        self.last = Gauge(
            "sagemaker_operator_status_queue_last_message_timestamp_seconds",
            "When EventBridge's last message was received, or reading began; of the replica that leads.",
            ["queue"],
            registry=registry,
        )
        self.failing = Gauge(
            "sagemaker_operator_status_queue_failing",
            "1 while the queue cannot be read.",
            ["queue"],
            registry=registry,
        )


@dataclass(frozen=True, slots=True)
class QueueAddress:
    """The URL of a queue, and what it says."""

    url: str
    region: str
    account: str
    name: str

    @classmethod
    def of(cls, url: str, default_region: str) -> Self:
        """Return the address of a queue. Raises ValueError if neither its host nor a default says the region."""
        parts = urlsplit(url)
        labels = (parts.hostname or "").split(".")
        region = next((label for label in labels if _REGION.fullmatch(label)), default_region)
        if not region:
            raise ValueError(f"no region in {url!r}: set --aws-region")
        account, _, name = parts.path.strip("/").partition("/")
        return cls(url, region, account, name)

    @property
    def target(self) -> Target:
        """Return the target of calls: one of its own, so that a queue that hangs does not make SageMaker suspect."""
        return Target(self.region, self.url)


class Receiver:
    """Reads one queue. Thread-safe: several threads may call `run`."""

    def __init__(
        self,
        address: QueueAddress,
        api: QueueApi,
        trackers: Mapping[str, HintedTracker],
        clock: Clock,
        metrics: StatusQueueMetrics,
        rand: Callable[[], float] = random,
        identity_in: Callable[[str], Identity | None] = lambda account: None,  # noqa: ARG005 (no namespace has a role)
    ) -> None:
        """`trackers` has those of the kinds that are followed, by `controller_name`.

        `identity_in` returns a namespace's identity with a role of an account; None if there is no such role.
        """
        self._address = address
        self._identity_in = identity_in
        self._api = api
        self._trackers = trackers
        self._clock = clock
        self._metrics = metrics
        self._rand = rand
        self._lock = threading.Lock()
        self._failures = 0  # guarded by _lock: in a row
        self._failing_since = 0.0  # guarded by _lock; monotonic
        self._is_own = False  # guarded by _lock: read with the operator's own identity, though a role is at hand
        self._has_switched = False  # guarded by _lock: since the last answer, or the last failure that counted
        self._sources: OrderedDict[tuple[str, str], None] = OrderedDict({(address.region, address.account): None})
        """Regions and accounts of which the queue has delivered; guarded by _lock."""

    def run(self, stop: Stop) -> None:
        """Receive until `stop`; a call that waits for messages is ended by it."""
        self._metrics.last.labels(self._address.name).set(self._clock.utcnow().timestamp())
        self._metrics.failing.labels(self._address.name).set(0)
        cancel = stop.on_set(self._api.interrupt)
        try:
            while not stop.is_set():
                delay_s = self.receive(stop)
                if delay_s:
                    stop.wait(delay_s)
        finally:
            cancel()

    def receive(self, stop: Stop) -> float:
        """Receive and handle one batch; returns the seconds to wait before the next."""
        request = {
            "QueueUrl": self._address.url,
            "MaxNumberOfMessages": BATCH,
            "WaitTimeSeconds": int(LONG_POLL_S),
            "AttributeNames": ["SentTimestamp"],
        }
        try:
            answer = self._call("ReceiveMessage", request)
        except CallError as error:
            return 0.0 if stop.is_set() or self._switches_identity(error) else self._failed(error)
        self._works()
        messages = answer.get("Messages") or []
        for message in messages:
            self._take(message)
        if messages and not stop.is_set():
            self._delete(messages)
        return 0.0

    def _call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        caller = ("status queue", self._address.url, threading.get_ident())
        return self._api.call(self._target(), "sqs", operation, request, caller=caller)

    def _target(self) -> Target:
        """Return the target of calls: under a role of the queue's account where a namespace has one."""
        with self._lock:
            is_own = self._is_own
        identity = None if is_own else self._identity_in(self._address.account)
        return replace(self._address.target, identity=identity or BASE_IDENTITY)

    def _switches_identity(self, error: CallError) -> bool:
        """Return whether another identity is to be tried at once: a role may not read what the queue lets us read."""
        if error.error_class is not ErrorClass.DENIED or self._identity_in(self._address.account) is None:
            return False
        with self._lock:
            if self._has_switched:
                return False
            self._has_switched, self._is_own = True, not self._is_own
        return True

    # --- messages

    def _take(self, message: Mapping[str, Any]) -> None:
        found = parse(str(message.get("Body") or ""))
        kind, outcome = "", ""
        match found:
            case Dropped():
                kind, outcome = found.kind, found.reason
            case Heartbeat():
                outcome = "heartbeat"
                self._heard(found.region, found.account, self._trackers.values())
                self._received(found.sent)
            case StatusEvent():
                kind, outcome = found.descriptor.controller_name, self._hint(found, message)
                self._received(found.sent)
        self._metrics.messages.labels(self._address.name, kind, outcome).inc()

    def _hint(self, event: StatusEvent, message: Mapping[str, Any]) -> str:
        """Pass an event on; returns its effect. SQS's own time says whether it claims to be of the future."""
        attributes = message.get("Attributes") or {}
        received = time_of(attributes.get("SentTimestamp")) or self._clock.utcnow()
        if event.modified > received + AHEAD:
            return "future"
        tracker = self._trackers.get(event.descriptor.controller_name)
        if tracker is None:
            return "unfollowed"
        self._heard(event.region, event.account, [tracker])
        hint = Hint(event.name, event.status, event.secondary, event.modified, event.arn)
        return tracker.hint(EVENTS, event.region, event.account, hint)

    def _heard(self, region: str, account: str, trackers: Iterable[HintedTracker]) -> None:
        with self._lock:
            self._sources.pop((region, account), None)
            self._sources[region, account] = None
            if len(self._sources) > MOST_SOURCES:
                self._sources.popitem(last=False)
        for tracker in trackers:
            tracker.heard(EVENTS, region, account)

    def _received(self, sent: datetime) -> None:
        now = self._clock.utcnow()
        self._metrics.last.labels(self._address.name).set(now.timestamp())
        self._metrics.age.labels(self._address.name).observe(max((now - sent).total_seconds(), 0.0))

    def _delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": str(message.get("ReceiptHandle") or "")}
            for number, message in enumerate(messages)
        ]
        try:
            answer = self._call("DeleteMessageBatch", {"QueueUrl": self._address.url, "Entries": entries})
        except CallError as error:
            _log.warning("messages will come again: not deleted", queue=self._address.name, code=error.code)
            return
        if failed := answer.get("Failed"):
            _log.warning("messages will come again: not deleted", queue=self._address.name, messages=len(failed))

    # --- failures

    def _works(self) -> None:
        with self._lock:
            failures, self._failures, self._has_switched = self._failures, 0, False
        if failures:
            self._metrics.failing.labels(self._address.name).set(0)
            _log.info("the status queue can be read again", queue=self._address.name, failures=failures)

    def _failed(self, error: CallError) -> float:
        """Record a failure; returns the seconds until the next attempt."""
        if error.code == BUDGET_EXHAUSTED and error.retry_after_s is not None:
            return error.retry_after_s
        now = self._clock.monotonic()
        with self._lock:
            if not self._failures:
                self._failing_since = now
            failures = self._failures = self._failures + 1
            self._has_switched = False
            is_lost = error.error_class in _PERMANENT or now - self._failing_since >= LOST_S
            sources = list(self._sources)
        delay_s = min(_BACKOFF_BASE_S * 2.0 ** min(failures - 1, 16), _BACKOFF_CAP_S) * (0.5 + 0.5 * self._rand())
        if is_lost:
            self._metrics.failing.labels(self._address.name).set(1)
            for tracker in self._trackers.values():
                for region, account in sources:
                    tracker.failed(EVENTS, region, account)
        if failures == 1:
            _log.warning(
                "the status queue cannot be read: polling goes on without it",
                queue=self._address.name,
                code=error.code,
                message=error.message,
            )
        return max(delay_s, error.retry_after_s or 0.0)
