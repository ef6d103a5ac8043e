"""What a decision about a model or an endpoint configuration sees and may want: frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from controller.reconcile.drift.report import Difference
from controller.reconcile.observation import ExtendedObservation
from controller.reconcile.steps import Create, Delete, Describe, DropTags, Finish, PutTags, RemoveFinalizer

CREATED: Final = "Created"
"""The v1 status value of what exists."""
LEGACY_CONTENT: Final = "predecessor"
"""Content of a resource that the predecessor made and that is not what the spec asks for."""
DELETING: Final = "deleted"
"""Content of what has been replaced, from before its deletion: a Delete that went unanswered may take effect late, so
the name stands for nothing any more, not even where an edit asks for the same again."""
FOREIGN: Final = "foreign"
"""Content of a name under which somebody else has put another resource: it is neither used nor deleted."""


@dataclass(frozen=True, slots=True)
class RecordName:
    """Write the finalizer, and that `name` may exist with `content`, before it is created, or deleted as replaced."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class ForgetName:
    """Write that `name` does not exist any more."""

    name: str


ResourceStep: TypeAlias = (
    RecordName | ForgetName | Create | Describe | Delete | PutTags | DropTags | RemoveFinalizer | Finish
)


@dataclass(frozen=True, slots=True)
class ResourceObservation(ExtendedObservation):
    """All that a decision about a model or an endpoint configuration depends on."""

    content: str
    """Digest of what the spec asks for."""
    claimed: Mapping[str, str]
    """Content by name: what may exist at AWS."""
    next_name: str
    """The name for content that no claimed name stands for."""
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    legacy_matches: bool | None = None
    """Whether what was not made for this content is what the spec asks for; None: not looked yet."""
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Who uses a name, as far as the cluster knows."""
    is_child_in_use: bool = False
    """Its deployment is alive and still uses it: whoever deletes it, it has to wait."""
    gone: frozenset[str] = frozenset()
    """Names that this pass has deleted, or found to be gone."""
    was_gone: bool = False
    """What was created before is not there: somebody has deleted it, and this pass has created it again."""
    differences: tuple[Difference, ...] = ()
    """What a description shows otherwise than the spec has it."""
    is_confirmed_gone: bool = False
    """Delete has answered for a name that existed."""

    @property
    def current(self) -> str:
        """The name that stands for the wanted content; empty: none yet."""
        return next((name for name, content in self.claimed.items() if content == self.content), "")
