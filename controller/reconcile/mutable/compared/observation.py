"""What a decision observes that compares a spec with AWS, and the update that follows from it: frozen values."""

from dataclasses import dataclass, field

from controller.reconcile.mutable.compared.attempt import Attempt
from controller.reconcile.mutable.compared.desired import Desired
from controller.reconcile.mutable.observation import MutableObservation, UpdateStep


@dataclass(frozen=True, slots=True)
class Update(UpdateStep):
    """Send the content with the count, or only the count."""

    only_count: bool = False


@dataclass(frozen=True, slots=True)
class ComparedObservation(MutableObservation):
    """What a decision depends on; a kind adds what it looks for at AWS, and in the cluster."""

    desired: Desired | None = None
    """None while the object is being deleted, or if its spec is `invalid`."""
    retry: str = ""
    """The value of `reconcile-at`."""
    attempt: Attempt = field(default_factory=Attempt)
    shown: Desired | None = None
    """What AWS has shown in this pass."""

    @property
    def is_pending(self) -> bool:
        """See `MutableObservation.is_pending`."""
        return self.desired is not None and not self.attempt.is_of(self.desired, self.retry)

    @property
    def is_edited(self) -> bool:
        """See `MutableObservation.is_edited`."""
        return self.is_pending
