"""What a decision about a resource that is updated in place observes, and its steps: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from controller.reconcile.drift.report import Difference
from controller.reconcile.mutable.observation import UpdateStep
from controller.reconcile.observation import ExtendedObservation
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


InPlaceStep: TypeAlias = (
    EnsureFinalizer | Create | Describe | VerifyOwner | Update | Delete | PutTags | DropTags | RemoveFinalizer | Finish
)


@dataclass(frozen=True, slots=True)
class InPlaceObservation(ExtendedObservation):
    """All that a decision about such a resource depends on. `base.content` is the digest of what an Update sends."""

    is_observed: bool = False
    """The status was decided on this very generation of the spec, and shows that AWS has it."""
    differences: tuple[Difference, ...] = ()
    """Where a description differs from what the spec wants and an Update can change."""
    update: Mapping[str, Any] = field(default_factory=dict)
    """What an Update sends besides the name, by the description of this pass."""
    is_unshown: bool = False
    """The spec wants something that no description shows: whether AWS has it is known by the record alone."""
    waits_for: str = ""
    """What has to be read in the cluster before the spec is complete, for users; empty: nothing."""
    was_deleted: bool = False
    """This process has deleted the resource: "not found" is no surprise, however young it is."""
    is_deletion_refused: bool = False
    """AWS has refused the deletion in this pass for what the resource still has in it."""

    @property
    def is_edited(self) -> bool:
        """Return whether the spec wants something else than was sent last."""
        recorded = self.base.recorded
        return recorded is not None and recorded.content != self.base.content
