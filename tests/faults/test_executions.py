"""Executions of pipelines are started once: whatever crashes, is lost, comes late or is restored from a backup."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from api.annotations import ADOPTION_POLICY, DELETION_POLICY, PAUSED, READ_ONLY, TTL
from api.meta import JsonObject
from api.v1 import PIPELINE, PIPELINE_EXECUTION
from controller.aws.errors import AwsError
from controller.reconcile.managed.lost_creation import MOST_PAGES, TOKEN_LASTS_S
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import KEY
from tests.fakes.sagemaker.executions import FakeExecutions
from tests.fakes.world import World
from tests.faults.test_in_place import pipeline
from tests.tables import each_row

SILENCE = AwsError(ErrorClass.RETRYABLE, "ConnectionBroken", "connection reset by peer", ambiguous=True)
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no")
THROTTLED = AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded")
HOUR_S = 3600.0
REGION = "us-east-2"


def manifest(**annotations: str) -> JsonObject:
    """An execution of the pipeline `p`."""
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": PIPELINE_EXECUTION.kind,
        "metadata": {"namespace": KEY.namespace, "name": KEY.name, "annotations": annotations},
        "spec": {"region": REGION, "pipelineName": "p", "pipelineExecutionDescription": "nightly"},
    }


class ExecutionWorld(World):
    """An operator of executions."""

    aws: FakeExecutions

    def __init__(self) -> None:
        super().__init__(PIPELINE_EXECUTION)

    @property
    def only(self) -> Any:
        """The only execution that there is."""
        (execution,) = self.aws.jobs.values()
        return execution

    def end(self, value: str = "Succeeded", **extra: Any) -> None:
        """Let it end."""
        self.aws.move(self.only.arn, value, region=REGION, **extra)

    def shows(self, value: str) -> bool:
        """Whether the object shows this state."""
        return self.status.get("pipelineExecutionStatus") == value


def life(world: ExecutionWorld) -> None:
    """Started, seen to its end, deleted."""
    world.cluster.apply(manifest())
    world.until(lambda: world.shows("Executing"))
    world.end()
    world.until(lambda: world.shows("Succeeded"))
    assert world.status["pipelineExecutionArn"] == world.status["awsResource"]["name"] == world.only.arn
    world.cluster.delete(KEY)
    world.until(lambda: world.obj is None)
    assert world.only.value == "Succeeded"


def short_life(world: ExecutionWorld) -> None:
    """Started, and deleted while it runs."""
    world.cluster.apply(manifest())
    world.until(lambda: world.shows("Executing"))
    world.cluster.delete(KEY)
    world.until(lambda: world.only.value == "Stopping")
    world.end("Stopped")
    world.until(lambda: world.obj is None)
    assert world.aws.stopped == [world.only.arn]


@pytest.mark.parametrize("lived", [life, short_life])
def test_a_crash_at_any_effect_starts_nothing_twice(
    lived: Callable[[ExecutionWorld], None], subtests: pytest.Subtests
) -> None:
    """The client token is made of the object's uid, which the next process knows."""
    undisturbed = ExecutionWorld()
    lived(undisturbed)
    assert undisturbed.aws.count("list") == 0, "a young object needs no List"
    for point in undisturbed.crash.points():
        with subtests.test(str(point)):
            world = ExecutionWorld()
            world.crash.die_at(point)
            lived(world)
            assert world.crashes == 1


@pytest.mark.parametrize("after", [True, False], ids=["with effect", "without effect"])
@each_row("down_s", [0.0, 300.0, HOUR_S, 90 * 24 * HOUR_S])
def test_a_lost_answer_and_a_long_absence_start_nothing_twice(after: bool, down_s: float) -> None:
    """AWS has forgotten the token, so the execution is found by its description among those of others."""
    world = ExecutionWorld()
    world.aws.page_size = 3
    world.aws.fail("create", SILENCE, after=after, then=lambda: world.clock.advance(down_s))
    for n in range(7):
        others = {"PipelineName": "p", "ClientRequestToken": f"other-{n}", "PipelineExecutionDescription": "nightly"}
        world.aws.existing(f"other-{n}", "Executing", **others)
    world.cluster.apply(manifest())
    world.until(lambda: world.shows("Executing"), within_s=down_s + 1500)
    ours = [job for job in world.aws.jobs.values() if not job.name.startswith("other-")]
    assert [job.arn for job in ours] == [world.status["pipelineExecutionArn"]]
    assert (world.aws.count("list") > 0) is (down_s > TOKEN_LASTS_S)


@pytest.mark.parametrize("down_s", [0.0, HOUR_S])
def test_what_a_lost_answer_has_started_is_stopped_with_its_object(down_s: float) -> None:
    """It is looked for, although nothing is recorded."""
    world = ExecutionWorld()

    def delete() -> None:
        world.cluster.delete(KEY)
        world.clock.advance(down_s)

    world.aws.fail("create", SILENCE, after=True, then=delete)
    world.cluster.apply(manifest())
    world.until(lambda: bool(world.aws.jobs) and world.only.value == "Stopping", within_s=down_s + 1500)
    world.end("Stopped")
    world.until(lambda: world.obj is None)


def test_an_object_of_which_nothing_was_started_goes() -> None:
    """Once Lists had the time to show it."""
    world = ExecutionWorld()
    world.aws.fail("create", SILENCE, then=lambda: world.cluster.delete(KEY))
    world.cluster.apply(manifest())
    world.until(lambda: world.obj is None)
    assert world.aws.jobs == {}


def test_more_pages_than_can_be_read_are_no_proof() -> None:
    """A second execution would be worse than a message."""
    world = ExecutionWorld()
    world.aws.page_size = 1
    for n in range(MOST_PAGES + 1):
        world.aws.existing(f"other-{n}", "Succeeded", PipelineName="p", ClientRequestToken="other")
    world.cluster.apply(manifest())
    world.clock.advance(HOUR_S)
    world.run(120)
    assert world.aws.count("create") == 0
    assert "cannot see whether" in world.status["additional"]


def restored(**annotations: str) -> ExecutionWorld:
    """The object is gone without its finalizer, and comes from a backup: with its status, and another uid."""
    world = ExecutionWorld()
    world.cluster.apply(manifest())
    world.until(lambda: world.shows("Executing"))
    saved = copy.deepcopy(world.status)
    world.cluster.remove(KEY)
    world.run(10)
    world.cluster.apply({**manifest(**annotations), "status": saved})
    world.restart()
    world.run(300)
    return world


def test_a_restored_object_starts_nothing_and_stops_nothing() -> None:
    """Its status names an execution of another uid, which may be that of an object that exists."""
    world = restored()
    assert world.condition("Stalled") == ("True", "ForeignResource")
    world.cluster.delete(KEY)
    world.until(lambda: world.obj is None)
    assert (world.aws.count("create"), world.aws.stopped) == (1, [])


def test_a_restored_object_takes_over_what_it_is_told_to() -> None:
    """By `adoption-policy`, as for jobs."""
    world = restored(**{ADOPTION_POLICY.key: "adopt"})
    world.end()
    world.until(lambda: world.shows("Succeeded"))
    assert world.aws.count("create") == 1


def test_a_deletion_leaves_the_execution_alone_where_the_policy_says_so() -> None:
    """As for jobs."""
    world = ExecutionWorld()
    world.cluster.apply(manifest(**{DELETION_POLICY.key: "retain"}))
    world.until(lambda: world.shows("Executing"))
    world.cluster.delete(KEY)
    world.until(lambda: world.obj is None)
    assert world.only.value == "Executing"


@pytest.mark.parametrize("annotation", [{PAUSED.key: "true"}, {READ_ONLY.key: "true"}, {ADOPTION_POLICY.key: "adopt"}])
def test_what_must_not_be_started_is_not(annotation: dict[str, str]) -> None:
    """Nothing has a name under which it could be found, either."""
    world = ExecutionWorld()
    world.cluster.apply(manifest(**annotation))
    world.run(120)
    assert world.aws.count("create") == 0
    assert PAUSED.key in annotation or "no spec can name one" in world.status["additional"]


def test_an_object_goes_when_its_time_after_the_end_is_over() -> None:
    """`ttl-seconds-after-finished`."""
    world = ExecutionWorld()
    world.cluster.apply(manifest(**{TTL.key: "60"}))
    world.until(lambda: world.shows("Executing"))
    world.end("Failed", FailureReason="Step failure")
    world.until(lambda: world.shows("Failed"))
    assert world.condition("Failed") == ("True", "Failed")
    world.until(lambda: world.obj is None)
    assert world.only.value == "Failed"


STEP = {"StepName": "Train", "StepStatus": "Executing", "Metadata": {"TrainingJob": {"Arn": "arn:x"}}}


def test_steps_that_cannot_be_read_keep_the_state_from_nobody() -> None:
    """While it runs, and at its end where the right is missing; what passes by itself is waited for."""
    world = ExecutionWorld()
    world.aws.always = lambda operation: DENIED if operation == "steps" else None
    world.cluster.apply(manifest())
    world.until(lambda: world.shows("Executing"))
    world.end("CompletedWithFailures")
    world.until(lambda: world.shows("CompletedWithFailures"))
    assert "steps" not in world.status
    assert world.condition("Failed") == ("True", "CompletedWithFailures")


def test_the_last_state_of_the_steps_is_read_before_the_end_is_shown() -> None:
    """What has ended is not described again."""
    world = ExecutionWorld()
    world.cluster.apply(manifest())
    world.until(lambda: world.shows("Executing"))
    world.aws.move(world.only.arn, "Executing", region=REGION, steps=[STEP])
    world.until(lambda: bool(world.status.get("steps")))
    assert world.status["steps"] == [
        {"name": "Train", "status": "Executing", "type": "TrainingJob", "arn": "arn:x"},
    ]
    world.end(steps=[{**STEP, "StepStatus": "Succeeded"}])
    world.aws.fail("steps", THROTTLED)
    world.aws.fail("steps", SILENCE)
    world.until(lambda: world.shows("Succeeded"))
    assert [each["status"] for each in world.status["steps"]] == ["Succeeded"]


def test_an_execution_costs_two_calls_a_look_and_a_settled_one_none() -> None:
    """At three poll intervals, as each look is for one execution."""
    world = ExecutionWorld()
    world.cluster.apply(manifest())
    world.until(lambda: world.shows("Executing"))
    world.sagemaker.calls.clear()
    world.run(600)
    assert world.aws.count("describe") == world.aws.count("steps") == pytest.approx(600 / 15, abs=4)
    world.end()
    world.until(lambda: world.shows("Succeeded"))
    world.sagemaker.calls.clear()
    world.run(3600, step_s=60)
    assert world.sagemaker.calls == []


def test_an_execution_names_its_pipeline_by_the_object() -> None:
    """It waits for the pipeline, and is started under the name that this has at SageMaker."""
    world = World(PIPELINE_EXECUTION, PIPELINE)
    given = pipeline(pipelineName="named-otherwise")
    given["metadata"]["name"] = "p"
    world.sagemaker.of(PIPELINE).fail("CreatePipeline", DENIED)
    world.clusters[PIPELINE.kind].apply(given)
    world.cluster.apply(manifest())
    world.run(2)
    assert world.condition("Reconciling") == ("True", "DependencyMissing")
    assert not world.aws.jobs
    world.until(lambda: bool(world.aws.jobs))
    (execution,) = world.aws.jobs.values()
    assert execution.request["PipelineName"] == "named-otherwise"
