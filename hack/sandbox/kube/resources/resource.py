"""A resource: its names and verbs, and the strategy for its objects.

The registry has the common behaviour; a `Strategy` has the specifics, as in k8s.io/apiserver pkg/registry/rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hack.sandbox.kube.resources.object_meta import NameRule
from hack.sandbox.kube.wire import names
from hack.sandbox.kube.wire.causes import Cause
from hack.sandbox.kube.wire.errors import bad_request

Json = dict[str, Any]

ALL_VERBS: Final = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
MERGE: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a Table. `format` is `name` for the object's name; a priority above 0 shows with `-o wide`."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0

    def definition(self) -> Json:
        """Return the entry in `columnDefinitions`."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


NAME_COLUMN: Final = Column(
    "Name",
    "string",
    "name",
    "Name must be unique within a namespace. It is set by the client, or by the server when generateName is used.",
)
AGE_DESCRIPTION: Final = "The server time at which the object was created: RFC 3339 in UTC, not to be set by clients."


class Strategy:
    """How objects of one resource are decoded, completed, validated and shown. The base does nothing special.

    `new` and `old` are served objects (in the version of the request); methods named `prepare…` and `reset` change
    `new` in place.
    """

    typed = True
    """Built-in kinds are Go structs: list items have no kind, unknown fields are never stored."""
    unconditional_update = True
    """Whether PUT works without a resourceVersion."""
    create_on_update = False
    returns_deleted = False
    """Whether DELETE returns the object instead of a Status."""
    patch_types: tuple[str, ...] = (JSON_PATCH, MERGE, STRATEGIC, APPLY)
    name_rule: NameRule = staticmethod(names.subdomain_problems)
    watch_cache = True
    """Whether watches start from a cache with a first revision (Events are read from the log itself)."""

    def decode(self, obj: Json, *, is_applied: bool = False) -> tuple[Json, list[str]]:  # noqa: ARG002 - a hook
        """Return the decoded object and its unknown fields. Raises typed.DecodeError.

        `is_applied`: it is the result of a server-side apply, which keeps nulls.
        """
        return obj, []

    def to_served(self, stored: Json) -> Json:
        """Return the stored object in the version of this resource; may share parts with it."""
        return stored

    def to_stored(self, served: Json) -> Json:
        """Return the object in stored form."""
        return served

    def reset(self, new: Json, old: Json | None, subresource: str) -> None:
        """Undo changes in `new` that this endpoint cannot write."""

    def prepare_create(self, new: Json) -> None:
        """Complete a new object."""

    def prepare_update(self, new: Json, old: Json, subresource: str) -> None:
        """Complete a changed object, its generation included."""

    def validate_create(self, new: Json, preceding: Sequence[Cause]) -> list[Cause]:  # noqa: ARG002 - a hook
        """Return all findings; `preceding` are those on the metadata."""
        return [*preceding]

    def validate_update(
        self,
        new: Json,  # noqa: ARG002 - a hook
        old: Json,  # noqa: ARG002 - a hook
        subresource: str,  # noqa: ARG002 - a hook
        preceding: Sequence[Cause],
    ) -> list[Cause]:
        """Return all findings; `preceding` are those on the metadata."""
        return [*preceding]

    def warnings(self, new: Json, old: Json | None) -> list[str]:  # noqa: ARG002 - a hook
        """Return warnings for the client of a successful write."""
        return []

    def schema(self) -> Json:
        """Return the structural schema for server-side apply and managed fields."""
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

    def ignored_paths(self, subresource: str) -> tuple[tuple[str, ...], ...] | None:  # noqa: ARG002 - a hook
        """Return the paths that `reset` undoes, for managedFields; None for the default: the status, or all others."""
        return None

    def field_label(self, label: str) -> str:
        """Return the name in `fields` for a field of a selector. Raises 400 if it is not selectable."""
        if label in ("metadata.name", "metadata.namespace"):
            return label
        raise bad_request(f"field label not supported: {label}")

    def fields(self, obj: Json) -> Mapping[str, str]:
        """Return the selectable fields of a served object."""
        meta = obj["metadata"]
        return {"metadata.name": meta["name"], "metadata.namespace": meta.get("namespace", "")}

    def columns(self) -> Sequence[Column]:
        """Return the columns of a Table."""
        return (NAME_COLUMN, Column("Created At", "date", description=AGE_DESCRIPTION))

    def no_rows(self) -> list[Any] | None:
        """Return the rows of a Table of nothing, which is null where Go appends to a nil slice."""
        return []

    def cells(self, obj: Json) -> list[Any]:
        """Return the cells of one row."""
        meta = obj["metadata"]
        return [meta.get("name", ""), meta.get("creationTimestamp")]


@dataclass(frozen=True, slots=True)
class Subresource:
    """An endpoint below an object. `kind` is empty if it is the parent's."""

    name: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    group: str = ""
    version: str = ""
    kind: str = ""


STATUS: Final = Subresource("status")
SCALE: Final = Subresource("scale", group="autoscaling", version="v1", kind="Scale")


@dataclass(frozen=True, eq=False)
class Resource:
    """One served version of one resource. Compared by identity: a changed CRD creates new ones."""

    group: str
    version: str
    plural: str
    kind: str
    singular: str = ""
    list_kind: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    strategy: Strategy = field(default_factory=Strategy)
    collection: str = ""
    """The storage collection; several resources may show the same one."""
    builtin: bool = True
    error_group: str = "="
    """The group of the kind in errors of validation, if not `group`: events.k8s.io Events are core Events inside."""
    deprecation: str = ""
    """The warning for every client of this version."""
    since: int = 0
    """The revision at which this version of the resource was first served: watches cannot start earlier."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "singular", self.singular or self.kind.lower())
        object.__setattr__(self, "list_kind", self.list_kind or f"{self.kind}List")
        if self.error_group == "=":
            object.__setattr__(self, "error_group", self.group)
        object.__setattr__(self, "collection", self.collection or f"{self.group}/{self.plural}")

    @property
    def api_version(self) -> str:
        """Return `group/version`, or only the version in the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def subresource(self, name: str) -> Subresource | None:
        """Return the endpoint of that name."""
        return next((each for each in self.subresources if each.name == name), None)
