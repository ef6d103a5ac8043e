"""What is refused of a deployment's children is tried again: when it is asked for, and where the deployment moves."""

from typing import Any

import pytest

from api.v1 import ENDPOINT_CONFIG, MODEL
from hack.sandbox.kube.crd.object_validation import validate
from tests.fakes.calls import refusal
from tests.faults.hosting_world import HostingWorld, manifest
from tests.tables import each_row
from tests.unit.api.contract import schema_of

pytestmark = pytest.mark.long

MISSING = {
    "model data": "Could not find model data at s3://bucket/model.tar.gz.",
    "access to model data": "Could not access model data at s3://bucket/model.tar.gz.",
    "role trust": "Could not assume role arn:aws:iam::1:role/r. Please ensure that the role exists",
    "repository": "The repository of your image x does not grant ecr:BatchGetImage to sagemaker.amazonaws.com.",
    "image": "Requested image 1.dkr.ecr.us-east-2.amazonaws.com/x:1 not found.",
}


def refusing(world: HostingWorld, operation: str, message: str) -> None:
    """SageMaker refuses an operation, until `always` is set otherwise."""
    world.aws.always = lambda each: refusal(operation, message) if each == operation else None


@pytest.mark.parametrize("message", MISSING.values(), ids=MISSING)
@each_row("operation", [MODEL.operations.create, ENDPOINT_CONFIG.operations.create])
def test_reconcile_at_on_a_deployment_reaches_its_refused_children(operation: str, message: str) -> None:
    """What was not there yet is there now: not minutes later. Each text is passed on once."""
    world = HostingWorld()
    refusing(world, operation, message)
    world.apply(manifest())
    world.run(1500, step_s=5)
    children = [world.clusters[kind.kind].get(key) for kind in (MODEL, ENDPOINT_CONFIG) for key in _keys(world, kind)]
    assert _reasons(children) & {"DependencyMissing"}
    assert world.value == "ReconcilingEndpoint"

    world.aws.always = lambda each: None
    world.cluster.apply({**world.obj, "metadata": {**world.obj["metadata"], "annotations": ASKED}})
    world.run(5)

    assert operation in world.sagemaker.operations[-10:]
    world.until(world.is_at_rest)


def test_what_is_missing_is_tried_again_within_minutes() -> None:
    """Without a word of the user."""
    world = HostingWorld()
    refusing(world, MODEL.operations.create, MISSING["model data"])
    world.apply(manifest())
    world.run(1500, step_s=5)
    world.aws.always = lambda each: None

    world.until(lambda: bool(world.aws.models), within_s=330)


def test_a_deployment_in_a_wrong_region_is_corrected_with_its_children() -> None:
    """Nothing was created there: its objects move along, as the rules of all three kinds allow."""
    world = HostingWorld()
    refusing(world, MODEL.operations.create, MISSING["image"])
    world.apply(manifest(region="us-west-1"))
    world.run(30)
    moved = {**world.obj, "spec": manifest()["spec"]}
    assert [str(each) for each in validate(schema_of("HostingDeployment"), moved, world.obj)] == []

    world.aws.always = lambda each: None
    world.cluster.edit(world.key, moved["spec"])
    world.until(world.is_at_rest)

    assert world.status["awsResource"]["region"] == "us-east-2"
    for kind in (MODEL, ENDPOINT_CONFIG):
        (key,) = _keys(world, kind)
        assert (world.clusters[kind.kind].get(key) or {})["spec"]["region"] == "us-east-2"


ASKED = {"sagemaker.aws.amazon.com/reconcile-at": "now"}


def _keys(world: HostingWorld, kind: Any) -> list[Any]:
    return world.clusters[kind.kind].keys()


def _reasons(objects: list[Any]) -> set[str]:
    return {each["reason"] for obj in objects for each in obj["status"].get("conditions", ())}


def test_a_deployment_under_a_name_that_sagemaker_does_not_accept_can_be_deleted() -> None:
    """It refuses to describe what has such a name in the words in which it refuses to create it."""
    world = HostingWorld()
    constraint = "1 validation error detected: Value 'a_b' at 'endpointName' failed to satisfy constraint"
    world.aws.always = lambda each: (
        refusal(each, constraint) if each in {"CreateEndpoint", "DescribeEndpoint"} else None
    )
    world.apply(manifest(endpointName="a_b"))
    world.run(300, step_s=5)
    assert world.status["endpointStatus"] == "ReconcilingEndpoint"
    world.delete()
    world.run(900, step_s=5)
    assert world.is_gone()
