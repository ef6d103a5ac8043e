"""What AWS refuses because of another object: named in the message, and tried again when that object changes."""

import copy
from collections.abc import Hashable, Mapping
from typing import Any

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import BATCH_TRANSFORM_JOB, ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, MODEL
from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import MANIFEST, manifest_of
from tests.fakes.sagemaker.arns import arn_of
from tests.fakes.world import World
from tests.faults.hosting_world import manifest as deployment
from tests.faults.scaling_world import manifest as policy

REFUSED = AwsError(ErrorClass.REFUSED, "ValidationException", "a wording that nobody has seen yet")
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "not yet")


def of_kind(descriptor: KindDescriptor, name: str, spec: Mapping[str, Any]) -> JsonObject:
    """An object of a kind."""
    obj = {**copy.deepcopy(MANIFEST), "kind": descriptor.kind, "spec": dict(spec)}
    obj["metadata"]["name"] = name
    return obj


MODEL_OBJECT = of_kind(
    MODEL, "model", {"region": "us-east-2", "executionRoleArn": "arn:aws:iam::1:role/r", "primaryContainer": {}}
)
VARIANT = {"variantName": "a", "modelName": "model", "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
USERS = [
    pytest.param(BATCH_TRANSFORM_JOB, manifest_of(BATCH_TRANSFORM_JOB), id=BATCH_TRANSFORM_JOB.kind),
    pytest.param(
        ENDPOINT_CONFIG,
        of_kind(ENDPOINT_CONFIG, "config", {"region": "us-east-2", "productionVariants": [VARIANT]}),
        id=ENDPOINT_CONFIG.kind,
    ),
]


class ModelUsers(World):
    """A world in which nothing that needs a model is created before there is one."""

    def __init__(self, descriptor: KindDescriptor) -> None:
        super().__init__(descriptor, MODEL)
        self.is_model_refused = True
        self.created_at: float | None = None
        self._create = self.sagemaker.create
        self.sagemaker.create = self._create_or_refuse  # type: ignore[method-assign]

    def _create_or_refuse(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        if descriptor is MODEL:
            if self.is_model_refused:
                raise DENIED
            return self._create(descriptor, target, request, caller=caller)
        if not self.sagemaker.hosting.models:
            raise REFUSED
        self.created_at = self.clock.monotonic()
        return arn_of(descriptor, str(request[descriptor.name.member]))


@pytest.mark.parametrize(("descriptor", "obj"), USERS)
@pytest.mark.parametrize("is_there", [True, False], ids=["there, and refused", "applied later"])
def test_a_model_that_is_created_ends_the_wait_of_its_users(
    descriptor: KindDescriptor, obj: JsonObject, is_there: bool
) -> None:
    """Not minutes later."""
    world = ModelUsers(descriptor)
    if is_there:
        world.clusters[MODEL.kind].apply(MODEL_OBJECT)
    world.cluster.apply(obj)
    world.run(900.0)
    world.is_model_refused = False
    if not is_there:
        world.clusters[MODEL.kind].apply(MODEL_OBJECT)
    world.until(lambda: bool(world.sagemaker.hosting.models), within_s=400.0)
    there_at = world.clock.monotonic()
    world.run(5.0)
    assert world.created_at is not None
    assert world.created_at <= there_at


class Scaled(World):
    """A deployment with autoscaling policies. UpdateEndpoint is refused while one is in place."""

    def __init__(self) -> None:
        super().__init__(
            HOSTING_DEPLOYMENT,
            MODEL,
            ENDPOINT_CONFIG,
            HOSTING_AUTOSCALING_POLICY,
            key=ObjectKey("default", "host"),
        )
        self.policies = self.clusters[HOSTING_AUTOSCALING_POLICY.kind]
        self.scaling = self.sagemaker.scaling

    def policy(self, name: str) -> JsonObject:
        """A policy on the deployment's variant."""
        obj = policy("a", name=name)
        obj["spec"] |= {"policyName": name, "resourceId": [{"endpointName": "host", "variantName": "a"}]}
        return obj

    def shown(self, name: str) -> str:
        """What a policy shows."""
        status = (self.policies.get(ObjectKey("default", name)) or {}).get("status") or {}
        value: str = status.get(HOSTING_AUTOSCALING_POLICY.status.field, "")
        return value

    def serves(self) -> bool:
        """The deployment is in service."""
        return self.status.get("endpointStatus") == "InService"


def test_an_update_that_a_policy_is_in_the_way_of_is_made_when_the_policy_goes() -> None:
    """It was an invalid spec for good, also after the policy was deleted."""
    world = Scaled()
    world.cluster.apply(deployment())
    world.until(world.serves)
    world.policies.apply(world.policy("scale"))
    world.until(lambda: bool(world.scaling.put))
    world.aws.always = lambda each: REFUSED if each == "UpdateEndpoint" and world.scaling.put else None
    world.cluster.apply({**world.obj, "spec": deployment(version="2")["spec"]})
    world.run(900.0)
    conditions = {each["type"]: each for each in world.status["conditions"]}
    assert {name: conditions[name]["status"] for name in ("Ready", "Reconciling", "Stalled")} == {
        "Ready": "True",
        "Reconciling": "True",
        "Stalled": "False",
    }
    assert conditions["Reconciling"]["reason"] == "RequestRefused"
    assert "HostingAutoscalingPolicy default/scale scales variants" in conditions["Reconciling"]["message"]
    world.policies.delete(ObjectKey("default", "scale"))
    world.until(lambda: not world.scaling.put, within_s=60.0)
    world.run(5.0)
    assert world.status["endpointStatus"] == "Updating"


def test_a_policy_that_another_one_is_in_the_way_of_is_applied_when_that_goes() -> None:
    """AWS refuses a second target tracking policy on a metric: no fault of the spec."""
    world = Scaled()
    world.cluster.apply(deployment())
    world.until(world.serves)
    world.policies.apply(world.policy("first"))
    world.until(lambda: world.shown("first") == "Created")
    put = world.scaling.put_policy

    def put_only_one(target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        if {name for _, name in world.scaling.put} - {request["PolicyName"]}:
            raise REFUSED
        put(target, request, caller=caller)

    world.scaling.put_policy = put_only_one  # type: ignore[method-assign]
    world.policies.apply(world.policy("second"))
    world.run(900.0)
    assert world.shown("second") == "Error"
    world.policies.delete(ObjectKey("default", "first"))
    world.until(lambda: ObjectKey("default", "first") not in world.policies.keys(), within_s=60.0)  # noqa: SIM118
    world.run(5.0)
    assert world.shown("second") == "Created"


def test_a_policy_that_comes_before_its_deployment_is_applied_when_that_comes_into_service() -> None:
    """It waits; nothing of it is an invalid spec."""
    world = Scaled()
    missing = AwsError(ErrorClass.QUOTA, "ValidationException", "SageMaker endpoint doesn't exist")
    is_there = lambda: any(each.value == "InService" for each in world.aws.endpoints.values())  # noqa: E731
    world.scaling.always = lambda each: missing if each == "RegisterScalableTarget" and not is_there() else None
    world.policies.apply(world.policy("early"))
    world.run(900.0)
    assert world.shown("early") == "Error"
    world.cluster.apply(deployment())
    world.until(world.serves)
    world.run(5.0)
    assert world.shown("early") == "Created"


def of_two_variants(*variants: str) -> JsonObject:
    """A deployment with these variants."""
    obj = deployment()
    (variant,) = obj["spec"]["productionVariants"]
    obj["spec"]["productionVariants"] = [variant | {"variantName": name} for name in variants]
    return obj


def test_a_variant_that_leaves_deployment_and_policy_in_one_apply_leaves_both() -> None:
    """AWS refuses to take it out while it is scaled: the policy releases it, and the deployment goes on by itself."""
    world = Scaled()
    both = world.policy("scale")
    both["spec"]["resourceId"].append({"endpointName": "host", "variantName": "b"})
    world.cluster.apply(of_two_variants("a", "b"))
    world.until(world.serves)
    world.policies.apply(both)
    world.until(lambda: len(world.scaling.put) == 2)

    def is_scaled() -> bool:
        return any("/variant/b" in each for each in world.scaling.bounds)

    world.aws.always = lambda each: REFUSED if each == "UpdateEndpoint" and is_scaled() else None

    # The deployment's edit comes first: AWS refuses the update, and the policy sees an endpoint that is in the making.
    world.cluster.apply({**world.obj, "spec": of_two_variants("a")["spec"]})
    world.until(lambda: world.condition("Reconciling") == ("True", "RequestRefused"), within_s=120)
    there = world.policies.get(ObjectKey("default", "scale")) or {}
    world.policies.apply({**there, "spec": world.policy("scale")["spec"]})
    world.until(lambda: not is_scaled(), within_s=120)
    (endpoint,) = world.aws.endpoints.values()
    world.until(lambda: [each["VariantName"] for each in world.aws.variants(endpoint)] == ["a"], within_s=600)
    world.until(lambda: world.condition("Ready") == ("True", "InService"), within_s=120)
    assert [each for each, _ in world.scaling.put] == [each for each in world.scaling.bounds if each.endswith("/a")]
    world.until(lambda: world.shown("scale") == "Created", within_s=120)


def test_a_count_below_the_minimum_of_a_live_policy_gets_a_warning() -> None:
    """It is set, as asked for; autoscaling raises it again."""
    world = Scaled()
    obj = deployment(count=3)
    scaled = world.policy("scale")
    scaled["spec"]["minCapacity"] = 2
    world.cluster.apply(obj)
    world.until(world.serves)
    world.policies.apply(scaled)
    world.until(lambda: bool(world.scaling.put))
    world.run(60)
    world.cluster.apply({**world.obj, "spec": deployment(count=2)["spec"]})
    world.until(lambda: world.reasons().count("UpdateStarted") == 1, within_s=120)
    assert "CapacityReset" not in world.reasons()
    world.until(world.serves)

    world.cluster.apply({**world.obj, "spec": deployment(count=1)["spec"]})
    world.until(lambda: world.reasons().count("UpdateStarted") == 2, within_s=300)
    assert world.reasons().count("CapacityReset") == 1
