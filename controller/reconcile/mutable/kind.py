"""The port of a kind that AWS changes in place: its states and words, and the decisions that are its own. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from controller.reconcile import reasons
from controller.reconcile.identity import left_alone
from controller.reconcile.mutable.observation import MutableObservation, MutableStep
from controller.reconcile.observation import ExternalResource, Failure, Recorded, Source
from controller.reconcile.shared_decisions import failed_but_usable, retain, waits
from controller.reconcile.steps import Create, Event, RemoveFinalizer

ObsT = TypeVar("ObsT", bound=MutableObservation)
StepT = TypeVar("StepT")

BUSY_POLL_S: Final = 10.0
"""How often a resource is looked at that AWS is changing or deleting: lists do not show the end of a deletion."""


@dataclass(frozen=True, slots=True)
class States:
    """What AWS calls the states of a resource."""

    in_service: str
    creating: str
    updating: str
    deleting: str
    failed: str
    """It never came into service, or is lost: it can be deleted and not updated."""
    changing: frozenset[str]
    """Those in which AWS changes a resource that serves meanwhile."""

    @property
    def serving(self) -> frozenset[str]:
        """Return the states in which the resource serves."""
        return self.changing | {self.in_service}


@dataclass(frozen=True, slots=True)
class Words:
    """How messages call a resource and what it consists of."""

    noun: str
    content: str
    """What an update changes."""
    blocked: str
    """Why a changed spec is not applied to a resource that has failed."""
    previous: str = "what it was before"
    """What AWS goes back to when an update fails."""
    failed: str = reasons.RESOURCE_FAILED
    """The reason of the condition that shows a failed resource."""


class MutableKind(ABC, Generic[ObsT, StepT]):
    """What a kind supplies to `decide`. Pure: the methods depend on their arguments only."""

    states: ClassVar[States]
    words: ClassVar[Words]

    # --- every kind has its own

    @abstractmethod
    def described(self, observed: ObsT, recorded: Recorded, external: ExternalResource) -> StepT | MutableStep | None:
        """Compare the spec with what AWS has described, and return the step; None: its state is shown as it is."""

    # --- what is shown

    def fields(self, observed: ObsT) -> dict[str, Any]:
        """Return the status fields in addition to the value."""
        return described_fields(observed)

    def served_fields(self, observed: ObsT) -> dict[str, Any]:
        """Return them of a resource that is seen to be as the spec wants it."""
        return self.fields(observed)

    def created_fields(self, observed: ObsT) -> Mapping[str, Any]:
        """Return those that are known of a resource once its creation is accepted."""
        return {}

    def warnings(self, observed: ObsT) -> tuple[Event, ...]:
        """Return what users have to know about an update that has just begun."""
        return ()

    # --- what comes first

    def build(self, observed: ObsT) -> StepT | MutableStep:
        """Return `Create`, or the step before it: what the resource needs is waited for, looked for, or made."""
        return waits(observed.base) if observed.base.waits_for else Create()

    def prepare(self, observed: ObsT) -> StepT | MutableStep | None:
        """Return what has to be done first of an object that is wanted; None: nothing."""
        return None

    def unresolved(self, observed: ObsT) -> StepT | MutableStep | None:
        """Return the step that finds out what became of a request without an answer; None: there is none open."""
        return None

    def failed(self, observed: ObsT, failure: Failure) -> StepT | MutableStep:
        """Return the step after a failure in this pass."""
        return failed_but_usable(observed.base, failure)

    def is_settled(self, observed: ObsT) -> bool:
        """Return whether nothing is to be done while AWS shows nothing new, of a resource that was described."""
        return True

    def is_held(self, observed: ObsT) -> bool:
        """Return whether the update waits for approval."""
        return False

    # --- the end

    def retain(self, observed: ObsT) -> StepT | MutableStep:
        """Return the step of a deletion that leaves everything at AWS."""
        return retain(observed.base)

    def keeps(self, observed: ObsT, external: ExternalResource) -> tuple[str, str] | None:
        """Return why AWS would refuse the deletion now, and the reason of the condition; None: it would not."""
        if not observed.refusal:
            return None
        why = f"the {self.words.noun} is {external.value}, and AWS refuses its deletion: {observed.refusal}"
        return why, reasons.DELETING

    def may_exist(self, observed: ObsT) -> bool:
        """Return whether a creation without an answer may have been sent."""
        return True

    def leave_alone(self, observed: ObsT) -> StepT | MutableStep:
        """Return the step of a deletion that finds the resource of another owner."""
        return RemoveFinalizer((left_alone(observed.base),))

    def gone(self, observed: ObsT) -> StepT | MutableStep:
        """Return the step once the resource is gone, or is known never to have been there."""
        base = observed.base
        events = (Event("Normal", reasons.DELETED, f"{base.name} is gone"),) if base.recorded is not None else ()
        return RemoveFinalizer(events)

    def teardown(self, observed: ObsT) -> StepT | MutableStep | None:
        """Return what is left to do of a deletion that is done with the resource; None: it is not."""
        return None


def described_fields(observed: MutableObservation) -> dict[str, Any]:
    """Return the status fields of the last description."""
    fields, external = dict(observed.fields), observed.base.external
    if isinstance(external, ExternalResource) and external.source is Source.DESCRIPTION:
        fields.setdefault("failureReason", None)
    return fields
