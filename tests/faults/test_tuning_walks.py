"""Tuning jobs and the training jobs that they launch: anything may happen in any order, also to the spawned objects."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.meta import ObjectKey
from controller.aws.errors import AwsError, CallError
from controller.kube.errors import ConnectionFailed
from controller.runtime.errors import ErrorClass
from tests.faults.tuning_world import KEY, TuningWorld, manifest

pytestmark = pytest.mark.long

ENDED = frozenset({"Completed", "Failed", "Stopped"})
UID_TAG = "sagemaker.aws.amazon.com/uid"
SOON = st.integers(0, 12)
"""Seconds until the next thing happens."""
FAILURES = st.sampled_from(
    [
        AwsError(ErrorClass.DENIED, "AccessDeniedException", "no"),
        AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded"),
        AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True),
    ]
)
OPERATIONS = st.sampled_from(["create", "describe", "stop", "list", "launched", "describe training", "stop training"])
FOREIGN = "foreign-001-00000000"


class TuningInAnyOrder(RuleBasedStateMachine):
    """DESIGN 5 with children: one tuning job, one object for each job that it launches, nothing of others touched."""

    @initialize(named=st.booleans(), collected=st.booleans(), fresh=st.booleans())
    def start(self, named: bool, collected: bool, fresh: bool) -> None:
        """A tuning job with a generated or a given name, beside foreign jobs; one looks like a launched one."""
        self.world = TuningWorld()
        self.world.has_garbage_collector = collected
        self.world.aws.existing("foreign")
        self.world.aws_training.existing(FOREIGN)
        obj = manifest()
        if named:
            obj["spec"]["hyperParameterTuningJobName"] = "my-tuning"
        self.world.tunings.apply(obj)
        self.uid = (self.world.tunings.get(KEY) or {})["metadata"]["uid"]
        self.is_deleted = False
        self.removed: set[str] = set()
        """Launched jobs whose objects the user has deleted."""
        if not fresh:
            self.world.run(10)
            self.world.aws.launch(self._name(), 3)
            self.world.run(15)

    # --- time, processes and the two APIs

    @rule(seconds=st.integers(5, 30))
    def time_passes(self, seconds: int) -> None:
        """The operator works."""
        self.world.run(seconds)

    @rule(n=st.integers(1, 6), after=st.booleans(), seconds=SOON)
    def will_crash(self, n: int, after: bool, seconds: int) -> None:
        """At one of the next effects."""
        self.world.crash.at, self.world.crash.after = len(self.world.crash.seen) + n, after
        self.world.run(seconds)

    @rule()
    def restarts(self) -> None:
        """A new process."""
        self.world.restart()

    @rule()
    def children_lag(self) -> None:
        """The informer of training jobs shows this moment from now on."""
        self.world.trainings.store.freeze_all()

    @rule()
    def children_catch_up(self) -> None:
        """The watch delivers."""
        self.world.trainings.store.thaw()
        self.world.seen.clear()

    @rule(operation=OPERATIONS, error=FAILURES, after=st.booleans(), seconds=SOON)
    def aws_fails(self, operation: str, error: CallError, after: bool, seconds: int) -> None:
        """The next such call is refused, or stays without an answer although it may have taken effect."""
        fake: Any = self.world.aws_training if operation.endswith("training") else self.world.aws
        fake.fail(operation.split(maxsplit=1)[0], error, after=after and error.ambiguous)
        self.world.run(seconds)

    @rule(is_denied=st.booleans())
    def lists_of_launched_jobs_are_denied(self, is_denied: bool) -> None:
        """Until the right is granted."""
        error = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no") if is_denied else None
        self.world.aws.always = lambda operation: error if operation == "launched" else None

    @rule(which=st.sampled_from(["tunings", "trainings"]), n=st.integers(1, 4), is_after=st.booleans())
    def api_server_is_silent(self, which: str, n: int, is_after: bool) -> None:
        """One of the next writes may have been stored."""
        cluster = getattr(self.world, which)
        at = cluster.patches + n

        def fail(number: int, after: bool) -> None:
            if number == at and after is is_after:
                raise ConnectionFailed("RequestTimeout", "no reply")

        cluster.fault = fail

    # --- SageMaker

    @precondition(lambda self: self._runs())
    @rule(count=st.integers(1, 3), seconds=SOON)
    def jobs_are_launched(self, count: int, seconds: int) -> None:
        """By the tuning job."""
        self.world.aws.launch(self._name(), count)
        self.world.run(seconds)

    @rule(value=st.sampled_from(["Completed", "Failed", "Stopped"]), data=st.data(), seconds=SOON)
    def a_launched_job_ends(self, value: str, data: st.DataObject, seconds: int) -> None:
        """One that runs, or was asked to stop."""
        running = [name for name in self._launched() if self._training(name) not in ENDED]
        if running:
            name = data.draw(st.sampled_from(running))
            self.world.aws.end(name, value, 0.5 if value == "Completed" else None)
        self.world.run(seconds)

    @precondition(lambda self: self._job() is not None and self._job().value not in ENDED)
    @rule(value=st.sampled_from(["Completed", "Failed", "Stopped"]), seconds=SOON)
    def the_tuning_job_ends(self, value: str, seconds: int) -> None:
        """And all that it has launched."""
        value = "Stopped" if self._job().value == "Stopping" else value
        self.world.aws.end_all(self._name(), value)
        self.world.run(seconds)

    # --- users

    @rule(data=st.data(), seconds=SOON)
    def user_deletes_a_spawned_object(self, data: st.DataObject, seconds: int) -> None:
        """D-19."""
        there = sorted(name for name in self.world.shown() if name in self._launched())
        if there:
            name = data.draw(st.sampled_from(there))
            self.removed.add(name)
            self.world.trainings.delete(ObjectKey("default", name))
        self.world.run(seconds)

    @precondition(lambda self: not self.is_deleted)
    @rule(seconds=SOON)
    def user_deletes_the_tuning_job(self, seconds: int) -> None:
        """For good."""
        self.is_deleted = True
        self.world.tunings.delete(KEY)
        self.world.run(seconds)

    # --- what is known of it

    def _job(self) -> Any:
        ours = [job for job in self.world.aws.jobs.values() if job.tags.get(UID_TAG) == self.uid]
        return ours[0] if ours else None

    def _name(self) -> str:
        return str(self._job().name)

    def _runs(self) -> bool:
        return self._job() is not None and self._job().value == "InProgress" and len(self._launched()) < 9

    def _launched(self) -> list[str]:
        job = self._job()
        return self.world.aws.launched.get(job.name, []) if job else []

    def _training(self, name: str) -> str:
        return str(self.world.aws_training.jobs["us-east-2", name].value)

    # --- always

    @invariant()
    def one_tuning_job_and_no_training_job_of_our_making(self) -> None:
        """Spawned objects only follow: they never create, whatever is lost (12.2)."""
        assert sum(job.tags.get(UID_TAG) == self.uid for job in self.world.aws.jobs.values()) <= 1
        assert self.world.aws_training.count("create") == 0

    @invariant()
    def nothing_of_others_is_stopped(self) -> None:
        """D-03."""
        assert ("stop", "foreign") not in self.world.aws.calls
        assert ("stop", FOREIGN) not in self.world.aws_training.calls

    @invariant()
    def nothing_wanted_is_stopped(self) -> None:
        """A tuning job stops for its deletion, a launched job for that of its own object or of the tuning job's."""
        assert self.is_deleted or self.world.aws.count("stop") == 0
        if not self.is_deleted:
            assert {name for operation, name in self.world.aws_training.calls if operation == "stop"} <= self.removed

    @invariant()
    def nothing_runs_without_its_object(self) -> None:
        """The finalizer goes last."""
        if self.world.tunings.get(KEY) is None and self._job() is not None:
            assert self._job().value in ENDED

    @invariant()
    def every_object_stands_for_a_launched_job(self) -> None:
        """None for a job of others, whatever its name looks like."""
        assert set(self.world.shown()) <= set(self._launched())

    def teardown(self) -> None:
        """Calm returns: everything ends without a human."""
        world = self.world
        world.trainings.store.thaw()
        world.seen.clear()
        world.tunings.fault = world.trainings.fault = lambda n, after: None
        world.aws.always = lambda operation: None
        world.aws.faults.clear()
        world.aws_training.faults.clear()
        world.run(800, step_s=2)
        for name in self._launched():
            if self._training(name) == "Stopping":
                world.aws.end(name, "Stopped")
        world.run(60, step_s=2)
        if self._runs():  # what is launched now makes an operator that remembers nothing list all of them once more
            world.restart()
            world.aws.launch(self._name())
            world.run(60, step_s=2)
        if self._job() is not None and self._job().value not in ENDED:
            world.aws.end_all(self._name(), "Stopped" if self._job().value == "Stopping" else "Completed")
        for name in self._launched():
            if self._training(name) not in ENDED:
                world.aws.end(name, "Stopped")
        world.run(200, step_s=2)
        self.nothing_of_others_is_stopped()
        if self.is_deleted:
            assert world.tunings.get(KEY) is None
            assert world.shown() == {}
            return
        assert world.status["hyperParameterTuningJobStatus"] == self._job().value
        assert "additional" not in world.status
        shown = world.shown()
        assert set(shown) == set(self._launched()) - self.removed, "D-19: what a user has deleted does not come back"
        assert shown == {name: self._training(name) for name in shown}
        assert not {name for name in shown if world.training(name)["metadata"].get("deletionTimestamp")}


TuningInAnyOrder.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestTuningInAnyOrder = TuningInAnyOrder.TestCase
