"""Built-in kinds: Go structs by their schema, with defaults, checks and columns from the tables of this package."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.builtin.checks import Check
from hack.sandbox.kube.builtin.defaults import DEFAULTERS
from hack.sandbox.kube.builtin.printers import PRINTERS
from hack.sandbox.kube.builtin.schemas import schema_of
from hack.sandbox.kube.resources.object_meta import NameRule, unqualified_finalizers
from hack.sandbox.kube.resources.resource import Column, Strategy
from hack.sandbox.kube.store.storage import clone
from hack.sandbox.kube.wire import names, typed
from hack.sandbox.kube.wire.causes import Cause
from hack.sandbox.kube.wire.errors import bad_request
from hack.sandbox.kube.wire.json_path import find

Json = dict[str, Any]
META_LABELS: Final = frozenset({"metadata.name", "metadata.namespace"})


@dataclass(frozen=True, slots=True)
class Traits:
    """The specifics of one kind."""

    schema: str
    """The OpenAPI name of its shape."""
    check: Check | None = None
    generation: str = ""
    """Changes that increment `metadata.generation`: none, `spec`, or `spec+annotations`."""
    status: bool = False
    """Whether the status has its own endpoint."""
    initial_status: Json | None = None
    labels: Mapping[str, str] | None = None
    """Selectable fields in addition to the metadata's: label to path; None for kinds that have only those."""
    name_rule: NameRule = names.subdomain_problems
    unconditional_update: bool = True
    create_on_update: bool = False
    returns_deleted: bool = False
    convert: Callable[[Json], None] | None = None
    """Moves what only requests have to where it is stored, before managedFields are computed."""
    complete: Callable[[Json, Json | None], None] | None = None
    """Sets values that the server allocates, such as addresses."""
    kept_by_status: tuple[str, ...] = ()
    """Members of the metadata that a write to the status leaves as they are."""


class TypedStrategy(Strategy):
    """How the objects of one built-in kind behave."""

    def __init__(self, kind: str, traits: Traits):
        self._traits = traits
        self._schema = schema_of(traits.schema)
        self._printer = PRINTERS.get(kind)
        self.name_rule = traits.name_rule
        self.unconditional_update = traits.unconditional_update
        self.create_on_update = traits.create_on_update
        self.returns_deleted = traits.returns_deleted

    def schema(self) -> Json:
        """Return the OpenAPI schema, references resolved."""
        return self._schema

    def decode(self, obj: Json, *, is_applied: bool = False) -> tuple[Json, list[str]]:  # noqa: ARG002 - a hook
        """Decode an object as by a round trip through the Go struct, defaults included."""
        decoded, unknown = typed.decode(self._schema, obj, DEFAULTERS)
        result: Json = decoded
        if self._traits.convert:
            self._traits.convert(result)
        return result, unknown

    def reset(self, new: Json, old: Json | None, subresource: str) -> None:
        """Keep the status (main endpoint), or spec and labels (status endpoint)."""
        traits = self._traits
        if subresource == "status" and old is not None:
            new.update({k: v for k, v in old.items() if k not in ("metadata", "status")})
            _keep(new["metadata"], old["metadata"], *traits.kept_by_status)
        elif traits.status and old is not None:
            _keep(new, old, "status")
        elif traits.status:
            new["status"] = clone(traits.initial_status or typed.zero(self._schema["properties"]["status"]))

    def ignored_paths(self, subresource: str) -> tuple[tuple[str, ...], ...] | None:
        """Return what the status endpoint ignores: the spec, and the members of the metadata that it keeps."""
        if subresource != "status":
            return None
        return (("f:spec",), *(("f:metadata", f"f:{name}") for name in self._traits.kept_by_status))

    def prepare_create(self, new: Json) -> None:
        """Set generation 1 for kinds that have one, and the server's allocations."""
        if self._traits.generation:
            new["metadata"]["generation"] = 1
        if self._traits.complete:
            self._traits.complete(new, None)

    def prepare_update(self, new: Json, old: Json, subresource: str) -> None:
        """Increment the generation if the spec changes; in a Deployment, also the annotations."""
        if self._traits.complete:
            self._traits.complete(new, old)
        if self._traits.generation and subresource != "status":
            changed = _desired(new) != _desired(old)
            if self._traits.generation == "spec+annotations":
                changed |= new["metadata"].get("annotations") != old["metadata"].get("annotations")
            if changed:
                new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def validate_create(self, new: Json, preceding: Sequence[Cause]) -> list[Cause]:
        """Run the kind's own check, after the metadata's."""
        found = [*preceding, *unqualified_finalizers(new["metadata"])]
        return [*found, *(self._traits.check(new, None) if self._traits.check else ())]

    def validate_update(self, new: Json, old: Json, subresource: str, preceding: Sequence[Cause]) -> list[Cause]:
        """Run the kind's own check, after the metadata's."""
        found = [*preceding, *unqualified_finalizers(new["metadata"])]
        if subresource:
            return found
        return [*found, *(self._traits.check(new, old) if self._traits.check else ())]

    def field_label(self, label: str) -> str:
        """Return the label, or raise 400; the message depends on whether the kind has selectable fields of its own."""
        labels = self._traits.labels
        if label in META_LABELS or (labels is not None and label in labels):
            return label
        if labels is None:
            known = 'only "metadata.name", "metadata.namespace"'
            raise bad_request(f'"{label}" is not a known field selector: {known}')
        raise bad_request(f"field label not supported: {label}")

    def fields(self, obj: Json) -> Mapping[str, str]:
        """Return the selectable fields as text."""
        found = dict(super().fields(obj))
        for label, path in (self._traits.labels or {}).items():
            values = find(path, obj)
            found[label] = _text(values[0]) if values else ""
        return found

    def columns(self) -> Sequence[Column]:
        """Return the kind's columns, or the default ones."""
        return self._printer.columns if self._printer else super().columns()

    def no_rows(self) -> list[Any] | None:
        """Return no list for a kind without a printer of its own."""
        return [] if self._printer else None

    def cells(self, obj: Json) -> list[Any]:
        """Return the kind's cells, or the default ones."""
        return self._printer.cells(obj) if self._printer else super().cells(obj)


def _keep(new: Json, old: Json, *fields: str) -> None:
    for field in fields:
        if field in old:
            new[field] = old[field]
        else:
            new.pop(field, None)


def _desired(obj: Json) -> Json:
    return {k: v for k, v in obj.items() if k not in ("metadata", "status")}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
