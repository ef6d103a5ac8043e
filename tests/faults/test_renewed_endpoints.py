"""Endpoints that are made again under the same name: with the old one, AWS has removed its scalable targets.

A policy is Ready only while they exist, whoever made the endpoint again and by whichever name the policy refers to it.
"""

from collections.abc import Callable

import pytest

from api.annotations import RECREATE_ON_FAILURE
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, MODEL
from controller.reconcile.status.patch import rfc3339
from tests.fakes.calls import refusal
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world
from tests.tables import each_row

POLICY = ObjectKey("default", "scale")
ENDPOINT = "web-prod"
TARGET = f"endpoint/{ENDPOINT}/variant/a"


class ScaledWorld(World):
    """A deployment in service and a policy on its variant."""

    def __init__(self, *, named: str, namespace: str = "default", deployed: bool = True) -> None:
        """`named`: how the policy names the endpoint."""
        super().__init__(HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG, key=POLICY)
        self.key = ObjectKey(namespace, POLICY.name)
        self.scaling, self.hosting = self.sagemaker.scaling, self.sagemaker.hosting
        self.deployments = self.clusters[HOSTING_DEPLOYMENT.kind]
        if deployed:
            self.deployments.apply(hosting_world.manifest(endpointName=ENDPOINT))
            self.until(lambda: len(self.hosting.left) == 3 and self.endpoint_status == "InService")
        policy = scaling_world.manifest("a")
        policy["metadata"]["namespace"] = namespace
        policy["spec"]["resourceId"] = [{"endpointName": named, "variantName": "a"}]
        self.cluster.apply(policy)
        self.until(self.is_ready)
        self.run(300, step_s=5)

    @property
    def endpoint_status(self) -> str:
        """What the deployment shows."""
        obj: JsonObject = self.deployments.get(hosting_world.KEY) or {}
        return str((obj.get("status") or {}).get("endpointStatus"))

    def is_ready(self) -> bool:
        """In place, and the object says so."""
        return self.scaling.put == {(TARGET, "busy")} and self.condition("Ready") == ("True", "Created")

    def lose_targets(self) -> None:
        """What AWS does when an endpoint goes."""
        for each in (self.scaling.bounds, self.scaling.least, self.scaling.created, self.scaling.put):
            each.clear()


def deleted_by_others(world: ScaledWorld) -> None:
    """It takes SageMaker a while, and the deployment makes it again."""
    endpoint = world.hosting.endpoints[ENDPOINT]
    endpoint.value, endpoint.modified = "Deleting", world.clock.utcnow()
    endpoint.until = world.clock.monotonic() + world.hosting.work_s
    world.lose_targets()


def gone_at_once(world: ScaledWorld) -> None:
    """No one has seen its deletion."""
    world.hosting.endpoints.clear()
    world.lose_targets()


def made_again_by_its_deployment(world: ScaledWorld) -> None:
    """`recreate-on-failure`."""
    obj = world.deployments.get(hosting_world.KEY) or {}
    annotations = {**obj["metadata"].get("annotations", {}), RECREATE_ON_FAILURE.key: "true"}
    spec = hosting_world.manifest(version="2", endpointName=ENDPOINT)["spec"]
    world.hosting.endpoints[ENDPOINT].value = "Failed"
    world.hosting.endpoints[ENDPOINT].modified = world.clock.utcnow()
    world.deployments.apply({**obj, "metadata": {**obj["metadata"], "annotations": annotations}, "spec": spec})
    world.until(lambda: world.hosting.count("DeleteEndpoint") == 1)
    world.lose_targets()


RENEWALS = (deleted_by_others, gone_at_once, made_again_by_its_deployment)
NAMES = {
    "by the deployment's name": {"named": hosting_world.KEY.name},
    "by its name at SageMaker": {"named": ENDPOINT},
    "from another namespace": {"named": ENDPOINT, "namespace": "team-b"},
}


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("names", NAMES)
@each_row("renew", RENEWALS, ids=lambda each: each.__name__)
def test_a_policy_is_put_on_the_new_endpoint(
    renew: Callable[[ScaledWorld], None], names: str, *, restarts: bool
) -> None:
    """Who makes it again x how the policy names it x with and without a restart."""
    world = ScaledWorld(**NAMES[names])  # type: ignore[arg-type]
    renew(world)
    if restarts:
        world.restart()
    world.until(lambda: world.hosting.count("CreateEndpoint") == 2, within_s=300)
    world.run(10)
    assert world.condition("Ready") == ("False", "WaitingForEndpoint")
    world.until(lambda: world.endpoint_status == "InService", within_s=300)
    world.run(30)
    assert world.is_ready()
    calls = world.scaling.count("DescribeScalingPolicies")
    world.run(500, step_s=5)
    assert world.scaling.count("DescribeScalingPolicies") == calls, "it is not asked again and again"


def test_a_policy_on_an_endpoint_of_others_is_put_on_the_new_one_within_minutes() -> None:
    """No object of the cluster shows that it was made again: AWS is asked every ten minutes."""
    world = ScaledWorld(named=ENDPOINT, deployed=False)
    world.lose_targets()
    world.run(700, step_s=10)
    assert world.is_ready()


def test_a_policy_on_an_endpoint_of_others_that_is_gone_is_not_ready() -> None:
    """Application Auto Scaling refuses to register a target that does not exist."""
    world = ScaledWorld(named=ENDPOINT, deployed=False)
    world.lose_targets()
    missing = refusal("RegisterScalableTarget", "ECS service doesn't exist: endpoint/web-prod/variant/a")
    world.scaling.always = lambda operation: missing if operation == "RegisterScalableTarget" else None
    world.run(900, step_s=10)
    assert world.condition("Ready") == ("False", "DependencyMissing")
    world.scaling.always = lambda operation: None
    world.run(400, step_s=10)
    assert world.is_ready()


def test_a_policy_of_a_living_endpoint_costs_no_calls() -> None:
    """As long as its deployment shows the same endpoint, it is checked at the resync only."""
    world = ScaledWorld(named=ENDPOINT)
    calls = len(world.scaling.calls)
    world.run(3600, step_s=10)
    assert len(world.scaling.calls) == calls


# --- what is there although the endpoint was made again


def put_back_by_others(world: ScaledWorld) -> None:
    """Others have registered the variant, and put a policy of the same name on it."""
    world.lose_targets()
    world.clock.advance(30)
    world.scaling.others_register(TARGET, 4)
    world.scaling.others_put(TARGET, "busy")


def kept_by_aws(world: ScaledWorld) -> None:
    """Targets have outlived the endpoint."""


@pytest.mark.parametrize(
    ("happens", "ready"),
    [(put_back_by_others, ("False", "AlreadyExists")), (kept_by_aws, ("True", "Created"))],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_targets_of_an_endpoint_that_was_made_again_are_looked_at_at_bounded_cost(
    happens: Callable[[ScaledWorld], None], ready: tuple[str, str]
) -> None:
    """However often something enqueues the policy: every label of its deployment does."""
    world = ScaledWorld(named=ENDPOINT)
    happens(world)
    world.deployments.rewrite_status(
        hosting_world.KEY, lambda status: status.update(creationTime=rfc3339(world.clock.utcnow()))
    )
    world.hosting.endpoints[ENDPOINT].created = world.clock.utcnow()
    world.run(60)
    assert world.condition("Ready") == ready
    calls = len(world.scaling.calls)
    for _ in range(60):
        world.deployments.touch(hosting_world.KEY)
        world.run(60, step_s=20)
    assert world.condition("Ready") == ready
    assert len(world.scaling.calls) - calls <= 3 * 60 / 5 + 3, "a few every five minutes"


def test_a_target_of_others_costs_a_few_calls_every_five_minutes() -> None:
    """Until they take it away, or the spec fits it."""
    world = scaling_world.ScalingWorld()
    world.aws.bounds[scaling_world.A] = 9
    world.cluster.apply(scaling_world.manifest("a"))
    world.run(900, step_s=5)
    assert world.condition("Stalled") == ("True", "AlreadyExists")
    calls = len(world.sagemaker.calls)
    world.run(3600, step_s=10)
    assert len(world.sagemaker.calls) - calls <= 3 * 12 + 3
    world.aws.bounds.clear()
    world.run(400, step_s=5)
    assert world.condition("Ready") == ("True", "Created")
