"""The operator between the embedded API server and the embedded SageMaker, all in one thread and on one clock."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import KINDS
from controller.reconcile.managed.pruning import PruningWriter
from tests.every_property.amazon import EmbeddedAws
from tests.every_property.kubernetes import NAMESPACE, EmbeddedApi, EmbeddedCluster, client_of, clusters_of
from tests.every_property.oracle import CONFIG_MAPS
from tests.fakes.cluster import FakeCluster
from tests.fakes.kstatus import kstatus
from tests.fakes.world import World

_RUNNING: Final = frozenset({"InProgress", "Executing"})
PATIENCE_S: Final = 1800.0
"""Of the fake clock: retries of refused specs come within minutes."""


class EmbeddedWorld(World):
    """Every kind is served; the first is the one that a sequence is about."""

    cluster: EmbeddedCluster

    def __init__(self, api: EmbeddedApi, descriptor: KindDescriptor, name: str) -> None:
        self._api = api
        others = [each for each in KINDS if each is not descriptor]
        super().__init__(descriptor, *others, key=ObjectKey(NAMESPACE, name), collects=True)
        for each, data in CONFIG_MAPS.items():
            self.config_maps.put(each, data, namespace=NAMESPACE)

    def _new_clusters(self, kinds: Sequence[KindDescriptor]) -> dict[str, FakeCluster]:
        return dict(clusters_of(self._api, kinds, self.clock))

    def _new_writer(self) -> Any:
        return PruningWriter(client_of(self._api))

    def _new_sagemaker(self) -> Any:
        return EmbeddedAws(self.clock)

    @property
    def conditions(self) -> dict[str, JsonObject]:
        """Its conditions by type."""
        return {each["type"]: each for each in self.status.get("conditions") or ()}

    def becomes(self, look: Callable[[], bool]) -> bool:
        """Whether it is so: once an object is settled, all is done in this thread."""
        return look()

    def settle(self, within_s: float = PATIENCE_S) -> bool:
        """Let time pass until the object says that it is done, or refused; whether it did."""
        end = self.clock.monotonic() + within_s
        told: JsonObject | None = None
        while not self._is_settled():
            if self.clock.monotonic() >= end:
                return False
            # What is refused is tried again: the same words after the next try are the last ones.
            if self.conditions.get("Synced", {}).get("status") == "False" and self._is_current():
                if told == (told := self.conditions):
                    return True
                self.run(60, step_s=2)
            else:
                self.run(2, step_s=1)
        return True

    def _is_current(self) -> bool:
        return is_current(self.cluster.peek(self.key) or {})

    def _is_settled(self) -> bool:
        obj = self.cluster.peek(self.key)
        return obj is None or is_settled(self.descriptor, obj)


def is_current(obj: JsonObject) -> bool:
    """Whether the status is about the newest spec."""
    return bool((obj.get("status") or {}).get("observedGeneration") == obj["metadata"]["generation"])


def is_settled(descriptor: KindDescriptor, obj: JsonObject) -> bool:
    """Whether the object says that it is done, or that it cannot be; a job need not have ended."""
    if not is_current(obj):
        return False
    if descriptor.status.member and obj["status"].get(descriptor.status.field) in _RUNNING:
        return True
    return kstatus(obj["status"], obj["metadata"]["generation"]) in {"Current", "Failed"}
