"""What a decision about a component observes in addition, and its own steps: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from controller.reconcile.mutable.compared.observation import ComparedObservation
from controller.reconcile.mutable.observation import MutableStep
from controller.reconcile.observation import During
from controller.reconcile.steps import AwsStep
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


ComponentStep: TypeAlias = MutableStep | LookAtEndpoint | LookForTarget


@dataclass(frozen=True, slots=True)
class ComponentObservation(ComparedObservation):
    """All that a decision about a component depends on."""

    variant: str = ""
    """The variant that the spec names; empty: AWS chooses."""
    endpoint: EndpointSeen | Absent | None = None
    """None: not looked at in this pass."""
    scaler: str = ""
    """The autoscaling policy of the cluster that has the component as a target, for users; empty: none has."""
    has_target: bool | None = None
    """Whether autoscaling has it as a target, of any owner; None: not known."""
    shown_copies: int | None = None
    """The desired number of copies that the status shows."""
    model_names: Mapping[str, str] = field(default_factory=dict)
    """Names at SageMaker of the Models that the spec names by their objects."""
    shown_model_names: tuple[tuple[str, str], ...] = ()
    """The same as the status shows it, with those that it has run until now."""

    @property
    def is_scaled(self) -> bool:
        """Return whether autoscaling is known to change the copies."""
        return bool(self.scaler or self.has_target)
