"""The objects of an API server in memory, and a store that sees them as late as a test wants."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.errors import AlreadyExists, Conflict, ConnectionFailed, NotFound
from controller.reconcile.status.patch import rfc3339
from controller.runtime.cache.store import IndexFunc
from tests.fakes.clock import FakeClock


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
    """Objects of one kind, with versions, generations, finalizers and a status. `store` is what its informer knows."""

    def __init__(self, clock: FakeClock, *, version: int = 100, indexes: Mapping[str, IndexFunc] | None = None) -> None:
        """`version` is the first; uids are made of it, so kinds of one world begin with different ones."""
        self._clock = clock
        self._version = version
        self.objects: dict[ObjectKey, JsonObject] = {}
        """To look at only: each write makes a new one."""
        self.store = LaggingStore(self, indexes or {})
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
        current = self.objects.get(key)
        if current is None:
            new = copied(obj)
            new["metadata"] |= {
                "uid": self._new_uid(key),
                "generation": 1,
                "creationTimestamp": rfc3339(self._clock.utcnow()),
            }
        else:
            new = copied(current)
            new["spec"] = copied(obj["spec"])
            new["metadata"]["annotations"] = dict(obj["metadata"].get("annotations", {}))
        return self._put(key, new, current)

    def edit(self, key: ObjectKey, spec: JsonObject) -> None:
        """Replace the spec, and nothing else."""
        self.apply({**self.objects[key], "spec": spec})

    def replace(self, obj: JsonObject) -> None:
        """Put the spec, finalizers, labels and annotations of `obj` in place of the object's, as `kubectl replace`."""
        current = self.objects[ObjectKey.of(obj)]
        new = {**copied(current), "spec": copied(obj["spec"])}
        for name in ("annotations", "finalizers", "labels", "ownerReferences"):
            new["metadata"].pop(name, None)
            if name in obj["metadata"]:
                new["metadata"][name] = copied(obj["metadata"][name])
        self._put(ObjectKey.of(obj), new, current)

    def delete(self, key: ObjectKey) -> None:
        """Request the deletion of an object."""
        current = self.objects[key]
        if not current["metadata"].get("finalizers"):
            del self.objects[key]
            return
        if "deletionTimestamp" not in current["metadata"]:
            new = copied(current)
            new["metadata"]["deletionTimestamp"] = rfc3339(self._clock.utcnow())
            new["metadata"]["generation"] += 1
            self._put(key, new, current)

    def remove(self, key: ObjectKey) -> None:
        """Remove an object at once, as taking off the finalizers of a deleted one does."""
        del self.objects[key]

    def touch(self, key: ObjectKey) -> None:
        """Set a label, which makes a new version."""
        current = self.objects[key]
        new = copied(current)
        new["metadata"].setdefault("labels", {})["touched"] = str(self._version)
        self._put(key, new, current)

    def lose_status(self, key: ObjectKey) -> None:
        """Remove the status, as an edit by hand or a restored backup does."""
        current = self.objects[key]
        new = copied(current)
        del new["status"]
        self._put(key, new, current)

    def rewrite_status(self, key: ObjectKey, change: Callable[[JsonObject], None]) -> None:
        """Change the status, as other versions of an operator or a restored backup have it."""
        current = self.objects[key]
        new = copied(current)
        change(new["status"])
        self._put(key, new, current)

    def get(self, key: ObjectKey) -> JsonObject | None:
        """The object as it is."""
        return copied(self.objects.get(key))

    def peek(self, key: ObjectKey) -> JsonObject | None:
        """The object itself, to look at only: each write makes a new one."""
        return self.objects.get(key)

    def keys(self) -> list[ObjectKey]:
        """All objects."""
        return list(self.objects)

    def _new_uid(self, key: ObjectKey) -> str:
        return f"a92f5e3c-f07b-11e9-bf6c-{self._version:012d}"

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
        current = self.objects.get(key)
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
            self.objects.pop(key, None)
        else:
            self.objects[key] = new
        return copied(new)


class ClusterWriter:
    """`controller.reconcile.ports.ObjectWriter` of clusters by kind."""

    def __init__(self, clusters: Mapping[str, FakeCluster]) -> None:
        self._clusters = clusters
        self.admission: Callable[[str, str, Mapping[str, Any]], None] = lambda verb, kind, body: None
        """Called before each write with the verb (create, patch, status or delete); what it raises is the answer."""

    def create(self, resource: Resource, namespace: str | None, body: Mapping[str, Any]) -> JsonObject:
        """See `ObjectWriter.create`."""
        self.admission("create", resource.kind, body)
        cluster = self._clusters[resource.kind]
        key = ObjectKey(namespace or "", body["metadata"]["name"])
        if cluster.peek(key) is not None:
            raise AlreadyExists("AlreadyExists", f"{key} exists", status=409)
        return cluster.apply({name: value for name, value in body.items() if name != "status"})

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """See `ObjectWriter.patch`."""
        self.admission(subresource or "patch", resource.kind, body)
        return self._clusters[resource.kind].patch(resource, key, body, subresource=subresource)

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "", resource_version: str = "") -> None:
        """See `ObjectWriter.delete`."""
        self.admission("delete", resource.kind, {})
        cluster = self._clusters[resource.kind]
        current = cluster.peek(key)
        if current is None:
            raise NotFound("NotFound", f"{key} not found", status=404)
        wanted = {"uid": uid, "resourceVersion": resource_version}
        if any(value and current["metadata"][name] != value for name, value in wanted.items()):
            raise Conflict("Conflict", f"{key} is another, or another version", status=409)
        cluster.delete(key)


class LaggingStore:
    """What an informer's store shows: the present, unless frozen."""

    def __init__(self, cluster: FakeCluster, indexes: Mapping[str, IndexFunc]) -> None:
        self._cluster = cluster
        self._indexes = indexes
        self._frozen: dict[ObjectKey, JsonObject | None] = {}
        self._moment: dict[ObjectKey, JsonObject] | None = None
        self._values: dict[str, dict[ObjectKey, tuple[JsonObject, frozenset[str]]]] = {}
        """Under which values an index has an object, which is never changed."""

    # --- the test's side

    def freeze(self, key: ObjectKey, version: JsonObject | None) -> None:
        """Show this version of an object from now on."""
        self._frozen[key] = copied(version)

    def freeze_all(self) -> None:
        """Show this moment from now on."""
        self._moment = dict(self._cluster.objects)

    def thaw(self) -> None:
        """Show the present again."""
        self._frozen.clear()
        self._moment = None

    # --- the reader's side

    def shown(self) -> Mapping[ObjectKey, JsonObject]:
        """Return the objects themselves, to look at only."""
        present = self._cluster.objects if self._moment is None else self._moment
        if not self._frozen:
            return present
        return {key: obj for key, obj in {**present, **self._frozen}.items() if obj is not None}

    def peek(self, key: ObjectKey) -> JsonObject | None:
        """Return the object itself, to look at only."""
        if key in self._frozen:
            return self._frozen[key]
        return (self._cluster.objects if self._moment is None else self._moment).get(key)

    def get(self, key: ObjectKey) -> JsonObject | None:
        """A fresh copy."""
        return copied(self.peek(key))

    def __contains__(self, key: ObjectKey) -> bool:
        return self.peek(key) is not None

    def by_index(self, name: str, value: str) -> list[JsonObject]:
        """See `Store.by_index`."""
        return [copied(obj) for obj in self._indexed(name, value)]

    def index_keys(self, name: str, value: str) -> list[ObjectKey]:
        """See `Store.index_keys`."""
        return [ObjectKey.of(obj) for obj in self._indexed(name, value)]

    def _indexed(self, name: str, value: str) -> list[JsonObject]:
        function, known = self._indexes[name], self._values.setdefault(name, {})
        found = []
        for key, obj in self.shown().items():
            indexed = known.get(key)
            if indexed is None or indexed[0] is not obj:
                known[key] = indexed = obj, frozenset(function(obj))
            if value in indexed[1]:
                found.append(obj)
        return found


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
