"""The namespace controller: empties namespaces that are being deleted, reports what blocks them, finalizes them.

Source: k8s.io/kubernetes pkg/controller/namespace/deletion.
"""

import asyncio
from collections import Counter
from typing import Any, Final

from hack.sandbox.kube.resources.catalog import Catalog
from hack.sandbox.kube.resources.conditions import set_condition
from hack.sandbox.kube.store.storage import Entry, clone
from hack.sandbox.kube.verbs.calls import Call
from hack.sandbox.kube.verbs.deletion import delete
from hack.sandbox.kube.verbs.registry import NAMESPACES, Registry
from hack.sandbox.kube.wire.errors import qualified
from hack.sandbox.kube.wire.options import DeleteOptions

Json = dict[str, Any]

_POLL_S: Final = 0.1
"""How often the content of a terminating namespace is checked."""


class NamespaceController:
    """Runs in the server's event loop.

    A namespace keeps its content for `grace_s` after its deletion. Kubernetes takes five seconds
    (`namespaceDeletionGracePeriod`), in which `kubectl delete -f` itself deletes its file's objects in the namespace; a
    sandbox should usually be fast.
    """

    def __init__(self, registry: Registry, catalog: Catalog, *, grace_s: float = 0.0):
        self._registry = registry
        self._catalog = catalog
        self._grace_s = grace_s
        self._since: dict[str, float] = {}
        """Terminating namespaces, with the time of the event loop at which that was first observed."""
        self._collection = registry.storage.collection(NAMESPACES)

    async def run(self) -> None:
        """Sync after every change of a namespace, and repeatedly while one is terminating."""
        while True:
            changed = self._collection.changed()
            terminating = [e for e in self._collection.entries.values() if "deletionTimestamp" in e.obj["metadata"]]
            now = asyncio.get_running_loop().time()
            self._since = {entry.key: self._since.get(entry.key, now) for entry in terminating}
            for entry in terminating:
                if now - self._since[entry.key] >= self._grace_s:
                    self._empty(entry)
            try:
                await asyncio.wait_for(changed.wait(), _POLL_S if terminating else None)
            except TimeoutError:
                continue

    def _empty(self, entry: Entry) -> None:
        namespace = entry.obj["metadata"]["name"]
        remaining: Counter[str] = Counter()
        finalizers: Counter[str] = Counter()
        for resource in self._catalog.preferred():
            if not resource.namespaced or "list" not in resource.verbs:
                continue
            collection = self._registry.storage.collection(resource.collection)
            for item in list(collection.scan(f"{namespace}/")):
                if "deletionTimestamp" not in item.obj["metadata"]:
                    call = Call(resource, namespace, item.obj["metadata"]["name"])
                    delete(self._registry, call, DeleteOptions(policy="Background"))
            for item in collection.scan(f"{namespace}/"):
                remaining[f"{qualified(resource.plural, resource.group)}"] += 1
                finalizers.update(item.obj["metadata"].get("finalizers", ()))
        new = clone(entry.obj)
        if remaining:
            _describe(new["status"], remaining, finalizers)
            if new["status"] != entry.obj["status"]:
                self._registry.storage.put(NAMESPACES, entry.key, new)
            return
        new["spec"].pop("finalizers", None)
        if new["metadata"].get("finalizers"):
            if new["spec"] != entry.obj["spec"]:
                self._registry.storage.put(NAMESPACES, entry.key, new)
        else:
            self._registry.storage.delete(NAMESPACES, entry.key)


def _describe(status: Json, remaining: Counter[str], finalizers: Counter[str]) -> None:
    listed = ", ".join(f"{name} has {count} resource instances" for name, count in sorted(remaining.items()))
    held = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(finalizers.items()))
    discovered = "All resources successfully discovered"
    set_condition(status, "NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", discovered)
    parsed = "All legacy kube types successfully parsed"
    set_condition(status, "NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions", parsed)
    deleted = "All content successfully deleted, may be waiting on finalization"
    set_condition(status, "NamespaceDeletionContentFailure", "False", "ContentDeleted", deleted)
    content = f"Some resources are remaining: {listed}"
    set_condition(status, "NamespaceContentRemaining", "True", "SomeResourcesRemain", content)
    if held:
        waiting = f"Some content in the namespace has finalizers remaining: {held}"
        set_condition(status, "NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", waiting)
    else:
        none = "All content-preserving finalizers finished"
        set_condition(status, "NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", none)
