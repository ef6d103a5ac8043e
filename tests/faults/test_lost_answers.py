"""A call takes effect, or does not, and its answer is lost: whatever the user does then, the newest spec is reached.

A table of all mutating operations by what follows: going on, going back to the old spec, another edit, a deletion.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, PROCESSING_JOB, TRAINING_JOB
from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import KEY
from tests.fakes.world import World
from tests.faults import scaling_world
from tests.faults.hosting_world import HostingWorld, manifest
from tests.faults.scaling_world import A, B, C, ScalingWorld
from tests.tables import each_row

pytestmark = pytest.mark.long

SILENCE: Final = AwsError(ErrorClass.RETRYABLE, "ConnectionBroken", "connection reset by peer", ambiguous=True)
FATES: Final = [pytest.param(True, id="with effect"), pytest.param(False, id="without effect")]


def lose(world: World, operation: str, then: Callable[[], object] = lambda: None, *, after: bool) -> None:
    """Let time pass until the answer to this operation is lost; `then` happens before the operator acts again."""
    world.aws.fail(operation, SILENCE, after=after, then=then)
    world.until(lambda: not world.aws.faults)


# --- endpoints, their configurations and models


def _tagged(*tags: tuple[str, str]) -> JsonObject:
    return manifest(tags=[{"key": key, "value": value} for key, value in tags])


@dataclass(frozen=True)
class Specs:
    """What the user applies."""

    new: JsonObject
    old: JsonObject | None
    """Served before; None: there is no endpoint yet."""
    other: JsonObject


CREATED = Specs(new=manifest(), old=None, other=manifest(version="3"))
UPDATED = Specs(new=manifest(version="2"), old=manifest(), other=manifest(version="3"))
SCALED = Specs(new=manifest(count=3), old=manifest(), other=manifest(count=2))
TAGGED = Specs(
    new=_tagged(("team", "b"), ("stage", "test")),
    old=_tagged(("team", "a"), ("cost", "1")),
    other=_tagged(("cost", "2")),
)
OPERATIONS: Final[list[tuple[str, Specs]]] = [
    ("CreateModel", CREATED),
    ("CreateEndpointConfig", CREATED),
    ("CreateEndpoint", CREATED),
    ("CreateModel", UPDATED),
    ("CreateEndpointConfig", UPDATED),
    ("UpdateEndpoint", UPDATED),
    ("DeleteEndpointConfig", UPDATED),
    ("DeleteModel", UPDATED),
    ("UpdateEndpointWeightsAndCapacities", SCALED),
    ("AddTags", TAGGED),
    ("DeleteTags", TAGGED),
]


def _serves(world: HostingWorld, wanted: JsonObject) -> None:
    world.until(world.is_at_rest)
    world.run(180, step_s=10)
    assert world.is_at_rest()
    (endpoint,) = world.aws.endpoints.values()
    spec = wanted["spec"]
    (variant,) = world.aws.variants(endpoint)
    version = spec["models"][0]["containers"][0]["environment"][0]["value"]
    assert world.aws.version_of(endpoint.config) == version
    assert variant["DesiredInstanceCount"] == spec["productionVariants"][0]["initialInstanceCount"]
    tags = {each["key"]: each["value"] for each in spec.get("tags", ())}
    for made in (endpoint.request, *world.aws.configs.values(), *world.aws.models.values()):
        assert {each["Key"]: each["Value"] for each in made["Tags"] if "/" not in each["Key"]} == tags
    assert "Drifted" not in [reason for _, reason in world.recorder.events]


@pytest.mark.parametrize("after", FATES)
@each_row(
    ("operation", "specs", "follows"),
    [
        pytest.param(name, each, follows, id=f"{name} {'at an edit' if each.old else 'at creation'}-{follows}")
        for name, each in OPERATIONS
        for follows in ("new", *(("old",) if each.old else ()), "other", "deletion")
    ],
)
def test_an_endpoint_reaches_its_newest_spec(operation: str, specs: Specs, follows: str, *, after: bool) -> None:
    """Nothing in use is deleted (the SageMaker in memory checks that), nothing is left over, nothing drifts."""
    world = HostingWorld()
    if specs.old is not None:
        world.apply(specs.old)
        world.until(world.is_at_rest)
        world.run(120, step_s=10)
    world.apply(specs.new)
    if follows == "deletion":
        lose(world, operation, world.delete, after=after)
        world.until(world.is_gone)
        return
    wanted = getattr(specs, follows)
    lose(world, operation, lambda: world.cluster.edit(world.key, wanted["spec"]), after=after)
    _serves(world, wanted)


@pytest.mark.parametrize("after", FATES)
@pytest.mark.parametrize("operation", ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"])
def test_a_deployment_that_is_deleted_goes_with_all_it_is_made_of(operation: str, *, after: bool) -> None:
    """A deletion without an answer is asked for again, or found done."""
    world = HostingWorld()
    world.apply(manifest())
    world.until(world.is_at_rest)
    world.delete()
    lose(world, operation, after=after)
    world.until(world.is_gone)


# --- jobs


@pytest.mark.parametrize("after", FATES)
@each_row("follows", ["nothing", "deletion"])
@each_row("descriptor", [TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB], ids=lambda each: each.kind)
def test_a_job_is_created_once(descriptor: Any, follows: str, *, after: bool) -> None:
    """The name is the intent: it is in the object before the call."""
    world = World(descriptor)
    world.cluster.apply(world.manifest())
    if follows == "nothing":  # the user waits
        lose(world, "create", after=after)
        world.run(120)
        (job,) = world.aws.jobs.values()
        assert world.status["awsResource"]["arn"] == job.arn
        return
    lose(world, "create", lambda: world.cluster.delete(KEY), after=after)
    world.run(120)
    for job in world.aws.jobs.values():
        assert job.value == "Stopping"
        world.aws.move(job.name, "Stopped")
    world.run(120)
    assert world.obj is None


@pytest.mark.parametrize("after", FATES)
@pytest.mark.parametrize("descriptor", [TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB], ids=lambda each: each.kind)
def test_a_job_whose_stop_has_no_answer_is_stopped(descriptor: Any, *, after: bool) -> None:
    """And its object goes with its end."""
    world = World(descriptor)
    world.cluster.apply(world.manifest())
    world.run(120)
    world.cluster.delete(KEY)
    lose(world, "stop", after=after)
    world.run(60)
    (job,) = world.aws.jobs.values()
    assert job.value == "Stopping"
    world.aws.move(job.name, "Stopped")
    world.run(120)
    assert world.obj is None


@pytest.mark.parametrize("after", FATES)
@each_row("follows", ["new", "old", "other"])
@each_row("operation", ["add tags", "delete tags"])
def test_a_job_bears_the_tags_of_its_newest_spec(operation: str, follows: str, *, after: bool) -> None:
    """What a call without an answer may have put there is taken off where it is not wanted."""
    tags: Mapping[str, list[dict[str, str]]] = {
        "old": [{"key": "team", "value": "a"}, {"key": "cost", "value": "1"}],
        "new": [{"key": "team", "value": "b"}, {"key": "stage", "value": "test"}],
        "other": [{"key": "cost", "value": "2"}],
    }
    world = World()
    obj = world.manifest()
    obj["spec"]["tags"] = tags["old"]
    world.cluster.apply(obj)
    world.run(120)
    world.cluster.edit(KEY, {**world.obj["spec"], "tags": tags["new"]})
    wanted = {**world.obj["spec"], "tags": tags[follows]}
    lose(world, operation, lambda: world.cluster.edit(KEY, wanted), after=after)
    world.run(120)
    (job,) = world.aws.jobs.values()
    given = {key: value for key, value in job.tags.items() if "/" not in key}
    assert given == {each["key"]: each["value"] for each in tags[follows]}


# --- autoscaling policies


@pytest.mark.parametrize("after", FATES)
@each_row("follows", ["new", "old", "other", "deletion"])
@each_row(
    "operation", ["RegisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy", "DeregisterScalableTarget"]
)
def test_a_policy_is_on_the_variants_of_its_newest_spec(operation: str, follows: str, *, after: bool) -> None:
    """With the bounds of that, and nowhere else."""
    specs: Mapping[str, tuple[str, int]] = {"old": ("ab", 4), "new": ("bc", 6), "other": ("a", 5)}
    resource_ids = {"a": A, "b": B, "c": C}
    world = ScalingWorld()
    world.cluster.apply(scaling_world.manifest(*specs["old"]))
    world.run(120)
    world.edit(scaling_world.manifest(*specs["new"]))
    if follows == "deletion":
        lose(world, operation, lambda: world.cluster.delete(scaling_world.KEY), after=after)
        world.run(600, step_s=5)
        assert (world.obj, world.aws.put, world.aws.bounds) == (None, set(), {})
        return
    lose(world, operation, lambda: world.edit(scaling_world.manifest(*specs[follows])), after=after)
    world.run(600, step_s=5)
    variants, maximum = specs[follows]
    assert world.aws.put == {(resource_ids[each], "busy") for each in variants}
    assert world.aws.bounds == {resource_ids[each]: maximum for each in variants}


def test_an_own_configuration_that_is_not_recorded_is_no_drift() -> None:
    """A backup from before the update is restored: the endpoint is switched back, and nobody else is blamed for it."""
    world = HostingWorld()
    world.apply(manifest())
    world.until(world.is_at_rest)
    backup = world.obj
    world.apply(manifest(version="2"))
    world.until(lambda: world.status.get("endpointStatus") == "Updating")
    world.until(lambda: next(iter(world.aws.endpoints.values())).value == "InService")
    world.apply(backup)
    _serves(world, manifest())
