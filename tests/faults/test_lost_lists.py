"""List is denied or fails while Describe answers: objects stay true, say so, and recover by themselves."""

import pytest

from api.descriptor import KindDescriptor
from controller.aws.errors import AwsError, CallError
from controller.aws.polling.poll_state import LOST_S
from controller.runtime.errors import ErrorClass
from tests.fakes.world import World
from tests.faults.scenarios import JOBS, MODEL

pytestmark = pytest.mark.long

DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "User: arn:aws:iam::1:role/r is not authorized")
BROKEN = AwsError(ErrorClass.RETRYABLE, "InternalFailure", "an error that changes: 1")
EVENT = ("Warning", "StatusDelayed")


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.kind)
@pytest.mark.parametrize(("error", "reason"), [(DENIED, "ListDenied"), (BROKEN, "ListFailing")])
def test_an_object_follows_its_job_and_says_that_its_status_is_late(
    job: KindDescriptor, error: CallError, reason: str
) -> None:
    """One condition and one Warning, however long it lasts; the message names the right that is missing."""
    world = World(job)
    world.cluster.apply(world.manifest())
    world.run(30)
    world.aws.always = lambda operation: error if operation == "list" else None
    world.run(LOST_S + 300)
    assert world.condition("StatusDelayed") == ("True", reason)
    (message,) = (each["message"] for each in world.status["conditions"] if each["type"] == "StatusDelayed")
    assert job.operations.list in message
    assert (f"Allow sagemaker:{job.operations.list}" in message) is (error is DENIED)
    assert world.recorder.events.count(EVENT) == 1
    writes = len(world.cluster.writes)
    world.run(600)
    assert len(world.cluster.writes) == writes
    (there,) = world.aws.jobs.values()
    world.aws.move(there.name, "Completed", ModelArtifacts=MODEL)
    world.run(60)
    assert world.value == "Completed"
    assert world.condition("StatusDelayed") is None


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.kind)
def test_the_condition_goes_when_list_answers_again(job: KindDescriptor) -> None:
    """By itself, within the pause between two tries."""
    world = World(job)
    world.cluster.apply(world.manifest())
    world.run(30)
    world.aws.always = lambda operation: DENIED if operation == "list" else None
    world.run(600)
    assert world.condition("StatusDelayed") is not None
    world.aws.always = lambda operation: None
    world.run(400)
    assert world.condition("StatusDelayed") is None
    assert world.recorder.events.count(EVENT) == 1
    describes = world.aws.count("describe")
    world.run(300)
    assert world.aws.count("describe") <= describes + 1, "Lists are enough again, one slow look apart"
