"""A definition in a ConfigMap: read, sent when it changes, waited for if it is not there, whatever fails."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from api.annotations import ADOPTION_POLICY, DRIFT_POLICY, PAUSED, READ_ONLY
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import PIPELINE
from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.kube.errors import ConnectionFailed, Forbidden, ServerError, TooManyRequests
from controller.reconcile.effects import Effect
from controller.runtime.errors import ErrorClass
from tests.fakes.crashes import CrashPoint
from tests.fakes.world import World
from tests.faults.test_in_place import LOST, annotated, description, edit, is_ready, pipeline, resync, theirs

NAME, KEY = "churn", "pipeline.json"
FROM: Final = {"configMapKeyRef": {"name": NAME, "key": KEY}}
MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DENIED: Final = Forbidden("Forbidden", 'configmaps "churn" is forbidden: User "o" cannot get resource', status=403)


def definition(step: str = "Wait") -> JsonObject:
    """A definition with one step of this name."""
    return {"Version": "2020-12-01", "Steps": [{"Name": step, "Type": "Callback"}]}


def sourced(**given: Any) -> JsonObject:
    """A pipeline with its definition in a ConfigMap."""
    return pipeline(**{"pipelineDefinition": None, "pipelineDefinitionFrom": FROM, **given})


def put(world: World, document: object = None, **fields: Any) -> None:
    """Write the ConfigMap: a text as it is, anything else as JSON."""
    given = definition() if document is None else document
    world.config_maps.put(NAME, {KEY: given if isinstance(given, str) else json.dumps(given)}, **fields)


def world_at_rest(**given: Any) -> World:
    """A world with a pipeline that was created from the ConfigMap."""
    world = World(PIPELINE)
    put(world)
    world.cluster.apply(sourced(**given))
    world.until(lambda: is_ready(world))
    world.run(5)
    return world


def there(world: World) -> Any:
    """The definition at AWS."""
    (resource,) = world.aws.there.values()
    return json.loads(resource.request["PipelineDefinition"])


def calls(world: World, operation: str) -> int:
    """How often AWS was called."""
    count: int = world.sagemaker.operations.count(operation)
    return count


def warnings(world: World) -> list[str]:
    """Reasons of the Warnings."""
    return [reason for kind, reason in world.recorder.events if kind == "Warning"]


# --- a life


def test_a_pipeline_at_rest_costs_one_get_a_minute_and_nothing_else() -> None:
    """No call of AWS, no write."""
    world = world_at_rest()
    assert there(world) == definition()
    assert world.config_maps.gets == 1
    asked, written = len(world.sagemaker.operations), len(world.cluster.writes)
    world.run(10 * MINUTE)
    assert world.config_maps.gets == 11
    assert (len(world.sagemaker.operations), len(world.cluster.writes)) == (asked, written)


def test_a_creation_reads_once() -> None:
    """Although the name that it writes into the spec makes that another generation."""
    world = world_at_rest(pipelineName=None)
    assert world.obj["metadata"]["generation"] == 2
    assert world.config_maps.gets == 1


def test_another_document_is_sent_once_within_a_minute() -> None:
    """And the object says so."""
    world = world_at_rest()
    put(world, definition("Other"))
    world.run(MINUTE + 5)
    assert there(world) == definition("Other")
    world.run(10 * MINUTE)
    assert calls(world, "UpdatePipeline") == 1
    assert is_ready(world)
    assert world.reasons() == ["Created", "Updated"]


def test_a_document_that_says_the_same_is_no_change() -> None:
    """As in the spec itself: it is compared as JSON, once."""
    world = world_at_rest()
    put(world, json.dumps(definition(), indent=4, sort_keys=True) + "\n")
    world.run(10 * MINUTE)
    assert calls(world, "UpdatePipeline") == 0
    assert calls(world, "DescribePipeline") == 2
    assert is_ready(world)


def test_an_edit_of_the_object_reads_at_once() -> None:
    """Of another key as well as of another field."""
    world = world_at_rest()
    world.config_maps.put("other", {KEY: json.dumps(definition("Other"))})
    other = {"configMapKeyRef": {"name": "other", "key": KEY}}
    edit(world, pipelineDefinitionFrom=other, pipelineDescription="other")
    world.run(3)
    assert (there(world), description(world)) == (definition("Other"), "other")
    assert calls(world, "UpdatePipeline") == 1


@pytest.mark.parametrize("moves_in", [True, False], ids=["into a ConfigMap", "into the spec"])
def test_a_definition_that_moves_is_no_change(*, moves_in: bool) -> None:
    """Where it is is nothing that AWS knows."""
    inside = {"pipelineDefinition": json.dumps(definition()), "pipelineDefinitionFrom": None}
    outside = {"pipelineDefinition": None, "pipelineDefinitionFrom": FROM}
    world = world_at_rest(**(inside if moves_in else outside))
    edit(world, **(outside if moves_in else inside))
    world.run(5 * MINUTE)
    assert is_ready(world)
    assert calls(world, "UpdatePipeline") == 0
    if not moves_in:
        assert world.config_maps.gets == 1


def test_a_definition_that_moves_to_s3_is_sent() -> None:
    """No description shows where it is."""
    world = world_at_rest()
    edit(world, pipelineDefinitionFrom=None, pipelineDefinitionS3Location={"bucket": "bucket", "objectKey": "p.json"})
    world.run(5 * MINUTE)
    assert is_ready(world)
    assert calls(world, "UpdatePipeline") == 1
    assert world.config_maps.gets == 1


# --- no document

PROBLEMS: Final[dict[str, tuple[Callable[[World], None], str, str]]] = {
    "no ConfigMap": (lambda world: None, "DependencyMissing", "kubectl create configmap churn -n default"),
    "no key": (
        lambda world: world.config_maps.put(NAME, {"a": "", "b": ""}),
        "DependencyMissing",
        "the key pipeline.json of ConfigMap default/churn, which has a, b",
    ),
    "no data": (lambda world: world.config_maps.put(NAME, {}), "DependencyMissing", "which has no key"),
    "no JSON": (lambda world: put(world, "{]"), "InvalidDocument", "no JSON"),
    "empty": (lambda world: put(world, ""), "InvalidDocument", "no JSON"),
    "no object": (lambda world: put(world, [definition()]), "InvalidDocument", "no object"),
    "too deep": (lambda world: put(world, "[" * 200_000), "InvalidDocument", "too deep"),
    "too many digits": (
        lambda world: put(world, '{"x": ' + "1" * 5_000 + "}"),
        "InvalidDocument",
        "too many digits",
    ),
    "too long": (
        lambda world: put(world, {"x": "x" * 1_048_576}),
        "InvalidDocument",
        "SageMaker takes 1048576",
    ),
    "binary": (
        lambda world: world.config_maps.put(NAME, {}, binaryData={KEY: "AAAA"}),
        "InvalidDocument",
        "binary data",
    ),
    "denied": (lambda world: setattr(world.config_maps, "fault", DENIED), "KubernetesRefused", "`get` configmaps in"),
}


@pytest.mark.parametrize("exists", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_is_no_document_is_reported_once_and_recovers(problem: str, *, exists: bool) -> None:
    """A condition and one Warning say what to do. What AWS has stays, and is ready."""
    spoil, reason, words = PROBLEMS[problem]
    world = world_at_rest() if exists else World(PIPELINE)
    before = world.sagemaker.operations
    if exists:
        world.config_maps.remove(NAME)
    else:
        world.cluster.apply(sourced())
    spoil(world)
    world.run(2 * MINUTE)
    assert world.condition("Synced") == ("False", reason)
    assert words in world.status["additional"]
    assert world.condition("Ready") == (("True" if exists else "False"), world.condition("Ready")[1])  # type: ignore[index]
    stalled = reason == "InvalidDocument"
    assert world.condition("Stalled") == (str(stalled), reason)
    asked, written = world.config_maps.gets, len(world.cluster.writes)
    world.run(10 * MINUTE)
    assert world.config_maps.gets - asked <= 10
    assert len(world.cluster.writes) == written
    assert world.sagemaker.operations == before
    assert warnings(world) == [reason]
    assert world.errors == []

    world.config_maps.fault = None
    put(world)
    world.run(MINUTE + 5)
    assert is_ready(world)
    assert there(world) == definition()
    assert calls(world, "UpdatePipeline") == 0


@pytest.mark.parametrize("document", ["no ConfigMap", "no JSON"])
def test_a_pipeline_that_others_delete_while_it_has_no_document_is_not_ready(document: str) -> None:
    """What is there is looked at as without the lack, and created again once there is a document."""
    world = world_at_rest()
    world.config_maps.remove(NAME)
    PROBLEMS[document][0](world)
    world.run(2 * MINUTE)
    reason = PROBLEMS[document][1]
    assert world.condition("Ready") == ("True", "Created" if reason == "DependencyMissing" else reason)
    world.aws.others("DeletePipeline", PipelineName="p", ClientRequestToken="0" * 32)
    world.run(2 * world.settings.resync_s, step_s=600)
    assert world.condition("Ready") == ("False", reason)
    written, described = len(world.cluster.writes), calls(world, "DescribePipeline")
    world.run(10 * MINUTE)
    assert (len(world.cluster.writes), calls(world, "DescribePipeline")) == (written, described)
    put(world)
    world.until(lambda: is_ready(world))
    assert there(world) == definition()
    assert world.reasons() == ["Created", reason, "Created"]


def test_a_config_map_that_comes_a_moment_later_is_found_soon() -> None:
    """As with `kubectl apply -f` of a folder."""
    world = World(PIPELINE)
    world.cluster.apply(sourced())
    world.run(2)
    put(world)
    world.run(5)
    assert there(world) == definition()


@pytest.mark.parametrize("deletes_first", [False, True])
def test_a_deletion_needs_no_document(*, deletes_first: bool) -> None:
    """Whether something was created of it, or not."""
    world = World(PIPELINE) if deletes_first else world_at_rest()
    if deletes_first:
        world.cluster.apply(sourced())
    else:
        world.config_maps.remove(NAME)
    world.run(2 * MINUTE)
    asked = world.config_maps.gets
    world.config_maps.fault = DENIED
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert not world.aws.there
    assert world.config_maps.gets == asked


@pytest.mark.parametrize("annotation", [PAUSED, READ_ONLY], ids=lambda each: each.name)
def test_nothing_is_read_for_what_is_not_changed(annotation: Any) -> None:
    """It is no one's document then."""
    world = World(PIPELINE)
    theirs(world)
    obj = sourced()
    obj["metadata"]["annotations"] = {annotation.key: "true"}
    world.cluster.apply(obj)
    world.run(5 * MINUTE)
    assert world.config_maps.gets == 0
    assert warnings(world) == []


@pytest.mark.parametrize(
    "source",
    [7, "churn", [], {}, {"configMapKeyRef": None}, {"configMapKeyRef": {"name": "../x", "key": KEY}}],
    ids=str,
)
def test_a_source_that_the_crd_refuses_is_reported(source: object) -> None:
    """An API server without our schema may hold it: nothing is read, and a correction helps."""
    world = World(PIPELINE)
    put(world)
    world.cluster.apply(sourced(pipelineDefinitionFrom=source))
    world.run(5)
    assert world.condition("Stalled") == ("True", "InvalidDocument")
    assert world.config_maps.gets == 0
    edit(world, pipelineDefinitionFrom=FROM)
    world.run(5)
    assert is_ready(world)


# --- errors of the API server and of AWS

PASSING: Final = {
    "5xx": ServerError("InternalError", "etcd", status=500),
    "no answer": ConnectionFailed("RequestTimeout", "no reply"),
    "throttled": TooManyRequests("TooManyRequests", "slow down", status=429, retry_after_s=2.0),
}


@pytest.mark.parametrize("error", PASSING)
def test_an_error_of_the_api_server_passes(error: str) -> None:
    """Nothing is concluded from it: neither that there is no ConfigMap, nor that the object is gone."""
    world = World(PIPELINE)
    put(world)
    world.config_maps.faults = [PASSING[error]] * 3
    world.cluster.apply(sourced())
    world.until(lambda: is_ready(world))
    put(world, definition("Other"))
    world.config_maps.faults = [PASSING[error]] * 3
    world.run(2 * MINUTE)
    assert there(world) == definition("Other")
    assert warnings(world) == []
    assert calls(world, "CreatePipeline") == calls(world, "UpdatePipeline") == 1


def test_another_document_after_a_creation_that_is_in_doubt_reaches_the_pipeline() -> None:
    """AWS may answer the repetition, by its token, with the pipeline of the document before."""
    world = World(PIPELINE)
    create = world.aws.create
    made: dict[str, str] = {}

    def remembering(descriptor: KindDescriptor, target: Target, request: JsonObject, **given: Any) -> str:
        token = request["ClientRequestToken"]
        if token not in made:
            made[token] = create(descriptor, target, request, **given)
            raise LOST
        return made[token]

    world.aws.create = remembering
    put(world)
    world.cluster.apply(sourced())
    world.run(1)
    assert len(made) == 1
    put(world, definition("Other"))
    world.run(2 * HOUR, step_s=10)
    assert is_ready(world)
    assert there(world) == definition("Other")
    assert world.reasons() == ["Created", "Updated"]
    assert calls(world, "UpdatePipeline") == 1


REFUSALS: Final = {ErrorClass.INVALID: 1, ErrorClass.REFUSED: 12}
"""By class, how often half an hour sees the same document sent: what may pass by itself is tried every few minutes."""


@pytest.mark.parametrize("error_class", REFUSALS, ids=lambda each: each.value)
@pytest.mark.parametrize("operation", ["CreatePipeline", "UpdatePipeline"])
def test_another_document_than_one_that_aws_refuses_is_sent_within_a_minute(
    operation: str, error_class: ErrorClass
) -> None:
    """The object itself does not change: the ConfigMap is what ends the wait."""
    world = world_at_rest() if operation == "UpdatePipeline" else World(PIPELINE)
    refusal = AwsError(error_class, "ValidationException", "no such step")
    world.aws.always = lambda called: refusal if called == operation else None
    put(world, definition("Bad"))
    if operation == "CreatePipeline":
        world.cluster.apply(sourced())
    world.run(30 * MINUTE)
    assert world.condition("Synced") == ("False", "InvalidSpec" if error_class is ErrorClass.INVALID else "AWSError")
    assert 1 <= calls(world, operation) <= REFUSALS[error_class]
    assert len(warnings(world)) == 1
    asked = world.config_maps.gets
    world.run(10 * MINUTE)
    assert 10 <= world.config_maps.gets - asked <= 14

    world.restart()  # its first pass is refused as well, and has nothing to write
    world.woken.add((PIPELINE.kind, world.key))
    world.run(MINUTE)
    assert len(warnings(world)) == 1
    world.aws.always = lambda called: None
    put(world, definition("Good"))
    world.run(MINUTE + 5)
    assert there(world) == definition("Good")
    world.run(5)
    assert is_ready(world)


def test_a_refused_document_that_is_taken_back_leaves_no_trace() -> None:
    """AWS has what the ConfigMap has again, and the status says so."""
    world = world_at_rest()
    world.aws.fail("UpdatePipeline", AwsError(ErrorClass.INVALID, "ValidationException", "no such step"))
    put(world, definition("Bad"))
    world.run(2 * MINUTE)
    assert world.condition("Stalled") == ("True", "InvalidSpec")
    put(world)
    world.run(MINUTE + 5)
    assert is_ready(world)
    assert world.condition("Stalled") == ("False", "Created")
    assert calls(world, "UpdatePipeline") == 1


@pytest.mark.parametrize("operation", ["CreatePipeline", "DescribePipeline", "UpdatePipeline"])
def test_a_turn_that_comes_later_is_not_forgotten(operation: str) -> None:
    """The pass that has read the new document may have to wait; the next one does not wait for the next read."""
    world = World(PIPELINE) if operation == "CreatePipeline" else world_at_rest()
    for _ in range(3):
        world.aws.fail(operation, AwsError(ErrorClass.THROTTLED, "ThrottlingException", "", retry_after_s=2.0))
    put(world, definition("Other"))
    if operation == "CreatePipeline":
        world.cluster.apply(sourced())
    asked = world.config_maps.gets
    world.until(lambda: world.aws.faults == [], within_s=MINUTE + 15)
    world.run(5)
    assert there(world) == definition("Other")
    assert world.config_maps.gets - asked <= 5


# --- crashes and lost answers


def lives(world: World) -> None:
    """Waited for, created, changed, deleted without its ConfigMap."""
    world.cluster.apply(sourced())
    world.run(2)
    put(world)
    world.until(lambda: is_ready(world))
    put(world, definition("Other"))
    world.until(lambda: is_ready(world) and there(world) == definition("Other"))
    world.run(30)
    world.config_maps.remove(NAME)
    world.run(MINUTE + 5)
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert not world.aws.there


def _points() -> list[CrashPoint]:
    world = World(PIPELINE)
    lives(world)
    return world.crash.points(besides=frozenset({Effect.EMIT_EVENT}))


def test_a_crash_at_any_effect_changes_nothing_about_the_end(subtests: pytest.Subtests) -> None:
    """One pipeline, one update, and nothing left."""
    for point in _points():
        with subtests.test(str(point)):
            world = World(PIPELINE)
            world.crash.die_at(point)
            lives(world)
            assert world.crashes == 1
            assert calls(world, "CreatePipeline") <= 2
            assert calls(world, "UpdatePipeline") == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("operation", ["CreatePipeline", "DescribePipeline", "UpdatePipeline", "DeletePipeline"])
def test_an_answer_that_is_lost_changes_nothing_about_the_end(operation: str, *, after: bool) -> None:
    """Whether the call has had its effect or not."""
    world = World(PIPELINE)
    world.aws.fail(operation, LOST, after=after)
    lives(world)
    assert world.aws.faults == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("restarts", [False, True])
def test_what_may_exist_is_looked_for_before_the_lack_of_a_document_is_shown(*, after: bool, restarts: bool) -> None:
    """The status would not say any more that something may exist, and allow to edit what it is known by."""
    world = World(PIPELINE)
    put(world)
    world.aws.fail("CreatePipeline", LOST, after=after)
    world.cluster.apply(sourced())
    world.run(1)
    assert world.condition("Reconciling") == ("True", "CreationUnconfirmed")
    world.config_maps.remove(NAME)
    if restarts:
        world.restart()
        world.woken.add((PIPELINE.kind, world.key))
    world.run(2 * MINUTE)
    assert world.condition("Synced") == ("False", "DependencyMissing")
    assert ("awsResource" in world.status) is after
    assert len(world.aws.there) == after
    put(world, definition("Other"))
    world.run(MINUTE + 10)
    assert is_ready(world)
    assert there(world) == definition("Other")
    world.config_maps.remove(NAME)
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert not world.aws.there


def test_what_others_have_made_under_the_name_is_not_taken_for_what_may_exist() -> None:
    """Reported as theirs, and left alone."""
    world = World(PIPELINE)
    put(world)
    world.aws.fail("CreatePipeline", LOST)
    world.cluster.apply(sourced())
    world.run(1)
    world.config_maps.remove(NAME)
    theirs(world)
    world.run(2 * MINUTE)
    assert warnings(world) == ["AlreadyExists", "DependencyMissing"]
    assert "awsResource" not in world.status
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert description(world) == "theirs"


# --- others


def test_a_definition_that_others_change_is_drift() -> None:
    """Reported, and changed back if that is asked."""
    world = world_at_rest()
    for corrects in (False, True):
        if corrects:
            annotated(world, **{DRIFT_POLICY.key: "correct"})
        world.aws.others("UpdatePipeline", PipelineName="p", PipelineDefinition=json.dumps(definition("Theirs")))
        resync(world)
        assert there(world) == definition("Wait" if corrects else "Theirs")
        assert "Drifted" in world.reasons()
    assert "DriftCorrected" in world.reasons()


def test_what_others_have_is_adopted_with_the_document() -> None:
    """Updated to it, and tagged."""
    world = World(PIPELINE)
    theirs(world)
    put(world, definition("Ours"))
    obj = sourced()
    obj["metadata"]["annotations"] = {ADOPTION_POLICY.key: "adopt"}
    world.cluster.apply(obj)
    world.until(lambda: is_ready(world))
    world.run(30)
    assert there(world) == definition("Ours")
    assert calls(world, "CreatePipeline") == 0
