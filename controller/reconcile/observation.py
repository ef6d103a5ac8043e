"""The values that decisions observe, frozen and shared by all life-cycles.

`Observed` carries everything that a decision about an object may depend on, the time included. Life-cycles that observe
more add it in an observation of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, Protocol, Self, TypeAlias

from api.descriptor import KindDescriptor
from controller.aws.errors import CallError
from controller.runtime.errors import Absent, ClassifiedError, ErrorClass

UNREAD: Final = "unread"
"""Stands for the digest of tags where a resource was recorded by its name, and its tags were not read yet. No digest:
that of no tags at all stands for what was created while the operator put no owner tags."""


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
    """By the operator's clock: when its Create had succeeded."""
    creation_time: datetime | None = None
    """By AWS's clock, as its answers show it: with the name, the identity of the resource. None: not seen yet."""
    is_unverified: bool = False
    """The creation time is that of an answer which fits the operator's clock: the owner tags were not read yet."""
    is_released: bool = False
    """The deletion has found it gone, or left it to others: whatever has its name then, it is not looked for again."""
    owner_uid: str = ""
    """The uid of the object that it was recorded for; empty: by an earlier version."""
    content: str = ""
    """Digest of what the spec of a job asked for (`job.edits`); empty: of another kind, or by an earlier version."""
    tags: str = ""
    """Digest of the tags that were last added (`Tagging.digest`), or `UNREAD`."""
    tag_keys: tuple[str, ...] = ()
    """Those of their keys that came from the spec."""
    changes: str = ""
    """Digest of the mutable fields of a job as they were sent last (`job.changes`); empty: none was ever given."""
    replaced_names: tuple[str, ...] = ()
    """Names of what it has replaced and that may exist. A note of the annotation `created-names`, which users may lose:
    `kubectl replace` keeps the status only."""


@dataclass(frozen=True, slots=True)
class Tagging:
    """The tags that a resource should have."""

    digest: str = ""
    """Digest of what is worth a call when it changes; empty if nothing is."""
    keys: tuple[str, ...] = ()
    """From the spec, sorted."""
    all_keys: frozenset[str] = frozenset()
    """With those of the operator."""
    ignored: tuple[str, ...] = ()
    """Tags that were given and are not among them, in words."""


@dataclass(frozen=True, slots=True)
class JobChange:
    """A change of the mutable fields of a job that AWS does not have yet."""

    members: Mapping[str, Any]
    """Dotted member of the Create request → its new value, absence included (`JobUpdate.absent`)."""
    digest: str = ""
    """What is recorded once AWS has it."""


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
    mutable: Mapping[str, Any] = field(default_factory=dict)
    """The mutable members of a job, dotted, as Describe shows them."""
    has_warm_pool: bool = False
    """Its instances wait for another job, or will."""
    is_completed: bool = False
    """A summary, completed from the status of the object: not an answer of this pass."""

    @property
    def is_fresh(self) -> bool:
        """Return whether it is a Describe answer of this pass; Lists may be minutes late."""
        return self.source is Source.DESCRIPTION and not self.is_completed


@dataclass(frozen=True, slots=True)
class CreationWindow:
    """When AWS can have created the resource that an object stands for, by AWS's clock."""

    latest: datetime
    earliest: datetime | None = None

    def __contains__(self, time: datetime) -> bool:
        return time <= self.latest and (self.earliest is None or time >= self.earliest)


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
    WRITE = "write"
    """Kubernetes refused a write, to the object or to a child."""
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
    error: CallError | None = field(default=None, compare=False, repr=False)
    """The error to raise if the pass ends with it."""

    @classmethod
    def of(cls, during: During, error: CallError) -> Self:
        """Return what an error means for its object. Raises it if THROTTLED, which is not a failure of the object."""
        if error.error_class is ErrorClass.THROTTLED:
            raise error
        return cls(during, error.error_class, error.code, error.message, sent=error.is_sent, error=error)

    @classmethod
    def of_write(cls, error: ClassifiedError) -> Self:
        """Return what a write that Kubernetes refused means for its object."""
        return cls(During.WRITE, error.error_class, error.code, error.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.code else self.message


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a ConfigMap has no document for a spec."""

    reason: str
    """That of the condition which shows it."""
    message: str
    """For users, with what to do."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a pass has read of the document that a spec has in a ConfigMap."""

    text: str = ""
    problem: Problem | None = None

    def __str__(self) -> str:
        return self.problem.message if self.problem else self.text


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
    is_copied: bool = False
    """What its status records may be of another object, of which it is a copy: only tags prove the contrary."""
    uid: str = ""
    is_legacy: bool = False
    """The status names a resource and records no identity: only the predecessor has written such. It stays so during
    errors and a pause, until AWS has been called."""
    legacy_created: CreationWindow | None = None
    """When the resource that such a status names was created; None: the status shows no time."""
    is_ended: bool = False
    """The status shows the end of the job."""
    ended_ago_s: float | None = None
    """Seconds since the end in the status; None: no end."""
    shown: str = ""
    """The v1 status value that the object shows."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Reason by type of the conditions that the object shows."""
    spawn_error: str = ""
    """Why child objects could not be created, for users (`tuning`)."""
    edited: tuple[str, ...] = ()
    """Identity fields of the spec that differ from what was created (D-04)."""
    content: str = ""
    """Digest of what the spec of a job asks for now; empty: of another kind, or it makes no request."""
    is_reconcile_requested: bool = False
    """A full check is requested: annotation `reconcile-at` has a value that was not handled yet."""
    tags: Tagging = Tagging()
    """The tags that the resource should have."""
    has_owner_tags: bool = True
    """The operator puts owner tags on what it creates."""
    are_tags_unreadable: bool = False
    """AWS has refused in this pass to list the tags of a resource with a creation time that fits."""
    are_tags_held: bool = False
    """AWS has refused to tag it recently."""
    change: JobChange | None = None
    """The mutable fields of the spec that differ from what was sent; None: none does."""
    is_change_held: bool = False
    """AWS has refused the change recently."""
    # --- the state of AWS
    external: External = None
    owner: Ownership = Ownership.UNKNOWN
    is_describe_due: bool = False
    """List alone does not show enough, or the periodic Describe is due."""
    is_settling: bool = False
    """The secondary status may change again at once: it is shown when it has settled, or with another change."""
    is_list_lost: bool = False
    """List fails or is denied, so that what is known may be minutes old."""
    waits_for: str = ""
    """For users: the objects that the spec names, and that are not there yet (`dependencies.Resolution`)."""
    doubt_for_s: float | None = None
    """Seconds since a Create with an unknown outcome; None: none in this process."""
    was_refused: bool = False
    """The status shows that AWS refused the creation for good."""
    correction_in_s: float = 0.0
    """Seconds until drift may be corrected again: two controllers must not undo each other's changes in a loop."""
    hold_s: float | None = None
    """Seconds during which AWS is not called again, after an error that only time or a change can resolve."""
    setbacks: int = 0
    """Errors in a row before this pass."""
    failing_for_s: float = 0.0
    """Seconds since the first of the errors in a row that should have passed by themselves."""
    # --- what happened in this pass
    mutation: Mutation | None = None
    name_is_taken: bool = False
    """Create failed because the name exists."""
    failure: Failure | None = None
    hints: tuple[str, ...] = ()
    """What may be the cause of the failure among the objects that this one depends on."""

    @property
    def base(self) -> "Observed":
        """See `Observation.base`: for life-cycles that observe nothing else."""
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
