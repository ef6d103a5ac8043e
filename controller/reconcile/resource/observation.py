"""What a decision about a model or an endpoint configuration observes, and its steps: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from controller.reconcile.drift.report import Difference
from controller.reconcile.observation import ExtendedObservation
from controller.reconcile.steps import Create, Delete, Describe, DropTags, Finish, PutTags, RemoveFinalizer

CREATED: Final = "Created"
"""The v1 status value of what exists."""
LEGACY_CONTENT: Final = "predecessor"
"""Content of a resource that the predecessor created and that does not match the spec."""
DELETING: Final = "deleted"
"""Content of a replaced resource, recorded before its deletion: a Delete without an answer may take effect late, so the
name is not used again, even if an edit restores the content."""
FOREIGN: Final = "foreign"
"""Content of a resource that was replaced outside the operator: it is neither used nor deleted."""


@dataclass(frozen=True, slots=True)
class RecordName:
    """Record that `name` may exist with `content`, and the finalizer, before it is created or deleted."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class ForgetName:
    """Record that `name` does not exist any more."""

    name: str


ResourceStep: TypeAlias = (
    RecordName | ForgetName | Create | Describe | Delete | PutTags | DropTags | RemoveFinalizer | Finish
)


@dataclass(frozen=True, slots=True)
class ResourceObservation(ExtendedObservation):
    """All that a decision about a model or an endpoint configuration depends on."""

    content: str
    """Digest of the content of the spec."""
    claimed: Mapping[str, str]
    """Content by name: what may exist at AWS."""
    next_name: str
    """The name for content that no claimed name stands for."""
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    legacy_matches: bool | None = None
    """Whether a resource that was not created for this content matches the spec; None: not known yet."""
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The users of each name in the cluster."""
    is_child_in_use: bool = False
    """Its deployment exists and still uses it: its deletion has to wait."""
    gone: frozenset[str] = frozenset()
    """Names that this pass has deleted, or found to be gone."""
    was_gone: bool = False
    """The resource was deleted outside the operator, and this pass has created it again."""
    differences: tuple[Difference, ...] = ()
    """What a description shows otherwise than the spec has it."""
    is_confirmed_gone: bool = False
    """Delete has answered for a name that existed."""

    @property
    def current(self) -> str:
        """Return the name with the wanted content; empty if there is none yet."""
        return next((name for name, content in self.claimed.items() if content == self.content), "")
