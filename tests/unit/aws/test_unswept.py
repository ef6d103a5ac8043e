"""Polling of what no List shows together: each execution is described in turn, events bring a look forward."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import PIPELINE_EXECUTION
from controller.aws.polling.hints import Hint
from controller.aws.polling.poll_state import LOOKS_PER_S, UNSWEPT_POLLS, PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Target
from tests.fakes import FakeClock
from tests.fakes.sagemaker.executions import FakeExecutions

HERE = Target("us-east-2")
EVENTS = "events"
POLL_S = 5.0


class Bench:
    """A tracker, and a reconciler that describes what is due."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.aws = FakeExecutions(PIPELINE_EXECUTION, self.clock)
        self.tracker: Any = Tracker(
            PIPELINE_EXECUTION,
            self.aws,
            self.reconcile,
            self.clock,
            TrackerMetrics(CollectorRegistry()),
            PollSettings(poll_s=POLL_S, resync_s=36_000.0),
            rand=lambda: 0.5,
            accelerators=[EVENTS],
        )

    def reconcile(self, key: ObjectKey) -> None:
        """Describe the execution where that is due."""
        state = self.tracker.last(key)
        if state is not None and state.is_describe_due:
            answer = self.aws.describe(PIPELINE_EXECUTION, HERE, key.name, caller=key, background=True)
            self.tracker.described(key, answer)

    def follow(self, name: str) -> ObjectKey:
        """An execution that exists, followed under a key of the same name."""
        self.aws.existing(name, PipelineName="p")
        key = ObjectKey("ns", name)
        self.tracker.follow(key, HERE, name, self.clock.utcnow() - timedelta(hours=1))
        return key

    def run(self, seconds: float) -> int:
        """Let time pass; returns the number of Describes."""
        before = self.aws.count("describe")
        for _ in range(int(seconds)):
            while self.tracker.step():
                pass
            self.clock.advance(1.0)
        return self.aws.count("describe") - before

    def event(self, name: str, status: str = "Executing", secondary: str = "") -> tuple[str, int]:
        """Deliver an event of now; returns its effect, and the number of Describes within two seconds."""
        before = self.aws.count("describe")
        hint = Hint(name, status, secondary, self.clock.utcnow(), name)
        effect: str = self.tracker.hint(EVENTS, "us-east-2", "", hint)
        self.run(2)
        return effect, self.aws.count("describe") - before


@pytest.mark.parametrize(("count", "rounds_s"), [(1, UNSWEPT_POLLS * POLL_S), (100, 100 / LOOKS_PER_S)])
def test_each_is_described_in_its_round_and_nothing_is_listed(count: int, rounds_s: float) -> None:
    """Within the budget of Describes, however many there are. `FakeExecutions` has no List of all."""
    bench = Bench()
    for n in range(count):
        bench.follow(f"e{n}")
    bench.run(300)
    assert bench.run(600) == pytest.approx(600 / rounds_s * count, rel=0.15)


def test_a_requested_change_is_looked_for_at_the_pace_of_polls() -> None:
    """A Stop: its end is what the user waits for."""
    bench = Bench()
    key = bench.follow("e")
    bench.run(30)
    bench.tracker.poll_soon(key)
    assert bench.run(60) == pytest.approx(60 / POLL_S, abs=2)


def test_an_event_of_a_step_brings_the_next_look_forward_once() -> None:
    """The event shows that the step differs, and the execution does not."""
    bench = Bench()
    bench.follow("e")
    bench.run(UNSWEPT_POLLS * POLL_S + 1)
    assert bench.event("e", secondary="Train Executing") == ("progress", 1)
    assert bench.event("e", secondary="Train Executing") == ("known", 0)
    assert bench.event("e", secondary="Train Succeeded") == ("progress", 1)


def test_an_event_of_an_end_is_described_at_once() -> None:
    """It is a hint: Describe says whether it is so."""
    bench = Bench()
    key = bench.follow("e")
    bench.run(UNSWEPT_POLLS * POLL_S + 1)
    bench.aws.move("e", "Succeeded")
    assert bench.event("e", "Succeeded") == ("change", 1)
    assert bench.tracker.last(key).summary["PipelineExecutionStatus"] == "Succeeded"


def test_what_is_described_in_its_round_is_not_stale() -> None:
    """The alert about late status is about sweeps, of which there are none."""
    bench = Bench()
    bench.follow("e")
    bench.run(3600)
    _, age_s = bench.tracker.state_by_region()["us-east-2"]
    assert age_s <= UNSWEPT_POLLS * POLL_S + 1
