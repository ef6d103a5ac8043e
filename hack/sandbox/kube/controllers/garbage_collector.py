"""The garbage collector: deletes dependents with their owners, in the background, in the foreground, or not at all.

Source: k8s.io/kubernetes pkg/controller/garbagecollector. The graph is updated from the storage's changes, so an idle
collector costs nothing, however many objects there are.
"""

import asyncio
from typing import Any, Final

from hack.sandbox.kube.resources.catalog import Catalog
from hack.sandbox.kube.resources.object_meta import FOREGROUND, ORPHAN
from hack.sandbox.kube.resources.resource import Resource
from hack.sandbox.kube.store.storage import Change, Entry, clone
from hack.sandbox.kube.verbs.calls import Call
from hack.sandbox.kube.verbs.deletion import delete
from hack.sandbox.kube.verbs.registry import Registry, may_vanish
from hack.sandbox.kube.wire.options import DeleteOptions

Json = dict[str, Any]
Node = tuple[str, str]
"""A collection and a key in it."""

_BATCH: Final = 200
"""Objects handled before requests are served again."""


class GarbageCollector:
    """Runs in the server's event loop; observes every write through the storage."""

    def __init__(self, registry: Registry, catalog: Catalog):
        self._registry = registry
        self._storage = registry.storage
        self._catalog = catalog
        self._nodes: dict[str, Node] = {}
        self._dependents: dict[str, set[Node]] = {}
        self._queue: dict[Node, None] = {}
        self._wanted = asyncio.Event()
        for name, collection in self._storage.collections.items():
            for entry in collection.scan():
                self._learn(name, Change("ADDED", entry, None))
        self._storage.observe(self._learn)

    async def run(self) -> None:
        """Process the queue."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._queue:
                for node in list(self._queue)[:_BATCH]:
                    del self._queue[node]
                    self._process(node)
                await asyncio.sleep(0)

    def _learn(self, collection: str, change: Change) -> None:
        """Update the graph, and queue the nodes that a change may affect."""
        node = (collection, change.entry.key)
        meta = change.entry.obj["metadata"]
        old = _owners(change.previous)
        new = _owners(change.entry) if change.type != "DELETED" else set()
        for uid in old - new:
            self._dependents.get(uid, set()).discard(node)
        for uid in new - old:
            self._dependents.setdefault(uid, set()).add(node)
        if change.type == "DELETED":
            self._nodes.pop(meta["uid"], None)
            self._enqueue(*self._dependents.get(meta["uid"], ()))
            self._enqueue(*(self._nodes[uid] for uid in old if uid in self._nodes))
            return
        self._nodes[meta["uid"]] = node
        if new or {ORPHAN, FOREGROUND} & set(meta.get("finalizers", ())):
            self._enqueue(node)
            if "deletionTimestamp" in meta:
                self._enqueue(*(self._nodes[uid] for uid in new if uid in self._nodes))

    def _enqueue(self, *nodes: Node) -> None:
        self._queue.update(dict.fromkeys(nodes))
        if nodes:
            self._wanted.set()

    def _process(self, node: Node) -> None:
        entry = self._storage.get(*node)
        resource = self._resource(node[0])
        if entry is None or resource is None:
            return
        meta = entry.obj["metadata"]
        if "deletionTimestamp" in meta:
            finalizers = meta.get("finalizers", ())
            if ORPHAN in finalizers:
                self._orphan(node, entry)
            elif FOREGROUND in finalizers:
                self._delete_dependents(node, entry)
            return
        owners: list[Json] = meta.get("ownerReferences", [])
        present = [owner for owner in owners if self._is_present(owner, meta)]
        waiting = [owner for owner in present if self._awaits_dependents(owner["uid"])]
        if owners and not present:
            self._delete(resource, entry, "")
        elif owners and len(waiting) == len(present):
            blocking = any(owner.get("blockOwnerDeletion") for owner in waiting)
            held = self._dependents.get(meta["uid"])
            self._delete(resource, entry, "Foreground" if blocking and held else "Background")
        elif len(present) < len(owners):
            new = clone(entry.obj)
            new["metadata"]["ownerReferences"] = present
            self._storage.put(*node, new)

    def _is_present(self, owner: Json, dependent: Json) -> bool:
        """Return whether an owner reference refers to an existing object: an equal uid alone is not enough."""
        node = self._nodes.get(owner["uid"])
        entry = self._storage.get(*node) if node else None
        if entry is None:
            return False
        group = owner["apiVersion"].rpartition("/")[0]
        obj = entry.obj
        meta = obj["metadata"]
        named = (group, owner["kind"], owner["name"])
        if named != (obj["apiVersion"].rpartition("/")[0], obj["kind"], meta["name"]):
            return False
        # A dependent without a namespace implies nothing about its owner's namespace.
        return not dependent.get("namespace") or meta.get("namespace") in (None, dependent["namespace"])

    def _awaits_dependents(self, uid: str) -> bool:
        entry = self._storage.get(*self._nodes[uid])
        meta = entry.obj["metadata"] if entry else {}
        return "deletionTimestamp" in meta and FOREGROUND in meta.get("finalizers", ())

    def _orphan(self, node: Node, entry: Entry) -> None:
        """Remove the owner from its dependents, then the finalizer from the owner."""
        uid = entry.obj["metadata"]["uid"]
        for dependent in list(self._dependents.get(uid, ())):
            found = self._storage.get(*dependent)
            if found is None:
                continue
            new = clone(found.obj)
            left = [owner for owner in new["metadata"]["ownerReferences"] if owner["uid"] != uid]
            if left:
                new["metadata"]["ownerReferences"] = left
            else:
                del new["metadata"]["ownerReferences"]
            self._storage.put(*dependent, new)
        self._drop_finalizer(node, entry, ORPHAN)

    def _delete_dependents(self, node: Node, entry: Entry) -> None:
        """Delete the dependents; the owner is deleted when none is left that blocks it."""
        uid = entry.obj["metadata"]["uid"]
        blocking = False
        for dependent in list(self._dependents.get(uid, ())):
            found = self._storage.get(*dependent)
            if found is None:
                continue
            if "deletionTimestamp" not in found.obj["metadata"]:
                self._process(dependent)
                found = self._storage.get(*dependent)
            owners = found.obj["metadata"].get("ownerReferences", ()) if found else ()
            blocking |= any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in owners)
        if not blocking:
            current = self._storage.get(*node)
            if current is not None:
                self._drop_finalizer(node, current, FOREGROUND)

    def _drop_finalizer(self, node: Node, entry: Entry, finalizer: str) -> None:
        new = clone(entry.obj)
        finalizers = [name for name in new["metadata"].get("finalizers", ()) if name != finalizer]
        if finalizers:
            new["metadata"]["finalizers"] = finalizers
        else:
            new["metadata"].pop("finalizers", None)
        if may_vanish(new):
            self._storage.delete(*node)
        else:
            self._storage.put(*node, new)

    def _delete(self, resource: Resource, entry: Entry, policy: str) -> None:
        meta = entry.obj["metadata"]
        call = Call(resource, meta.get("namespace", ""), meta["name"])
        delete(self._registry, call, DeleteOptions(policy=policy or None))

    def _resource(self, collection: str) -> Resource | None:
        return next((resource for resource in self._catalog if resource.collection == collection), None)


def _owners(entry: Entry | None) -> set[str]:
    if entry is None:
        return set()
    return {owner["uid"] for owner in entry.obj["metadata"].get("ownerReferences", ())}
