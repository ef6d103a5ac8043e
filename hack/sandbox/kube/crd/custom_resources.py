"""Custom resources: the strategy of a CRD version.

Source: k8s.io/apiextensions-apiserver pkg/registry/customresource and pkg/apiserver/customresource_handler.go.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hack.sandbox.kube.builtin.schemas import schema_of
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.resources.catalog import version_priority
from hack.sandbox.kube.resources.resource import (
    AGE_DESCRIPTION,
    APPLY,
    JSON_PATCH,
    MERGE,
    NAME_COLUMN,
    SCALE,
    STATUS,
    Column,
    Resource,
    Strategy,
    Subresource,
)
from hack.sandbox.kube.schema.defaulting import apply_defaults, prune
from hack.sandbox.kube.store.storage import clone
from hack.sandbox.kube.wire import json_path, typed
from hack.sandbox.kube.wire.causes import Cause, go_json, invalid
from hack.sandbox.kube.wire.human_time import age

Json = dict[str, Any]

_OBJECT_META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_DEFAULT_COLUMNS: Final = (
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": AGE_DESCRIPTION},
)
_INT32_MAX: Final = 2**31 - 1


class CustomStrategy(Strategy):
    """The strategy for the objects of one CRD version."""

    typed = False
    unconditional_update = False
    patch_types = (JSON_PATCH, MERGE, APPLY)

    def __init__(self, crd_spec: Json, version: Json):
        self.api_version = f"{crd_spec['group']}/{version['name']}"
        storage = next(each for each in crd_spec["versions"] if each["storage"])
        self._storage_version = f"{crd_spec['group']}/{storage['name']}"
        self._storage_schema: Json = (storage.get("schema") or {}).get("openAPIV3Schema") or {}
        self.scale: Json | None = (version.get("subresources") or {}).get("scale")
        self.has_status = "status" in (version.get("subresources") or {})
        self._schema: Json = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        self._selectable = [field["jsonPath"] for field in version.get("selectableFields") or ()]
        self._printer = version.get("additionalPrinterColumns") or _DEFAULT_COLUMNS

    def schema(self) -> Json:
        """Return the openAPIV3Schema of the version."""
        return self._schema

    def decode(self, obj: Json, *, is_applied: bool = False) -> tuple[Json, list[str]]:
        """Prune, drop nulls, default. The metadata is typed, as in all kinds."""
        decoded = dict(obj)
        meta, unknown = decode_metadata(decoded.get("metadata"))
        decoded["metadata"] = meta
        unknown += prune(self._schema, decoded, drops_nulls=not is_applied)
        apply_defaults(self._schema, decoded)
        return decoded, unknown

    def to_served(self, stored: Json) -> Json:
        """Return the stored object in this version: the schema may have changed since it was written."""
        served = clone(stored)
        served["apiVersion"] = self.api_version
        prune(self._schema, served)
        apply_defaults(self._schema, served)
        return served

    def to_stored(self, served: Json) -> Json:
        """Return the object in the storage version: fields that it lacks are lost, as there is no conversion."""
        if self.api_version == self._storage_version:
            return served
        stored = {**clone(served), "apiVersion": self._storage_version}
        prune(self._storage_schema, stored)
        return stored

    def reset(self, new: Json, old: Json | None, subresource: str) -> None:
        """Keep the status (main endpoint), or everything else (status endpoint)."""
        if subresource == "status" and old is not None:
            status, meta = new.get("status"), new["metadata"]
            for key in set(new) - {"metadata", "kind", "apiVersion"}:
                del new[key]
            new.update({k: v for k, v in clone(old).items() if k not in ("metadata", "kind", "apiVersion", "status")})
            if status is not None:
                new["status"] = status
            kept = {k: meta[k] for k in ("managedFields", "name", "namespace", "uid") if k in meta}
            new["metadata"] = {**{k: v for k, v in old["metadata"].items() if k != "managedFields"}, **kept}
        elif self.has_status:
            if old is not None and "status" in old:
                new["status"] = old["status"]
            else:
                new.pop("status", None)

    def ignored_paths(self, subresource: str) -> tuple[tuple[str, ...], ...] | None:
        """Return the paths that the endpoint ignores: without a status endpoint, the status is written normally."""
        return None if self.has_status or subresource else ()

    def prepare_create(self, new: Json) -> None:
        """Set generation 1."""
        new["metadata"]["generation"] = 1

    def prepare_update(self, new: Json, old: Json, subresource: str) -> None:
        """Increment the generation on changes outside of the metadata, except through the status endpoint."""
        if subresource != "status" and {**new, "metadata": None} != {**old, "metadata": None}:
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def validate_create(self, new: Json, preceding: Sequence[Cause]) -> list[Cause]:
        """Check the schema, with its rules."""
        return validate(self._schema, new, preceding=[*preceding, *self._scale_causes(new, "")])

    def validate_update(self, new: Json, old: Json, subresource: str, preceding: Sequence[Cause]) -> list[Cause]:
        """Check the schema, with its transition rules."""
        before = [*preceding, *self._scale_causes(new, subresource)]
        return validate(self._schema, new, old, subresource=subresource, preceding=before)

    def _scale_causes(self, obj: Json, subresource: str) -> list[Cause]:
        causes: list[Cause] = []
        paths = ["statusReplicasPath"] if subresource == "status" else ["specReplicasPath", "statusReplicasPath"]
        for path in (self.scale[name] for name in paths) if self.scale else ():
            for value in json_path.find(path, obj):
                if isinstance(value, int) and value < 0:
                    causes.append(invalid(path, value, "should be a non-negative integer"))
                elif isinstance(value, int) and value > _INT32_MAX:
                    causes.append(invalid(path, value, f"should be less than or equal to {_INT32_MAX}"))
        return causes

    def field_label(self, label: str) -> str:
        """Return the label if it is one of the metadata's fields, or of the version's selectableFields."""
        return label if f".{label}" in self._selectable else super().field_label(label)

    def fields(self, obj: Json) -> Mapping[str, str]:
        """Return the selectable fields; a missing one is the empty string."""
        found = dict(super().fields(obj))
        for path in self._selectable:
            values = json_path.find(path, obj)
            found[path.removeprefix(".")] = _text(values[0]) if values else ""
        return found

    def columns(self) -> Sequence[Column]:
        """Return the name, and the additionalPrinterColumns or the age."""
        return (NAME_COLUMN, *map(_column, self._printer))

    def cells(self, obj: Json) -> list[Any]:
        """Return the first value at each column's path; null if there is none."""
        return [obj["metadata"].get("name", ""), *(_cell(column, obj) for column in self._printer)]


def decode_metadata(meta: Any) -> tuple[Json, list[str]]:
    """Return typed metadata and the paths of its unknown fields. Raises typed.DecodeError."""
    if meta is None:
        return {}, []
    decoded, unknown = typed.decode(schema_of(_OBJECT_META), meta)
    return decoded, [f"metadata.{path}" for path in unknown]


def _column(column: Json) -> Column:
    described = f"Custom resource definition column (in JSONPath format): {column['jsonPath']}"
    return Column(
        column["name"],
        column["type"],
        column.get("format", ""),
        column.get("description") or described,
        column.get("priority", 0),
    )


def _cell(column: Json, obj: Json) -> Any:
    try:
        values = json_path.find(column["jsonPath"], obj)
    except json_path.PathError:
        return None
    if not values:
        return None
    value = values[0]
    match column["type"]:
        case "string":
            return _text(value)
        case "integer":
            return int(value) if _is_number(value) else None
        case "number":
            return value if _is_number(value) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return age(value) if isinstance(value, str) else None
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "<nil>" if value is None else go_json(value)


def resources_of(crd: Json, since: int) -> list[Resource]:
    """Return the resources that an established CRD serves, one per version."""
    spec, names = crd["spec"], crd["status"]["acceptedNames"]
    return [
        Resource(
            group=spec["group"],
            version=version["name"],
            plural=names["plural"],
            kind=names["kind"],
            singular=names.get("singular", ""),
            list_kind=names.get("listKind", ""),
            namespaced=spec["scope"] == "Namespaced",
            short_names=tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=_subresources(version),
            strategy=CustomStrategy(spec, version),
            builtin=False,
            deprecation=_deprecation(spec, version),
            since=since,
        )
        for version in spec["versions"]
        if version["served"]
    ]


def _deprecation(spec: Json, version: Json) -> str:
    """Return the warning of a deprecated version: its own, or one with the newer version to use instead."""
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    group, kind = spec["group"], spec["names"]["kind"]
    own = version_priority(version["name"])
    fresh = [v["name"] for v in spec["versions"] if v["served"] and not v.get("deprecated")]
    better = [name for name in fresh if version_priority(name) < own]
    newest = min(better, key=version_priority, default="")
    instead = f"; use {group}/{newest} {kind}" if newest else ""
    return f"{group}/{version['name']} {kind} is deprecated{instead}"


def _subresources(version: Json) -> tuple[Subresource, ...]:
    declared = version.get("subresources") or {}
    return tuple(each for name, each in (("status", STATUS), ("scale", SCALE)) if name in declared)
