"""What is deleted, by the operator or by others, while SageMaker takes its time; and the first operator's clean-up."""

import pytest

from api.annotations import RECREATE_ON_FAILURE
from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import aws_call, condition
from tests.sandbox.hosting_scene import (
    CONFIGURATIONS,
    DEPLOYMENTS,
    MODELS,
    children,
    deployment,
    endpoints,
    left_at_sagemaker,
    marked,
    operations,
    replace_spec,
    until,
)
from tests.sandbox.kubectl import Kubectl

pytestmark = pytest.mark.sandbox

NAME = "host-xgboost"


def until_deleting(world: World) -> None:
    """Wait until SageMaker and the object both show the deletion, which is not over."""
    eventually(lambda: [each["EndpointStatus"] for each in endpoints(world)] == ["Deleting"], what="it is deleted")
    until(world.api, NAME, "Deleting", observed=False)


@pytest.mark.early
def test_an_endpoint_is_made_again_after_a_deletion_that_takes_a_while(world: World) -> None:
    """`recreate-on-failure`, and a deletion by others: the object shows it, and the new one follows its end."""
    world.operator().until_ready()
    failing = marked(deployment(), SANDBOX_FAIL="the model does not load")
    failing["metadata"]["annotations"] = {RECREATE_ON_FAILURE.key: "true"}
    world.api.create(failing, plural=DEPLOYMENTS)
    until(world.api, NAME, "Failed")
    with world.time.stopped():
        replace_spec(world.api, deployment())
        until_deleting(world)
    assert condition(until(world.api, NAME, "InService"), "Ready")["status"] == "True"
    assert operations(world).count("CreateEndpoint") == 2

    (name,) = (each["EndpointName"] for each in endpoints(world))
    with world.time.stopped():
        aws_call(world.aws.url, "DeleteEndpoint", EndpointName=name)
        until_deleting(world)
    assert condition(until(world.api, NAME, "InService"), "Ready")["status"] == "True"
    assert operations(world).count("CreateEndpoint") == 3
    assert not {"UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"} & set(operations(world))


@pytest.mark.early
def test_the_first_operators_clean_up_returns_and_leaves_nothing(world: World, kubectl: Kubectl) -> None:
    """In the order of its scripts: `kubectl delete endpointconfig --all`, then deployments, then models."""
    world.operator().until_ready()
    world.api.create(deployment(), plural=DEPLOYMENTS)
    until(world.api, NAME, "InService")
    kubectl("delete", CONFIGURATIONS, "--all")
    kubectl("delete", MODELS, "--all")

    def taken_over() -> JsonObject | None:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        return obj if obj and condition(obj, "Ready")["status"] == "True" and len(children(world)) == 2 else None

    eventually(taken_over, what="other children")
    for plural in (CONFIGURATIONS, DEPLOYMENTS, MODELS):
        kubectl("delete", plural, "--all")
    assert left_at_sagemaker(world) == []
    assert children(world) == []
    made = [each for each in operations(world) if each.startswith(("Create", "Update"))]
    assert sorted(made) == ["CreateEndpoint", "CreateEndpointConfig", "CreateModel"]
