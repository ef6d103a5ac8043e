"""What a decision about a resource that is updated in place observes, and its steps: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from controller.reconcile.drift.report import Difference
from controller.reconcile.mutable.observation import UpdateStep
from controller.reconcile.observation import ExtendedObservation, Problem
from controller.reconcile.steps import (
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


@dataclass(frozen=True, slots=True)
class Update(UpdateStep):
    """Send what the spec wants to be otherwise than AWS has it."""


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """Read the document of the spec that is in a ConfigMap: Kubernetes is asked, not AWS."""


@dataclass(frozen=True, slots=True)
class ObservedDocument:
    """What is known of the document of a spec that is in a ConfigMap."""

    is_read: bool = False
    """In this pass."""
    due_in_s: float = 0.0
    """When it is to be read (again), whatever else is to be done."""
    is_lacking: bool = False
    """The last read has found none, in this pass or before."""
    problem: Problem | None = None
    """Why this pass has found none."""


InPlaceStep: TypeAlias = (
    EnsureFinalizer
    | ReadDocument
    | Create
    | Describe
    | VerifyOwner
    | Update
    | Delete
    | PutTags
    | DropTags
    | RemoveFinalizer
    | Finish
)


@dataclass(frozen=True, slots=True)
class InPlaceObservation(ExtendedObservation):
    """All that a decision about such a resource depends on. `base.content` is the digest of what an Update sends; as
    long as a document of the spec is not read, that of what was sent."""

    is_observed: bool = False
    """The status was decided on this very generation of the spec, and shows that AWS has it."""
    differences: tuple[Difference, ...] = ()
    """Where a description differs from what the spec wants and an Update can change."""
    update: Mapping[str, Any] = field(default_factory=dict)
    """What an Update sends besides the name, by the description of this pass."""
    is_unshown: bool = False
    """The spec wants something that no description shows: whether AWS has it is known by the record alone."""
    document: ObservedDocument | None = None
    """None: the spec has all itself."""
    is_token_old: bool = False
    """AWS may have forgotten the client token with which the object has created something."""
    was_deleted: bool = False
    """This process has deleted the resource: "not found" is no surprise, however young it is."""
    is_deletion_refused: bool = False
    """AWS has refused the deletion in this pass for what the resource still has in it."""

    @property
    def is_edited(self) -> bool:
        """Return whether the spec wants something else than was sent last."""
        recorded = self.base.recorded
        return recorded is not None and recorded.content != self.base.content
