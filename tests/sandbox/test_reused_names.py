"""Names that change hands while the operator is away: others delete what is ours, and use its name for their own."""

import pytest

from api.convert import to_request
from api.meta import JsonObject
from api.v1 import ENDPOINT_CONFIG, MODEL, TRAINING_JOB
from tests.deadline import eventually
from tests.sandbox.account import manifest, marked
from tests.sandbox.conftest import World
from tests.sandbox.harness import PLURALS, aws_call, condition, until_gone, until_status
from tests.sandbox.hosting_scene import DEPLOYMENTS, deployment, replace_spec, until
from tests.sandbox.hosting_scene import marked as with_environment
from tests.sandbox.hosting_scene import until_gone as until_deployment_gone

pytestmark = pytest.mark.sandbox


def their_endpoint(world: World, name: str) -> None:
    """Others delete the endpoint of this name, and create their own."""
    url = world.aws.url
    aws_call(url, "DeleteEndpoint", EndpointName=name)

    def is_free() -> bool:
        return name not in {each["EndpointName"] for each in aws_call(url, "ListEndpoints")["Endpoints"]}

    eventually(is_free, what=f"{name} is free")
    model = to_request(MODEL, manifest("Model", "m")["spec"])
    aws_call(url, "CreateModel", **{**model, "ModelName": f"theirs-{name}"})
    configuration = manifest("EndpointConfig", "c")["spec"]
    configuration["productionVariants"][0] |= {"modelName": f"theirs-{name}", "variantName": "theirs"}
    made = to_request(ENDPOINT_CONFIG, configuration)
    aws_call(url, "CreateEndpointConfig", **{**made, "EndpointConfigName": f"theirs-{name}"})
    aws_call(url, "CreateEndpoint", EndpointName=name, EndpointConfigName=f"theirs-{name}")
    eventually(lambda: described(world, name)["EndpointStatus"] == "InService", what="theirs is in service")


def described(world: World, name: str) -> JsonObject:
    """The endpoint of this name."""
    return aws_call(world.aws.url, "DescribeEndpoint", EndpointName=name)


def foreign(world: World, name: str, plural: str) -> JsonObject:
    """The object once it shows that others use its name."""

    def look() -> JsonObject | None:
        obj = world.api.get(name, plural=plural)
        return obj if obj and condition(obj, "Stalled").get("reason") == "ForeignResource" else None

    return eventually(look, what=f"{name} is reported")


def test_an_endpoint_that_others_made_under_the_name_of_ours_stays_as_it_is(world: World) -> None:
    """Three deployments with names that the user gave: one is edited, one is deleted, one is left as it is."""
    names = ("edited", "deleted", "left")
    operator = world.operator().until_ready()
    for name in names:
        world.api.create(deployment(name, endpointName=f"shared-{name}"), plural=DEPLOYMENTS)
    for name in names:
        shown = until(world.api, name, "InService")
        created = shown["status"]["awsResource"]["creationTime"]
        assert created.endswith("Z"), "AWS's own time, with milliseconds"
        assert "." in created
    operator.kill()
    for name in names:
        their_endpoint(world, f"shared-{name}")
    before = {name: described(world, f"shared-{name}") for name in names}
    calls = len(world.to_aws.requests)

    replace_spec(world.api, with_environment(deployment("edited", endpointName="shared-edited"), VERSION="2"))
    world.api.delete("deleted", plural=DEPLOYMENTS)
    world.operator().until_ready()
    for name in ("edited", "left"):
        reported = foreign(world, name, DEPLOYMENTS)
        assert "left alone" in condition(reported, "Stalled")["message"]
        eventually(lambda name=name: is_warned(world, name), what="the Warning")  # type: ignore[misc]
    until_deployment_gone(world.api, "deleted")
    for name in ("edited", "left"):
        world.api.delete(name, plural=DEPLOYMENTS)
        until_deployment_gone(world.api, name)

    assert {name: described(world, f"shared-{name}") for name in names} == before
    asked = {each.operation for each in world.to_aws.requests[calls:]}
    assert not {each for each in asked if each.startswith(("Update", "Create", "AddTags"))} | (
        asked & {"DeleteEndpoint", "DeleteTags"}
    )
    left = {each["EndpointConfigName"] for each in aws_call(world.aws.url, "ListEndpointConfigs")["EndpointConfigs"]}
    assert left == {f"theirs-shared-{name}" for name in names}, "what was ours beside it is deleted"


def is_warned(world: World, name: str) -> bool:
    """Whether a Warning about the object says so."""
    told = {(each["type"], each["reason"]) for each in world.api.events(name)}
    return ("Warning", "ForeignResource") in told


def test_a_training_job_that_others_started_under_the_name_of_ours_runs_on(world: World) -> None:
    """Training jobs can be deleted, and their names used again."""
    kind, plural = TRAINING_JOB, PLURALS["TrainingJob"]
    operator = world.operator().until_ready()
    for name in ("first", "second"):
        obj = marked(manifest(kind.kind, name, trainingJobName=f"shared-{name}"), SANDBOX_SECONDS="86400")
        world.api.create(obj, plural=plural)
    for name in ("first", "second"):
        until_status(world.api, name, "InProgress")
        eventually(lambda name=name: dated(world, name), what="AWS's creation time")  # type: ignore[misc]
    operator.kill()
    for name in ("first", "second"):
        their_job(world, f"shared-{name}")
    world.api.delete("first", plural=plural)
    world.operator().until_ready()
    until_gone(world.api, "first", plural=plural)
    foreign(world, "second", plural)
    world.api.delete("second", plural=plural)
    until_gone(world.api, "second", plural=plural)
    for name in ("first", "second"):
        answer = aws_call(world.aws.url, "DescribeTrainingJob", TrainingJobName=f"shared-{name}")
        assert answer["TrainingJobStatus"] == "InProgress"
    assert "StopTrainingJob" not in {each.operation for each in world.to_aws.requests}


def dated(world: World, name: str) -> bool:
    """Whether the status has AWS's creation time."""
    return "creationTime" in world.api.status(name).get("awsResource", {})


def their_job(world: World, name: str) -> None:
    """Others stop and delete the job of this name, and start their own."""
    url, kind = world.aws.url, TRAINING_JOB
    aws_call(url, "StopTrainingJob", TrainingJobName=name)

    def has_stopped() -> bool:
        answer = aws_call(url, "DescribeTrainingJob", TrainingJobName=name)
        return bool(answer["TrainingJobStatus"] == "Stopped")

    eventually(has_stopped, what=f"{name} has stopped")
    aws_call(url, "DeleteTrainingJob", TrainingJobName=name)
    spec = marked(manifest(kind.kind, "theirs"), SANDBOX_SECONDS="86400")["spec"]
    aws_call(url, "CreateTrainingJob", **{**to_request(kind, spec), "TrainingJobName": name})


def test_a_scalable_target_of_others_is_adopted_only_when_asked_for_and_put_back(world: World) -> None:
    """Refused, adopted, released: in the end it has the bounds that they gave it."""
    name, plural = "hosted", PLURALS["HostingAutoscalingPolicy"]
    world.operator().until_ready()
    world.api.create(deployment(name), plural=DEPLOYMENTS)
    endpoint = until(world.api, name, "InService")["status"]["endpointName"]
    selector = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/all-traffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    aws_call(world.aws.url, "RegisterScalableTarget", **selector, MinCapacity=2, MaxCapacity=9)
    resource = [{"endpointName": name, "variantName": "all-traffic"}]
    policy = manifest("HostingAutoscalingPolicy", "scale", resourceId=resource, minCapacity=1, maxCapacity=4)
    world.api.create(policy, plural=plural)
    until_status(world.api, "scale", "Error", field="hostingAutoscalingPolicyStatus", plural=plural)
    assert bounds(world) == (2, 9)

    adopt = {"metadata": {"annotations": {"sagemaker.aws.amazon.com/adoption-policy": "adopt"}}}
    world.api.call("PATCH", world.api.path("scale", plural=plural), adopt, "application/merge-patch+json")
    until_status(world.api, "scale", "Created", field="hostingAutoscalingPolicyStatus", plural=plural)
    assert bounds(world) == (1, 4)
    world.api.delete("scale", plural=plural)
    until_gone(world.api, "scale", plural=plural)
    assert bounds(world) == (2, 9)


def bounds(world: World) -> tuple[int, int]:
    """Those of the one scalable target."""
    (target,) = aws_call(world.aws.url, "DescribeScalableTargets", ServiceNamespace="sagemaker")["ScalableTargets"]
    return target["MinCapacity"], target["MaxCapacity"]
