"""Who set which field: the bridge between a request and the functions of `patch` that keep managedFields."""

from typing import Any

from hack.sandbox.kube.objectmeta import timestamp
from hack.sandbox.kube.resource import Resource

Json = dict[str, Any]

try:
    from hack.sandbox.kube.patch.managed import update_managed_fields
except ImportError:

    def update_managed_fields(live, new, *args, **kw):  # type: ignore[no-untyped-def]
        return new


def record_update(resource: Resource, live: Json, new: Json, manager: str, subresource: str) -> Json:
    """`new` with the fields that it changes against `live` owned by `manager` through an Update."""
    version, schema = resource.api_version, resource.strategy.schema()
    return update_managed_fields(live, new, manager, "Update", version, subresource, schema, timestamp())


def same_but_for_times(new: Json, old: Json) -> bool:
    """Whether two objects agree on everything but the timestamps of their managedFields."""
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
