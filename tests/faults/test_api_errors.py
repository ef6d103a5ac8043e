"""AWS and the API server fail: denied, throttled, broken, silent before or after the request took effect."""

import itertools

import pytest

from api.descriptor import KindDescriptor
from api.v1 import TRAINING_JOB
from controller.aws.errors import AwsError, CallError
from controller.kube.errors import ServerError, TooManyRequests
from controller.reconcile.managed.managed_object import WAIT_SHOWN_S
from controller.runtime.errors import ErrorClass
from tests.fakes.cluster import silence
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults.scenarios import JOBS, SCENARIOS, Scenario, scenarios_of

pytestmark = pytest.mark.long

DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized to perform this")
EXPIRED = AwsError(ErrorClass.DENIED, "ExpiredTokenException", "the security token is expired")
THROTTLED = AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded")
QUOTA = AwsError(ErrorClass.QUOTA, "ResourceLimitExceeded", "the account-level service limit is 0 instances")
BROKEN = AwsError(ErrorClass.RETRYABLE, "InternalFailure", "try again", ambiguous=True)
SILENT = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True)
INVALID = AwsError(ErrorClass.INVALID, "ValidationException", "1 validation error detected")

ERRORS = {
    "denied": DENIED,
    "expired": EXPIRED,
    "throttled": THROTTLED,
    "quota": QUOTA,
    "broken": BROKEN,
    "silent": SILENT,
}


# A refusal says that nothing happened; only what breaks or is silent may come after the fact.
OPERATIONS = ("create", "describe", "stop", "list", "tags")
CASES = [(error, False) for error in ERRORS.values()] + [(error, True) for error in (BROKEN, SILENT)]


def _undisturbed(job: KindDescriptor, scenario: Scenario) -> World:
    world = World(job)
    scenario.play(world)
    scenario.check(world)
    return world


@pytest.mark.parametrize(
    ("job", "scenario"),
    [pytest.param(job, each, id=f"{job.kind} {name}") for job in JOBS for name, each in scenarios_of(job).items()],
)
def test_one_failed_call_changes_nothing_in_the_end(
    job: KindDescriptor, scenario: Scenario, subtests: pytest.Subtests
) -> None:
    """Whatever the class, and whether or not the request took effect: the same end, and one job at most."""
    made = {operation for operation, _ in _undisturbed(job, scenario).aws.calls}
    for operation, (error, after) in itertools.product([each for each in OPERATIONS if each in made], CASES):
        with subtests.test(f"{operation}: {error.code} {'after' if after else 'before'}"):
            world = World(job)
            world.aws.fail(operation, error, after=after)
            scenario.play(world)
            scenario.check(world)
            assert world.aws.faults == []


def test_the_scenarios_make_every_call_that_may_fail() -> None:
    """A life makes some calls only; which ones is found by playing it."""
    lives = [(job, each) for job in JOBS for each in scenarios_of(job).values()]
    made = {operation for job, each in lives for operation, _ in _undisturbed(job, each).aws.calls}
    assert made >= set(OPERATIONS)


@pytest.mark.parametrize("scenario", [pytest.param(s, id=n) for n, s in SCENARIOS.items()])
def test_a_failed_write_to_the_api_server_changes_nothing_in_the_end(
    scenario: Scenario, subtests: pytest.Subtests
) -> None:
    """Any write may have no answer, although it may have been stored."""
    patches = _undisturbed(TRAINING_JOB, scenario).cluster.patches
    assert patches > 0
    for failing, is_stored in itertools.product(range(1, patches + 1), [False, True]):
        with subtests.test(f"write {failing} {'is' if is_stored else 'is not'} stored"):
            world = World()
            world.cluster.fault = silence(failing, after=is_stored)
            scenario.play(world)
            scenario.check(world)


@pytest.mark.parametrize("error", [ServerError("InternalError", "etcd"), TooManyRequests("TooManyRequests", "slow")])
def test_an_api_server_that_is_down_for_a_while_is_survived(error: Exception) -> None:
    """No AWS mutation happens without a write that worked in the same pass."""
    world = World()
    down = True

    def fail(number: int, after: bool) -> None:
        if down and not after:
            raise error

    world.cluster.fault = fail
    world.cluster.apply(manifest())
    world.run(60)
    assert world.aws.calls == ()
    down = False
    world.run(60)
    assert world.status["trainingJobStatus"] == "InProgress"


@pytest.mark.parametrize("error", [DENIED, EXPIRED, QUOTA])
def test_what_people_must_cure_is_shown_and_tried_again_slowly(error: CallError) -> None:
    """v1-kinds.md 13.4: a Warning once, a condition, one attempt a minute and fewer later; then all is well."""
    world = World()
    world.aws.always = lambda operation: error if operation == "create" else None
    world.cluster.apply(manifest())
    world.run(600)
    assert world.aws.count("create") <= 5
    assert world.status["trainingJobStatus"] == "ReconcilingTrainingJob"
    assert error.code in world.status["additional"]
    assert world.condition("Synced") == ("False", "AWSError")
    assert [kind for kind, _ in world.recorder.events] == ["Warning"]
    world.aws.always = lambda operation: None
    world.run(400)
    assert world.status["trainingJobStatus"] == "InProgress"
    assert "additional" not in world.status
    assert world.condition("Synced") == ("True", "Synced")


def test_an_invalid_spec_is_asked_once_and_again_only_when_it_changes() -> None:
    """D-35: no retry before the spec changes; the message is in the status, a condition and one event."""
    world = World()
    world.aws.always = lambda operation: INVALID if operation == "create" else None
    world.cluster.apply(manifest())
    world.run(3600, step_s=10)
    assert world.aws.count("create") == 1
    assert world.condition("Stalled") == ("True", "InvalidSpec")
    assert world.recorder.events == [("Warning", "CreateFailed")]
    world.aws.always = lambda operation: None
    fixed = manifest(trainingJobName=world.name)
    fixed["spec"]["stoppingCondition"]["maxRuntimeInSeconds"] = 60
    world.cluster.apply(fixed)
    world.run(30)
    assert world.status["trainingJobStatus"] == "InProgress"
    assert world.condition("Stalled") == ("False", "InProgress")


@pytest.mark.parametrize("field", [{"region": None}, {"hyperParameters": "text"}], ids=["no region", "odd field"])
def test_what_cannot_even_be_asked_is_told_and_can_be_deleted(field: dict[str, object]) -> None:
    """A request that cannot be made is the user's to change; its object is not stuck when deleted."""
    world = World()
    world.cluster.apply(manifest(**field))
    world.run(60)
    assert world.condition("Stalled") == ("True", "InvalidSpec")
    assert world.aws.count("create") == 0
    world.cluster.delete(KEY)
    world.run(30)
    assert world.cluster.get(KEY) is None


@pytest.mark.parametrize("error", [DENIED, EXPIRED, THROTTLED, BROKEN, SILENT, INVALID])
def test_no_error_ever_releases_a_running_job(error: CallError) -> None:
    """D-09, D-10: only "not found" or a terminal status does; the object says what keeps it."""
    world = World()
    world.cluster.apply(manifest())
    world.run(30)
    world.restart()
    world.aws.always = lambda operation: error
    world.cluster.delete(KEY)
    world.run(900, step_s=5)
    assert "sagemaker-operator-finalizer" in world.obj["metadata"]["finalizers"]
    if error is not THROTTLED:
        assert error.code in world.status["additional"]
        assert "deletion-policy=retain" in world.status["additional"]
        assert world.status["trainingJobStatus"] == "InProgress"
    world.aws.always = lambda operation: None
    world.run(400)
    assert world.status["trainingJobStatus"] == "Stopping"
    world.aws.move(world.name, "Stopped")
    world.run(30)
    assert world.cluster.get(KEY) is None


def test_an_object_that_waits_for_its_turn_says_so_and_nothing_of_throttling() -> None:
    """DESIGN 4.6: throttling is no trouble of the object, which was merely not processed yet (guides)."""
    world = World()
    world.aws.always = lambda operation: THROTTLED
    world.cluster.apply(manifest())
    world.run(WAIT_SHOWN_S - 1)
    assert "status" not in world.obj, "the default of the CRD says as much"
    world.run(5)
    shown = world.obj["status"]
    assert shown["trainingJobStatus"] == "SynchronizingK8sJobWithSageMaker"
    assert "hrottl" not in repr(shown)
    assert "additional" not in shown
    version = world.obj["metadata"]["resourceVersion"]
    world.run(60)
    assert world.obj["metadata"]["resourceVersion"] == version, "written once"
    assert world.recorder.events == []


def test_a_deletion_right_after_a_create_without_answer_waits_for_the_doubt() -> None:
    """ "Not found" is not believed while the creation may still be taking effect."""
    world = World()
    world.aws.fail("create", SILENT)
    world.cluster.apply(manifest())
    world.reconcile()
    world.cluster.delete(KEY)
    world.run(5)
    assert world.cluster.get(KEY) is not None
    world.aws.existing(world.name)  # it did take effect
    world.run(30)
    assert world.aws.count("stop") == 1


def test_a_state_conflict_at_aws_backs_off() -> None:
    """CONFLICT means "look again at once" to the work queue: a Create that is refused so must not loop."""
    world = World()
    conflict = AwsError(ErrorClass.CONFLICT, "ConflictException", "busy")
    world.aws.always = lambda operation: conflict if operation == "create" else None
    world.cluster.apply(manifest())
    world.reconcile()
    (error,) = world.errors
    assert isinstance(error, CallError)
    assert error.error_class is ErrorClass.RETRYABLE
