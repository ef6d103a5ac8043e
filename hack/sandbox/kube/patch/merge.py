"""JSON merge patch (RFC 7386): objects are merged, everything else is replaced, null removes."""

from typing import Any, TypeAlias

from hack.sandbox.kube.patch.errors import bad_request, go_kind

JsonObject: TypeAlias = dict[str, Any]


def merge(obj: JsonObject, patch: Any) -> JsonObject:
    """Return a new object with `patch` merged in. Raises PatchError (400) unless `patch` is an object."""
    if patch is None:
        raise bad_request("Invalid JSON Patch")
    if not isinstance(patch, dict):
        kind = go_kind(patch)
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
        )
    return _merge(obj, patch)


def _merge(target: JsonObject, patch: JsonObject) -> JsonObject:
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            current = merged.get(name)
            merged[name] = _merge(current if isinstance(current, dict) else {}, value)
        else:
            merged[name] = without_nulls(value)
    return merged


def without_nulls(value: Any) -> Any:
    """Return a copy without nulls in objects: those in lists are kept, as in evanphx/json-patch."""
    if isinstance(value, dict):
        return {name: without_nulls(child) for name, child in value.items() if child is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value
