"""Detects and reports drift of models and endpoint configurations: replaced under the same name. Pure.

SageMaker cannot change them, so a resource that differs from what was created has been deleted and created again. Only
a Describe shows that: drift is found by the periodic one, and checked more often until it is gone.
"""

from controller.reconcile.drift.report import sentence
from controller.reconcile.identity import is_replaced as is_of_other_owner
from controller.reconcile.observation import ExternalResource, Observed, Recorded
from controller.reconcile.resource.observation import CREATED, FOREIGN, RecordName, ResourceObservation, ResourceStep
from controller.reconcile.shared_decisions import LOOK_AGAIN_S, drift_reported, drift_shown
from controller.reconcile.status.copies import SKEW
from controller.reconcile.steps import Drift


def is_due(base: Observed) -> bool:
    """Return whether a Describe is due: periodically, and more often after drift was found."""
    return base.is_describe_due or drift_shown(base) is Drift.FOUND


def is_replaced(observed: ResourceObservation, recorded: Recorded) -> bool:
    """Return whether the resource with the name belongs to another owner, or was created later than ours and differs.

    Where it has our tags, neither of the two alone proves anything: a Create that seemed to fail may be recorded late,
    and AWS spells some values its own way.
    """
    if is_of_other_owner(observed.base):
        return True
    external = observed.base.external
    if not isinstance(external, ExternalResource) or not observed.differences or recorded.created_at is None:
        return False
    return external.created_at is not None and external.created_at - recorded.created_at > SKEW


def is_abandoned(observed: ResourceObservation) -> bool:
    """Return whether the status shows that the recorded resource was replaced, and the annotation does not yet."""
    recorded = observed.base.recorded
    is_known = recorded is None or observed.claimed.get(recorded.name) == FOREIGN
    return not is_known and drift_shown(observed.base) is Drift.FOUND


def replaced(observed: ResourceObservation, recorded: Recorded) -> ResourceStep:
    """Report the drift, then create another resource if corrections are enabled; the foreign one is not modified."""
    base = observed.base
    if base.policy.corrects and drift_shown(base) is Drift.FOUND and base.correction_in_s <= 0.0:
        return RecordName(recorded.name, FOREIGN)
    differs = f", {sentence(observed.differences)}" if observed.differences else ""
    message = f"{recorded.name} was deleted and created again by others{differs}"
    return drift_reported(base, recorded, message, CREATED, LOOK_AGAIN_S)
