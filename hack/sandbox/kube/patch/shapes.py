"""The merge rules of a schema: which values are atomic, and what identifies the items of a list.

A `Shape` is an atom of structured-merge-diff: a value may be a scalar, a list or a map, and each form has its rules.
Shapes are created lazily, because the schemas of built-in kinds are recursive. Sources: k8s.io/kube-openapi
pkg/schemaconv and, for the typed metadata of custom resources, k8s.io/apiextensions-apiserver
pkg/controller/openapi/builder.
"""

from typing import Any, Final, TypeAlias

from hack.sandbox.kube.schema.defaulting import EMBEDDED
from hack.sandbox.kube.wire.identity_cache import IdentityCache

Schema: TypeAlias = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "object", "additionalProperties": _TEXT}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}
_NUMBER: Final[Schema] = {"type": "integer"}
_ATOMIC_LIST: Final[Schema] = {"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "atomic"}
_OWNER: Final[Schema] = {
    "type": "object",
    "x-kubernetes-map-type": "atomic",
    "properties": {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "name": _TEXT,
        "uid": _TEXT,
        "controller": {"type": "boolean"},
        "blockOwnerDeletion": {"type": "boolean"},
    },
}
OBJECT_META: Final[Schema] = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("generateName", "name", "namespace", "resourceVersion", "selfLink", "uid"), _TEXT),
        **dict.fromkeys(("annotations", "labels"), _TEXTS),
        **dict.fromkeys(("creationTimestamp", "deletionTimestamp"), _TIME),
        **dict.fromkeys(("deletionGracePeriodSeconds", "generation"), _NUMBER),
        "finalizers": {"type": "array", "items": _TEXT, "x-kubernetes-list-type": "set"},
        "managedFields": _ATOMIC_LIST,
        "ownerReferences": {
            "type": "array",
            "items": _OWNER,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
        },
    },
}
"""How the metadata of every object is merged (meta/v1 ObjectMeta)."""

_TYPE_META: Final[dict[str, Schema]] = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": OBJECT_META}
_ITEMS: Final = "/items"
_VALUES: Final = "/values"
"""Keys in a shape's cache that no field can have: field names have no slash."""
_UNTYPED_FORMS: Final = frozenset({"Quantity", "RawExtension", "IntOrString", "Time", "MicroTime", "JSON"})


def _list_type(schema: Schema) -> tuple[str, tuple[str, ...]]:
    declared = schema.get("x-kubernetes-list-type")
    if declared == "map":
        return "map", tuple(schema.get("x-kubernetes-list-map-keys") or ())
    if declared:
        return declared, ()
    if str(schema.get("x-kubernetes-patch-strategy", "")).startswith("merge"):
        merge_key = schema.get("x-kubernetes-patch-merge-key")
        return ("map", (merge_key,)) if merge_key else ("set", ())
    return "atomic", ()


class Shape:
    """How values of one schema are merged. Immutable; thread-safe."""

    __slots__ = (
        "_fields",
        "_items",
        "_made",
        "_open",
        "_preserve",
        "_values",
        "atomic_list",
        "atomic_map",
        "keys",
        "kinds",
        "scalar",
    )

    def __init__(self, schema: Schema | None, *, preserve: bool = False, deduced: bool = False) -> None:
        schema = schema or {}
        kind = schema.get("type") or ""
        preserve = preserve or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        if schema.get("x-kubernetes-int-or-string") or schema.get("x-struct") in _UNTYPED_FORMS:
            kind = ""
        self.kinds = {
            "": frozenset({"scalar", "list", "map"}),
            "object": frozenset({"map"}),
            "array": frozenset({"list"}),
        }.get(kind, frozenset({"scalar"}))
        self.scalar = {"integer": "numeric", "number": "numeric", "boolean": "boolean"}.get(kind, "untyped")
        if kind == "string" and schema.get("format") in {None, "", "byte"}:
            self.scalar = "string"
        list_type, self.keys = _list_type(schema)
        self.atomic_list = list_type not in {"set", "map"}
        self.atomic_map = schema.get("x-kubernetes-map-type") == "atomic" or schema.get("x-struct") == "RawExtension"
        self._preserve = preserve
        self._fields: dict[str, Schema] = schema.get("properties") or {}
        if schema.get(EMBEDDED):
            self._fields = {**self._fields, **_TYPE_META}
        items, rest = schema.get("items"), schema.get("additionalProperties")
        self._items = items if isinstance(items, dict) else None
        self._values = rest if isinstance(rest, dict) else None
        self._open = deduced or rest is True or (rest is None and (preserve or not self._fields))
        self._made: dict[str, Shape] = {}

    def field(self, name: str) -> "Shape | None":
        """Return the shape below a field or map key; None if the schema does not allow it."""
        known = self._fields.get(name)
        if known is not None:
            return self._made.get(name) or self._make(name, known)
        if self._values is not None:
            return self._made.get(_VALUES) or self._make(_VALUES, self._values)
        return DEDUCED if self._open else None

    def _make(self, name: str, schema: Schema) -> "Shape":
        shape = self._made[name] = Shape(schema, preserve=self._preserve)
        return shape

    def declares(self, name: str) -> bool:
        """Return whether `name` is a field of a struct, not a key of a map."""
        return name in self._fields

    @property
    def item(self) -> "Shape":
        """Return the shape of list items."""
        if self._items is None:
            return ATOMIC
        return self._made.get(_ITEMS) or self._make(_ITEMS, self._items)

    def default_of(self, name: str) -> Any:
        """Return the default of a field, which may complete the keys of an item; None without a default."""
        return self._fields.get(name, {}).get("default")

    def form(self, value: Any) -> str:
        """Return whether a value is treated as a map, scalar or list; values of the wrong type by the schema's type."""
        if isinstance(value, dict):
            actual = "map"
        elif isinstance(value, list):
            actual = "list"
        else:
            actual = "scalar" if value is not None and value is not ABSENT else ""
        if actual in self.kinds:
            return actual
        return next(kind for kind in ("map", "scalar", "list") if kind in self.kinds)


class _Absent:
    """The type of the value for a missing field, as opposed to a null one."""


ABSENT: Final = _Absent()
DEDUCED: Final = Shape(None, deduced=True)
"""Without a schema: maps are merged, lists are replaced."""
ATOMIC: Final = Shape({"x-kubernetes-map-type": "atomic"})
"""For unknown parts: the whole value is atomic."""


def _root(schema: Schema | None) -> Shape:
    if not schema:
        return Shape({"properties": {"metadata": OBJECT_META}, "additionalProperties": True, "type": "object"})
    properties = schema.get("properties") or {}
    if "x-struct" not in (properties.get("metadata") or {}):
        properties = {**properties, **_TYPE_META}
    return Shape({**schema, "type": "object", "properties": properties})


_roots: Final[IdentityCache[Shape]] = IdentityCache(_root)
_WITHOUT_SCHEMA: Final = _root(None)


def root_shape(schema: Schema | None) -> Shape:
    """Return the shape of a kind's objects, cached by the schema's identity."""
    return _roots.get(schema) if schema else _WITHOUT_SCHEMA
