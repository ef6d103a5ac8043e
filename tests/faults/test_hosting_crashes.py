"""Crashes of the operator at every effect in the life of a hosting deployment (DESIGN 5)."""

from collections.abc import Callable
from typing import Any

import pytest

from api.annotations import RECONCILE_AT
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import HOSTING_DEPLOYMENT
from controller.aws.errors import AwsError
from controller.reconcile.effects import Effect
from controller.runtime.errors import ErrorClass
from tests.fakes.crashes import CrashPoint
from tests.faults.hosting_world import KEY, HostingWorld, manifest

pytestmark = pytest.mark.long


def _serves(world: HostingWorld, version: str, count: int = 1) -> None:
    """One endpoint that runs with this version; its model and configuration, and nothing else, at SageMaker."""
    world.until(world.is_at_rest)
    world.run(60, step_s=10)
    assert world.is_at_rest()
    (endpoint,) = world.aws.endpoints.values()
    assert world.aws.version_of(endpoint.config) == version
    assert endpoint.numbers.get("a", 1) == count


def _ends(world: HostingWorld) -> None:
    world.delete()
    world.until(lambda: world.obj is None)
    world.run(60, step_s=10)
    assert world.is_gone()


def lives(world: HostingWorld) -> None:
    """Created, switched to another model, given another count, deleted."""
    world.apply(manifest())
    _serves(world, "1")
    world.apply(manifest(version="2"))
    _serves(world, "2")
    world.apply(manifest(version="2", count=3))
    _serves(world, "2", 3)
    _ends(world)


def waits(world: HostingWorld) -> None:
    """Changed twice before it is in service: only the newest counts."""
    world.apply(manifest())
    world.until(lambda: world.status.get("endpointStatus") == "Creating")
    world.apply(manifest(version="2"))
    world.run(2)
    world.apply(manifest(version="3"))
    _serves(world, "3")
    assert world.sagemaker.operations.count("UpdateEndpoint") == 1


def fails(world: HostingWorld) -> None:
    """An update that fails, and another spec that cures it."""
    world.aws.bad_version = "bad"
    world.apply(manifest(version="bad"))
    world.until(lambda: "the model does not load" in world.status.get("additional", ""))
    world.run(600, step_s=20)
    # A process that dies between SageMaker's answer and its note of it tries once more; never again.
    assert world.sagemaker.operations.count("UpdateEndpoint") <= 1 + world.crashes
    world.apply(manifest(version="good"))
    _serves(world, "good")
    _ends(world)


def is_deleted_early(world: HostingWorld) -> None:
    """Deleted while the endpoint is being created."""
    world.apply(manifest())
    world.until(lambda: bool(world.aws.endpoints) or world.crashes > 0)
    _ends(world)


def is_deleted_at_once(world: HostingWorld) -> None:
    """Deleted while the children are being made."""
    world.apply(manifest())
    world.run(1)
    _ends(world)


def is_tagged_otherwise(world: HostingWorld) -> None:
    """Its tags are edited: nothing is made anew, and every resource bears the new ones."""
    there = world.aws.left
    world.apply(manifest(tags=[{"key": "team", "value": "b"}]))
    world.run(150, step_s=5)
    assert world.aws.left == there
    for request in (*(each.request for each in world.aws.endpoints.values()), *world.aws.configs.values(),
                    *world.aws.models.values()):  # fmt: skip
        given = {tag["Key"]: tag["Value"] for tag in request["Tags"] if "/" not in tag["Key"]}
        assert given == {"team": "b"}
    _serves(world, "1")


TAGGED = manifest(tags=[{"key": "team", "value": "a"}, {"key": "stage", "value": "test"}])
LIVES = [
    *(pytest.param(each, None, id=each.__name__) for each in (lives, waits, is_deleted_early, is_deleted_at_once)),
    pytest.param(fails, manifest(), id="fails"),
    pytest.param(is_tagged_otherwise, TAGGED, id="is_tagged_otherwise"),
]
"""Each with the deployment that is in service before: `lives` is what dies while it is being created."""


def _world(before: JsonObject | None) -> HostingWorld:
    """Return a world whose operator has just been started; `before` is in service."""
    world = HostingWorld()
    if before is not None:
        world.apply(before)
        _serves(world, "1")
        world.restart()
    return world


def _points(life: Callable[[HostingWorld], None], before: JsonObject | None) -> list[CrashPoint]:
    """Return where the undisturbed run can die. Events apart: nothing depends on them, and tests are to be fast."""
    world = _world(before)
    life(world)
    return world.crash.points(besides=frozenset({Effect.EMIT_EVENT}))


@pytest.mark.parametrize("half", [0, 1], ids=["one half", "the other half"])  # for two processes
@pytest.mark.parametrize(("life", "before"), LIVES)
def test_a_crash_at_any_effect_changes_nothing_in_the_end(
    life: Callable[[HostingWorld], None], before: JsonObject | None, half: int, subtests: pytest.Subtests
) -> None:
    """Nothing is made twice, orphaned or lost, and nothing that a live endpoint uses is deleted."""
    for point in _points(life, before)[half::2]:
        with subtests.test(str(point)):
            world = _world(before)
            world.crash.die_at(point)
            life(world)
            assert world.crashes == 1


def test_an_endpoint_at_rest_costs_nothing_but_lists() -> None:
    """No Describe, no write to Kubernetes (D-01, D-02)."""
    world = HostingWorld()
    world.apply(manifest())
    world.until(world.is_at_rest)
    world.run(30)
    calls, writes = len(world.sagemaker.operations), sum(len(cluster.writes) for cluster in world.clusters.values())
    world.run(3600, step_s=5.0)
    assert set(world.sagemaker.operations[calls:]) == {"ListEndpoints"}
    assert sum(len(cluster.writes) for cluster in world.clusters.values()) == writes


def test_a_process_that_may_not_act_has_no_effect() -> None:
    """DESIGN 4.10: the fence is asked before every effect, children included."""
    world = HostingWorld()
    world.fence.is_open = False
    world.apply(manifest())
    world.run(30)
    assert world.aws.left == []
    assert all(not cluster.writes for cluster in world.clusters.values())


@pytest.mark.parametrize("kind", ["EndpointConfig", "Model"])
@pytest.mark.parametrize("value", ["Creating", "Updating", "InService"])
def test_children_that_somebody_deletes_stay_as_long_as_an_endpoint_is_made_of_them(kind: str, value: str) -> None:
    """D-21: AWS lets configurations in use be deleted, and updates no endpoint any more that has lost its own.

    While SageMaker is busy the status tells the configuration from before, so no child is known to be superfluous.
    """
    world = HostingWorld()
    world.apply(manifest())
    if value != "Creating":
        world.until(world.is_at_rest)
    if value == "Updating":
        world.apply(manifest(version="2"))
    world.until(lambda: bool(world.aws.endpoints) and next(iter(world.aws.endpoints.values())).value == value)
    cluster = world.clusters[kind]
    for key in cluster.keys():  # noqa: SIM118 (not a mapping)
        cluster.delete(key)
    _serves(world, "2" if value == "Updating" else "1")


def test_children_of_a_deployment_without_a_status_stay_until_it_is_known_what_serves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The status is emptied by hand while SageMaker is not to be asked for a minute: the endpoint serves all the same.

    AWS lets configurations in use be deleted (D-21).
    """
    world = HostingWorld()
    world.apply(manifest())
    _serves(world, "1")
    deployments = world.clusters["HostingDeployment"]
    denied = AwsError(ErrorClass.DENIED, "AccessDeniedException", "no")
    describe = world.aws.describe

    def refuse(descriptor: KindDescriptor, *args: Any, **kwargs: Any) -> Any:
        if descriptor is HOSTING_DEPLOYMENT:
            raise denied
        return describe(descriptor, *args, **kwargs)

    monkeypatch.setattr(world.aws, "describe", refuse)
    for _ in range(2):  # the first refusal is told, then AWS is left alone for a while
        deployments.lose_status(KEY)
        world.run(5)
    assert world.status == {}
    for kind in ("EndpointConfig", "Model"):
        for key in world.clusters[kind].keys():  # noqa: SIM118 (not a mapping)
            world.clusters[kind].delete(key)
    world.run(200, step_s=10)
    assert len(world.aws.left) == 3
    monkeypatch.undo()
    _serves(world, "1")


@pytest.mark.parametrize("is_asked_before", [False, True])
def test_a_model_that_no_variant_uses_is_made_anew_where_somebody_deletes_it(*, is_asked_before: bool) -> None:
    """Nothing keeps it, and nothing has failed: without its name the wanted configuration is not known for a while.

    That a look was asked for one day makes no drift of it.
    """
    world = HostingWorld()
    models = manifest()["spec"]["models"]
    world.apply(manifest(models=[*models, {**models[0], "name": "spare"}]))
    world.until(lambda: world.status.get("endpointStatus") == "InService")
    world.run(60, step_s=5)
    if is_asked_before:
        obj = world.obj or {}
        obj["metadata"]["annotations"][RECONCILE_AT.key] = "now"
        world.apply(obj)
        world.run(60, step_s=5)
    (spare,) = [key for key in world.clusters["Model"].keys() if key.name.startswith("spare")]  # noqa: SIM118
    world.clusters["Model"].delete(spare)
    world.run(120, step_s=5)
    assert {each["type"]: each["status"] for each in world.status["conditions"]}["Stalled"] == "False"
    assert len(world.aws.models) == 2
    assert world.sagemaker.operations.count("UpdateEndpoint") == 0
