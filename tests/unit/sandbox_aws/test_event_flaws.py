"""What EventBridge may do to state changes: late, more than once, never, in another order."""

from collections.abc import Mapping
from typing import Any

import pytest

from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.jobs.job_api import JobApi
from hack.sandbox.aws.jobs.kinds import TRAINING
from hack.sandbox.aws.jobs.tuning_api import TuningApi
from hack.sandbox.aws.records.resource import Store
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.aws.state_changes import EventFlaws, Publisher
from hack.sandbox.aws.wire import Call
from tests.unit.sandbox_aws.conftest import DURATIONS, REGION, Request
from tests.unit.sandbox_aws.test_faults import control

STARTED = "InProgress"


class Bus:
    """An event bus with a rule, which keeps what is put there."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def has_rules(self) -> bool:
        """See `MotoBridge.has_rules`."""
        return True

    def put_event(self, *, detail: Mapping[str, Any], **_: object) -> None:
        """See `MotoBridge.put_event`."""
        self.seen.append(f"{detail['TrainingJobName']} {detail['TrainingJobStatus']}")


@pytest.mark.parametrize(
    ("flaws", "at_once", "later"),
    [
        pytest.param({}, ["a", "b"], [], id="none"),
        pytest.param({"repeats": 1}, ["a", "a", "b", "b"], [], id="twice"),
        pytest.param({"is_reversed": True}, ["b", "a"], [], id="in the opposite order"),
        pytest.param({"lag_s": 60}, [], ["a", "b"], id="late"),
        pytest.param({"lost": 1}, [], [], id="never"),
    ],
)
def test_events_are_sent_as_the_flaws_say(
    request_of: Request, flaws: dict[str, Any], at_once: list[str], later: list[str]
) -> None:
    """EventBridge promises at least one delivery, in no order; in practice it is neither late nor lossy."""
    clock, store, bus = SandboxClock.frozen(), Store(), Bus()
    publisher: Any = Publisher(store, TuningApi(store, DURATIONS).settle, bus, clock)  # type: ignore[arg-type]
    publisher.flaws = EventFlaws(**flaws)
    publisher.look()  # learns what is there
    jobs = JobApi(TRAINING, store, DURATIONS)
    for name in ("a", "b"):
        jobs.create(Call("sagemaker", "CreateTrainingJob", "123456789012", REGION, clock.now(), request_of(name)))
    publisher.look()
    assert bus.seen == [f"{name} {STARTED}" for name in at_once]
    bus.seen.clear()
    clock.advance(61)
    publisher.look()
    assert bus.seen[: len(later)] == [f"{name} {STARTED}" for name in later]


def test_flaws_are_set_by_control_endpoint(aws: RunningServer) -> None:
    """Nonsense is refused, a reset forgets them."""
    assert control(aws, "POST", "events", {"repeats": 2, "lost": 0.5})[0] == 200
    assert aws.events.flaws == EventFlaws(repeats=2, lost=0.5)
    for nonsense in ({"lost": 2}, {"lag_s": -1}, {"colour": "red"}):
        assert control(aws, "POST", "events", nonsense)[0] == 400
    aws.reset()
    assert aws.events.flaws == EventFlaws()
