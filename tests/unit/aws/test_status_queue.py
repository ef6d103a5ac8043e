"""A status queue and the trackers behind it: what it speeds up, and that no fault of a queue loses a change."""

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest

from api.meta import ObjectKey
from controller.aws.errors import AwsError, CallError
from controller.aws.events.receiver import LOST_S, QueueAddress, Readers, Receiver, StatusQueueMetrics
from controller.aws.targets import BASE_IDENTITY, Identity, Target
from controller.runtime.errors import ErrorClass
from controller.runtime.threads import Stop
from tests.fakes.sagemaker.arns import ACCOUNT
from tests.tables import each_row
from tests.unit.aws.test_hints import SETTINGS, Bench

URL = f"https://sqs.us-east-2.amazonaws.com/{ACCOUNT}/status"
DENIED = AwsError(ErrorClass.DENIED, "AccessDenied", "no sqs:ReceiveMessage")
DELETED = AwsError(ErrorClass.NOT_FOUND, "AWS.SimpleQueueService.NonExistentQueue", "no such queue")
BROKEN = AwsError(ErrorClass.RETRYABLE, "InternalFailure", "500")
VISIBILITY_S = 30.0
QUEUE = f"{ACCOUNT}/us-east-2/status"
"""Its label in metrics."""


@dataclass(slots=True)
class Message:
    """A message in the queue."""

    number: int
    body: str
    sent: float
    visible_at: float = 0.0


class FakeQueue:
    """SQS with one queue: messages stay until they are deleted, and come again after their visibility time-out."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._count = 0
        self.messages: list[Message] = []
        self.calls: list[str] = []
        self.identities: list[Identity] = []
        """Under which the calls were made."""
        self.denied: set[Identity] = set()
        self.always: Callable[[str], Exception | None] = lambda operation: None
        self.is_interrupted = False

    def send(self, body: str) -> None:
        """Put a message into the queue."""
        self._count += 1
        self.messages.append(Message(self._count, body, self._bench.clock.utcnow().timestamp()))

    def event(self, name: str, **changes: Any) -> str:
        """Send what EventBridge sends about a job's present state; returns the body."""
        job = self._bench.aws.jobs["us-east-2", name]
        detail = {
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.value,
            "SecondaryStatus": job.secondary,
            "LastModifiedTime": str(int(job.modified.timestamp() * 1000)),
        }
        body = json.dumps(
            {
                "source": "aws.sagemaker",
                "detail-type": "SageMaker Training Job State Change",
                "account": ACCOUNT,
                "region": "us-east-2",
                "time": self._bench.clock.utcnow().isoformat(),
                "resources": [job.arn],
                "detail": detail | changes,
            }
        )
        self.send(body)
        return body

    def heartbeat(self) -> None:
        """Send what the scheduled rule sends."""
        time = self._bench.clock.utcnow().isoformat()
        envelope = {"source": "aws.events", "detail-type": "Scheduled Event", "account": ACCOUNT}
        self.send(json.dumps(envelope | {"region": "us-east-2", "time": time}))

    def interrupt(self) -> None:
        """See `QueueApi.interrupt`."""
        self.is_interrupted = True

    def call(
        self, target: Target, service: str, operation: str, request: Mapping[str, Any], *, caller: Hashable
    ) -> dict[str, Any]:
        """See `QueueApi.call`."""
        assert (service, request["QueueUrl"]) == ("sqs", URL)
        self.calls.append(operation)
        self.identities.append(target.identity)
        if target.identity in self.denied:
            raise DENIED
        if error := self.always(operation):
            raise error
        now = self._bench.clock.monotonic()
        if operation == "DeleteMessageBatch":
            done = {int(entry["ReceiptHandle"]) for entry in request["Entries"]}
            self.messages = [message for message in self.messages if message.number not in done]
            return {"Successful": []}
        batch = [message for message in self.messages if message.visible_at <= now][: request["MaxNumberOfMessages"]]
        for message in batch:
            message.visible_at = now + VISIBILITY_S
        return {
            "Messages": [
                {
                    "Body": message.body,
                    "ReceiptHandle": str(message.number),
                    "Attributes": {"SentTimestamp": str(int(message.sent * 1000))},
                }
                for message in batch
            ]
        }


class QueueBench(Bench):
    """The tracker of `test_hints`, with a queue and its receiver."""

    PAUSE_S = 1

    def __init__(self, roles: Mapping[str, Identity] = MappingProxyType({})) -> None:
        super().__init__()
        self.roles = roles
        self.queue = self.new_queue()
        self.stop = Stop()
        self.receiver = Receiver(
            QueueAddress.of(URL, ""),
            self.queue,
            {self.tracker.kind: self.tracker},
            self.clock,
            StatusQueueMetrics(self.registry),
            rand=lambda: 0.5,
            readers=self.readers,
        )
        self._again_at = 0.0

    def new_queue(self) -> FakeQueue:
        """Return an empty queue."""
        return FakeQueue(self)

    def readers(self) -> Readers:
        """Who reads the queue: a role of its account where there is one, and the operator's own."""
        role = self.roles.get(ACCOUNT)
        return Readers((role, BASE_IDENTITY)) if role else Readers()

    def run(self, seconds: float) -> None:
        """Let time pass, with a receiver that empties the queue every `PAUSE_S`."""
        for _ in range(0, int(seconds), self.PAUSE_S):
            self.drain()
            super().run(min(self.PAUSE_S, seconds))

    def drain(self) -> None:
        """Receive until the queue shows no more, or fails."""
        while self.clock.monotonic() >= self._again_at:
            before = len(self.queue.calls)
            delay_s = self.receiver.receive(self.stop)
            self._again_at = self.clock.monotonic() + delay_s
            if delay_s or len(self.queue.calls) == before + 1:
                break

    def end(self, name: str, value: str = "Completed") -> None:
        """Let a job end, and its event arrive a second later."""
        self.aws.move(name, value)
        self.clock.advance(1.0)
        self.queue.event(name)
        self.drain()

    def trusted(self) -> "QueueBench":
        """Earn trust, and follow three jobs."""
        self.earn()
        for number in range(3):
            self.job(f"job-{number}")
        self.run(10)
        self.log.clear()
        return self

    def followed(self) -> set[str]:
        """Jobs that have not been seen to end."""
        names = [name for _, name in self.aws.jobs]
        return {name for name in names if self.tracker.last(ObjectKey("ns", name)) is not None}

    def count(self, outcome: str, kind: str = "trainingjob") -> float:
        """Messages with this outcome."""
        labels = {"queue": QUEUE, "kind": kind, "outcome": outcome}
        return self.registry.get_sample_value("sagemaker_operator_status_messages_total", labels) or 0.0

    def sample(self, name: str) -> float | None:
        """A metric of the queue."""
        return self.registry.get_sample_value(f"sagemaker_operator_status_{name}", {"queue": QUEUE})


@pytest.fixture
def bench() -> QueueBench:
    return QueueBench().trusted()


def test_an_end_shows_within_a_second_of_its_event_and_without_a_list(bench: QueueBench) -> None:
    """One Describe; the message is deleted."""
    bench.end("job-0")
    assert bench.followed() == {"job-1", "job-2"}
    assert bench.aws.calls == (("describe", "job-0"),)
    assert bench.queue.messages == []
    assert bench.count("change") == 4
    assert bench.sample("message_age_seconds_count") == bench.count("change")


def test_a_message_is_deleted_after_its_key_was_woken(bench: QueueBench) -> None:
    """What a process that dies has not handled comes again."""
    woken_at_deletion: list[list[str]] = []
    bench.queue.always = lambda operation: (
        woken_at_deletion.append(list(bench.woken)) if operation == "DeleteMessageBatch" else None  # type: ignore[func-returns-value]
    )
    bench.end("job-0")
    assert woken_at_deletion == [["job-0"]]


@pytest.mark.parametrize("error", [DENIED, DELETED, BROKEN], ids=["denied", "deleted", "broken"])
def test_while_the_queue_cannot_be_read_sweeps_find_what_happens(bench: QueueBench, error: CallError) -> None:
    """At the pace of an operator without a queue, and it recovers by itself."""
    bench.queue.always = lambda operation: error
    bench.run(LOST_S + 60.0)
    assert bench.sample("queue_failing") == 1
    bench.queue.calls.clear()
    bench.aws.move("job-0", "Completed")
    bench.run(SETTINGS.poll_s * 2)
    assert bench.followed() == {"job-1", "job-2"}
    bench.run(300)
    assert len(bench.queue.calls) <= 12, "attempts become rare"
    bench.queue.always = lambda operation: None
    bench.queue.heartbeat()
    bench.run(60)
    assert bench.sample("queue_failing") == 0
    bench.end("job-1")
    assert bench.followed() == {"job-2"}


def test_a_purge_loses_nothing(bench: QueueBench) -> None:
    """The safety net finds what the events would have announced, and sweeps are frequent from then on."""
    bench.aws.move("job-0", "Completed")
    bench.queue.event("job-0")
    bench.queue.messages.clear()
    bench.run(SETTINGS.safety_s + 20)
    assert bench.followed() == {"job-1", "job-2"}
    bench.aws.move("job-1", "Completed")
    bench.run(SETTINGS.poll_s * 2)
    assert bench.followed() == {"job-2"}


def test_ten_thousand_junk_messages_cost_no_call_of_sagemaker(bench: QueueBench) -> None:
    """They are counted and deleted; the event behind them is handled."""
    junk = ["", "{", "[]", "null", '{"source": "aws.ec2"}', '{"source": "aws.sagemaker", "detail-type": "x"}']
    for number in range(10_000):
        bench.queue.send(junk[number % len(junk)])
    bench.drain()
    assert bench.aws.calls == ()
    assert bench.queue.messages == []
    assert bench.count("unreadable", kind="") > 6_000
    assert bench.count("foreign_source", kind="") + bench.count("unknown_detail_type", kind="") > 3_000
    bench.end("job-0")
    assert bench.aws.calls == (("describe", "job-0"),)


def test_duplicates_and_replayed_messages_cost_nothing_more(bench: QueueBench) -> None:
    """A queue that is redriven from its dead letters repeats a day."""
    bodies = []
    for secondary in ("Starting", "Downloading", "Training"):
        bench.aws.move("job-0", "InProgress", secondary)
        bodies.append(bench.queue.event("job-0"))
        bench.run(2)
    bench.aws.move("job-0", "Stopping")
    bodies.append(bench.queue.event("job-0"))
    bench.run(2)
    bench.log.clear()
    for body in bodies * 2_500:
        bench.queue.send(body)
    bench.drain()
    assert bench.aws.calls == ()
    assert bench.status("job-0")[0] == "Stopping"
    assert bench.count("stale") + bench.count("known") >= 10_000


def test_reordered_messages_show_the_newest_state(bench: QueueBench) -> None:
    """EventBridge promises no order."""
    bench.aws.move("job-0", "InProgress", "Downloading")
    bench.queue.event("job-0")
    bench.clock.advance(5)
    bench.aws.move("job-0", "InProgress", "Training")
    bench.queue.event("job-0")
    bench.queue.messages.reverse()
    bench.drain()
    assert bench.status("job-0") == ("InProgress", "Training")
    assert bench.aws.calls == ()


def test_messages_that_cannot_be_deleted_come_again_and_change_nothing(bench: QueueBench) -> None:
    """`sqs:DeleteMessage` may be missing: at last the dead-letter queue takes them."""
    bench.queue.always = lambda operation: DENIED if operation == "DeleteMessageBatch" else None
    bench.end("job-0")
    bench.log.clear()
    bench.run(VISIBILITY_S * 4)
    assert bench.aws.count("describe") == 0
    assert bench.followed() == {"job-1", "job-2"}
    assert len(bench.queue.messages) == 1


@pytest.mark.parametrize("skew_s", [-3_600.0, 3_600.0], ids=["behind", "ahead"])
def test_a_clock_that_is_wrong_by_an_hour_loses_no_event(skew_s: float) -> None:
    """States are ordered by AWS's times alone."""
    bench = QueueBench()
    real = bench.clock.utcnow
    bench.receiver._clock = type(  # the operator's clock; SageMaker's and the queue's are right
        "Skewed",
        (),
        {"monotonic": lambda _: bench.clock.monotonic(), "utcnow": lambda _: real() + timedelta(seconds=skew_s)},
    )()
    bench.trusted().end("job-0")
    assert bench.followed() == {"job-1", "job-2"}


def test_an_event_of_the_future_is_dropped(bench: QueueBench) -> None:
    """It would make later ones look old. The queue's own clock says what is future."""
    ahead = bench.clock.utcnow() + timedelta(hours=1)
    bench.queue.event("job-0", LastModifiedTime=str(int(ahead.timestamp() * 1000)), TrainingJobStatus="Failed")
    bench.drain()
    assert bench.count("future") == 1
    assert bench.aws.calls == ()
    bench.end("job-0")
    assert bench.followed() == {"job-1", "job-2"}


def test_heartbeats_keep_sweeps_rare_while_no_job_changes(bench: QueueBench) -> None:
    """A training of twenty days is no reason to sweep for it."""
    for _ in range(12):
        bench.queue.heartbeat()
        bench.run(300)
    assert bench.count("heartbeat", kind="") == 12
    assert bench.aws.count("list") <= 3_600 / SETTINGS.safety_s + 3


def test_stop_interrupts_the_call_that_waits_and_takes_no_message_away(bench: QueueBench) -> None:
    """What is received in the moment of the end stays in the queue, for the next leader."""
    bench.queue.event("job-0", TrainingJobStatus="Stopping")

    def stop(operation: str) -> None:
        if operation == "ReceiveMessage":
            bench.stop.set()

    bench.queue.always = stop  # type: ignore[assignment]
    bench.receiver.run(bench.stop)
    assert bench.queue.is_interrupted
    assert bench.queue.calls[-1] == "ReceiveMessage"
    assert len(bench.queue.messages) == 1


@each_row(
    ("url", "default", "region"),
    [
        (URL, "eu-west-1", "us-east-2"),
        (f"https://sqs.cn-north-1.amazonaws.com.cn/{ACCOUNT}/q", "", "cn-north-1"),
        (f"https://us-gov-west-1.queue.amazonaws.com/{ACCOUNT}/q", "", "us-gov-west-1"),
        (f"https://vpce-0a1.sqs.us-east-1.vpce.amazonaws.com/{ACCOUNT}/q", "", "us-east-1"),
        (f"http://127.0.0.1:4566/{ACCOUNT}/q", "us-west-2", "us-west-2"),
    ],
)
def test_the_region_is_that_of_the_host_else_the_operators(url: str, default: str, region: str) -> None:
    """Partitions, VPC endpoints and emulators."""
    address = QueueAddress.of(url, default)
    assert (address.region, address.account) == (region, ACCOUNT)


def test_a_queue_without_a_region_is_refused() -> None:
    """At the start, with what to do."""
    with pytest.raises(ValueError, match="--aws-region"):
        QueueAddress.of(f"http://localhost/{ACCOUNT}/q", "")


# --- queues of accounts in which namespaces have roles

ROLE = Identity(f"arn:aws:iam::{ACCOUNT}:role/sagemaker-operator-team")


def test_a_queue_is_read_under_a_role_of_its_account() -> None:
    """The role that a namespace has there; a queue of another account is not its business."""
    bench = QueueBench({ACCOUNT: ROLE})
    bench.run(10)
    assert set(bench.queue.identities) == {ROLE}
    bench = QueueBench({"210987654321": ROLE})
    bench.run(10)
    assert set(bench.queue.identities) == {BASE_IDENTITY}


@pytest.mark.parametrize("denied", [ROLE, BASE_IDENTITY], ids=["the role", "the operator"])
def test_whichever_identity_may_read_the_queue_does(denied: Identity) -> None:
    """A queue policy may allow the operator's own role, or the namespace's role may: no failure is shown meanwhile."""
    bench = QueueBench({ACCOUNT: ROLE})
    bench.queue.denied.add(denied)
    bench.earn()
    bench.run(10)
    assert bench.metric("trusted") == 1
    assert bench.queue.identities[-1] in {ROLE, BASE_IDENTITY} - {denied}
    assert bench.queue.identities.count(denied) <= 1
    assert bench.registry.get_sample_value("sagemaker_operator_status_queue_failing", {"queue": QUEUE}) in (None, 0)


def test_a_queue_that_neither_may_read_counts_as_lost() -> None:
    """Both are tried again with the usual pauses."""
    bench = QueueBench({ACCOUNT: ROLE})
    bench.queue.denied |= {ROLE, BASE_IDENTITY}
    bench.run(120)
    assert bench.registry.get_sample_value("sagemaker_operator_status_queue_failing", {"queue": QUEUE}) == 1
    assert set(bench.queue.identities) == {ROLE, BASE_IDENTITY}
    assert len(bench.queue.calls) <= 20
