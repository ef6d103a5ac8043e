"""Endpoints are settled most of their lives: then lists are rare, until somebody asks for a change."""

from datetime import datetime

import pytest
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import HOSTING_DEPLOYMENT
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Target
from tests.fakes import FakeClock
from tests.fakes.sagemaker.jobs import FakeJobs

KEY, HERE = ObjectKey("ns", "host"), Target("us-east-2")


class Bench:
    """A tracker of endpoints over the in-memory SageMaker, with one endpoint."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.aws = FakeJobs(HOSTING_DEPLOYMENT, self.clock)
        settings = PollSettings(poll_s=5.0, settled=frozenset({"InService"}), settled_poll_s=60.0)
        self.tracker = Tracker(
            HOSTING_DEPLOYMENT,
            self.aws,
            lambda _: None,
            self.clock,
            TrackerMetrics(CollectorRegistry()),
            settings,
            rand=lambda: 0.5,
        )
        self.aws.existing("host", "Creating")
        self.tracker.follow(KEY, HERE, "host", self.clock.utcnow())

    def lists_in(self, seconds: int) -> int:
        """Let time pass; returns the number of lists."""
        before = self.aws.count("list")
        for _ in range(seconds):
            while self.tracker.step():
                pass
            self.clock.advance(1.0)
        return self.aws.count("list") - before

    def value(self) -> object:
        """The status that is known."""
        seen = self.tracker.last(KEY)
        assert seen is not None
        return (seen.summary or {}).get("EndpointStatus")


def test_a_settled_endpoint_is_looked_at_rarely() -> None:
    """Often while it is created, once a minute when it is in service."""
    bench = Bench()
    assert bench.lists_in(60) >= 11
    bench.aws.move("host", "InService")
    bench.lists_in(10)
    assert bench.lists_in(600) <= 11


@pytest.mark.parametrize("moves_after", [0, 20])
def test_a_change_that_was_asked_for_is_seen_soon(moves_after: int) -> None:
    """`poll_soon` ends the long interval, and short ones go on until the change shows."""
    bench = Bench()
    bench.aws.move("host", "InService")
    bench.lists_in(65)
    bench.tracker.poll_soon(KEY)
    assert bench.lists_in(moves_after) >= moves_after // 6
    bench.aws.move("host", "Updating")
    bench.lists_in(8)
    assert bench.value() == "Updating"
    assert bench.lists_in(60) >= 11


def test_a_new_endpoint_ends_the_long_interval() -> None:
    """What has just been created is followed closely."""
    bench = Bench()
    bench.aws.move("host", "InService")
    bench.lists_in(65)
    bench.aws.existing("new", "Creating")
    created: datetime = bench.clock.utcnow()
    bench.tracker.follow(ObjectKey("ns", "new"), HERE, "new", created)
    assert bench.lists_in(30) >= 5
