"""What endpoints and components share is enough for a third kind that AWS changes in place."""

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

import api.models
from api.meta import JsonObject, ObjectKey
from controller.aws.errors import AwsError
from controller.aws.polling.tracker import TrackedState
from controller.aws.targets import Target
from controller.controllers import CONTROLLERS
from controller.reconcile.checks import Checks
from controller.reconcile.effects import EffectGate
from controller.reconcile.ports import NoTracker
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Controllers, Shared
from controller.runtime.errors import ABSENT, Absent, ClassifiedError, ErrorClass
from tests.fakes import FakeClock
from tests.fakes.cluster import ClusterWriter, FakeCluster
from tests.fakes.recorder import FakeRecorder, OpenFence
from tests.unit.reconcile import monitoring_schedule
from tests.unit.reconcile.monitoring_schedule import MONITORING_SCHEDULE, SETUP

KEY: Final = ObjectKey("default", "nightly")
NAME: Final = "nightly"
MOST_LINES: Final = 100
"""Of the descriptor, the life-cycle and the set-up, imports and docstrings included."""


def manifest(cron: str, **annotations: str) -> JsonObject:
    """A schedule of this time."""
    config = {"scheduleConfig": {"scheduleExpression": cron}, "monitoringType": "DataQuality"}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "MonitoringSchedule",
        "metadata": {
            "namespace": KEY.namespace,
            "name": KEY.name,
            "annotations": {f"sagemaker.aws.amazon.com/{name}": value for name, value in annotations.items()},
        },
        "spec": {"region": "eu-west-1", "monitoringScheduleName": NAME, "monitoringScheduleConfig": config},
    }


def config_of(cron: str) -> JsonObject:
    """What AWS is sent, and shows."""
    return {"ScheduleConfig": {"ScheduleExpression": cron}, "MonitoringType": "DataQuality"}


class Schedules:
    """`Endpoints` in memory: a change is pending until `end` is called. Operations are counted."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.there: dict[str, JsonObject] = {}
        self.calls: list[str] = []
        self.loses_answers = False

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """See `Resources.reserve`."""

    def create(self, _: object, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> str:
        """See `Resources.create`."""
        self.calls.append("create")
        if NAME in self.there:
            raise AwsError(ErrorClass.EXISTS, "ResourceInUse", "it exists")
        arn = f"arn:aws:sagemaker:{target.region}:123456789012:monitoring-schedule/{NAME}"
        now = self._clock.utcnow()
        self.there[NAME] = {**request, "MonitoringScheduleArn": arn, "CreationTime": now}
        self._begin("Pending")
        return arn

    def describe(self, *_: object, **__: object) -> JsonObject | Absent:
        """See `Resources.describe`."""
        return self.there.get(NAME, ABSENT)

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        assert operation == "UpdateMonitoringSchedule"
        assert set(request) == {"MonitoringScheduleName", "MonitoringScheduleConfig"}
        self.calls.append("update")
        self.there[NAME] |= request
        self._begin("Pending")
        if self.loses_answers:
            raise AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True)

    def delete(self, *_: object, **__: object) -> Absent | None:
        """See `Resources.delete`."""
        self.calls.append("delete")
        return None if self.there.pop(NAME, None) else ABSENT

    def tags(self, *_: object, **__: object) -> Mapping[str, str] | Absent:
        """See `Resources.tags`."""
        return {tag["Key"]: tag["Value"] for tag in self.there[NAME].get("Tags", ())}

    def end(self, value: str = "Scheduled", **members: Any) -> None:
        """End what is under way."""
        self.there[NAME] |= members
        self._begin(value)

    def _begin(self, value: str) -> None:
        self._clock.advance(1)
        self.there[NAME] |= {"MonitoringScheduleStatus": value, "LastModifiedTime": self._clock.utcnow()}


class EachPass(NoTracker):
    """`Tracker` that knows nothing, so that each pass describes."""

    def last(self, key: ObjectKey) -> TrackedState:  # type: ignore[override]
        """See `Tracker.last`."""
        return TrackedState(None, is_describe_due=True)


class World:
    """An operator for schedules that can be started again, over a cluster and AWS."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.cluster, self.aws = FakeCluster(self.clock), Schedules(self.clock)
        self.recorder = FakeRecorder()

    def reconcile(self) -> None:
        """Make passes of a new process until one writes nothing."""
        port: Any = self.aws
        writer: Any = ClusterWriter({MONITORING_SCHEDULE.kind: self.cluster})
        effects = EffectGate(writer, port, self.recorder, OpenFence())
        served: Any = SimpleNamespace(descriptor=MONITORING_SCHEDULE, store=self.cluster.store)
        settings = ReconcilerSettings(cluster_id="c", manager="m")
        kinds = {MONITORING_SCHEDULE.kind: served}
        shared = Shared(kinds, writer, port, port, port, effects, self.clock, settings, checks=Checks())
        reconciler = Controllers((SETUP, *CONTROLLERS.setups)).new_reconciler(served, EachPass(), shared)
        for _ in range(10):
            before = (len(self.cluster.writes), len(self.aws.calls))
            try:
                reconciler.reconcile(KEY)
            except ClassifiedError as error:
                if error.error_class is not ErrorClass.RETRYABLE:
                    raise
                return
            if (len(self.cluster.writes), len(self.aws.calls)) == before:
                return
        raise AssertionError("a hot loop")

    @property
    def status(self) -> JsonObject:
        """The status of the object."""
        return (self.cluster.get(KEY) or {}).get("status") or {}

    def reasons(self) -> dict[str, str]:
        """The reasons of the conditions that are true, and of `Synced` if it is not, by type."""
        return {
            each["type"]: each["reason"]
            for each in self.status.get("conditions", ())
            if (each["status"] == "True") != (each["type"] == "Synced")
        }


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A schedule in service; botocore's own model has its operations."""
    monkeypatch.setattr(api.models, "SERVICE_MODELS", tmp_path / "none")
    api.models.shared_loader.cache_clear()
    made = World()
    made.cluster.apply(manifest("cron(0 * ? * * *)"))
    made.reconcile()
    assert made.status["monitoringScheduleStatus"] == "Pending"
    made.aws.end()
    made.reconcile()
    assert made.aws.calls == ["create"]
    yield made
    api.models.shared_loader.cache_clear()


HOURLY, DAILY = config_of("cron(0 * ? * * *)"), config_of("cron(0 1 ? * * *)")


def test_it_takes_a_hundred_lines() -> None:
    """States, words, the name of an operation, and the descriptor: all else is shared."""
    assert len(Path(monitoring_schedule.__file__).read_text().splitlines()) <= MOST_LINES


def test_it_is_shown_as_ready_with_events_about_its_life(world: World) -> None:
    """With the words of the kind."""
    assert world.status["monitoringScheduleStatus"] == "Scheduled"
    assert world.reasons() == {"Ready": "InService"}
    assert world.recorder.events == [("Normal", "Created"), ("Normal", "InService")]


def test_an_edit_is_sent_when_aws_is_not_busy(world: World) -> None:
    """Once, with the newest spec."""
    world.aws.end("Pending")
    world.cluster.apply(manifest("cron(0 1 ? * * *)"))
    world.reconcile()
    assert world.aws.calls == ["create"]
    assert world.reasons() == {"Reconciling": "Pending", "Synced": "UpdatePending"}

    world.aws.end()
    world.reconcile()
    world.aws.end()
    world.reconcile()
    assert world.aws.calls == ["create", "update"]
    assert world.aws.there[NAME]["MonitoringScheduleConfig"] == DAILY
    assert world.reasons() == {"Ready": "InService"}


def test_an_update_with_a_lost_answer_is_found_and_not_repeated(world: World) -> None:
    """What is written before the call says what was asked for, also to another process."""
    world.aws.loses_answers = True
    world.cluster.apply(manifest("cron(0 1 ? * * *)"))
    world.reconcile()
    world.aws.loses_answers = False
    world.aws.end()
    world.clock.advance(60)
    world.reconcile()
    assert world.aws.calls == ["create", "update"]
    assert world.reasons() == {"Ready": "InService"}


def test_a_failed_update_is_reported_and_not_repeated(world: World) -> None:
    """AWS goes back to what it was, and says why."""
    world.cluster.apply(manifest("cron(0 1 ? * * *)"))
    world.reconcile()
    world.aws.end(MonitoringScheduleConfig=HOURLY, FailureReason="no quota")
    world.reconcile()
    assert world.aws.calls == ["create", "update"]
    assert world.reasons() == {"Ready": "UpdateFailed", "Stalled": "UpdateFailed", "Synced": "UpdateFailed"}


@pytest.mark.parametrize(
    ("annotations", "calls", "config"),
    [
        pytest.param({}, ["create"], DAILY, id="reported"),
        pytest.param({"drift-policy": "correct"}, ["create", "update"], HOURLY, id="corrected"),
    ],
)
def test_drift_is_reported_or_corrected(
    world: World, annotations: dict[str, str], calls: list[str], config: JsonObject
) -> None:
    """Others have changed the schedule."""
    world.aws.end(MonitoringScheduleConfig=DAILY)
    world.cluster.apply(manifest("cron(0 * ? * * *)", **annotations))
    world.reconcile()
    assert world.aws.calls == calls
    assert world.aws.there[NAME]["MonitoringScheduleConfig"] == config
    assert ("Warning", "Drifted") in world.recorder.events


def test_the_copy_of_others_is_left_alone_when_its_object_goes(world: World) -> None:
    """It is known by more than its name."""
    world.clock.advance(3600)
    world.aws.end(Tags=[], CreationTime=world.clock.utcnow())
    world.reconcile()
    assert world.reasons()["Stalled"] == "ForeignResource"
    world.cluster.delete(KEY)
    world.reconcile()
    assert world.cluster.get(KEY) is None
    assert "delete" not in world.aws.calls


def test_it_is_deleted_with_its_object(world: World) -> None:
    """The finalizer goes when AWS does not know it any more."""
    world.cluster.delete(KEY)
    world.reconcile()
    world.reconcile()
    assert world.aws.calls == ["create", "delete"]
    assert world.cluster.get(KEY) is None
