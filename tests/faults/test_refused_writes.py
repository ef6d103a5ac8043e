"""What Kubernetes refuses is shown: a ResourceQuota on children, an admission policy on the operator's own writes.

One condition and one Warning with the API server's words; AWS is followed meanwhile; tried again every few minutes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from api.descriptor import KindDescriptor
from api.meta import FINALIZER
from api.v1 import BATCH_TRANSFORM_JOB, ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL, PROCESSING_JOB, TRAINING_JOB
from controller.kube.errors import Forbidden, Invalid
from tests.fakes.world import World
from tests.faults import hosting_world, scaling_world, tuning_world
from tests.faults.hosting_world import HostingWorld
from tests.faults.scaling_world import ScalingWorld
from tests.faults.tuning_world import TuningWorld
from tests.tables import each_row

WORDS = "exceeded quota: few, requested: count/models=1, used: count/models=0, limited: count/models=0"
JOBS = (TRAINING_JOB, BATCH_TRANSFORM_JOB, PROCESSING_JOB)

Matches = Callable[[str, str, Mapping[str, Any]], bool]


def refusing(world: World, matches: Matches, *, is_invalid: bool = False) -> None:
    """The API server refuses writes, by verb, kind and body."""

    def admit(verb: str, kind: str, body: Mapping[str, Any]) -> None:
        if matches(verb, kind, body):
            raise Invalid("Invalid", WORDS, status=422) if is_invalid else Forbidden("Forbidden", WORDS, status=403)

    world.writer.admission = admit


def allowing(world: World) -> None:
    """It does not any more."""
    world.writer.admission = lambda verb, kind, body: None


def finalizers(verb: str, kind: str, body: Mapping[str, Any]) -> bool:
    """Whether a write is about finalizers."""
    return verb == "patch" and "finalizers" in body.get("metadata", {})


def statuses(verb: str, kind: str, body: Mapping[str, Any]) -> bool:
    """Whether a write is about a status."""
    return verb == "status"


def is_shown(world: World) -> bool:
    """Whether the status says so, in the API server's words, and one Warning did."""
    reconciling = world.condition("Reconciling") == ("True", "KubernetesRefused")
    synced = world.condition("Synced") == ("False", "KubernetesRefused")
    is_quoted = WORDS in str(world.status.get("additional"))
    return reconciling and synced and is_quoted and world.reasons().count("KubernetesRefused") == 1


WORLDS: dict[str, Callable[[], World]] = {
    **{kind.kind: lambda kind=kind: World(kind) for kind in JOBS},  # type: ignore[misc]
    "HostingDeployment": HostingWorld,
    "HostingAutoscalingPolicy": ScalingWorld,
    "HyperparameterTuningJob": TuningWorld,
}


def applied(world: World) -> None:
    """The object of the world's kind is there."""
    if isinstance(world, HostingWorld):
        world.apply(hosting_world.manifest())
    elif isinstance(world, ScalingWorld):
        world.cluster.apply(scaling_world.manifest("a"))
    elif isinstance(world, TuningWorld):
        world.cluster.apply(tuning_world.manifest())
    else:
        world.cluster.apply(world.manifest())


@pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS)
@each_row("is_invalid", [False, True], ids=["Forbidden", "Invalid"])
def test_a_refused_finalizer_is_shown_and_nothing_is_created(make: Callable[[], World], is_invalid: bool) -> None:
    """Without it a resource could be left behind. Once it is accepted, the object goes on by itself."""
    world = make()
    refusing(world, finalizers, is_invalid=is_invalid)
    applied(world)
    world.run(60)

    assert is_shown(world), world.status
    assert not [each for each in world.sagemaker.operations if each.startswith("Create")]
    writes = len(world.cluster.history)
    world.run(900, step_s=5)
    assert len(world.cluster.history) == writes, "no write loop"

    allowing(world)
    world.until(lambda: world.condition("Synced") == ("True", "Synced"), within_s=900)


@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.kind)
def test_a_refused_release_is_shown(kind: KindDescriptor) -> None:
    """The object stays, and says why; the job was stopped."""
    world = World(kind)
    world.cluster.apply(world.manifest())
    world.run(10)
    name = world.status["awsResource"]["name"]
    refusing(world, finalizers)
    world.cluster.delete(world.key)
    world.run(10)
    world.aws.move(name, "Stopped")
    world.run(300)

    assert world.obj["metadata"]["finalizers"] == [FINALIZER]
    assert is_shown(world), world.status
    assert world.aws.count("stop") == 1

    allowing(world)
    world.until(lambda: world.obj is None, within_s=900)


@pytest.mark.parametrize("kind", JOBS, ids=lambda kind: kind.kind)
def test_a_refused_status_is_reported_by_one_event(kind: KindDescriptor) -> None:
    """Nothing else can say it. The job is created once."""
    world = World(kind)
    refusing(world, statuses)
    world.cluster.apply(world.manifest())
    world.run(900, step_s=5)

    assert world.status == {}
    assert world.reasons().count("KubernetesRefused") == 1
    assert world.aws.count("create") == 1

    allowing(world)
    world.until(lambda: world.condition("Synced") == ("True", "Synced"), within_s=900)
    assert world.aws.count("create") == 1


@pytest.mark.parametrize("child", [MODEL, ENDPOINT_CONFIG], ids=lambda kind: kind.kind)
def test_refused_children_of_a_new_deployment_are_shown(child: KindDescriptor) -> None:
    """A quota on models or configurations; not an endless loop without a word."""
    world = HostingWorld()
    refusing(world, lambda verb, kind, body: verb == "create" and kind == child.kind)
    world.apply(hosting_world.manifest())
    world.run(300)

    assert is_shown(world), world.status
    assert world.condition("Ready")[0] == "False"  # type: ignore[index]

    allowing(world)
    world.until(world.is_at_rest, within_s=1500)


def test_refused_children_of_an_edited_deployment_are_shown_with_its_endpoint() -> None:
    """The endpoint serves on, and what AWS changes of it meanwhile is shown; the edit is not applied, which is said."""
    world = HostingWorld()
    world.apply(hosting_world.manifest())
    world.until(world.is_at_rest)
    refusing(world, lambda verb, kind, body: verb == "create")
    world.apply(hosting_world.manifest(version="2"))
    world.run(120)

    assert is_shown(world), world.status
    assert world.value == "InService"
    assert world.status["observedGeneration"] == world.obj["metadata"]["generation"]
    (endpoint,) = world.aws.endpoints.values()
    endpoint.value, endpoint.until = "SystemUpdating", world.clock.monotonic() + 600
    endpoint.next_config, endpoint.modified = endpoint.config, world.clock.utcnow()
    world.until(lambda: world.value == "SystemUpdating", within_s=600)

    allowing(world)
    world.until(world.is_at_rest, within_s=1500)
    assert world.sagemaker.operations.count(HOSTING_DEPLOYMENT.operations.create) == 1


def test_refused_objects_of_launched_jobs_keep_no_end_from_being_shown() -> None:
    """A quota on TrainingJobs: the tuning job itself completes, and says why its jobs have no objects."""
    world = TuningWorld()
    refusing(world, lambda verb, kind, body: verb == "create" and kind == TRAINING_JOB.kind)
    world.cluster.apply(tuning_world.manifest())
    world.run(10)
    name = world.status["awsResource"]["name"]
    world.aws.launch(name, 2)
    world.run(120)
    assert world.condition("Synced") == ("False", "SpawnFailed")
    assert WORDS in world.status["additional"]
    world.aws.end_all(name, "Completed")
    world.aws.move(name, "Completed")

    world.until(lambda: world.value == "Completed", within_s=600)
    assert WORDS in world.status["additional"]
    assert world.reasons().count("SpawnFailed") == 1
