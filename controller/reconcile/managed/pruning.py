"""Prunes objects to the shape of their schema where they come in, so that later code can rely on it.

Stores prune what watches show, and `PruningWriter` what writes return.

Normally the API server enforces the schema. Where it does not (a schema that was loosened, a restored backup), status
fields that do not fit are dropped: they only repeat what SageMaker and the object show. Invalid fields of a spec are
reported by the conversion, with their path.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from api.descriptor import KindDescriptor
from api.fields import installed
from api.meta import JsonObject, ObjectKey, Resource
from api.schema.structural import field_schema
from api.v1 import KINDS
from controller.reconcile.ports import ObjectWriter

Trim: TypeAlias = Callable[[JsonObject], None]
"""Changes an object in place; raises nothing."""

_Fits: TypeAlias = Callable[[Any], bool]
"""Returns whether a value has the type of its schema, and removes nested values that do not, in place."""

_BY_KIND: Final = {each.kind: each for each in KINDS}

_SCALARS: Final[Mapping[str, frozenset[type]]] = {
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "integer": frozenset({int}),  # which a bool is not, by its type
    "number": frozenset({int, float}),
}


class PruningWriter:
    """`ObjectWriter` that returns objects as the stores have them, pruned: passes go on with what they have written."""

    def __init__(self, writer: ObjectWriter) -> None:
        self._writer = writer

    def create(self, resource: Resource, namespace: str | None, body: Mapping[str, Any]) -> JsonObject:
        """See `ObjectWriter.create`."""
        return _pruned(resource, self._writer.create(resource, namespace, body))

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """See `ObjectWriter.patch`."""
        return _pruned(resource, self._writer.patch(resource, key, body, subresource=subresource))

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "", resource_version: str = "") -> None:
        """See `ObjectWriter.delete`."""
        self._writer.delete(resource, key, uid=uid, resource_version=resource_version)


def _pruned(resource: Resource, obj: JsonObject) -> JsonObject:
    if (descriptor := _BY_KIND.get(resource.kind)) is not None:
        prune(descriptor, obj)
    return obj


def prune(descriptor: KindDescriptor, obj: JsonObject) -> None:
    """Prune an object of a kind, in place. The schema is read for the first one."""
    well_formed(descriptor)(obj)


@cache
def well_formed(descriptor: KindDescriptor) -> Trim:
    """Return the function that prunes objects of a kind, in place. It is fast, as it runs for each watch event."""
    fits = _fits(field_schema(descriptor, installed(descriptor).status))

    def trim(obj: JsonObject) -> None:
        if "status" in obj and not fits(obj["status"]):
            del obj["status"]
        if "spec" in obj and not isinstance(obj["spec"], dict):
            obj["spec"] = {}

    return trim


def _fits(schema: Mapping[str, Any]) -> _Fits:
    match schema.get("type"):
        case "object":
            return _object(schema)
        case "array":
            return _array(_fits(schema["items"]))
        case str(scalar):
            types = _SCALARS[scalar]
            return lambda value: type(value) in types
        case _:
            return lambda _: True


def _object(schema: Mapping[str, Any]) -> _Fits:
    properties = schema.get("properties") or {}
    # Most fields are scalars: those are checked without a call for each.
    scalars = {name: _SCALARS[child["type"]] for name, child in properties.items() if child.get("type") in _SCALARS}
    others = {name: _fits(child) for name, child in properties.items() if name not in scalars}
    required = tuple(schema.get("required") or ())

    def fits(value: Any) -> bool:
        if type(value) is not dict:
            return False
        misfits = [
            name
            for name, given in value.items()
            if (type(given) not in scalars[name] if name in scalars else name in others and not others[name](given))
        ]
        for name in misfits:
            del value[name]
        return all(name in value for name in required)

    return fits


def _array(item: _Fits) -> _Fits:
    def fits(value: Any) -> bool:
        if type(value) is not list:
            return False
        if not all(item(each) for each in value):
            value[:] = [each for each in value if item(each)]
        return True

    return fits
