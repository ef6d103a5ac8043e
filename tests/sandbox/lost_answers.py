"""A story in which the operator makes each change that it can make, and loses the answer to each."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from api.annotations import DELETION_POLICY
from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, PROCESSING_JOB, TRAINING_JOB
from tests.deadline import NeverError, eventually
from tests.mutations import MUTATIONS, fates
from tests.sandbox.account import Left, manifest, marked
from tests.sandbox.conftest import World
from tests.sandbox.harness import PLURALS, condition, raw_call, until_gone
from tests.sandbox.hosting_scene import DEPLOYMENTS, POLICIES, deployment, sample, with_variant
from tests.sandbox.hosting_scene import marked as with_environment
from tests.sandbox.soak.scene import OPERATOR
from tests.sandbox.test_components import COMPONENTS
from tests.sandbox.test_components import edited as edit_component
from tests.sandbox.test_components import ready as component_ready
from tests.sandbox.test_pipelines import PLURAL as PIPELINES
from tests.sandbox.test_pipelines import create_pipeline, endless, executions
from tests.sandbox.test_pipelines import manifest as execution

READ_TIMEOUT: Final = ("--aws-read-timeout", "1s")
_HANG_S: Final = 1.5
"""A little longer than the operator waits for an answer: what it has given up on takes effect, or has done so."""
_JOBS: Final = (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB)
_LONG: Final = {"SANDBOX_SECONDS": "86400"}
_TRAINING: Final = PLURALS["TrainingJob"]


def play(world: World, turn: int) -> None:
    """Create, edit and delete objects of all kinds, while each mutating operation loses an answer.

    Raises AssertionError where something was made twice, is left, or was not done.
    """
    for operation, fault in fates(turn).items():
        world.aws.faults.add(operation, fault, delay_s=_HANG_S if fault.startswith("hang") else None)
    world.operator(*READ_TIMEOUT).until_ready()

    hosted = _hosted(weight=1, version="1", tags={"team": "a", "stage": "test"})
    world.api.create(hosted, plural=DEPLOYMENTS)
    names = {kind.kind: f"a-{kind.kind.lower()}" for kind in _JOBS if kind is not BATCH_TRANSFORM_JOB}
    for kind, name in names.items():
        world.api.create(_job(kind, name), plural=PLURALS[kind])
    for kind, name in names.items():
        _until_reason(world, name, PLURALS[kind], "InProgress")
    _until_reason(world, "hosted", DEPLOYMENTS, "InService")
    (model,) = (each.partition(" ")[2] for each in Left.of(world).others if each.startswith("Model "))
    world.api.create(
        _job(BATCH_TRANSFORM_JOB.kind, "a-transform", modelName=model), plural=PLURALS["BatchTransformJob"]
    )
    names[BATCH_TRANSFORM_JOB.kind] = "a-transform"
    _until_reason(world, "a-transform", PLURALS["BatchTransformJob"], "InProgress")
    policy = manifest(
        "HostingAutoscalingPolicy", "scaled", resourceId=[{"endpointName": "hosted", "variantName": "all-traffic"}]
    )
    world.api.create(policy, plural=POLICIES)
    _until_reason(world, "scaled", POLICIES, "Created")
    world.api.create(sample("shared-hostingdeployment"), plural=DEPLOYMENTS)
    world.api.create(sample("inference-component"), plural=COMPONENTS)
    eventually(lambda: component_ready(world, 2), what="the component serves")
    create_pipeline(world, endless())
    world.api.create(execution(), plural=PIPELINES)
    eventually(lambda: _is_training(world), what="the execution trains")

    _edit(world, names["TrainingJob"], _TRAINING, {"resourceConfig": {"keepAlivePeriodInSeconds": 600}})
    _eventually(world, lambda: _updated(world, names["TrainingJob"]), names["TrainingJob"], _TRAINING, "the pool")
    _change(world, _hosted(weight=3, version="1", tags={"team": "a", "stage": "test"}))
    _change(world, _hosted(weight=3, version="1", tags={"team": "b"}))
    eventually(lambda: _tags(world) == {"team": "b"}, what="the new tags")
    _change(world, _hosted(weight=3, version="2", tags={"team": "b"}))
    eventually(lambda: len(Left.of(world).others) == _ALL, what="nothing of the old version is left")

    for kind in _REGISTRY:
        world.api.create(_deleted(manifest(kind, kind.lower())), plural=PLURALS[kind])
    for kind, spec in _REGISTRY.items():
        _until_in_place(world, kind, f"the {kind} is there")
        if spec:
            _edit(world, kind.lower(), PLURALS[kind], spec)
            _until_in_place(world, kind, f"the {kind} is changed")

    image = sample("inference-component")["spec"]["specification"]["container"]["image"]
    image = image.replace("0.33.0", "0.34.0")
    edit_component(world, image)
    eventually(lambda: component_ready(world, 2), what="the component's new image")
    for copies in (3, 4):  # after a lost answer, the first is made by a whole update
        edit_component(world, image, runtimeConfig={"copyCount": copies})
        eventually(lambda copies=copies: component_ready(world, copies), what=f"{copies} copies")  # type: ignore[misc]

    group = world.api.status("modelpackagegroup", plural=PLURALS["ModelPackageGroup"])["awsResource"]["name"]
    versions = _asked(world, "ListModelPackages", ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [each["ModelPackageVersion"] for each in versions] == [1]
    for kind in reversed(_REGISTRY):
        world.api.delete(kind.lower(), plural=PLURALS[kind])
        until_gone(world.api, kind.lower(), plural=PLURALS[kind])
    world.api.delete("retrain", plural=PIPELINES)
    until_gone(world.api, "retrain", plural=PIPELINES)
    world.api.delete("llm", plural=COMPONENTS)
    until_gone(world.api, "llm", plural=COMPONENTS)
    world.api.delete("shared", plural=DEPLOYMENTS)
    until_gone(world.api, "shared", plural=DEPLOYMENTS)
    world.api.delete("scaled", plural=POLICIES)
    until_gone(world.api, "scaled", plural=POLICIES)
    world.api.delete("hosted", plural=DEPLOYMENTS)
    for kind, name in names.items():
        world.api.delete(name, plural=PLURALS[kind])
    for kind, name in (*names.items(), ("HostingDeployment", "hosted")):
        until_gone(world.api, name, plural=PLURALS[kind])
    _judge(world, turn)


_REGISTRY: Final[Mapping[str, JsonObject]] = {
    "ModelPackageGroup": {},
    "ModelPackage": {"modelApprovalStatus": "Approved"},
    "Pipeline": {"pipelineDescription": "another"},
}
"""Kinds that are changed in place, and what is changed."""
_ALL: Final = 7
"""Model, configuration, endpoint, target and policy; configuration and endpoint of the component."""


def _judge(world: World, turn: int) -> None:
    left = Left.of(world)
    assert not left.others
    assert {state for job, state in left.jobs.items() if " pipelines-" not in job} == {"Stopped"}
    assert [each["PipelineExecutionStatus"] for each in executions(world)] == ["Stopped"]
    assert world.aws.faults.pending() == []
    assert world.aws.faults.struck() == Counter((fault, operation) for operation, fault in fates(turn).items())
    effects = [each for each in world.aws.effects.all() if OPERATOR in each.user_agent]
    named = [each for each in effects if each.name]  # a version has none: its token makes it once
    made = Counter(
        (each.operation, each.name) for each in named if each.operation.startswith(("Create", "StartPipeline"))
    )
    assert set(made.values()) == {1}, f"made twice: {made}"
    missing = set(MUTATIONS) - {each.operation for each in effects}
    assert not missing, f"never made: {missing}"


def _hosted(*, weight: int, version: str, tags: dict[str, str]) -> JsonObject:
    obj = with_environment(deployment("hosted"), VERSION=version)
    obj["spec"]["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
    return with_variant(obj, initialInstanceCount=weight)


def _job(kind: str, name: str, **spec: Any) -> JsonObject:
    obj = marked(manifest(kind, name, **spec), **_LONG)
    if kind == TRAINING_JOB.kind:
        obj["spec"]["resourceConfig"]["keepAlivePeriodInSeconds"] = 60
    return obj


def _edit(world: World, name: str, plural: str, spec: JsonObject) -> JsonObject:
    return world.api.call(
        "PATCH", world.api.path(name, plural=plural), {"spec": spec}, content="application/merge-patch+json"
    )


def _change(world: World, obj: JsonObject) -> None:
    """Edit the deployment, and wait until it serves the edit."""
    generation = _edit(world, "hosted", DEPLOYMENTS, obj["spec"])["metadata"]["generation"]

    def look() -> bool:
        seen = world.api.get("hosted", plural=DEPLOYMENTS) or {}
        ready, synced = condition(seen, "Ready"), condition(seen, "Synced")
        is_new = ready.get("observedGeneration") == generation
        return bool(is_new and ready["reason"] == "InService" and synced.get("status") == "True")

    _eventually(world, look, "hosted", DEPLOYMENTS, f"generation {generation} is served")


def _updated(world: World, name: str) -> bool:
    answer = _described(world, "TrainingJob", (world.api.get(name) or {})["spec"]["trainingJobName"])
    return bool(answer["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600)


def _tags(world: World) -> dict[str, str]:
    """The user's tags of the endpoint."""
    listed = _asked(world, "ListEndpoints")["Endpoints"]
    (arn,) = (each["EndpointArn"] for each in listed if each["EndpointName"].startswith("hosted"))
    listed = _asked(world, "ListTags", ResourceArn=arn)["Tags"]
    return {each["Key"]: each["Value"] for each in listed if "/" not in each["Key"]}


def _described(world: World, resource: str, name: str) -> JsonObject:
    return _asked(world, f"Describe{resource}", **{f"{resource}Name": name})


def _asked(world: World, operation: str, **members: Any) -> JsonObject:
    return raw_call(world.aws.url, operation, json.dumps(members))


def _deleted(obj: JsonObject) -> JsonObject:
    """The manifest of an object that takes along what is at AWS."""
    obj["metadata"]["annotations"] = {DELETION_POLICY.key: "delete"}
    if obj["kind"] == "ModelPackage":
        obj["spec"]["modelPackageGroupName"] = "modelpackagegroup"
    return obj


def _until_in_place(world: World, kind: str, what: str) -> None:
    name, plural = kind.lower(), PLURALS[kind]

    def look() -> bool:
        obj = world.api.get(name, plural=plural) or {}
        ready, synced = condition(obj, "Ready"), condition(obj, "Synced")
        is_new = ready.get("observedGeneration") == obj["metadata"]["generation"]
        return bool(is_new and ready.get("status") == synced.get("status") == "True")

    _eventually(world, look, name, plural, what)


def _is_training(world: World) -> bool:
    steps = world.api.status("retrain", plural=PIPELINES).get("steps", ())
    return [each["name"] for each in steps] == ["Prepare", "Train"]


def _until_reason(world: World, name: str, plural: str, reason: str) -> None:
    def look() -> bool:
        return condition(world.api.get(name, plural=plural) or {}, "Ready").get("reason") == reason

    _eventually(world, look, name, plural, f"{name} is {reason}")


def _eventually(world: World, look: Any, name: str, plural: str, what: str) -> None:
    try:
        eventually(look, what=what)
    except NeverError as never:
        seen = json.dumps((world.api.get(name, plural=plural) or {}).get("status"), indent=1)
        raise NeverError(f"{never}; its status: {seen}; still ordered: {world.aws.faults.pending()}") from None
