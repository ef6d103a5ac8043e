"""What a real queue does to a receiver: each fault is one of moto's SQS, over HTTP, and none of them loses a change."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from controller.aws.events.receiver import LOST_S
from hack.sandbox.aws.server import RunningServer
from tests.sandbox.moto_queue import MotoBench, moto, play_junk
from tests.unit.aws.test_hints import SETTINGS

pytestmark = pytest.mark.sandbox

JUNK = 60
"""Messages without use; `make queue-faults` sends ten thousand."""


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with moto() as running:
        yield running


@pytest.fixture
def bench(server: RunningServer) -> MotoBench:
    bench = MotoBench(server)
    bench.trusted()
    assert bench.metric("trusted") == 1
    return bench


def test_a_queue_that_is_broken_is_done_without(bench: MotoBench, server: RunningServer) -> None:
    """Sweeps find what happens, as often as without a queue; `test_status_queue` has one denied, and one deleted."""
    server.faults.add("ReceiveMessage", "error", count=None)
    bench.run(LOST_S + 60.0)
    assert bench.sample("queue_failing") == 1
    bench.aws.move("job-0", "Completed")
    bench.run(2 * SETTINGS.poll_s)
    assert bench.followed() == {"job-1", "job-2"}


def test_a_purge_loses_nothing(bench: MotoBench) -> None:
    """The safety net finds what the message would have said."""
    bench.aws.move("job-0", "Completed")
    bench.queue.event("job-0")
    bench.queue.sqs.purge_queue(QueueUrl=bench.queue.url)
    bench.drain()
    assert bench.followed() == {"job-0", "job-1", "job-2"}
    bench.run(SETTINGS.safety_s + 20)
    assert bench.followed() == {"job-1", "job-2"}
    assert bench.metric("trusted") == 0


def test_junk_costs_nothing_and_what_stands_behind_it_is_found(bench: MotoBench) -> None:
    """Counted by reason, and deleted."""
    play_junk(bench, JUNK)


def test_a_message_that_becomes_visible_again_changes_nothing(bench: MotoBench, server: RunningServer) -> None:
    """Its time-out has passed before it could be deleted; whoever receives it next deletes it."""
    bench.queue.hide_for(0)
    server.faults.add("DeleteMessageBatch", "deny", count=None)
    bench.aws.move("job-0", "Stopping")
    bench.queue.event("job-0")
    for _ in range(5):
        bench.receiver.receive(bench.stop)
        bench.clock.advance(1.0)
    assert bench.aws.calls == (("describe", "job-0"),)
    assert bench.count("change") == 1 + 3, "those that have earned trust are three"
    assert bench.count("known") + bench.count("stale") == 4
    assert bench.queue.left() == 1
    server.faults.clear()
    bench.drain()
    assert bench.queue.left() == 0


def test_old_messages_that_are_sent_again_change_nothing(bench: MotoBench) -> None:
    """As a redrive of the dead-letter queue does, in another order."""
    bodies = []
    for secondary in ("Starting", "Downloading", "Training"):
        bench.aws.move("job-0", "InProgress", secondary)
        bodies.append(bench.queue.event("job-0"))
        bench.run(2)
    bench.aws.move("job-0", "Stopping")
    bodies.append(bench.queue.event("job-0"))
    bench.run(2)
    bench.log.clear()
    bench.queue.send_all([*reversed(bodies), *bodies] * 5)
    bench.run(5)
    assert bench.aws.calls == ()
    assert bench.status("job-0")[0] == "Stopping"
    assert bench.queue.left() == 0


@pytest.mark.parametrize("skew_s", [-3_600.0, 3_600.0], ids=["behind", "ahead"])
def test_the_clock_of_the_operator_orders_nothing(bench: MotoBench, skew_s: float) -> None:
    """States have AWS's times, and what is of the future is so by the queue's."""
    real = bench.clock.utcnow
    bench.receiver._clock = type(  # the operator's; SageMaker's is right
        "Skewed",
        (),
        {"monotonic": lambda _: bench.clock.monotonic(), "utcnow": lambda _: real() + timedelta(seconds=skew_s)},
    )()
    bench.end("job-0")
    assert bench.followed() == {"job-1", "job-2"}
    sent = int(bench.queue.sent_at().timestamp() * 1000) + 3_600_000
    bench.queue.event("job-1", LastModifiedTime=str(sent), TrainingJobStatus="Failed")
    bench.drain()
    assert bench.count("future") == 1
    bench.end("job-1")
    assert bench.followed() == {"job-2"}
