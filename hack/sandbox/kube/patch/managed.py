"""managedFields: the manager of each field, updated by every write.

Source: k8s.io/apimachinery pkg/util/managedfields/internal and structured-merge-diff merge/update.go. Custom resources
convert between versions without change, so fields are compared in the version of the request, whatever the version of
an entry.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from hack.sandbox.kube.patch.fieldset import EMPTY, Path, Paths, decode, encode, without_below
from hack.sandbox.kube.patch.shapes import Schema, Shape, root_shape
from hack.sandbox.kube.patch.typed import compare, reconciled

JsonObject: TypeAlias = dict[str, Any]

MAX_UPDATERS: Final = 10
"""Maximum number of separate Update entries; older ones are joined under `ANCIENT`."""
ANCIENT: Final = "ancient-changes"
BEFORE_FIRST_APPLY: Final = "before-first-apply"

STRIPPED: Final[Paths] = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    }
)
"""Fields without an owner, because the server sets them."""


@dataclass(frozen=True, slots=True, order=True)
class Manager:
    """A field manager: appliers are the same in every API version, updaters are not."""

    operation: str
    name: str
    api_version: str
    subresource: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Manager":
        """Return the manager of one entry of managedFields."""
        operation = entry.get("operation") or ""
        version = "" if operation == "Apply" else entry.get("apiVersion") or ""
        return cls(operation, entry.get("manager") or "", version, entry.get("subresource") or "")


@dataclass(frozen=True, slots=True)
class Ownership:
    """The fields that a manager owns, with version and time."""

    paths: Paths
    api_version: str
    time: str | None


Owners: TypeAlias = dict[Manager, Ownership]


def read_managed_fields(obj: JsonObject | None) -> Owners:
    """Return the owners of an object. Raises ValueError if an entry cannot be parsed."""
    owners: Owners = {}
    for entry in ((obj or {}).get("metadata") or {}).get("managedFields") or ():
        if entry.get("fieldsType") not in {None, "", "FieldsV1"}:
            raise ValueError(f"unsupported fieldsType: {entry['fieldsType']}")
        paths = decode(entry.get("fieldsV1") or {})
        owners[Manager.of(entry)] = Ownership(paths, entry.get("apiVersion") or "", entry.get("time"))
    return owners


def write_managed_fields(obj: JsonObject, owners: Owners) -> JsonObject:
    """Return a copy of `obj` with these owners: appliers first, then by time, name, version."""
    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name != "managedFields"}
    entries = [_entry(manager, owned) for manager, owned in owners.items()]
    if entries:
        entries.sort(
            key=lambda entry: (
                entry["operation"],
                entry.get("time") or "",
                entry["manager"],
                entry["apiVersion"],
                entry.get("subresource", ""),
            )
        )
        metadata["managedFields"] = entries
    return {**obj, "metadata": metadata}


def _entry(manager: Manager, owned: Ownership) -> JsonObject:
    entry: JsonObject = {"manager": manager.name, "operation": manager.operation, "apiVersion": owned.api_version}
    if owned.time:
        entry["time"] = owned.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": encode(owned.paths)}
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry


def without_managed_fields(obj: JsonObject) -> JsonObject:
    """Return a copy of `obj` that shares everything except the managedFields."""
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    return {**obj, "metadata": {name: value for name, value in metadata.items() if name != "managedFields"}}


def reset_fields(subresource: str) -> tuple[Path, ...]:
    """Return the fields that a write through an endpoint cannot change, and therefore does not own."""
    if subresource == "status":
        return (("f:metadata",), ("f:spec",))
    return () if subresource else (("f:status",),)


def update_managed_fields(
    live: JsonObject | None,
    new: JsonObject,
    manager: str,
    operation: str,
    api_version: str,
    subresource: str,
    schema: Schema | None,
    now: str,
    *,
    reset: Collection[Path] | None = None,
) -> JsonObject:
    """Return a copy of `new` in which `manager`, and no other, owns the fields changed since `live`.

    `live` is None on creation. An empty `managedFields` in `new` removes all owners; a filled one replaces those of
    `live`, except through subresources. `reset` are the paths that the endpoint ignores (default: `reset_fields`).
    `now` is an RFC 3339 time in seconds. Pure. Raises nothing: invalid managedFields count as empty.
    """
    owners = _owners_of_request(live, new, trusted=not subresource)
    if not owners and live is not None and (live.get("metadata") or {}).get("uid"):
        return write_managed_fields(new, owners)
    shape = root_shape(schema)
    owners = {each: replace(owned, paths=reconciled(owned.paths, shape)) for each, owned in owners.items()}
    ignored = tuple(reset_fields(subresource) if reset is None else reset)
    author = Manager(operation, manager or "unknown", api_version, subresource)
    before = without_managed_fields(live) if live is not None else empty_object(schema)
    record_change(owners, before, without_managed_fields(new), shape, author, now, ignored)
    return write_managed_fields(new, owners)


def empty_object(schema: Schema | None) -> JsonObject:
    """Return the base for comparing a new object: for built-in kinds the Go struct with its initial members."""
    if not schema or "x-struct" not in schema:
        return {}
    members = (schema.get("properties") or {}).items()
    return {name: _empty_member(prop) for name, prop in members if prop.get("x-absent") in {"zero", "null"}}


def _empty_member(schema: Schema) -> Any:
    if schema.get("x-absent") == "null" or schema.get("format") == "date-time":  # a time that is none
        return None
    if schema.get("properties"):
        return empty_object(schema)
    return {"string": "", "integer": 0, "number": 0, "boolean": False}.get(schema.get("type") or "")


def record_change(
    owners: Owners,
    live: JsonObject,
    new: JsonObject,
    shape: Shape,
    author: Manager,
    now: str,
    ignored: tuple[Path, ...],
) -> None:
    """Move ownership in place for a change that `author` made by an Update."""
    change = compare(live, new, shape)
    touched = without_below(frozenset(change.modified | change.added), ignored)
    removed = without_below(frozenset(change.removed), ignored)
    for other, owned in list(owners.items()):
        rest = owned.paths - touched - removed
        if rest:
            owners[other] = replace(owned, paths=rest)
        else:
            del owners[other]
    mine = touched - STRIPPED
    if mine:
        previous = owners.get(author)
        owners[author] = Ownership(mine | (previous.paths if previous else EMPTY), author.api_version, now)
    _cap_updaters(owners)


def _owners_of_request(live: JsonObject | None, new: JsonObject, *, trusted: bool) -> Owners:
    sent = (new.get("metadata") or {}).get("managedFields") if trusted else None
    if sent in ([], [{}]):
        return {}
    for source in (new if sent else live, live):
        try:
            owners = read_managed_fields(source)
        except (ValueError, AttributeError, TypeError):
            continue
        if owners:
            return owners
    return {}


def _cap_updaters(owners: Owners) -> None:
    """Join the oldest Update entries of each version into one once there are too many."""
    updaters = sorted(
        (manager for manager in owners if manager.operation == "Update"),
        key=lambda manager: (owners[manager].time or "", manager),
    )
    surplus = len(updaters) - MAX_UPDATERS
    first: dict[str, Manager] = {}
    for manager in updaters:
        if surplus <= 0:
            return
        version = owners[manager].api_version
        oldest = first.setdefault(version, manager)
        if oldest is manager:
            continue
        bucket = Manager("Update", ANCIENT, version, "")
        if bucket not in owners:
            owners[bucket] = owners.pop(oldest)
        joined = owners.pop(manager) if manager != bucket else owners[bucket]
        owners[bucket] = Ownership(owners[bucket].paths | joined.paths, version, joined.time)
        surplus -= 1
