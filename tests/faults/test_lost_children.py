"""What an endpoint is made of is deleted at AWS by others: it is made again when it is needed."""

from collections import Counter

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, ENDPOINT_CONFIG, MODEL
from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass
from tests.fakes.calls import refusal
from tests.fakes.sagemaker.hosting import FakeHosting
from tests.fakes.world import World
from tests.faults.hosting_world import HostingWorld, manifest


def _serving() -> HostingWorld:
    world = HostingWorld()
    world.apply(manifest())
    world.until(world.is_at_rest)
    world.run(120, step_s=10)
    return world


def _only_endpoint_left(hosting: FakeHosting) -> None:
    hosting.configs.clear()
    hosting.models.clear()


def test_an_update_heals_the_configuration_that_the_endpoint_runs_with() -> None:
    """UpdateEndpoint needs the old configuration as well: "Could not find endpoint configuration" names it."""
    world = _serving()
    (old,) = world.aws.configs
    _only_endpoint_left(world.aws)
    world.apply(manifest(version="2"))
    world.until(lambda: world.condition("Reconciling") == ("True", "DependencyMissing"))
    assert ("Warning", "DependencyMissing") in world.recorder.events
    world.until(world.is_at_rest, within_s=600)
    (endpoint,) = world.aws.endpoints.values()
    assert world.aws.version_of(endpoint.config) == "2"
    assert old not in world.aws.configs


@pytest.mark.parametrize(
    ("lost", "user"), [pytest.param("configs", "UpdateEndpoint"), pytest.param("models", "CreateEndpointConfig")]
)
def test_what_is_lost_before_it_is_used_is_made_again(lost: str, user: str) -> None:
    """The refused call makes the children look, that of a model as well where the configuration cannot be made."""
    world = _serving()
    there = set(getattr(world.aws, lost))
    throttled = AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded")
    world.aws.always = lambda operation: throttled if operation == user else None
    world.apply(manifest(version="2"))
    world.until(lambda: len(getattr(world.aws, lost)) == 2)
    for name in set(getattr(world.aws, lost)) - there:
        del getattr(world.aws, lost)[name]
    world.aws.always = lambda operation: None
    world.until(world.is_at_rest, within_s=900)
    (endpoint,) = world.aws.endpoints.values()
    assert world.aws.version_of(endpoint.config) == "2"


def test_an_endpoint_that_cannot_be_updated_costs_a_call_a_minute_at_most() -> None:
    """The child of the running configuration is gone, so that nothing can make it again: a Warning, and few calls."""
    world = _serving()
    config = world.clusters["EndpointConfig"]
    (key,) = config.keys()
    config.remove(key)
    _only_endpoint_left(world.aws)
    world.apply(manifest(version="2"))
    world.run(300, step_s=2)
    begin = len(world.sagemaker.operations)
    world.run(1800, step_s=5)
    calls = Counter(world.sagemaker.operations[begin:])
    del calls["ListEndpoints"]
    assert calls["UpdateEndpoint"] <= 10, calls
    assert calls.total() <= 4 * 30, calls  # of four objects
    assert world.condition("Reconciling") == ("True", "DependencyMissing")
    assert world.recorder.events.count(("Warning", "DependencyMissing")) == 1


def _with_model(*kinds: KindDescriptor) -> tuple[World, str]:
    """A world with a Model that a user has applied, and the name that it has at SageMaker, which has lost it."""
    world = World(*kinds, MODEL)
    container = {"containerHostname": "c", "image": "image"}
    world.clusters[MODEL.kind].apply(_object(MODEL.kind, "model", executionRoleArn="role", containers=[container]))
    world.run(120, step_s=10)
    (name,) = world.sagemaker.hosting.models
    world.sagemaker.hosting.models.clear()
    return world, name


def _object(kind: str, name: str, **spec: object) -> JsonObject:
    metadata = {"namespace": "default", "name": name}
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": {"region": "us-east-2", **spec},
    }


def test_a_model_that_an_endpoint_configuration_lacks_is_made_again() -> None:
    """The refused CreateEndpointConfig makes the Model of that name look, with no owner between them."""
    world, name = _with_model(ENDPOINT_CONFIG)
    variant = {"variantName": "a", "modelName": name, "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
    world.cluster.apply(_object(ENDPOINT_CONFIG.kind, "config", productionVariants=[variant]))
    world.run(120, step_s=2)
    assert ("Warning", "DependencyMissing") in world.recorder.events
    assert list(world.sagemaker.hosting.models) == [name]
    assert len(world.sagemaker.hosting.configs) == 1


def test_a_model_that_a_transform_job_lacks_is_made_again() -> None:
    """The refused CreateTransformJob makes the Model of that name look."""
    world, name = _with_model(BATCH_TRANSFORM_JOB)
    refused = refusal("CreateTransformJob", f'Could not find model "{name}".')
    models = world.sagemaker.hosting.models
    world.aws.always = lambda operation: refused if operation == "create" and name not in models else None
    job = world.manifest()
    job["spec"]["modelName"] = name
    world.cluster.apply(job)
    world.run(120, step_s=2)
    assert list(models) == [name]
    assert world.value == "InProgress"
