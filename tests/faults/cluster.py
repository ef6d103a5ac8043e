"""The objects of an API server in memory, and a store that sees them as late as a test wants."""

from collections.abc import Callable
from typing import Any

import orjson

from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.errors import Conflict, ConnectionFailed, NotFound
from controller.reconcile.status.patch import rfc3339
from tests.fakes import FakeClock


def copied(obj: Any) -> Any:
    """Return a copy of what is made of JSON, as a reader gets it over HTTP: many times faster than `deepcopy`."""
    return orjson.loads(orjson.dumps(obj, option=orjson.OPT_PASSTHROUGH_DATETIME))


def silence(n: int, *, after: bool) -> Callable[[int, bool], None]:
    """Return a fault for which the n-th patch has no answer; it is stored if `after`."""

    def fail(number: int, is_after: bool) -> None:
        if number == n and is_after is after:
            raise ConnectionFailed("RequestTimeout", "no reply")

    return fail


class FakeCluster:
    """Objects with versions, generations, finalizers and a status of their own. `store` is what informers know."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._version = 100
        self._objects: dict[ObjectKey, JsonObject] = {}
        self.store = LaggingStore(self)
        self.writes: list[JsonObject] = []
        """Bodies of the patches that changed something."""
        self.history: list[JsonObject] = []
        """Every version of every object, to look at only."""
        self.patches = 0
        self.fault: Callable[[int, bool], None] = lambda n, after: None
        """Called before and after the n-th patch takes effect; what it raises is the answer."""

    # --- the user's side

    def apply(self, obj: JsonObject) -> JsonObject:
        """Create an object, or replace its spec and annotations."""
        key = ObjectKey.of(obj)
        current = self._objects.get(key)
        if current is None:
            new = copied(obj)
            new["metadata"] |= {
                "uid": f"a92f5e3c-f07b-11e9-bf6c-{self._version:012d}",
                "generation": 1,
                "creationTimestamp": rfc3339(self._clock.utcnow()),
            }
        else:
            new = copied(current)
            new["spec"] = copied(obj["spec"])
            new["metadata"]["annotations"] = dict(obj["metadata"].get("annotations", {}))
        return self._put(key, new, current)

    def delete(self, key: ObjectKey) -> None:
        """Ask for deletion."""
        current = self._objects[key]
        if not current["metadata"].get("finalizers"):
            del self._objects[key]
            return
        if "deletionTimestamp" not in current["metadata"]:
            new = copied(current)
            new["metadata"]["deletionTimestamp"] = rfc3339(self._clock.utcnow())
            new["metadata"]["generation"] += 1
            self._put(key, new, current)

    def remove(self, key: ObjectKey) -> None:
        """Somebody takes the finalizers off what is being deleted: it is gone."""
        del self._objects[key]

    def touch(self, key: ObjectKey) -> None:
        """Somebody sets a label: a new version."""
        current = self._objects[key]
        new = copied(current)
        new["metadata"].setdefault("labels", {})["touched"] = str(self._version)
        self._put(key, new, current)

    def lose_status(self, key: ObjectKey) -> None:
        """Somebody empties the status, or leaves it out."""
        current = self._objects[key]
        new = copied(current)
        del new["status"]
        self._put(key, new, current)

    def get(self, key: ObjectKey) -> JsonObject | None:
        """The object as it is."""
        return copied(self._objects.get(key))

    def peek(self, key: ObjectKey) -> JsonObject | None:
        """The object itself, to look at only: each write makes a new one."""
        return self._objects.get(key)

    def keys(self) -> list[ObjectKey]:
        """All objects."""
        return list(self._objects)

    # --- the port

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """See `controller.reconcile.ports.ObjectWriter.patch`."""
        self.patches += 1
        number = self.patches
        self.fault(number, False)
        result = self._patch(key, body, subresource)
        self.fault(number, True)
        return result

    def _patch(self, key: ObjectKey, body: JsonObject, subresource: str) -> JsonObject:
        current = self._objects.get(key)
        if current is None:
            raise NotFound("NotFound", f"{key} not found", status=404)
        body = copied(body)
        expected = body["metadata"].pop("resourceVersion")
        if expected != current["metadata"]["resourceVersion"]:
            raise Conflict("Conflict", f"{key} has been modified", status=409)
        new = copied(current)
        if subresource == "status":
            new["status"] = _merge(new.get("status", {}), body["status"])
        else:
            body.pop("status", None)
            new = _merge(new, body)
        if new == current:
            return copied(current)
        self.writes.append(body)
        return self._put(key, new, current)

    def _put(self, key: ObjectKey, new: JsonObject, current: JsonObject | None) -> JsonObject:
        if current is not None and new.get("spec") != current.get("spec"):
            new["metadata"]["generation"] += 1
        self._version += 1
        new["metadata"]["resourceVersion"] = str(self._version)
        self.history.append(new)
        if "deletionTimestamp" in new["metadata"] and not new["metadata"].get("finalizers"):
            self._objects.pop(key, None)
        else:
            self._objects[key] = new
        return copied(new)


class ClusterWriter:
    """`controller.reconcile.ports.ObjectWriter` of one cluster."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.patch = cluster.patch

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "", resource_version: str = "") -> None:
        """See `ObjectWriter.delete`."""
        current = self._cluster.get(key)
        if current is None:
            raise NotFound("NotFound", f"{key} not found", status=404)
        wanted = {"uid": uid, "resourceVersion": resource_version}
        if any(value and current["metadata"][name] != value for name, value in wanted.items()):
            raise Conflict("Conflict", f"{key} is another, or another version", status=409)
        self._cluster.delete(key)


class LaggingStore:
    """What an informer's store shows: the present, unless frozen."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._frozen: dict[ObjectKey, JsonObject | None] = {}

    def get(self, key: ObjectKey) -> JsonObject | None:
        """A fresh copy."""
        return copied(self.peek(key))

    def peek(self, key: ObjectKey) -> JsonObject | None:
        """Return the object itself, to look at only."""
        return self._frozen[key] if key in self._frozen else self._cluster.peek(key)

    def freeze(self, key: ObjectKey, version: JsonObject | None) -> None:
        """Show this version from now on."""
        self._frozen[key] = copied(version)

    def thaw(self) -> None:
        """Show the present again."""
        self._frozen.clear()


def _merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge(result.get(name), value)
    return result
