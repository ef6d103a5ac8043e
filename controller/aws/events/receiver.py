"""Receives the messages of a status queue and passes them to the trackers as hints.

A message is deleted after the keys that it concerns were enqueued; what is received and not deleted comes again, to
this process or to the next leader. Nothing depends on a queue: while it fails, or says too little, trackers sweep as
without it.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
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

    def hint(
        self, source: str, region: str, account: str, hint: Hint, *, identities: Collection[Identity] = ()
    ) -> Effect:
        """See `Tracker.hint`."""
        ...

    def heard(self, source: str, region: str, account: str, *, identities: Collection[Identity] = ()) -> None:
        """See `Tracker.heard`."""
        ...

    def failed(self, source: str, region: str, account: str, *, identities: Collection[Identity] = ()) -> None:
        """See `Tracker.failed`."""
        ...

    def withdraw(self, source: str, identities: Collection[Identity]) -> None:
        """See `Tracker.withdraw`."""
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

    def forget(self, queue: str) -> None:
        """Drop the gauges of a queue that is not read any more: an alert about it would never end."""
        for family in (self.age, self.last, self.failing):
            family.remove(queue)


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
    def label(self) -> str:
        """Return the name of the queue in metrics and logs; its own name is the same in many accounts."""
        return f"{self.account}/{self.region}/{self.name}"

    @property
    def target(self) -> Target:
        """Return the target of calls: one of its own, so that a queue that hangs does not make SageMaker suspect."""
        return Target(self.region, self.url)


@dataclass(frozen=True, slots=True)
class Readers:
    """Who reads a queue, and what its messages may be about."""

    identities: tuple[Identity, ...] = (BASE_IDENTITY,)
    """Those that may read it, in the order in which they are tried."""
    concerns: tuple[Identity, ...] = ()
    """Its messages count for the targets of these; empty: for those of all."""


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
        readers: Callable[[], Readers] = Readers,
        on_lost: Callable[[CallError | None], None] = lambda error: None,  # noqa: ARG005 (metrics and log say it)
    ) -> None:
        """`trackers` has those of the kinds that are followed, by `controller_name`.

        `on_lost` is called with the error when the queue counts as lost, and with None when it can be read again.
        """
        self._address = address
        self._readers = readers
        self._on_lost = on_lost
        self._api = api
        self._trackers = trackers
        self._clock = clock
        self._metrics = metrics
        self._rand = rand
        self._lock = threading.Lock()
        self._failures = 0  # guarded by _lock: in a row
        self._failing_since = 0.0  # guarded by _lock; monotonic
        self._is_lost = False  # guarded by _lock
        self._turn = 0  # guarded by _lock: which of the identities is used
        self._refusals = 0  # guarded by _lock: identities refused since the last answer, or failure that counted
        self._sources: OrderedDict[tuple[str, str], None] = OrderedDict({(address.region, address.account): None})
        """Regions and accounts of which the queue has delivered; guarded by _lock."""

    def run(self, stop: Stop) -> None:
        """Receive until `stop`, with which the process ends: a call that waits for messages is ended by it."""
        cancel = stop.on_set(self._api.interrupt)
        try:
            self.read(stop)
        finally:
            cancel()

    def read(self, stop: Stop) -> None:
        """Receive until `stop`; a call that waits for messages may go on until it is answered, for nothing."""
        self._metrics.last.labels(self._address.label).set(self._clock.utcnow().timestamp())
        self._metrics.failing.labels(self._address.label).set(0)
        while not stop.is_set():
            delay_s = self.receive(stop)
            if delay_s:
                stop.wait(delay_s)

    def receive(self, stop: Stop) -> float:
        """Receive and handle one batch; returns the seconds to wait before the next."""
        request = {
            "QueueUrl": self._address.url,
            "MaxNumberOfMessages": BATCH,
            "WaitTimeSeconds": int(LONG_POLL_S),
            "AttributeNames": ["SentTimestamp"],
        }
        readers = self._readers()
        try:
            answer = self._call("ReceiveMessage", request, readers)
        except CallError as error:
            if stop.is_set() or self._switches_identity(error, readers):
                return 0.0
            return self._failed(error, readers.concerns)
        if stop.is_set():
            return 0.0  # messages come again, to the next reader of the queue
        self._works()
        messages = answer.get("Messages") or []
        for message in messages:
            self._take(message, readers.concerns)
        if messages and not stop.is_set():
            self._delete(messages, readers)
        return 0.0

    def _call(self, operation: str, request: Mapping[str, Any], readers: Readers) -> dict[str, Any]:
        """Call under the identity that may read the queue, as far as is known."""
        caller = ("status queue", self._address.url, threading.get_ident())
        with self._lock:
            identity = readers.identities[self._turn % len(readers.identities)]
        target = replace(self._address.target, identity=identity)
        return self._api.call(target, "sqs", operation, request, caller=caller)

    def _switches_identity(self, error: CallError, readers: Readers) -> bool:
        """Return whether another identity is to be tried at once: a role may not read what the queue lets us read."""
        if error.error_class is not ErrorClass.DENIED:
            return False
        with self._lock:
            if self._refusals + 1 >= len(readers.identities):
                return False
            self._refusals += 1
            self._turn += 1
        return True

    # --- messages

    def _take(self, message: Mapping[str, Any], concerns: Collection[Identity]) -> None:
        found = parse(str(message.get("Body") or ""))
        kind, outcome = "", ""
        match found:
            case Dropped():
                kind, outcome = found.kind, found.reason
            case Heartbeat():
                outcome = "heartbeat"
                self._heard(found.region, found.account, self._trackers.values(), concerns)
                self._received(found.sent)
            case StatusEvent():
                kind, outcome = found.descriptor.controller_name, self._hint(found, message, concerns)
                self._received(found.sent)
        self._metrics.messages.labels(self._address.label, kind, outcome).inc()

    def _hint(self, event: StatusEvent, message: Mapping[str, Any], concerns: Collection[Identity]) -> str:
        """Pass an event on; returns its effect. SQS's own time says whether it claims to be of the future."""
        attributes = message.get("Attributes") or {}
        received = time_of(attributes.get("SentTimestamp")) or self._clock.utcnow()
        if event.modified > received + AHEAD:
            return "future"
        tracker = self._trackers.get(event.descriptor.controller_name)
        if tracker is None:
            return "unfollowed"
        self._heard(event.region, event.account, [tracker], concerns)
        hint = Hint(event.name, event.status, event.secondary, event.modified, event.arn)
        return tracker.hint(EVENTS, event.region, event.account, hint, identities=concerns)

    def _heard(
        self, region: str, account: str, trackers: Iterable[HintedTracker], concerns: Collection[Identity]
    ) -> None:
        with self._lock:
            self._sources.pop((region, account), None)
            self._sources[region, account] = None
            if len(self._sources) > MOST_SOURCES:
                self._sources.popitem(last=False)
        for tracker in trackers:
            tracker.heard(EVENTS, region, account, identities=concerns)

    def _received(self, sent: datetime) -> None:
        now = self._clock.utcnow()
        self._metrics.last.labels(self._address.label).set(now.timestamp())
        self._metrics.age.labels(self._address.label).observe(max((now - sent).total_seconds(), 0.0))

    def _delete(self, messages: Sequence[Mapping[str, Any]], readers: Readers) -> None:
        entries = [
            {"Id": str(number), "ReceiptHandle": str(message.get("ReceiptHandle") or "")}
            for number, message in enumerate(messages)
        ]
        try:
            answer = self._call("DeleteMessageBatch", {"QueueUrl": self._address.url, "Entries": entries}, readers)
        except CallError as error:
            _log.warning("messages will come again: not deleted", queue=self._address.label, code=error.code)
            return
        if failed := answer.get("Failed"):
            _log.warning("messages will come again: not deleted", queue=self._address.label, messages=len(failed))

    # --- failures

    def _works(self) -> None:
        with self._lock:
            failures, self._failures, self._refusals = self._failures, 0, 0
            was_lost, self._is_lost = self._is_lost, False
        if was_lost:
            self._on_lost(None)
        if failures:
            self._metrics.failing.labels(self._address.label).set(0)
            _log.info("the status queue can be read again", queue=self._address.label, failures=failures)

    def _failed(self, error: CallError, concerns: Collection[Identity]) -> float:
        """Record a failure; returns the seconds until the next attempt."""
        if error.code == BUDGET_EXHAUSTED and error.retry_after_s is not None:
            return error.retry_after_s
        now = self._clock.monotonic()
        with self._lock:
            if not self._failures:
                self._failing_since = now
            failures = self._failures = self._failures + 1
            self._refusals = 0
            is_lost = error.error_class in _PERMANENT or now - self._failing_since >= LOST_S
            is_news = is_lost and not self._is_lost
            self._is_lost = self._is_lost or is_lost
            sources = list(self._sources)
        delay_s = min(_BACKOFF_BASE_S * 2.0 ** min(failures - 1, 16), _BACKOFF_CAP_S) * (0.5 + 0.5 * self._rand())
        if is_lost:
            self._metrics.failing.labels(self._address.label).set(1)
            for tracker in self._trackers.values():
                for region, account in sources:
                    tracker.failed(EVENTS, region, account, identities=concerns)
        if is_news:
            self._on_lost(error)
        if failures == 1:
            _log.warning(
                "the status queue cannot be read: polling goes on without it",
                queue=self._address.label,
                code=error.code,
                message=error.message,
            )
        return max(delay_s, error.retry_after_s or 0.0)
