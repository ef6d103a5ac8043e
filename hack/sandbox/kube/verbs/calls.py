"""One request for the registry: its target, its body, and its selectors."""

from dataclasses import dataclass, field
from typing import Any, Final

from hack.sandbox.kube.resources.resource import Resource
from hack.sandbox.kube.store.storage import Entry
from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.errors import StatusError
from hack.sandbox.kube.wire.options import ListOptions, WriteOptions
from hack.sandbox.kube.wire.selectors import FieldSelector, LabelSelector, parse_field_selector, parse_label_selector

Json = dict[str, Any]

_NO_OPTIONS: Final = WriteOptions()


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: raw, decoded, and the paths of repeated keys."""

    data: bytes
    value: Any
    duplicates: tuple[str, ...] = ()
    error: str = ""
    """Why it could not be decoded; empty if it could."""


@dataclass(slots=True)
class Call:
    """One request to one resource; `warnings` collects the Warning headers of the response."""

    resource: Resource
    namespace: str
    name: str = ""
    subresource: str = ""
    options: WriteOptions = _NO_OPTIONS
    warnings: list[str] = field(default_factory=list)
    recorded_as: str = ""
    """The subresource in managedFields, if it differs from the written one."""

    @property
    def key(self) -> str:
        """Return the storage key of the object."""
        return f"{self.namespace}/{self.name}" if self.resource.namespaced else self.name

    def missing(self) -> StatusError:
        """Return a 404 for this object."""
        return errors.not_found(self.resource.group, self.resource.plural, self.name)


@dataclass(frozen=True, slots=True)
class Page:
    """One response to a list."""

    entries: list[Entry]
    revision: int
    token: str = ""
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """The parsed selectors of a request."""

    labels: LabelSelector
    fields: FieldSelector
    resource: Resource

    @classmethod
    def parse(cls, resource: Resource, options: ListOptions) -> "Filter":
        """Parse the selectors. Raises StatusError."""
        labels = parse_label_selector(options.label_selector)
        return cls(labels, parse_field_selector(options.field_selector, resource.strategy.field_label), resource)

    @property
    def is_empty(self) -> bool:
        """Return whether everything matches."""
        return not self.labels.requirements and not self.fields.terms

    def matches(self, obj: Json) -> bool:
        """Return whether a stored object is selected."""
        if self.is_empty:
            return True
        if not self.labels.matches(obj["metadata"].get("labels") or {}):
            return False
        if not self.fields.terms:
            return True
        strategy = self.resource.strategy
        return self.fields.matches(strategy.fields(strategy.to_served(obj)))
