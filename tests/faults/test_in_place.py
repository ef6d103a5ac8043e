"""What AWS updates in place: its life, crashes at every effect, lost answers, drift, adoption, names of others."""

import copy
import json
from typing import Any

import pytest

from api.annotations import ADOPTION_POLICY, DELETION_POLICY, DRIFT_POLICY, PAUSED, READ_ONLY
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import MODEL_PACKAGE_GROUP, PIPELINE
from controller.aws.errors import AwsError
from controller.reconcile.effects import Effect
from controller.runtime.errors import ErrorClass
from tests.documents import SAMPLES, document
from tests.fakes.crashes import CrashPoint
from tests.fakes.world import World
from tests.faults.lax_world import REPOSITORY
from tests.tables import each_row

LOST = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True)
STEPS = {"Version": "2020-12-01", "Steps": [{"Name": "Wait", "Type": "Callback"}]}


def manifest(kind: str, name: str = "o", *, annotations: dict[str, str] | None = None, **spec: Any) -> JsonObject:
    """The sample of a kind under another name, with other fields; None removes one."""
    obj: JsonObject = copy.deepcopy(document(REPOSITORY / "samples" / f"{SAMPLES[kind]}.yaml"))
    obj["metadata"] = {"namespace": "default", "name": name, "annotations": annotations or {}}
    obj["spec"] = {field: value for field, value in {**obj["spec"], **spec}.items() if value is not None}
    return obj


def pipeline(**given: Any) -> JsonObject:
    """A pipeline called `p` at AWS."""
    return manifest(PIPELINE.kind, "xgboost", **{"pipelineName": "p", **given})


def world_of(*applied: JsonObject) -> World:
    """A world of pipelines with these objects, at rest."""
    world = World(PIPELINE)
    for obj in applied:
        world.cluster.apply(obj)
        world.until(lambda: is_ready(world))
    return world


def is_ready(world: World) -> bool:
    """AWS has the newest spec, and the status says so."""
    ready = world.condition("Ready") == ("True", "Created") and world.condition("Synced") == ("True", "Synced")
    generation = (world.obj or {"metadata": {}})["metadata"].get("generation")
    return ready and world.status.get("observedGeneration") == generation


def description(world: World) -> Any:
    """That of the one pipeline at AWS."""
    (there,) = world.aws.there.values()
    return there.request.get("PipelineDescription")


def annotated(world: World, **annotations: str) -> None:
    """Set annotations of the object."""
    obj = copy.deepcopy(world.obj)
    obj["metadata"]["annotations"] = annotations
    world.cluster.apply(obj)


def edit(world: World, **fields: Any) -> None:
    """Edit the spec; None removes a field."""
    spec = {name: value for name, value in {**world.obj["spec"], **fields}.items() if value is not None}
    world.cluster.edit(world.key, spec)


# --- a life


def test_it_is_created_updated_and_deleted_with_as_many_calls_as_needed() -> None:
    """An edit is one Update, with all that the spec wants."""
    world = world_of(pipeline())
    assert world.value == "Active"
    assert world.sagemaker.operations == ("CreatePipeline", "DescribePipeline")
    edit(world, pipelineDescription="other", parallelismConfiguration={"maxParallelExecutionSteps": 5})
    world.until(lambda: is_ready(world))
    world.run(60)
    assert description(world) == "other"
    change = ("DescribePipeline", "ListTags", "UpdatePipeline", "DescribePipeline")
    assert world.sagemaker.operations[2:] == change
    world.run(3600, step_s=60)
    assert len(world.sagemaker.operations) == 6
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert not world.aws.there
    assert [each for each in world.reasons() if each != "StatusChanged"] == [
        "Created",
        "Updated",
        "Deleting",
        "Deleted",
    ]


def test_a_field_that_is_removed_is_removed_at_aws_where_that_is_possible() -> None:
    """The description becomes empty; a display name stays, as AWS has nothing that means none."""
    world = world_of(pipeline())
    edit(world, pipelineDescription=None, pipelineDisplayName=None)
    world.until(lambda: is_ready(world))
    (there,) = world.aws.there.values()
    assert (there.request["PipelineDescription"], there.request["PipelineDisplayName"]) == ("", "train-nightly")
    world.run(60)
    assert world.sagemaker.operations.count("UpdatePipeline") == 1


def test_a_definition_that_says_the_same_is_no_change() -> None:
    """AWS may write the JSON in its own way."""
    world = world_of(pipeline(pipelineDefinition=json.dumps(STEPS)))
    edit(world, pipelineDefinition=json.dumps(STEPS, indent=4, sort_keys=True))
    world.until(lambda: is_ready(world))
    assert "UpdatePipeline" not in world.sagemaker.operations


def test_a_definition_in_s3_is_sent_when_its_place_changes() -> None:
    """No description shows the place: the record of what was sent decides."""
    place = {"bucket": "my-bucket", "objectKey": "pipeline.json"}
    world = world_of(pipeline(pipelineDefinition=None, pipelineDefinitionS3Location=place))
    world.run(60)
    assert "UpdatePipeline" not in world.sagemaker.operations
    edit(world, pipelineDefinitionS3Location={**place, "versionId": "2"})
    world.until(lambda: is_ready(world))
    world.run(60)
    (there,) = world.aws.there.values()
    assert there.request["PipelineDefinitionS3Location"]["VersionId"] == "2"
    assert world.sagemaker.operations.count("UpdatePipeline") == 1


def test_what_aws_refuses_of_an_edit_leaves_what_is_there(subtests: pytest.Subtests) -> None:
    """It stays ready, says why, and takes the next edit."""
    for error_class, stalled in ((ErrorClass.INVALID, "True"), (ErrorClass.REFUSED, "False")):
        with subtests.test(error_class=error_class):
            world = world_of(pipeline())
            world.aws.fail("UpdatePipeline", AwsError(error_class, "ValidationException", "no such step"))
            edit(world, pipelineDescription="other")
            world.run(5)
            assert world.condition("Ready") == ("True", "Created" if stalled == "False" else "InvalidSpec")
            assert (world.condition("Stalled") or ("",))[0] == stalled
            assert (world.condition("Synced") or ("",))[0] == "False"
            assert "no such step" in world.status["additional"]
            edit(world, pipelineDescription="third")
            world.run(10)
            assert is_ready(world)
            assert description(world) == "third"


@pytest.mark.parametrize("kind", [PIPELINE, MODEL_PACKAGE_GROUP], ids=lambda kind: kind.kind)
def test_what_a_pause_has_shown_ends_with_it(kind: KindDescriptor) -> None:
    """At once: the spec has not changed meanwhile, so nothing else would end it before the resync."""
    world = World(kind)
    world.cluster.apply(manifest(kind.kind, "xgboost"))
    world.until(lambda: is_ready(world))
    annotated(world, **{PAUSED.key: "true"})
    world.run(5)
    assert world.condition("Synced") == ("False", "Paused")
    annotated(world)
    world.run(5)
    assert is_ready(world)
    assert world.reasons()[-1] == "Resumed"


# --- crashes and lost answers


def lives(world: World) -> None:
    """Created, changed, tagged otherwise, deleted."""
    world.cluster.apply(pipeline())
    world.until(lambda: is_ready(world))
    edit(world, pipelineDescription="other", tags=[{"key": "team", "value": "other"}])
    world.until(lambda: is_ready(world) and description(world) == "other")
    world.run(30)
    (there,) = world.aws.there.values()
    assert there.tags["team"] == "other"
    assert there.tags["sagemaker.aws.amazon.com/name"] == "xgboost"
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert not world.aws.there


def _points() -> list[CrashPoint]:
    world = World(PIPELINE)
    lives(world)
    return world.crash.points(besides=frozenset({Effect.EMIT_EVENT}))


def test_a_crash_at_any_effect_changes_nothing_about_the_end(subtests: pytest.Subtests) -> None:
    """One pipeline, the newest description, and nothing left."""
    for point in _points():
        with subtests.test(str(point)):
            world = World(PIPELINE)
            world.crash.die_at(point)
            lives(world)
            assert world.crashes == 1
            assert world.sagemaker.operations.count("CreatePipeline") <= 2
            assert world.sagemaker.operations.count("UpdatePipeline") == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@each_row("operation", ["CreatePipeline", "DescribePipeline", "UpdatePipeline", "DeletePipeline"])
def test_an_answer_that_is_lost_changes_nothing_about_the_end(operation: str, *, after: bool) -> None:
    """Whether the call has had its effect or not."""
    world = World(PIPELINE)
    world.aws.fail(operation, LOST, after=after)
    lives(world)
    assert world.aws.faults == []


def test_what_is_deleted_while_its_creation_is_in_doubt_is_deleted() -> None:
    """The name is looked up before the object goes."""
    world = World(PIPELINE)
    world.aws.fail("CreatePipeline", LOST, after=True)
    world.cluster.apply(pipeline())
    world.run(1)
    assert world.condition("Reconciling") == ("True", "CreationUnconfirmed")
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert not world.aws.there


# --- others


@pytest.mark.parametrize("dies", [False, True], ids=["lost answer", "crash"])
@pytest.mark.parametrize("after", [False, True], ids=["without effect", "with effect"])
def test_an_edit_that_is_taken_back_while_its_update_is_in_doubt_is_no_drift(*, dies: bool, after: bool) -> None:
    """AWS may have the edit, although the record has the spec before it: that is no change by others."""
    world = world_of(pipeline(pipelineDescription="first"))
    if dies:
        seen = len(world.crash.seen)
        world.crash.at, world.crash.after = seen + 2, after  # once that is recorded
    else:
        world.aws.fail("UpdatePipeline", LOST, after=after)
    edit(world, pipelineDescription="second")
    world.run(1)
    assert not dies or world.crashes == 1
    assert description(world) == ("second" if after else "first")
    edit(world, pipelineDescription="first")
    world.until(lambda: is_ready(world))
    world.run(60)
    resync(world)
    assert is_ready(world)
    assert description(world) == "first"
    assert "Drifted" not in world.reasons()


def resync(world: World) -> None:
    """The informer shows the object again, after its period."""
    world.run(world.settings.resync_s, step_s=600)
    world.reconcile()
    world.run(30)


def changed_by_others(world: World) -> None:
    """Somebody edits the description in the console; the operator looks after its resync."""
    world.aws.others("UpdatePipeline", PipelineName="p", PipelineDescription="theirs")
    resync(world)


def test_a_change_of_others_is_reported_and_left() -> None:
    """Once, with both values; changed back by them, it is in sync again."""
    world = world_of(pipeline())
    changed_by_others(world)
    assert world.condition("Drifted") == ("True", "Drifted")
    assert world.condition("Ready") == ("True", "Drifted")
    assert "spec.pipelineDescription is theirs" in world.status["additional"]
    assert description(world) == "theirs"
    assert world.reasons().count("Drifted") == 1
    world.aws.others("UpdatePipeline", PipelineName="p", PipelineDescription="Trains a model each night")
    world.until(lambda: world.condition("Drifted") == ("False", "InSync"))
    assert is_ready(world)


def test_a_change_of_others_is_changed_back_if_that_is_asked() -> None:
    """Again and again, and less often: two controllers must not fight."""
    world = world_of(pipeline())
    annotated(world, **{DRIFT_POLICY.key: "correct"})
    for _ in range(4):
        world.aws.others("UpdatePipeline", PipelineName="p", PipelineDescription="theirs")
        resync(world)
        assert description(world) == "Trains a model each night"
    assert world.reasons().count("DriftCorrected") == 4
    assert world.condition("Drifted") == ("False", "InSync")


def test_an_edit_wins_over_what_others_have_changed() -> None:
    """It is the newest wish."""
    world = world_of(pipeline())
    changed_by_others(world)
    edit(world, pipelineDescription="mine")
    world.until(lambda: is_ready(world))
    assert description(world) == "mine"


def test_what_others_delete_is_created_again() -> None:
    """It is wanted; the new one has another creation time, and is known as the object's own."""
    world = world_of(pipeline())
    world.run(100)
    world.aws.others("DeletePipeline", PipelineName="p", ClientRequestToken="0" * 32)
    resync(world)
    assert is_ready(world)
    assert set(world.aws.there) == {"p"}
    resync(world)
    assert world.sagemaker.operations.count("CreatePipeline") == 2


def test_what_others_create_in_its_place_is_left_alone() -> None:
    """Neither updated nor deleted."""
    world = world_of(pipeline())
    world.run(3600, step_s=60)
    world.aws.others("DeletePipeline", PipelineName="p", ClientRequestToken="0" * 32)
    theirs(world)
    edit(world, pipelineDescription="mine")
    world.until(lambda: world.condition("Stalled") == ("True", "ForeignResource"))
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert description(world) == "theirs"


def theirs(world: World) -> None:
    """Others have a pipeline of that name."""
    role = "arn:aws:iam::123456789012:role/theirs"
    request = {"PipelineName": "p", "PipelineDefinition": json.dumps(STEPS), "PipelineDescription": "theirs"}
    world.aws.others("CreatePipeline", **request, RoleArn=role, ClientRequestToken="t" * 32)


def test_a_name_that_others_have_is_reported_and_left_alone() -> None:
    """Until it is free."""
    world = World(PIPELINE)
    theirs(world)
    world.cluster.apply(pipeline())
    world.until(lambda: world.condition("Stalled") == ("True", "AlreadyExists"))
    assert description(world) == "theirs"
    world.aws.others("DeletePipeline", PipelineName="p", ClientRequestToken="0" * 32)
    world.until(lambda: is_ready(world))
    assert description(world) == "Trains a model each night"


def test_what_others_have_is_adopted_and_made_as_the_spec_wants_it() -> None:
    """Tagged and updated, and deleted with the object."""
    world = World(PIPELINE)
    theirs(world)
    world.cluster.apply(pipeline(annotations={ADOPTION_POLICY.key: "adopt"}))
    world.until(lambda: is_ready(world))
    world.run(30)
    (there,) = world.aws.there.values()
    assert description(world) == "Trains a model each night"
    assert there.tags["sagemaker.aws.amazon.com/name"] == "xgboost"
    assert "CreatePipeline" not in world.sagemaker.operations
    assert "Adopted" in world.reasons()
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert not world.aws.there


@pytest.mark.parametrize("annotation", [{READ_ONLY.key: "true"}, {DELETION_POLICY.key: "retain"}], ids=str)
def test_what_is_read_only_or_to_be_retained_stays(annotation: dict[str, str]) -> None:
    """And what is only read is never changed."""
    world = World(PIPELINE)
    if READ_ONLY.key in annotation:
        theirs(world)
    world.cluster.apply(pipeline(annotations=annotation))
    world.until(lambda: world.condition("Ready") == ("True", "Created"))
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert set(world.aws.there) == {"p"}
    assert "DeletePipeline" not in world.sagemaker.operations
    assert "UpdatePipeline" not in world.sagemaker.operations


# --- groups


def test_a_group_with_versions_waits_until_it_is_empty() -> None:
    """AWS deletes no group that has packages in it; the object says what is in the way."""
    world = World(MODEL_PACKAGE_GROUP)
    world.cluster.apply(manifest(MODEL_PACKAGE_GROUP.kind, "xgboost", modelPackageGroupName="g"))
    world.until(lambda: is_ready(world))
    arn = world.aws.others("CreateModelPackage", ModelPackageGroupName="g", SourceUri="s3://b/m")["ModelPackageArn"]
    world.cluster.delete(world.key)
    world.until(lambda: world.condition("Reconciling") == ("True", "InUse"))
    world.run(120)
    assert set(world.aws.there) == {"g"}
    world.aws.others("DeleteModelPackage", ModelPackageName=arn)
    world.until(lambda: world.obj is None)
    assert not world.aws.there
