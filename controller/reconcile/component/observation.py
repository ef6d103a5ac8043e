"""What a decision about a component observes, and its steps: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from controller.reconcile.component.attempt import Attempt
from controller.reconcile.component.desired import Desired
from controller.reconcile.observation import During, ExtendedObservation, ExternalResource, Failure
from controller.reconcile.steps import (
    AwsStep,
    ChangeStep,
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
from controller.runtime.errors import Absent


@dataclass(frozen=True, slots=True)
class EndpointSeen:
    """The endpoint that is to run a component, as Describe shows it."""

    name: str
    status: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookAtEndpoint(AwsStep):
    """Describe the endpoint: AWS takes a component only where it is in service, and on a variant that it has."""

    during = During.DESCRIBE


@dataclass(frozen=True, slots=True)
class LookForTarget(AwsStep):
    """Find out whether autoscaling changes the copies, for this or any other owner."""

    during = During.DESCRIBE


@dataclass(frozen=True, slots=True)
class Update(ChangeStep):
    """Send the specification, or only the number of copies."""

    during = During.UPDATE

    only_copies: bool = False


@dataclass(frozen=True, slots=True)
class RecordServed:
    """Record that AWS has what the spec asks for: from now on, another state is drift."""


ComponentStep: TypeAlias = (
    EnsureFinalizer
    | LookAtEndpoint
    | LookForTarget
    | Create
    | Describe
    | VerifyOwner
    | Update
    | RecordServed
    | Delete
    | PutTags
    | DropTags
    | RemoveFinalizer
    | Finish
)


@dataclass(frozen=True, slots=True)
class ComponentObservation(ExtendedObservation):
    """All that a decision about a component depends on."""

    desired: Desired | None = None
    """None while the object is being deleted, or if its spec is `invalid`."""
    invalid: Failure | None = None
    """Why no request can be made of the spec."""
    variant: str = ""
    """The variant that the spec names; empty: AWS chooses."""
    retry: str = ""
    """The value of `reconcile-at`."""
    attempt: Attempt = field(default_factory=Attempt)
    shown: Desired | None = None
    """What AWS has shown in this pass."""
    endpoint: EndpointSeen | Absent | None = None
    """None: not looked at in this pass."""
    scaler: str = ""
    """The autoscaling policy of the cluster that has the component as a target, for users; empty: none has."""
    has_target: bool | None = None
    """Whether autoscaling has it as a target, of any owner; None: not known."""
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    shown_copies: int | None = None
    """The desired number of copies that the status shows."""
    is_unchanged: bool = False
    """The last List summary shows what the status shows."""
    was_visible: bool = False
    """AWS has described the component before: "not found" now means gone."""
    recreates: bool = False
    """Annotation `recreate-on-failure`."""
    refusal: str = ""
    """In which words AWS has refused a change because of the state, in this pass."""
    model_names: Mapping[str, str] = field(default_factory=dict)
    """Names at SageMaker of the Models that the spec names by their objects."""
    shown_model_names: tuple[tuple[str, str], ...] = ()
    """The same as the status shows it, with those that it has run until now."""

    @property
    def is_scaled(self) -> bool:
        """Return whether autoscaling is known to change the copies."""
        return bool(self.scaler or self.has_target)

    @property
    def is_pending(self) -> bool:
        """Return whether the spec asks for something that was not requested yet."""
        wanted = self.desired
        return wanted is not None and not self.attempt.is_of(wanted, self.retry)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Return the status fields of the last description."""
        return self.base.external.fields if isinstance(self.base.external, ExternalResource) else {}
