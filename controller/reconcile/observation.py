"""The values that decisions observe, frozen and shared by all life-cycles.

`Observed` carries everything that a decision about an object may depend on, the time included. Life-cycles that observe
more add it in an observation of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Protocol, Self, TypeAlias

from api.descriptor import KindDescriptor
from controller.aws.errors import AwsError
from controller.runtime.errors import Absent, ErrorClass


@dataclass(frozen=True, slots=True)
class Recorded:
    """The identity of the AWS resource that an object created, as kept in `status.awsResource` (D-03, D-04, D-08).

    Once recorded, nothing is created again, and these values win over the spec's.
    """

    name: str
    region: str
    partition: str
    arn: str = ""
    """Empty where an object of the predecessor names a resource that is gone."""
    account_id: str = ""
    created_at: datetime | None = None
    tags: str = ""
    """Digest of the tags that were last added (`Tagging.digest`)."""
    tag_keys: tuple[str, ...] = ()
    """Those of their keys that came from the spec."""


@dataclass(frozen=True, slots=True)
class Tagging:
    """The tags that a resource should have."""

    digest: str = ""
    """Digest of what is worth a call when it changes; empty if nothing is."""
    keys: tuple[str, ...] = ()
    """From the spec, sorted."""
    all_keys: frozenset[str] = frozenset()
    """With those of the operator."""


class Source(Enum):
    """How much is known."""

    SUMMARY = "summary"
    """A line of a List answer."""
    DESCRIPTION = "description"
    """A whole Describe answer."""


@dataclass(frozen=True, slots=True)
class ExternalResource:
    """The state of an existing resource, as SageMaker reports it."""

    source: Source
    value: str
    """AWS status, e.g. `InProgress`."""
    secondary: str = ""
    arn: str = ""
    created_at: datetime | None = None
    failure_reason: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Status fields of the v1 API, converted."""


External: TypeAlias = ExternalResource | Absent | None
"""None: not known yet."""


class Ownership(Enum):
    """To which object the resource with an object's name belongs."""

    UNKNOWN = "unknown"
    OURS = "ours"
    FOREIGN = "foreign"


class Mutation(Enum):
    """The AWS mutation that a pass has made."""

    CREATED = "created"
    STOPPED = "stopped"
    UPDATED = "updated"
    DELETED = "deleted"


class During(Enum):
    """Which step failed."""

    CREATE = "create"
    DESCRIBE = "describe"
    OWNER = "owner"
    STOP = "stop"
    CHILDREN = "children"
    UPDATE = "update"
    DELETE = "delete"
    TAG = "tag"
    IDENTITY = "identity"
    """Before anything else: resolving the identity and the account."""


class Adoption(Enum):
    """What to do about a resource that exists under a given name and is not ours."""

    REFUSE = "refuse"
    ADOPT = "adopt"
    """It must exist, and becomes ours."""
    ADOPT_OR_CREATE = "adopt-or-create"


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy that annotations set (modern-expectations.md 4)."""

    adoption: Adoption = Adoption.REFUSE
    retain: bool = False
    """Deletion of the object does not change AWS."""
    paused: bool = False
    """Nothing is done, and AWS is not called."""
    read_only: bool = False
    """AWS is only read: the resource with the object's name is shown. Implies ADOPT and `retain`."""
    ttl_s: int | None = None
    """Seconds after the end of the job after which its object is deleted; None: never."""
    corrects: bool = False
    """Drift is corrected, not only reported."""
    holds_updates: bool = False
    """Updates of an endpoint wait for approval."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that failed in this pass, with what it means."""

    during: During
    error_class: ErrorClass
    code: str
    message: str
    sent: bool = True
    """False: nothing can have reached AWS."""
    error: AwsError | None = field(default=None, compare=False, repr=False)
    """The error to raise if the pass ends with it."""

    @classmethod
    def of(cls, during: During, error: AwsError) -> Self:
        """Return what an error means for its object. Raises it if THROTTLED, which is not a failure of the object."""
        if error.error_class is ErrorClass.THROTTLED:
            raise error
        return cls(during, error.error_class, error.code, error.message, sent=error.sent, error=error)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that a decision about one object may depend on."""

    descriptor: KindDescriptor
    name: str
    """The SageMaker name: the user's, or the generated one."""
    is_name_generated: bool
    """Generated names contain the object's uid, so a resource with such a name is ours."""
    is_name_persisted: bool
    has_finalizer: bool
    generation: int
    now: datetime
    policy: Policy = Policy()
    deleting_for_s: float | None = None
    """Seconds since the deletion was requested; None: it was not."""
    recorded: Recorded | None = None
    is_recorded_in_status: bool = False
    """False with `recorded` set: created by this process, but the status does not say so yet."""
    is_announced: bool = False
    """Created by the operator for an existing resource that its status does not record yet."""
    is_spawned: bool = False
    """It shows a job that a tuning job launched. Only tags prove that: users can write owner references."""
    is_legacy: bool = False
    """The status names a resource and records no identity: only the predecessor has written such. It stays so during
    errors and a pause, until AWS has been called."""
    is_ended: bool = False
    """The status shows the end of the job."""
    ended_ago_s: float | None = None
    """Seconds since the end in the status; None: no end."""
    shown: str = ""
    """The v1 status value that the object shows."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Reason by type of the conditions that the object shows."""
    rules_running: bool = False
    """Debugger rules that the status shows are still being evaluated."""
    spawn_error: str = ""
    """Why child objects could not be created, for users (`tuning`)."""
    issues: frozenset[str] = frozenset()
    """Debugger rules with issues in the status."""
    edited: tuple[str, ...] = ()
    """Identity fields of the spec that differ from what was created (D-04)."""
    is_reconcile_requested: bool = False
    """A full check is requested: annotation `reconcile-at` has a value that was not handled yet."""
    tags: Tagging = Tagging()
    """The tags that the resource should have."""
    are_tags_held: bool = False
    """AWS has refused to tag it recently."""
    # --- the state of AWS
    external: External = None
    summary: ExternalResource | None = None
    """The tracker's last summary, from before this pass called AWS."""
    owner: Ownership = Ownership.UNKNOWN
    is_describe_due: bool = False
    """List alone does not show enough, or the periodic Describe is due."""
    is_list_lost: bool = False
    """List fails or is denied, so that what is known may be minutes old."""
    described_ago_s: float | None = None
    doubt_for_s: float | None = None
    """Seconds since a Create with an unknown outcome; None: none in this process."""
    was_refused: bool = False
    """The status shows that AWS refused the creation for good."""
    correction_in_s: float = 0.0
    """Seconds until drift may be corrected again: two controllers must not undo each other's changes in a loop."""
    hold_s: float | None = None
    """Seconds during which AWS is not called again, after an error that only time or a change can resolve."""
    # --- what happened in this pass
    mutation: Mutation | None = None
    name_is_taken: bool = False
    """Create failed because the name exists."""
    stop_was_refused: bool = False
    """Stop failed because the state does not allow it."""
    failure: Failure | None = None

    @property
    def base(self) -> "Observed":
        """See `Observation.base`: jobs observe nothing else."""
        return self

    def with_base(self, base: "Observed") -> "Observed":
        """See `Observation.with_base`."""
        return base


class Observation(Protocol):
    """The observation of a life-cycle."""

    @property
    def base(self) -> Observed:
        """Return what all life-cycles observe."""
        ...

    def with_base(self, base: Observed) -> Self:
        """Return the same with another base."""
        ...


@dataclass(frozen=True, slots=True)
class ExtendedObservation:
    """The `Observation` of life-cycles that observe more than `Observed`: each adds its own."""

    base: Observed

    def with_base(self, base: Observed) -> Self:
        """See `Observation.with_base`."""
        return replace(self, base=base)
