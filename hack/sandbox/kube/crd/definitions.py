"""CustomResourceDefinitions: their strategy, and the controller that accepts names, serves resources and cleans up.

Source: k8s.io/apiextensions-apiserver pkg/registry/customresourcedefinition and pkg/controller.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from hack.sandbox.kube.builtin.strategy import Traits, TypedStrategy
from hack.sandbox.kube.crd.custom_resources import resources_of
from hack.sandbox.kube.crd.definition_rules import crd_warnings, is_established, validate_crd
from hack.sandbox.kube.resources.catalog import Catalog
from hack.sandbox.kube.resources.conditions import is_true, set_condition
from hack.sandbox.kube.resources.field_manager import record_update
from hack.sandbox.kube.resources.resource import Column, Resource
from hack.sandbox.kube.store.storage import clone
from hack.sandbox.kube.verbs.calls import Call
from hack.sandbox.kube.verbs.deletion import CRD_FINALIZER, CRDS, delete
from hack.sandbox.kube.verbs.registry import Registry
from hack.sandbox.kube.wire.causes import Cause
from hack.sandbox.kube.wire.options import DeleteOptions
from hack.sandbox.kube.wire.release import V1_37, imitated

Json = dict[str, Any]

_POLL_S: Final = 0.05
"""How often the controller checks whether the last objects of a deleted CRD are gone."""


class CrdStrategy(TypedStrategy):
    """The specifics of CRDs."""

    def __init__(self) -> None:
        schema = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
        traits = Traits(schema, generation="spec", status=True, unconditional_update=False)
        super().__init__("CustomResourceDefinition", traits)

    def prepare_create(self, new: Json) -> None:
        """Add the storage version to the stored versions."""
        super().prepare_create(new)
        _remember_storage_version(new)

    def prepare_update(self, new: Json, old: Json, subresource: str) -> None:
        """Add a new storage version to the stored versions."""
        super().prepare_update(new, old, subresource)
        if not subresource:
            new["status"] = clone(new["status"])
            _remember_storage_version(new)

    def validate_create(self, new: Json, preceding: Sequence[Cause]) -> list[Cause]:
        """Check names, versions and schemas."""
        return [*preceding, *validate_crd(new)]

    def validate_update(self, new: Json, old: Json, subresource: str, preceding: Sequence[Cause]) -> list[Cause]:
        """Check names, versions, schemas and immutable fields."""
        return [*preceding] if subresource else [*preceding, *validate_crd(new, old)]

    def warnings(self, new: Json, old: Json | None) -> list[str]:
        """Warn about formats that the API server does not check."""
        return crd_warnings(new, old)

    def columns(self) -> Sequence[Column]:
        """Return the columns of kinds with a printer of their own since 1.37; before, the default ones."""
        if imitated() < V1_37:
            return super().columns()
        name, created_at = super().columns()
        return (
            name,
            Column("Scope", description="Cluster/Namespaced"),
            Column("Versions", description="Served versions"),
            created_at,
            Column("Group", priority=1, description="API group"),
            Column("Kind", priority=1, description="CustomResource kind"),
            Column("ShortNames", priority=1, description="Short names"),
            Column("Established", "boolean", priority=1, description="Established status"),
        )

    def cells(self, obj: Json) -> list[Any]:
        """Return the cells of one row."""
        if imitated() < V1_37:
            return super().cells(obj)
        name, created_at = super().cells(obj)
        spec, names = obj["spec"], obj["spec"]["names"]
        served = sorted(
            f"{each['name']}(storage)" if each.get("storage") else each["name"]
            for each in spec.get("versions") or ()
            if each.get("served")
        )
        short_names = ",".join(names.get("shortNames") or ())
        return [
            *(name, spec["scope"], ",".join(served), created_at),
            *(spec["group"], names["kind"], short_names, is_established(obj)),
        ]


def _remember_storage_version(crd: Json) -> None:
    stored = crd["status"].get("storedVersions") or []
    current = next((v["name"] for v in crd["spec"].get("versions") or () if v.get("storage")), None)
    crd["status"]["storedVersions"] = stored if current is None or current in stored else [*stored, current]


class CrdController:
    """Keeps CRD conditions and the catalog of served resources in sync with the stored CRDs."""

    def __init__(self, registry: Registry, catalog: Catalog):
        self._registry = registry
        self._catalog = catalog
        self._collection = registry.storage.collection(CRDS)
        self._served: dict[str, Json] = {}
        """The part of each CRD from which the catalog was filled."""

    async def run(self) -> None:
        """Sync after every change, and during a deletion."""
        while True:
            changed = self._collection.changed()
            self.sync()
            terminating = any("deletionTimestamp" in e.obj["metadata"] for e in self._collection.entries.values())
            try:
                await asyncio.wait_for(changed.wait(), _POLL_S if terminating else None)
            except TimeoutError:
                continue

    def sync(self) -> None:
        """Bring all CRDs one step forward."""
        for name in set(self._served) - set(self._collection.entries):
            del self._served[name]
            self._catalog.withdraw(name)
        for entry in list(self._collection.entries.values()):
            crd = entry.obj
            if "deletionTimestamp" in crd["metadata"]:
                self._serve(crd)
                self._clean_up(entry.key, crd)
                continue
            accepted = self._with_names(crd)
            if accepted["status"] != crd["status"]:
                crd = self._put_status(crd, accepted)
            self._serve(crd)

    def _serve(self, crd: Json) -> None:
        name = crd["metadata"]["name"]
        basis = {"spec": crd["spec"], "names": crd["status"]["acceptedNames"]}
        if is_true(crd, "Established") and self._served.get(name) != basis:
            self._served[name] = basis
            self._catalog.serve(name, resources_of(crd, self._registry.storage.revision))
            self._registry.storage.collection(f"{crd['spec']['group']}/{crd['spec']['names']['plural']}").wake()

    def _with_names(self, crd: Json) -> Json:
        """Return the CRD with its names accepted, unless another CRD of the group has them."""
        new = {**crd, "status": clone(crd["status"])}  # the rest is long, and stays as it is
        spec, status = new["spec"], new["status"]
        requested, accepted = spec["names"], status["acceptedNames"]
        others = [
            entry.obj["status"]["acceptedNames"]
            for entry in self._collection.entries.values()
            if entry.key != crd["metadata"]["name"] and entry.obj["spec"]["group"] == spec["group"]
        ]
        resources = {n for names in others for n in _resource_names(names)}
        kinds = {n for names in others for n in (names.get("kind"), names.get("listKind")) if n}
        conflict: tuple[str, str] | None = None
        for field, taken in (("plural", resources), ("singular", resources), ("kind", kinds), ("listKind", kinds)):
            wanted = requested.get(field, "")
            if wanted in taken and wanted != accepted.get(field):
                conflict = (f"{field[0].upper()}{field[1:]}Conflict", f'"{wanted}" is already in use')
            else:
                accepted[field] = wanted
        short = [name for name in requested.get("shortNames") or () if name not in resources]
        if len(short) != len(requested.get("shortNames") or ()):
            taken_names = [name for name in requested["shortNames"] if name in resources]
            conflict = ("ShortNamesConflict", ", ".join(f'"{name}" is already in use' for name in taken_names))
        elif short:
            accepted["shortNames"] = short
        if requested.get("categories"):
            accepted["categories"] = requested["categories"]
        if conflict:
            set_condition(status, "NamesAccepted", "False", *conflict)
            if not is_true(new, "Established"):
                set_condition(status, "Established", "False", "NotAccepted", "not all names are accepted")
        else:
            set_condition(status, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
            reason, message = "InitialNamesAccepted", "the initial names have been accepted"
            set_condition(status, "Established", "True", reason, message)
        return new

    def _clean_up(self, key: str, crd: Json) -> None:
        """Delete all objects of a CRD; when they are gone, remove its finalizer."""
        if CRD_FINALIZER not in crd["metadata"].get("finalizers", ()):
            return
        resource = self._resource(crd)
        collection = self._registry.storage.collection(f"{crd['spec']['group']}/{crd['spec']['names']['plural']}")
        if resource is not None:
            for entry in list(collection.entries.values()):
                if "deletionTimestamp" not in entry.obj["metadata"]:
                    meta = entry.obj["metadata"]
                    delete(self._registry, Call(resource, meta.get("namespace", ""), meta["name"]), DeleteOptions())
        new = clone(crd)
        if collection.entries and resource is not None:
            message = "CustomResource deletion is in progress"
            set_condition(new["status"], "Terminating", "True", "InstanceDeletionInProgress", message)
            if new["status"] != crd["status"]:
                self._put_status(crd, new)
            return
        finalizers = [name for name in new["metadata"]["finalizers"] if name != CRD_FINALIZER]
        if finalizers:
            new["metadata"]["finalizers"] = finalizers
            self._registry.storage.put(CRDS, key, new)
        else:
            self._registry.storage.delete(CRDS, key)

    def _put_status(self, crd: Json, new: Json) -> Json:
        """Store a changed status as the API server's own."""
        resource = self._catalog.find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
        if resource is not None:
            new = record_update(resource, crd, new, "kube-apiserver", "status")
        return self._registry.storage.put(CRDS, new["metadata"]["name"], clone(new)).obj

    def _resource(self, crd: Json) -> Resource | None:
        group, plural = crd["spec"]["group"], crd["spec"]["names"]["plural"]
        for version in crd["spec"]["versions"]:
            found = self._catalog.find(group, version["name"], plural)
            if found is not None:
                return found
        return None


def _resource_names(names: Json) -> list[str]:
    return [n for n in (names.get("plural"), names.get("singular"), *(names.get("shortNames") or ())) if n]
