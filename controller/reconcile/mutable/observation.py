"""What a decision about a resource that AWS changes in place observes, and the steps of all kinds: frozen values."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from controller.reconcile.observation import During, ExtendedObservation, ExternalResource, Failure
from controller.reconcile.steps import (
    ChangeStep,
    Create,
    Delete,
    Describe,
    DropTags,
    EnsureFinalizer,
    Finish,
    PutTags,
    RemoveFinalizer,
    VerifyOwner,
)


class UpdateStep(ChangeStep):
    """An update of the resource. Kinds say in steps of their own what is sent."""

    __slots__ = ()
    during = During.UPDATE


@dataclass(frozen=True, slots=True)
class RecordServed:
    """Record that AWS has what the spec asks for: from now on, another state is drift."""


@dataclass(frozen=True, slots=True)
class ForgetUpdate:
    """Record that nothing is known of the last update of a resource that is taken over."""


MutableStep: TypeAlias = (
    EnsureFinalizer
    | Create
    | Describe
    | VerifyOwner
    | RecordServed
    | ForgetUpdate
    | UpdateStep
    | Delete
    | PutTags
    | DropTags
    | RemoveFinalizer
    | Finish
)
"""The steps of all kinds."""


@dataclass(frozen=True, slots=True)
class MutableObservation(ExtendedObservation, ABC):
    """What a decision depends on, whatever the kind; each adds what its spec asks for, and what was sent last."""

    invalid: Failure | None = None
    """Why no request can be made of the spec."""
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    is_unchanged: bool = False
    """The last List summary shows what the status shows."""
    was_visible: bool = False
    """AWS has described the resource before: "not found" now means gone."""
    is_described: bool = False
    """AWS has described the resource in this pass."""
    recreates: bool = False
    """Annotation `recreate-on-failure`."""
    refusal: str = ""
    """In which words AWS has refused a change because of the state, in this pass."""
    is_update_copied: bool = False
    """The record of the last update was written for an object that this one is a copy of."""

    @property
    @abstractmethod
    def is_pending(self) -> bool:
        """Return whether an update has to be requested: for a changed spec, or as a retry of a failed one."""

    @property
    @abstractmethod
    def is_edited(self) -> bool:
        """Return whether the spec asks for something else than was sent last: an update is then no correction."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """Return the status fields of the last description."""
        return self.base.external.fields if isinstance(self.base.external, ExternalResource) else {}
