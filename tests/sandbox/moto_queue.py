"""A status queue of moto's SQS, called over HTTP as the operator calls AWS, before a tracker in memory."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from prometheus_client import CollectorRegistry

from controller.aws.clients import AwsApi, Clients, ClientSettings
from controller.aws.limits.budgets import Budgets
from controller.aws.targets import Target
from hack.sandbox.aws import server as aws_server
from hack.sandbox.aws.server import RunningServer
from tests.unit.aws.test_status_queue import URL, FakeQueue, QueueBench

BATCH = 10
CHUNK = 500
"""Messages in the queue at a time: moto looks at all of them for each batch."""
REGION = "us-east-2"


class MotoQueue(FakeQueue):
    """The queue of a bench, in moto: `call` passes through the operator's own clients, budgets and error classes."""

    def __init__(self, bench: "MotoBench", aws: RunningServer) -> None:
        super().__init__(bench)
        self.sqs = boto3.session.Session("sandbox", "sandbox", region_name=REGION).client("sqs", endpoint_url=aws.url)
        self.url = self.sqs.create_queue(QueueName=URL.rpartition("/")[2])["QueueUrl"]
        registry = CollectorRegistry()
        clients = Clients(ClientSettings(version="9.9"))
        self._api = AwsApi(clients, Budgets(bench.clock, registry), bench.clock, registry)

    def send(self, body: str) -> None:
        """Put a message into the queue."""
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def send_all(self, bodies: Sequence[str]) -> None:
        """Put many messages into the queue."""
        for first in range(0, len(bodies), BATCH):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[first : first + BATCH])]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def hide_for(self, seconds: int) -> None:
        """Set for how long a message that was received is not shown again."""
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"VisibilityTimeout": str(seconds)})

    def sent_at(self) -> datetime:
        """The time of the queue's own clock."""
        return datetime.now(UTC)

    def left(self) -> int:
        """The number of messages that were not deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def call(
        self, target: Target, service: str, operation: str, request: Mapping[str, Any], *, caller: Hashable
    ) -> dict[str, Any]:
        """See `QueueApi.call`. Does not wait for messages, as time stands still meanwhile."""
        self.calls.append(operation)
        hurried = {"WaitTimeSeconds": 0} if operation == "ReceiveMessage" else {}
        return self._api.call(target, service, operation, {**request, "QueueUrl": self.url, **hurried}, caller=caller)


class MotoBench(QueueBench):
    """The bench of the unit tests, with a queue in moto."""

    PAUSE_S = 10
    """Each look at the queue is a request."""
    queue: MotoQueue

    def __init__(self, aws: RunningServer) -> None:
        self._aws = aws
        super().__init__()
        # The queue has the time of this machine: what happens here was an hour ago, and never is in its future.
        self.clock.set_back((self.clock.utcnow() - self.queue.sent_at() + timedelta(hours=1)).total_seconds())

    def new_queue(self) -> MotoQueue:
        """Return an empty queue."""
        return MotoQueue(self, self._aws)


@contextmanager
def moto() -> Iterator[RunningServer]:
    """Run an embedded AWS, and have the SDK call it."""
    with aws_server.start() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patch.setenv(name, value)
        yield server


def junk(count: int) -> list[str]:
    """Messages that say nothing, of several kinds."""
    kinds = ("x", "{", "[]", "null", '{"source": "aws.ec2"}', '{"source": "aws.sagemaker", "detail-type": "x"}')
    return [kinds[number % len(kinds)] for number in range(count)]


def play_junk(bench: MotoBench, count: int) -> None:
    """Send junk, and an event behind it: all is counted and deleted, and costs no call of SageMaker."""
    for first in range(0, count, CHUNK):
        bench.queue.send_all(junk(min(CHUNK, count - first)))
        empty(bench)
    bench.aws.move("job-0", "Completed")
    bench.queue.send_all(junk(BATCH))
    bench.queue.event("job-0")
    empty(bench)
    assert bench.aws.calls == (("describe", "job-0"),)
    dropped = sum(bench.count(reason, kind="") for reason in ("unreadable", "foreign_source", "unknown_detail_type"))
    assert dropped == count + BATCH


def empty(bench: MotoBench) -> None:
    """Let time pass until the queue is empty: the operator's own budget of calls makes it pause."""
    for _ in range(2 * CHUNK // BATCH):
        bench.drain()
        if not bench.queue.left():
            return
        bench.clock.advance(1.0)
    pytest.fail("the queue is not emptied")
