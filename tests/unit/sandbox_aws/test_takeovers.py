"""Others that take names over in a soak: what is at AWS afterwards is theirs, and what is adoptable stays."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from api.meta import GROUP, JsonObject
from hack.sandbox.aws.server import RunningServer, start
from tests.deadline import eventually
from tests.sandbox.soak.manifests import ADOPTABLE, FOREIGN, THEIR_JOB, THEIR_MODEL, THEIR_VARIANT
from tests.sandbox.soak.scene import Ledger, Scene
from tests.sandbox.soak.takeovers import take_over

REGION = "us-east-2"
OURS = [{"Key": f"{GROUP}/uid", "Value": "u"}]
LONG_AGO = "2026-01-01T00:00:00Z"
TARGET = "endpoint/n/variant/v0"
SELECTOR = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": TARGET,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


class OneObject(Scene):
    """A scene with one object and no API server."""

    def __init__(self, aws: RunningServer, obj: JsonObject) -> None:
        self.aws, self.ledger, self.obj = aws, Ledger(), obj

    def objects(self) -> list[JsonObject]:
        """See `Scene.objects`."""
        return [self.obj]


@pytest.fixture
def aws() -> Iterator[RunningServer]:
    """A fast SageMaker that has what others had from the start, and `n` of each kind, which is ours."""
    with start(speed=200) as server:
        scene: Any = OneObject(server, {})
        for name, tags in ((FOREIGN, []), ("n", OURS)):
            scene.ask("CreateModel", REGION, ModelName=name, **THEIR_MODEL, Tags=tags)
            variants = [THEIR_VARIANT]
            scene.ask("CreateEndpointConfig", REGION, EndpointConfigName=name, ProductionVariants=variants, Tags=tags)
        scene.ask("CreateTrainingJob", REGION, TrainingJobName="n", **THEIR_JOB, Tags=OURS)
        scene.ask("CreateEndpoint", REGION, EndpointName="n", EndpointConfigName="n", Tags=OURS)

        def serves() -> bool:
            return bool(scene.ask("DescribeEndpoint", REGION, EndpointName="n")["EndpointStatus"] == "InService")

        eventually(serves, what="the endpoint serves")
        scene.ask("RegisterScalableTarget", REGION, **SELECTOR, MinCapacity=1, MaxCapacity=2)
        yield server


def owning(kind: str, *, name: str = "n", created_at: str = LONG_AGO, **metadata: Any) -> JsonObject:
    """An object that has created `name`."""
    resource = {"name": name, "region": REGION, "createdAt": created_at}
    status = {"awsResource": resource, "resourceIDList": [TARGET], "policyName": "p"}
    return {"kind": kind, "metadata": {"namespace": "a", "name": "o", **metadata}, "status": status}


@pytest.mark.parametrize("seed", [pytest.param(2, id="at once"), pytest.param(1, id="by and by")])
@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("HostingDeployment", "Endpoint"),
        ("EndpointConfig", "EndpointConfig"),
        ("Model", "Model"),
        ("TrainingJob", "TrainingJob"),
    ],
)
def test_a_name_that_was_taken_over_is_of_a_resource_without_our_tags(
    aws: RunningServer, kind: str, resource: str, seed: int
) -> None:
    """It is created later than ours, and counted."""
    scene = OneObject(aws, owning(kind))

    def described() -> JsonObject:
        return scene.ask(f"Describe{resource}", REGION, **{f"{resource}Name": "n"}) or {}

    before = described()["CreationTime"]
    take_over(scene, random.Random(seed))
    assert scene.ledger.struck == {f"{kind} taken over": 1}
    assert described()["CreationTime"] > before
    tags = scene.ask("ListTags", REGION, ResourceArn=described()[f"{resource}Arn"]) or {}
    assert tags["Tags"] == []
    assert any("at once" in text for _, text in scene.ledger.lines) is (seed == 2)


def test_a_target_that_was_taken_over_has_the_bounds_and_the_policy_of_others(aws: RunningServer) -> None:
    """The policy has the name of ours."""
    scene = OneObject(aws, owning("HostingAutoscalingPolicy"))
    take_over(scene, random.Random(1))
    targets = scene.ask("DescribeScalableTargets", REGION, ServiceNamespace="sagemaker") or {}
    policies = scene.ask("DescribeScalingPolicies", REGION, ServiceNamespace="sagemaker") or {}
    assert [each["MaxCapacity"] for each in targets["ScalableTargets"]] == [7]
    assert [each["PolicyName"] for each in policies["ScalingPolicies"]] == ["p"]
    assert scene.ledger.their_policies == {(TARGET, "p")}


@pytest.mark.parametrize(
    "obj",
    [
        pytest.param(owning("Model", name=FOREIGN), id="was theirs from the start"),
        pytest.param(owning("TrainingJob", name=ADOPTABLE), id="adoptable"),
        pytest.param(owning("Model", annotations={f"{GROUP}/adoption-policy": "adopt"}), id="would adopt it"),
        pytest.param(owning("Model", ownerReferences=[{"kind": "HostingDeployment"}]), id="a child"),
        pytest.param(owning("ProcessingJob"), id="cannot be deleted"),
    ],
)
def test_what_the_judge_could_not_judge_is_not_taken_over(aws: RunningServer, obj: JsonObject) -> None:
    """Nothing is changed at AWS."""
    before = aws.effects.all()
    take_over(OneObject(aws, obj), random.Random(1))
    assert aws.effects.all() == before
