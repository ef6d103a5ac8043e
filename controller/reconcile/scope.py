"""What holds for an object: its own word, then its namespace's. Pure.

Where an annotation may stand (`api.annotations`) says who is asked about it. Whose credentials are used and where calls
go is the namespace's to say alone: who may write objects must not choose under which role the operator acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from api import annotations as known
from api.annotations import Annotation, Place
from api.meta import GROUP, JsonObject
from controller.reconcile.plan import Adoption, Policy

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NamespaceSettings:
    """What a namespace says of its objects."""

    name: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Those under our prefix; with it."""


class Namespaces(Protocol):
    """Knows the namespaces of the objects that are served. Thread-safe."""

    def of(self, name: str) -> NamespaceSettings:
        """What is known of a namespace. Raises `ClassifiedError` CONFLICT where nothing is known of it yet."""
        ...


class UnreadNamespaces:
    """`Namespaces` of an operator that serves single ones, and has no right to read them: they say nothing."""

    def of(self, name: str) -> NamespaceSettings:
        """See `Namespaces.of`."""
        return NamespaceSettings(name)


@dataclass(frozen=True, slots=True)
class Scope:
    """The annotations that hold for one object."""

    own: Mapping[str, str]
    """The object's, of whichever prefix."""
    namespace: NamespaceSettings

    def says(self, annotation: Annotation[T]) -> T | None:
        """What is asked for: by the object where it may, else by its namespace where that may; None: by nobody.

        What cannot be read counts as absent: `deletion-policy: Retian` does not undo the `retain` of the namespace.
        """
        own = annotation.of(self.own) if Place.OBJECT in annotation.places else None
        if own is not None or Place.NAMESPACE not in annotation.places:
            return own
        return annotation.of(self.namespace.annotations)

    def policy(self) -> Policy:
        """What is asked for of the resource at AWS (modern-expectations.md 4)."""
        adoption = self.says(known.ADOPTION_POLICY) or "refuse"
        is_read_only = self.says(known.READ_ONLY) is True  # look, never touch: adopt without the rights
        return Policy(
            adoption=Adoption.ADOPT if is_read_only else Adoption(adoption),
            retain=is_read_only or self.says(known.DELETION_POLICY) == "retain",
            paused=self.says(known.PAUSED) is True,
            read_only=is_read_only,
            ttl_s=self.says(known.TTL),
        )

    def facts(self) -> tuple[object, ...]:
        """All that is said, as one value: it changes when any of it does."""
        return sorted(ours(self.own).items()), sorted(self.namespace.annotations.items())


def scope_of(obj: JsonObject, namespace: NamespaceSettings) -> Scope:
    """The scope of an object as it is now."""
    return Scope(obj["metadata"].get("annotations") or {}, namespace)


def ours(annotations: Mapping[str, str]) -> dict[str, str]:
    """Those under our prefix."""
    return {name: text for name, text in annotations.items() if name.startswith(f"{GROUP}/")}
