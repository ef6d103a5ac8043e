"""Namespaces with `deletion-policy: retain`: users' deletions leave AWS alone; the operator clears up after updates."""

from dataclasses import dataclass, field, replace

import pytest

from api.annotations import DELETION_POLICY
from api.meta import ObjectKey
from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile.namespaces.settings import NamespaceSettings
from tests.faults.hosting_world import HostingWorld, manifest
from tests.faults.test_replaced_children import annotate

KINDS = (MODEL.kind, ENDPOINT_CONFIG.kind)


@dataclass
class Retaining:
    """`Namespaces` of which each retains."""

    annotations: dict[str, str] = field(default_factory=lambda: {DELETION_POLICY.key: "retain"})

    def of(self, name: str) -> NamespaceSettings:
        """See `Namespaces.of`."""
        return NamespaceSettings(name, self.annotations)

    def confirm(self, settings: NamespaceSettings, seen_at: float) -> None:
        """See `Namespaces.confirm`: they never change."""


def retaining_world() -> HostingWorld:
    """A world at rest, in a namespace that retains."""
    world = HostingWorld()
    world.settings = replace(world.settings, namespaces=Retaining())
    world.restart()
    world.apply(manifest())
    world.until(world.is_at_rest)
    return world


def children(world: HostingWorld) -> list[ObjectKey]:
    """The objects of models and configurations."""
    return [key for kind in KINDS for key in world.clusters[kind].keys()]  # noqa: SIM118 (no mapping)


def test_what_an_update_supersedes_is_deleted_at_aws() -> None:
    """No one has deleted an object: each update would leave a model and a configuration behind."""
    world = retaining_world()
    world.apply(manifest(version="2"))
    world.until(world.is_at_rest)
    assert len(children(world)) == 2


def test_a_superseded_child_that_asks_for_it_itself_is_retained() -> None:
    """An annotation on the object outranks what is usual for children."""
    world = retaining_world()
    ((name, _),) = world.aws.models.items()
    (key,) = world.clusters[MODEL.kind].keys()
    annotate(world.clusters[MODEL.kind], key, DELETION_POLICY.key, "retain")
    world.apply(manifest(version="2"))
    world.until(lambda: world.is_ready() and len(children(world)) == 2)
    assert name in world.aws.models
    assert len(world.aws.left) == 4


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
def test_a_deployment_that_is_deleted_leaves_all_that_it_serves_with(*, restarts: bool) -> None:
    """Its children go with it, and leave AWS alone as it does."""
    world = retaining_world()
    before = world.aws.left
    world.has_garbage_collector = True
    world.delete()
    if restarts:
        world.run(1)
        world.restart()
    world.until(lambda: world.obj is None and not children(world))
    world.run(120)
    assert world.aws.left == before


def test_children_of_a_deployment_that_went_by_force_leave_aws_alone() -> None:
    """Its finalizer was removed by hand: what the endpoint runs with stays."""
    world = retaining_world()
    before = world.aws.left
    world.has_garbage_collector = True
    world.cluster.remove(world.key)
    world.until(lambda: not children(world))
    assert world.aws.left == before
