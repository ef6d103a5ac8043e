"""The namespace names role and account: what AWS has is changed only while the operator's view of it is current."""

from dataclasses import dataclass, replace

import pytest

from api.meta import JsonObject
from controller.reconcile.namespaces.settings import NamespaceSettings
from controller.runtime.errors import ClassifiedError, ErrorClass
from tests.fakes.world import World
from tests.faults import component_world, hosting_world
from tests.faults.component_world import ComponentWorld
from tests.faults.hosting_world import HostingWorld


@dataclass
class Namespaces:
    """`Namespaces` without annotations, which may lag behind the API server."""

    is_behind: bool = False

    def of(self, name: str) -> NamespaceSettings:
        """See `Namespaces.of`."""
        return NamespaceSettings(name, {})

    def confirm(self, settings: NamespaceSettings, seen_at: float) -> None:
        """See `Namespaces.confirm`."""
        if self.is_behind:
            raise ClassifiedError(ErrorClass.CONFLICT, "NamespaceChanged", f"namespace {settings.name} has changed")


@pytest.mark.parametrize(
    ("kind_of_world", "made", "edited", "operation"),
    [
        pytest.param(
            HostingWorld,
            hosting_world.manifest(),
            hosting_world.manifest(count=3),
            "UpdateEndpointWeightsAndCapacities",
            id="endpoint",
        ),
        pytest.param(
            ComponentWorld,
            component_world.manifest(),
            component_world.manifest(image="image:2"),
            "UpdateInferenceComponent",
            id="component",
        ),
    ],
)
def test_an_update_waits_until_the_namespace_is_known(
    kind_of_world: type[World], made: JsonObject, edited: JsonObject, operation: str
) -> None:
    """It may be another account's meanwhile."""
    namespaces, operator = Namespaces(), kind_of_world()
    operator.settings = replace(operator.settings, namespaces=namespaces)
    operator.restart()
    operator.cluster.apply(made)
    operator.run(300)
    namespaces.is_behind = True
    operator.cluster.apply(edited)
    operator.run(60)
    assert operator.aws.count(operation) == 0

    namespaces.is_behind = False
    operator.run(300)
    assert operator.aws.count(operation) == 1
