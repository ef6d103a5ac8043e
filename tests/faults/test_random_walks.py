"""Anything may happen in any order: random walks through crashes, stale views, refusals and users."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from controller.aws.errors import AwsError, CallError
from controller.kube.errors import ConnectionFailed
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World

pytestmark = pytest.mark.long

UID_TAG = "sagemaker.aws.amazon.com/uid"

REFUSALS = st.sampled_from(
    [
        AwsError(ErrorClass.DENIED, "AccessDeniedException", "no"),
        AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded"),
        AwsError(ErrorClass.QUOTA, "ResourceLimitExceeded", "0"),
        AwsError(ErrorClass.CONFLICT, "ValidationException", "state"),
    ]
)
SILENCE = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True)
OPERATIONS = st.sampled_from(["create", "describe", "stop", "list", "tags"])


class AnyOrder(RuleBasedStateMachine):
    """DESIGN 5: one object, at most one job; nothing foreign touched; when calm returns, all is as it should be."""

    @initialize(named=st.booleans())
    def start(self, named: bool) -> None:
        """An object with a generated or a given name, beside a foreign job."""
        self.world = World()
        self.world.aws.existing("foreign")
        self.world.cluster.apply(manifest(trainingJobName="my-job") if named else manifest())
        self.uid = self.world.obj["metadata"]["uid"]
        self.deleted = False

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds: int) -> None:
        """The operator works."""
        self.world.run(seconds)

    @rule(n=st.integers(1, 5), after=st.booleans())
    def will_crash(self, n: int, after: bool) -> None:
        """At one of the next effects."""
        self.world.crash.at, self.world.crash.after = len(self.world.crash.seen) + n, after

    @rule(data=st.data())
    def restarts_on_an_old_view(self, data: st.DataObject) -> None:
        """A new process whose list comes from a lagging replica."""
        self.world.restart()
        self.world.cluster.store.freeze(KEY, data.draw(st.sampled_from(self.world.cluster.history)))

    @rule()
    def view_catches_up(self) -> None:
        """The watch delivers."""
        self.world.cluster.store.thaw()

    @rule(operation=OPERATIONS, error=REFUSALS)
    def aws_refuses(self, operation: str, error: CallError) -> None:
        """The next such call."""
        self.world.aws.fail(operation, error)

    @rule(operation=OPERATIONS, after=st.booleans())
    def aws_is_silent(self, operation: str, after: bool) -> None:
        """The next such call may have taken effect."""
        self.world.aws.fail(operation, SILENCE, after=after)

    @rule(n=st.integers(1, 4), after=st.booleans())
    def api_server_is_silent(self, n: int, after: bool) -> None:
        """One of the next writes may have been stored."""
        at = self.world.cluster.patches + n

        def fail(number: int, is_after: bool) -> None:
            if number == at and is_after is after:
                raise ConnectionFailed("RequestTimeout", "no reply")

        self.world.cluster.fault = fail

    @precondition(lambda self: not self.deleted)
    @rule()
    def user_touches(self) -> None:
        """A label changes the version."""
        self.world.cluster.touch(KEY)

    @precondition(lambda self: not self.deleted)
    @rule()
    def user_deletes(self) -> None:
        """For good."""
        self.deleted = True
        self.world.cluster.delete(KEY)

    @rule(value=st.sampled_from(["InProgress", "Completed", "Failed", "Stopped"]))
    def job_moves(self, value: str) -> None:
        """SageMaker goes on, if the job has not ended."""
        for job in self._ours():
            if job.value in {"InProgress", "Stopping"} and not (job.value == "Stopping" and value == "InProgress"):
                self.world.aws.move(job.name, value)

    def _ours(self) -> list:  # type: ignore[type-arg]
        return [job for job in self.world.aws.jobs.values() if job.tags.get(UID_TAG) == self.uid]

    @invariant()
    def at_most_one_job(self) -> None:
        """And none of others is asked to stop."""
        assert len(self._ours()) <= 1
        assert ("stop", "foreign") not in self.world.aws.calls

    @invariant()
    def nothing_wanted_is_stopped(self) -> None:
        """Stop needs a deletion."""
        assert self.deleted or self.world.aws.count("stop") == 0

    @invariant()
    def nothing_runs_without_its_object(self) -> None:
        """The finalizer goes last."""
        if self.world.cluster.get(KEY) is None:
            assert all(job.value in {"Stopped", "Completed", "Failed"} for job in self._ours())

    def teardown(self) -> None:
        """Calm returns: the object converges without a human."""
        world = self.world
        world.cluster.store.thaw()
        world.cluster.fault = lambda n, after: None
        world.aws.faults.clear()
        world.run(700, step_s=2)
        world.run(60)
        for job in self._ours():
            if job.value == "Stopping":
                world.aws.move(job.name, "Stopped")
        world.run(60)
        if self.deleted:
            assert world.cluster.get(KEY) is None
            self.nothing_runs_without_its_object()
        else:
            (job,) = self._ours()
            assert world.status["trainingJobStatus"] == job.value
            assert world.status["awsResource"]["arn"] == job.arn
            assert "additional" not in world.status
            assert world.condition("Synced") == ("True", "Synced")
        self.at_most_one_job()


AnyOrder.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
TestAnyOrder = AnyOrder.TestCase
