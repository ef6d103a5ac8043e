"""A deployment that needs nothing is left alone until something changes that a decision depends on."""

from collections.abc import Callable
from typing import Any

import pytest

from api.annotations import PAUSED
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.reconcile.endpoint.perform import EndpointLifeCycle
from controller.reconcile.namespaces.settings import NamespaceSettings, UnreadNamespaces
from tests.faults.hosting_world import KEY, HostingWorld, manifest


@pytest.fixture
def world() -> HostingWorld:
    """In service, and told so."""
    made = HostingWorld()
    made.apply(manifest())
    made.until(made.is_at_rest)
    made.run(30)
    return made


@pytest.fixture
def looks(world: HostingWorld, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Enqueues the deployment, and says whether it was looked at."""
    observed: list[Any] = []
    observe = EndpointLifeCycle.observe

    def counted(self: EndpointLifeCycle, managed: Any) -> Any:
        observed.append(managed)
        return observe(self, managed)

    monkeypatch.setattr(EndpointLifeCycle, "observe", counted)

    def look() -> bool:
        observed.clear()
        world.reconcilers[HOSTING_DEPLOYMENT.kind].reconcile(KEY)
        return bool(observed)

    return look


def test_nothing_new_is_nothing_to_do(looks: Callable[[], bool]) -> None:
    """However often it is enqueued."""
    assert not looks()
    assert not looks()


def _touch(kind: str) -> Callable[[HostingWorld], None]:
    return lambda world: world.clusters[kind].touch(next(iter(world.clusters[kind].keys())))


class _Annotated(UnreadNamespaces):
    def of(self, name: str) -> NamespaceSettings:
        """See `Namespaces.of`."""
        return NamespaceSettings(name, {PAUSED.key: "false"})


def _annotate_namespace(world: HostingWorld) -> None:
    object.__setattr__(world.settings, "namespaces", _Annotated())


def _change_at_aws(world: HostingWorld) -> None:
    (endpoint,) = world.aws.endpoints.values()
    endpoint.modified = world.clock.utcnow()
    endpoint.value = "SystemUpdating"
    world.clock.advance(120)
    while world.tracker.step():
        pass


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_touch(HOSTING_DEPLOYMENT.kind), id="the object"),
        pytest.param(_touch(MODEL.kind), id="a model"),
        pytest.param(_touch(ENDPOINT_CONFIG.kind), id="the configuration"),
        pytest.param(_annotate_namespace, id="what its namespace says"),
        pytest.param(_change_at_aws, id="what a list shows"),
        pytest.param(lambda world: world.clock.advance(600), id="ten minutes"),
        pytest.param(lambda world: world.restart(), id="the process"),
    ],
)
def test_every_change_that_a_decision_depends_on_ends_the_rest(
    world: HostingWorld, looks: Callable[[], bool], change: Callable[[HostingWorld], None]
) -> None:
    """Whatever enqueues the object: the versions are compared, not the reason."""
    assert not looks()
    change(world)
    assert looks()


def test_a_policy_that_claims_a_variant_ends_the_rest(
    world: HostingWorld, looks: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether an update resets what autoscaling has made of the counts depends on it (D-17b)."""
    policy = {"metadata": {"uid": "u", "resourceVersion": "1", "namespace": "default", "name": "p"}}
    life_cycle: Any = world.reconcilers[HOSTING_DEPLOYMENT.kind]
    monkeypatch.setattr(
        life_cycle._life_cycle._policies, "by_index", lambda *_: [{**policy, "spec": {"region": "us-east-2"}}]
    )
    assert looks()
    assert not looks()
