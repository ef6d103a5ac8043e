"""What a decision about a HostingDeployment observes, and the steps that it may return: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile.endpoint.desired import Child, Desired, Want
from controller.reconcile.mutable.kind import MutableKind
from controller.reconcile.mutable.observation import MutableObservation, MutableStep, UpdateStep
from controller.reconcile.observation import During
from controller.reconcile.steps import AwsStep


@dataclass(frozen=True, slots=True)
class MakeChild:
    """Create the child object."""

    want: Want


@dataclass(frozen=True, slots=True)
class RestoreChild:
    """Restore the spec of the child with the wanted name."""

    want: Want


@dataclass(frozen=True, slots=True)
class SucceedChild:
    """Create the child that takes over what another one, which is being deleted, has at SageMaker."""

    child: Child


@dataclass(frozen=True, slots=True)
class DropChild:
    """Delete a child object."""

    child: Child


@dataclass(frozen=True, slots=True)
class RetainChild:
    """Make a child keep its AWS resource, too."""

    child: Child


@dataclass(frozen=True, slots=True)
class TagChild:
    """Set the wanted tags on a child: its own reconciler applies them at AWS."""

    want: Want


@dataclass(frozen=True, slots=True)
class OwnChild:
    """Set the owner reference of a child that the predecessor created."""

    child: Child


@dataclass(frozen=True, slots=True)
class CorrectChild:
    """Make a child correct its drift."""

    child: Child


@dataclass(frozen=True, slots=True)
class CheckChild:
    """Make a child look for its resource at AWS now, and create it again if it is gone."""

    child: Child


@dataclass(frozen=True, slots=True)
class RetryChild:
    """Pass the deployment's `reconcile-at` on to a child: what it is refused is tried again now."""

    child: Child
    at: str


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    """Record whether the update of the intent took effect: SageMaker was asked after its answer was lost."""

    took_effect: bool


@dataclass(frozen=True, slots=True)
class RecordPendingUpdate:
    """Record that a changed spec was seen, with the value of `reconcile-at`."""


@dataclass(frozen=True, slots=True)
class AskScaled(AwsStep):
    """Find out which of these variants have a scalable target, of this or any other owner."""

    during = During.DESCRIBE

    variants: tuple[str, ...]


Numbers: TypeAlias = Mapping[str, tuple[int | None, float | None]]
"""Instances and weight by variant; None for what stays as it is."""


@dataclass(frozen=True, slots=True)
class Update(UpdateStep):
    """UpdateEndpoint, or UpdateEndpointWeightsAndCapacities with the numbers that changed."""

    numbers: Numbers | None = None
    """None: the whole configuration."""


ChildStep: TypeAlias = (
    MakeChild
    | RestoreChild
    | SucceedChild
    | DropChild
    | RetainChild
    | TagChild
    | OwnChild
    | CorrectChild
    | CheckChild
    | RetryChild
)
EndpointStep: TypeAlias = MutableStep | ChildStep | RecordOutcome | RecordPendingUpdate | AskScaled


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    """A changed spec, as first seen."""

    id: str
    retry: str
    """The value of `reconcile-at` at that time: another value approves the update."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An update that is about to be sent: recorded before the call, and removed when its outcome is known.

    After a lost answer or a crash, SageMaker is asked before anything else is decided.
    """

    id: str
    retry: str
    shape: str
    numbers: Mapping[str, tuple[int | None, float]]
    since: str
    """These as `LastUpdate` has them, if it takes effect."""
    at: str
    """When it was recorded, by our own clock."""
    configuration: str = ""
    """The SageMaker name of the configuration to switch to; empty where only numbers change."""
    changes: Numbers = field(default_factory=dict)
    """The numbers to change."""


@dataclass(frozen=True, slots=True)
class LastUpdate:
    """The last update (or the creation) that SageMaker accepted, from the annotation."""

    id: str = ""
    shape: str = ""
    numbers: Mapping[str, tuple[int | None, float]] = field(default_factory=dict)
    is_of_numbers: bool = False
    """Only weights or counts were to change."""
    since: str = ""
    """`lastModifiedTime` of the endpoint before it: an answer that shows this time is older than the update."""
    retry: str = ""
    """The value of `reconcile-at` at that time."""
    is_served: bool = False
    """The endpoint was observed to serve it."""
    serves: Mapping[str, tuple[int | None, float]] = field(default_factory=dict)
    """Instances and weight by variant that AWS aims at since: not `numbers` if properties were retained."""
    pending_update: PendingUpdate | None = None
    """A changed spec that waits for approval."""
    intent: Intent | None = None
    """An update after it, of unknown outcome."""


@dataclass(frozen=True, slots=True)
class EndpointObservation(MutableObservation):
    """Everything that a decision about a deployment depends on."""

    url: str = ""
    desired: Desired | None = None
    """None while the object is being deleted, or if its spec is `invalid`."""
    children: tuple[Child, ...] = ()
    """All existing ones."""
    last_update: LastUpdate = LastUpdate()
    done: frozenset[str] = frozenset()
    """Names of children that this pass has created, restored or deleted."""
    ignored: tuple[str, ...] = ()
    """Parts of the spec without effect, each as `path: why`."""
    components: tuple[str, ...] = ()
    """The inference components of the cluster that were created on the endpoint, for users."""
    scalers: Mapping[str, str] = field(default_factory=dict)
    """Policy objects by the variant that they scale."""
    least_counts: Mapping[str, int] = field(default_factory=dict)
    """The instances that these policies leave at least, by variant."""
    scaled: frozenset[str] | None = None
    """Variants with a scalable target, of those in question; None: not known."""

    @property
    def is_new_spec(self) -> bool:
        """Return whether the spec differs from the last request."""
        return self.desired is not None and self.desired.spec_digest != self.last_update.id

    @property
    def is_edited(self) -> bool:
        """See `MutableObservation.is_edited`."""
        return self.is_new_spec

    @property
    def is_pending(self) -> bool:
        """See `MutableObservation.is_pending`."""
        is_served = self.last_update.is_served and not self.is_new_spec
        return bool(self.last_update.id) and self.desired is not None and not (self.is_requested or is_served)

    @property
    def is_update_open(self) -> bool:
        """Return whether an update may be under way: children stay meanwhile (`resource.users`)."""
        last_update = self.last_update
        return last_update.intent is not None or (last_update.id != "" and not last_update.is_served)

    @property
    def is_pending_recorded(self) -> bool:
        """Return whether this spec is recorded as waiting for approval."""
        pending_update = self.last_update.pending_update
        return pending_update is not None and self.desired is not None and pending_update.id == self.desired.spec_digest

    @property
    def is_requested(self) -> bool:
        """Return whether this very spec was requested, and no retry since (`reconcile-at`)."""
        return self.desired is not None and not self.is_new_spec and self.desired.retry == self.last_update.retry

    @property
    def running(self) -> Child | None:
        """Return the configuration that the endpoint runs with, if it is a child."""
        name = self.fields.get("endpointConfigName")
        there = [each for each in self.configurations if name and each.sagemaker_name == name]
        return min(there, key=lambda each: each.is_deleting, default=None)  # one may be taking over from another

    @property
    def configurations(self) -> list[Child]:
        """Return the child configurations."""
        return [child for child in self.children if child.descriptor.kind == ENDPOINT_CONFIG.kind]

    @property
    def models(self) -> list[Child]:
        """Return the child models."""
        return [child for child in self.children if child.descriptor.kind == MODEL.kind]


Kind: TypeAlias = MutableKind[EndpointObservation, EndpointStep]
"""The port of `mutable`; `decide.EndpointKind` implements it."""
