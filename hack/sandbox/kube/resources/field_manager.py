"""Records field managers: connects a request with the functions of `patch` for managedFields."""

from typing import Any

from hack.sandbox.kube.patch import update_managed_fields
from hack.sandbox.kube.resources.object_meta import timestamp
from hack.sandbox.kube.resources.resource import Resource

Json = dict[str, Any]


def record_update(resource: Resource, live: Json | None, new: Json, manager: str, subresource: str) -> Json:
    """Return `new` with its changes since `live` (None on creation) owned by `manager` through an Update."""
    version, strategy = resource.api_version, resource.strategy
    return update_managed_fields(
        live,
        new,
        manager,
        "Update",
        version,
        subresource,
        strategy.schema(),
        timestamp(),
        reset=strategy.ignored_paths(subresource),
    )


def same_but_for_times(new: Json, old: Json) -> bool:
    """Return whether two objects are equal except for the timestamps of their managedFields."""
    if new is old:
        return True
    new_meta, old_meta = new["metadata"], old["metadata"]
    if {**new, "metadata": None} != {**old, "metadata": None}:
        return False
    managed = "managedFields"
    if {**new_meta, managed: None} != {**old_meta, managed: None}:
        return False
    return _timeless(new_meta.get(managed)) == _timeless(old_meta.get(managed))


def _timeless(entries: list[Json] | None) -> list[Json]:
    return [{**entry, "time": None} for entry in entries or ()]
