"""The ConfigMaps of an API server in memory, with its errors."""

from collections.abc import Mapping

from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.errors import NotFound
from controller.kube.well_known import CONFIG_MAPS
from controller.runtime.errors import ClassifiedError


class FakeConfigMaps:
    """`controller.reconcile.ports.ObjectGetter` of ConfigMaps, and of nothing else."""

    def __init__(self) -> None:
        self._objects: dict[ObjectKey, JsonObject] = {}
        self.gets = 0
        """How many there were."""
        self.faults: list[ClassifiedError] = []
        """The answers to the next GETs."""
        self.fault: ClassifiedError | None = None
        """The answer to all of them."""

    def put(self, name: str, data: Mapping[str, str], *, namespace: str = "default", **fields: object) -> None:
        """Create or replace one."""
        self._objects[ObjectKey(namespace, name)] = {"data": dict(data), **fields}

    def remove(self, name: str, *, namespace: str = "default") -> None:
        """Delete one."""
        del self._objects[ObjectKey(namespace, name)]

    def get(self, resource: Resource, key: ObjectKey) -> JsonObject:
        """See `ObjectGetter.get`."""
        assert resource == CONFIG_MAPS
        self.gets += 1
        if self.faults:
            raise self.faults.pop(0)
        if self.fault is not None:
            raise self.fault
        if key not in self._objects:
            raise NotFound("NotFound", f'configmaps "{key.name}" not found', status=404)
        return self._objects[key]
