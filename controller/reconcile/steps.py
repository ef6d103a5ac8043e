"""The steps that a decision may return, frozen and shared by all life-cycles.

After a step that is not final the loop adds its result to the observation and decides again. `Finish`,
`RemoveFinalizer` and `DeleteExpired` end a pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from controller.reconcile import reasons
from controller.reconcile.observation import During, Failure, Recorded
from controller.runtime.record.events import EventType


class AwsStep:
    """A step that calls AWS: an error becomes a `Failure`, and it is not taken during a hold."""

    __slots__ = ()
    during: ClassVar[During]
    """The activity that an error of this step fails."""
    waits_for_hold: ClassVar[bool] = True
    """False: it does more than to call AWS, and keeps the hold itself."""


class ChangeStep(AwsStep):
    """A step that changes an existing resource: taken only when this pass has seen that it is the recorded one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class EnsureFinalizer:
    """Write the finalizer and the name into the object, with one patch, before anything is created."""

    before: "Create | None" = field(default=None, compare=False)
    """The creation that it precedes, for which the budget is reserved first: then this write is also what proves the
    object current, and an object that has to wait costs none."""


@dataclass(frozen=True, slots=True)
class Describe(AwsStep):
    """Describe the resource."""

    during = During.DESCRIBE

    background: bool = False
    before: ChangeStep | None = field(default=None, compare=False)
    """The change that it precedes, for which the budget is reserved first: no Describe for each pass that waits."""


@dataclass(frozen=True, slots=True)
class VerifyOwner(AwsStep):
    """Read the tags of the resource with our name."""

    during = During.OWNER

    arn: str


@dataclass(frozen=True, slots=True)
class Create(AwsStep):
    """Create the resource."""

    during = During.CREATE


@dataclass(frozen=True, slots=True)
class Stop(ChangeStep):
    """Request that the job stops."""

    during = During.STOP


@dataclass(frozen=True, slots=True)
class UpdateJob(ChangeStep):
    """Send the members of the pending change that AWS does not show yet."""

    during = During.UPDATE

    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordChange:
    """Record that nothing is left to do about the pending change: AWS has it, or `too_late` says why it never will."""

    too_late: str = ""


@dataclass(frozen=True, slots=True)
class Delete(ChangeStep):
    """Delete the resource that is recorded under this name."""

    during = During.DELETE

    name: str


@dataclass(frozen=True, slots=True)
class PutTags(ChangeStep):
    """Add the wanted tags to the recorded resource."""

    during = During.TAG


@dataclass(frozen=True, slots=True)
class DropTags(ChangeStep):
    """Remove these tags."""

    during = During.TAG

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeleteExpired:
    """Delete the object of a job that has ended; the job stays at AWS."""


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event, recorded when the status has been written."""

    type: EventType
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Remove our finalizer: no resource of ours is left at AWS."""

    events: tuple[Event, ...] = ()


class Phase(Enum):
    """The summary of the conditions (modern-expectations.md 2)."""

    WORKING = "working"
    """Ready=False, Reconciling=True."""
    DONE = "done"
    """Ready=True, Complete=True."""
    READY = "ready"
    """Ready=True, of what has no end."""
    READY_WORKING = "ready, working"
    """Ready=True, Reconciling=True: serves, and is being changed."""
    READY_STUCK = "ready, stuck"
    """Ready=True, Stalled=True: serves, but not what the spec describes."""
    ENDED = "ended"
    """Ended without success: Stalled=True, Failed=True."""
    STUCK = "stuck"
    """Only a change by the user helps: Stalled=True."""
    TROUBLED = "troubled"
    """AWS cannot be used at the moment: Reconciling=True, Ready as it was."""
    PAUSED = "paused"
    """Not reconciled: Reconciling=False, Ready unchanged."""


class Drift(Enum):
    """Whether AWS has what was applied last, as the reason of the Drifted condition; only the first is True."""

    FOUND = reasons.DRIFTED
    CORRECTING = reasons.CORRECTING
    NONE = reasons.IN_SYNC


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """The content of the status; the writer adds names, links and times."""

    phase: Phase
    reason: str
    message: str = ""
    value: str | None = None
    """v1 status value; None: keep the one that is shown."""
    secondary: str | None = None
    """None: keep."""
    additional: str | None = ""
    """Text of `status.additional`; empty: none, None: keep."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    synced: str = reasons.SYNCED
    """Reason of the Synced condition; `Synced` itself means True."""
    drift: Drift | None = None
    """None: keep what is shown."""
    tried: str = ""
    """Name under which AWS has refused to create the resource: shown like one that was created, and not recorded."""


class Outcome(Enum):
    """How the pass ends for the work queue."""

    DONE = "done"
    RETRY = "retry"
    """The error is raised again: the queue backs off."""
    RETRY_SLOWLY = "retry slowly"
    """AWS is not called for minutes: missing permissions, quotas, dependencies."""
    TERMINAL = "terminal"
    """AWS is not called until the object changes, or the resync."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Write the status, if it changed, and end the pass."""

    status_update: StatusUpdate | None = None
    """None: the status stays as it is."""
    recorded: Recorded | None = None
    """Identity to be recorded with the status."""
    events: tuple[Event, ...] = ()
    follow: bool = False
    """The tracker follows the resource."""
    again_s: float | None = None
    """Seconds after which to reconcile again at the latest; of RETRY_SLOWLY, the first delay."""
    look_s: float | None = None
    """Of RETRY_SLOWLY and TERMINAL: seconds after which to look in the cluster whether something has changed with which
    AWS may decide otherwise; until it has, AWS is not called any sooner."""
    outcome: Outcome = Outcome.DONE
    failure: Failure | None = field(default=None, compare=False)
    """The reason for the outcome."""
