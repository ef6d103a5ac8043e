"""What a decision about a model or an endpoint configuration observes, and its steps: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from controller.reconcile.drift.report import Difference
from controller.reconcile.observation import During, ExtendedObservation, Recorded
from controller.reconcile.steps import (
    AwsStep,
    Create,
    Delete,
    Describe,
    DropTags,
    Finish,
    PutTags,
    RemoveFinalizer,
    VerifyOwner,
)

CREATED: Final = "Created"
"""The v1 status value of what exists."""
LEGACY_CONTENT: Final = "predecessor"
"""Content of a resource that the predecessor created and that does not match the spec."""
DELETING: Final = "deleted"
"""Content of a replaced resource, recorded before its deletion: a Delete without an answer may take effect late, so the
name is not used again, even if an edit restores the content."""
DELETING_LEGACY: Final = "deleted, predecessor"
"""The same for what the predecessor created, which has no owner tags."""
FOREIGN: Final = "foreign"
"""Content of a resource that was replaced outside the operator: it is neither used nor deleted."""


@dataclass(frozen=True, slots=True)
class RecordName:
    """Record that `name` may exist with `content`, and the finalizer, before it is created or deleted."""

    name: str
    content: str
    before: Create | None = field(default=None, compare=False)
    """The creation that it precedes, see `EnsureFinalizer.before`."""


@dataclass(frozen=True, slots=True)
class ForgetName:
    """Record that `name` does not exist any more."""

    name: str


@dataclass(frozen=True, slots=True)
class TakeOver(AwsStep):
    """Find out whether the resource is what the child had that this one succeeds, and record its name if so."""

    during = During.OWNER

    recorded: Recorded


@dataclass(frozen=True, slots=True)
class ConfirmOwner(AwsStep):
    """Find out whether the resource `name` is still the one that was created, before it is deleted."""

    during = During.OWNER

    name: str


ResourceStep: TypeAlias = (
    RecordName
    | ForgetName
    | TakeOver
    | ConfirmOwner
    | Create
    | Describe
    | VerifyOwner
    | Delete
    | PutTags
    | DropTags
    | RemoveFinalizer
    | Finish
)


@dataclass(frozen=True, slots=True)
class ResourceObservation(ExtendedObservation):
    """All that a decision about a model or an endpoint configuration depends on."""

    content: str
    """Digest of the content of the spec."""
    claimed: Mapping[str, str]
    """Content by name: what may exist at AWS."""
    inherited: frozenset[str] = frozenset()
    """Names that only the status, or this process, knows of: the annotation that listed them was lost."""
    next_name: str = ""
    handed_over: Recorded | None = None
    """What another child of the deployment has, which this one is to succeed; None once it is known."""
    successors: Mapping[str, str] = field(default_factory=dict)
    """Children that have taken over what this one has, by the name at AWS."""
    """The name for content that no claimed name stands for."""
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    legacy_matches: bool | None = None
    """Whether a resource that was not created for this content matches the spec; None: not known yet."""
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The users of each name in the cluster."""
    is_child_in_use: bool = False
    """Its deployment exists and still uses it: its deletion has to wait."""
    confirmed: frozenset[str] = frozenset()
    """Names of resources that this pass has found to be ours."""
    foreign: frozenset[str] = frozenset()
    """Names of resources that this pass has found to be of another owner."""
    gone: frozenset[str] = frozenset()
    """Names that this pass has deleted, or found to be gone."""
    was_gone: bool = False
    """The resource was deleted outside the operator, and this pass has created it again."""
    differences: tuple[Difference, ...] = ()
    """What a description shows otherwise than the spec has it."""
    model_names: Mapping[str, str] = field(default_factory=dict)
    """Names at SageMaker of the Models that the spec names by their objects."""
    shown_model_names: tuple[tuple[str, str], ...] = ()
    """The same as the status shows it, with those that replaced configurations still refer to."""
    is_confirmed_gone: bool = False
    """Delete has answered for a name that existed."""

    @property
    def current(self) -> str:
        """Return the name with the wanted content; empty if there is none yet."""
        return next((name for name, content in self.claimed.items() if content == self.content), "")

    @property
    def is_taken_over(self) -> bool:
        """Return whether the current resource was created for another child."""
        return bool(self.current) and self.base.uid.replace("-", "") not in self.current
