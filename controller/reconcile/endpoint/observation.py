"""What a decision about a HostingDeployment sees and may want: frozen data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile.endpoint.desired import Child, Desired, Want
from controller.reconcile.observation import During, ExtendedObservation, ExternalResource, Failure
from controller.reconcile.steps import (
    AwsStep,
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
class MakeChild:
    """Create the child object."""

    want: Want


@dataclass(frozen=True, slots=True)
class RestoreChild:
    """Give the child that bears the wanted name its spec back."""

    want: Want


@dataclass(frozen=True, slots=True)
class DropChild:
    """Delete a child object."""

    child: Child


@dataclass(frozen=True, slots=True)
class RetainChild:
    """Have a child let go of what it created at AWS, too."""

    child: Child


@dataclass(frozen=True, slots=True)
class TagChild:
    """Give the child of this wish the tags of the wish: its own reconciler takes them to AWS."""

    want: Want


@dataclass(frozen=True, slots=True)
class OwnChild:
    """Have a child of the predecessor name its owner."""

    child: Child


@dataclass(frozen=True, slots=True)
class CorrectChild:
    """Have a child change back what somebody else has changed of it."""

    child: Child


@dataclass(frozen=True, slots=True)
class RecordServed:
    """Write down that the endpoint serves what is wanted: from here on, another state is somebody else's doing."""


@dataclass(frozen=True, slots=True)
class RecordPendingUpdate:
    """Write down that a changed spec was seen, and what `reconcile-at` said then."""


@dataclass(frozen=True, slots=True)
class AskScaled(AwsStep):
    """Ask which of these variants are scaled by whomever."""

    during = During.DESCRIBE

    variants: tuple[str, ...]


Numbers: TypeAlias = Mapping[str, tuple[int | None, float | None]]
"""Instances and weight by variant; None for what stays as it is."""


@dataclass(frozen=True, slots=True)
class Update(AwsStep):
    """UpdateEndpoint, or UpdateEndpointWeightsAndCapacities with the numbers that changed."""

    during = During.UPDATE

    numbers: Numbers | None = None
    """None: the whole configuration."""


ChildStep: TypeAlias = MakeChild | RestoreChild | DropChild | RetainChild | TagChild | OwnChild | CorrectChild
EndpointCall: TypeAlias = Describe | VerifyOwner | AskScaled | Create | Update | Delete | PutTags | DropTags
EndpointStep: TypeAlias = (
    EnsureFinalizer | ChildStep | RecordServed | RecordPendingUpdate | EndpointCall | RemoveFinalizer | Finish
)


@dataclass(frozen=True, slots=True)
class PendingUpdate:
    """A changed spec as it was first seen."""

    id: str
    retry: str
    """What `reconcile-at` said then: another text gives way to it."""


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
    """What `reconcile-at` said then."""
    is_served: bool = False
    """The endpoint has been seen to serve it."""
    serves: Mapping[str, tuple[int | None, float]] = field(default_factory=dict)
    """Instances and weight by variant that AWS aims at since: not `numbers` where properties were retained."""
    pending_update: PendingUpdate | None = None
    """A changed spec that waits for a word from the user."""


@dataclass(frozen=True, slots=True)
class EndpointObservation(ExtendedObservation):
    """All that a decision about a deployment depends on."""

    url: str = ""
    desired: Desired | None = None
    """None while the object is being deleted, or where its spec is `invalid`."""
    children: tuple[Child, ...] = ()
    """All that there are."""
    last_update: LastUpdate = LastUpdate()
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    was_visible: bool = False
    """SageMaker has described the endpoint before: "not found" now means gone."""
    recreates: bool = False
    """Annotation `recreate-on-failure`."""
    done: frozenset[str] = frozenset()
    """Names of children that this pass has made, restored or dropped."""
    was_refused_as_busy: bool = False
    """The endpoint turned out to be changing already."""
    invalid: Failure | None = None
    """Why the spec cannot be taken apart."""
    ignored: tuple[str, ...] = ()
    """Parts of the spec that go nowhere, each as `path: why`."""
    scalers: Mapping[str, str] = field(default_factory=dict)
    """Policy objects by the variant that they scale."""
    scaled: frozenset[str] | None = None
    """Variants that somebody scales, of those that were asked for; None: not asked."""

    @property
    def is_new_spec(self) -> bool:
        """The spec asks for something that SageMaker was not asked for yet."""
        return self.desired is not None and self.desired.spec_digest != self.last_update.id

    @property
    def is_pending_recorded(self) -> bool:
        """It is written down that this spec was seen and waits for a word from the user."""
        pending_update = self.last_update.pending_update
        return pending_update is not None and self.desired is not None and pending_update.id == self.desired.spec_digest

    @property
    def is_requested(self) -> bool:
        """SageMaker was asked for this very spec, and the user has not asked for another try since."""
        return self.desired is not None and not self.is_new_spec and self.desired.retry == self.last_update.retry

    @property
    def fields(self) -> Mapping[str, Any]:
        """What SageMaker told last."""
        return self.base.external.fields if isinstance(self.base.external, ExternalResource) else {}

    @property
    def running(self) -> Child | None:
        """The configuration that the endpoint runs with, if it is a child."""
        name = self.fields.get("endpointConfigName")
        return next((c for c in self.configurations if name and c.sagemaker_name == name), None)

    @property
    def configurations(self) -> list[Child]:
        """Child configurations."""
        return [child for child in self.children if child.descriptor.kind == ENDPOINT_CONFIG.kind]

    @property
    def models(self) -> list[Child]:
        """Child models."""
        return [child for child in self.children if child.descriptor.kind == MODEL.kind]
