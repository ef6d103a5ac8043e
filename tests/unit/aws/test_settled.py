"""Endpoints are settled most of their lives: then lists are rare, until somebody asks for a change."""

from datetime import datetime

import pytest
from prometheus_client import CollectorRegistry

from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_DEPLOYMENT
from controller.aws.polling.poll_state import RECHECK_S, STALE_RECHECKS, PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Target
from controller.runtime.errors import Absent
from tests.fakes import FakeClock
from tests.fakes.sagemaker.jobs import FakeJobs

KEY, HERE = ObjectKey("ns", "host"), Target("us-east-2")


class Bench:
    """A tracker of endpoints over the in-memory SageMaker, with one endpoint."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.aws = FakeJobs(HOSTING_DEPLOYMENT, self.clock)
        self.woken: list[float] = []
        """When the endpoint's object was woken (monotonic)."""
        settings = PollSettings(poll_s=5.0, settled=frozenset({"InService"}), settled_poll_s=60.0)
        self.tracker = Tracker(
            HOSTING_DEPLOYMENT,
            self.aws,
            lambda _: self.woken.append(self.clock.monotonic()),
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

    def described(self) -> JsonObject:
        """Return what Describe answers now."""
        answer = self.aws.describe(HOSTING_DEPLOYMENT, HERE, "host", caller=KEY, background=False)
        assert not isinstance(answer, Absent)
        return answer

    def is_due(self) -> bool:
        """Return whether the endpoint is to be described."""
        seen = self.tracker.last(KEY)
        assert seen is not None
        return seen.is_describe_due

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


def test_a_change_that_a_describe_finds_is_followed_closely() -> None:
    """An update that was not answered has begun all the same, or others have made one: its end is not a minute late."""
    bench = Bench()
    bench.aws.move("host", "InService")
    bench.lists_in(65)
    bench.aws.move("host", "Updating")
    bench.tracker.described(KEY, bench.described())
    assert bench.lists_in(30) >= 5
    bench.aws.move("host", "InService")
    bench.lists_in(8)
    assert bench.value() == "InService"


def test_a_new_endpoint_ends_the_long_interval() -> None:
    """What has just been created is followed closely."""
    bench = Bench()
    bench.aws.move("host", "InService")
    bench.lists_in(65)
    bench.aws.existing("new", "Creating")
    created: datetime = bench.clock.utcnow()
    bench.tracker.follow(ObjectKey("ns", "new"), HERE, "new", created)
    assert bench.lists_in(30) >= 5


@pytest.mark.parametrize("lags", range(STALE_RECHECKS + 3))
def test_a_describe_that_lags_behind_the_list_is_repeated(lags: int) -> None:
    """The list that has shown the change shows no other, and is rare from then on: nothing else would look again."""
    bench = Bench()
    bench.lists_in(30)
    stale = bench.described()
    bench.aws.move("host", "InService")
    bench.lists_in(8)
    answers = [stale] * lags + [bench.described()]
    waits_s = [RECHECK_S * 2.0**number for number in range(STALE_RECHECKS)]
    for number in range(min(lags, STALE_RECHECKS)):
        bench.tracker.described(KEY, answers[number])
        answered_at = bench.clock.monotonic()
        bench.woken.clear()
        bench.lists_in(int(waits_s[number]) + 2)
        assert [round(at - answered_at) for at in bench.woken] == [waits_s[number]]
        assert bench.is_due()
    bench.tracker.described(KEY, answers[min(lags, STALE_RECHECKS)])
    bench.woken.clear()
    bench.lists_in(1000)
    assert bench.woken == []
    assert bench.value() == "InService"
    bench.aws.move("host", "Failed")
    bench.lists_in(70)
    bench.tracker.described(KEY, stale)
    bench.woken.clear()
    bench.lists_in(int(RECHECK_S) + 2)
    assert bench.woken, "another change is another one to wait for"
