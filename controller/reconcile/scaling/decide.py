"""The life-cycle of autoscaling policies: applied, applied again when changed, removed.

All variants are recorded in the status before AWS is called, so that partly applied policies are known (D-25). Changes
replace in place; variants that have left the list are cleaned up afterwards, never before (D-24), but for a policy that
waits for an endpoint, which may wait for that.

Pure, level-based. The table is that of v1-kinds.md 12.5.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from api.autoscaling import COMPONENT_PREFIX, ScalingRequests
from controller.reconcile import reasons
from controller.reconcile.drift.report import Difference, sentence
from controller.reconcile.observation import During, ExtendedObservation, Failure, Recorded
from controller.reconcile.shared_decisions import (
    drift_reported,
    drift_shown,
    failed,
    nothing_to_adopt,
    paused,
    retain,
)
from controller.reconcile.status import messages
from controller.reconcile.steps import (
    AwsStep,
    Drift,
    EnsureFinalizer,
    Event,
    Finish,
    Outcome,
    Phase,
    RemoveFinalizer,
    StatusUpdate,
)
from controller.runtime.errors import ErrorClass

CREATED: Final = "Created"
ERROR: Final = "Error"
RECONCILING: Final = "Reconciling"

UNKNOWN_OWNER: Final = "An owner outside of this cluster"
"""The owner of a policy that no object of the cluster records."""

WAIT_S: Final = 15.0
"""Pause before another look at an endpoint that is not in service; deployments of this cluster wake their policies."""


@dataclass(frozen=True, slots=True)
class CheckVariants(AwsStep):
    """Find out which of these variants have a target, or a policy of this name, already.

    Such a target is not ours and stays when the object is deleted; such a policy is not overwritten.
    """

    during = During.DESCRIBE

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyPolicies(AwsStep):
    """Check which variants still have the policy: periodically."""

    during = During.DESCRIBE


@dataclass(frozen=True, slots=True)
class Apply(AwsStep):
    """Register all targets, then put all policies."""

    during = During.CREATE


@dataclass(frozen=True, slots=True)
class Remove(AwsStep):
    """Remove the policy from these variants, and deregister their targets unless others need them."""

    during = During.DELETE

    ids: tuple[str, ...]


ScalingStep: TypeAlias = EnsureFinalizer | CheckVariants | VerifyPolicies | Apply | Remove | RemoveFinalizer | Finish


@dataclass(frozen=True, slots=True)
class Seen:
    """Policies of the object's name, and scalable targets, each by the variant that it is on."""

    policies: Mapping[str, Mapping[str, Any]]
    targets: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ScalingObservation(ExtendedObservation):
    """All that a decision about an autoscaling policy depends on."""

    policy: str
    record: Recorded | None = None
    """The record for the status; None: no region is known."""
    wanted: tuple[str, ...] = ()
    """Resource ids of the variants that the spec lists."""
    recorded_ids: tuple[str, ...] = ()
    """`status.resourceIDList`: variants that may have the policy."""
    legacy_ids: tuple[str, ...] = ()
    """What the predecessor may have applied without writing it down."""
    waiting: str = ""
    """Which endpoint is not in service, for users."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Variants on which another object has put a policy of this name."""
    other_targets: Mapping[str, str] = field(default_factory=dict)
    """Scalable targets that others have registered and the spec would change, with their bounds."""
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    is_check_due: bool = False
    check_in_s: float | None = None
    """Seconds until the next check; None: with the resync."""
    is_lost: bool = False
    """The endpoint is going, or was made again since the policy was put on it: its targets have gone with it, unless
    AWS has shown since that they have not."""
    is_verified: bool = False
    """AWS has shown in this pass which variants have the policy."""
    is_checked: bool = False
    """The owners of the targets of new variants are known."""
    is_applied: bool = False
    seen: Seen | None = None
    """What AWS has shown in this pass, before the policy was put."""
    missing: bool = False
    """The policy was removed outside the operator."""
    differences: tuple[Difference, ...] = ()
    """What was changed outside the operator."""
    removed: frozenset[str] = frozenset()
    requests: tuple[ScalingRequests, ...] = ()
    """The requests of the spec, one for each variant."""
    place: Recorded | None = None
    """Where the policy is put now; None: no region is known."""


def decide(observed: ScalingObservation) -> ScalingStep:
    """Return the next step."""
    base = observed.base
    if base.deleting_for_s is not None and base.policy.retain:
        return retain(base)
    if base.policy.paused:
        return paused(base)
    if base.failure is not None:
        return _failed(observed, base.failure)
    if base.deleting_for_s is not None:
        return _deleting(observed)
    if base.policy.read_only:
        return _read_only(observed)
    if not (base.has_finalizer and base.is_name_persisted):
        return EnsureFinalizer()
    return _living(observed)


def _read_only(observed: ScalingObservation) -> ScalingStep:
    """Show existing policies (annotation `read-only`). They are not recorded, or deletion would remove them."""
    base = observed.base
    is_shown = base.shown in {CREATED, ERROR} and base.is_recorded_in_status and observed.is_observed
    if not observed.is_verified:
        return Finish() if is_shown and not observed.is_check_due else VerifyPolicies()
    if observed.missing:
        step = nothing_to_adopt(replace(base, name=observed.policy))
        return (
            step
            if step.status_update is None
            else replace(step, status_update=replace(step.status_update, value=ERROR))
        )
    status_update = StatusUpdate(Phase.READY, reasons.CREATED, value=CREATED)
    events = () if base.is_recorded_in_status or observed.record is None else (messages.found(observed.record),)
    return Finish(status_update, observed.record, events)


def _living(observed: ScalingObservation) -> ScalingStep:
    if clash := next((each for each in observed.wanted if each in observed.taken), ""):
        return _refused(observed, clash)
    if observed.other_targets:
        return _target_refused(observed)
    # An edit during a pause is observed, not applied.
    is_trusted = observed.base.reasons.get(reasons.RECONCILING) != reasons.PAUSED
    is_done = (
        is_trusted
        and observed.base.shown == CREATED
        and observed.is_observed
        and set(observed.recorded_ids) == set(observed.wanted)
    )
    if is_done and observed.is_lost and not observed.is_verified:
        return _waits(observed, observed.waiting) if observed.waiting else VerifyPolicies()
    if is_done and not observed.missing:
        if observed.differences:
            return _drifted(observed)
        if drift_shown(observed.base) is not Drift.FOUND:
            return VerifyPolicies() if observed.is_check_due else Finish(again_s=observed.check_in_s)
        return _in_place(observed) if observed.is_verified else VerifyPolicies()
    if observed.waiting:
        # The endpoint may wait for this: it cannot be updated while a variant that is to go, or to change, is scaled.
        return Remove(left) if (left := left_behind(observed)) else _waits(observed, observed.waiting)
    if new := tuple(each for each in observed.wanted if each not in observed.recorded_ids):
        return _record_variants(observed, new) if observed.is_checked else CheckVariants(new)
    if not observed.is_applied:
        return Apply()
    if left := left_behind(observed):
        return Remove(left)
    return _in_place(observed, reasons.POLICY_APPLIED)


def left_behind(observed: ScalingObservation) -> tuple[str, ...]:
    """Return the recorded variants that are not wanted any more, and still have the policy."""
    return tuple(each for each in observed.recorded_ids if each not in {*observed.wanted, *observed.removed})


def _in_place(observed: ScalingObservation, reason: str = "") -> Finish:
    """Show that the policy is in place, with an Event for `reason` if this pass has applied it."""
    fields = {"resourceIDList": list(observed.wanted)}
    status_update = StatusUpdate(Phase.READY, reasons.CREATED, value=CREATED, fields=fields, drift=Drift.NONE)
    message = f"{observed.policy} is in place on {_variants(observed.wanted)}"
    events = (Event("Normal", reason, message),) if reason else ()
    return Finish(status_update, observed.record, events, again_s=observed.check_in_s)


def _drifted(observed: ScalingObservation) -> ScalingStep:
    """Report drift, then apply the policy again if corrections are enabled and due; they back off."""
    base = observed.base
    if observed.is_applied:
        return _in_place(observed, reasons.DRIFT_CORRECTED)
    is_shown = drift_shown(base) is Drift.FOUND
    if base.policy.corrects and is_shown and base.correction_in_s <= 0.0 and not observed.waiting:
        return Apply()
    return drift_reported(base, observed.record, sentence(observed.differences), CREATED, WAIT_S)


def _record_variants(observed: ScalingObservation, new: tuple[str, ...]) -> Finish:
    """Record new variants before they are changed; this write enqueues the key for the rest."""
    fields = {"resourceIDList": [*observed.recorded_ids, *new]}
    status_update = StatusUpdate(
        Phase.WORKING, reasons.APPLYING, value=RECONCILING, fields=fields, synced=reasons.APPLYING
    )
    return Finish(status_update, observed.record)


def _waits(observed: ScalingObservation, message: str) -> Finish:
    """Wait for an endpoint that is not in service, which is no error (v1-kinds.md 13.3)."""
    reason = reasons.WAITING_FOR_ENDPOINT
    fields = {"resourceIDList": [each for each in observed.recorded_ids if each not in observed.removed]}
    status_update = StatusUpdate(
        Phase.WORKING,
        reason,
        message,
        value=RECONCILING,
        fields=fields if observed.removed else {},
        synced=reason,
        tried=_tried(observed),
    )
    events = messages.once(observed.base, reasons.RECONCILING, reason, message)
    normal_events = tuple(Event("Normal", each.reason, each.message) for each in events)
    return Finish(status_update, observed.base.recorded, normal_events, again_s=WAIT_S)


def _refused(observed: ScalingObservation, clash: str) -> Finish:
    """Report a conflict: one policy name on one variant belongs to one object (D-28)."""
    who = observed.taken[clash]
    way = "; or set its annotation sagemaker.aws.amazon.com/adoption-policy=adopt" if who == UNKNOWN_OWNER else ""
    message = (
        f"{who} has put a policy named {observed.policy} on {clash}: it is left alone. Delete this object, which does"
        f" not touch it, and create one with another spec.policyName{way}."
    )
    return _stalled(observed, message, is_seen_at_aws=who == UNKNOWN_OWNER)


def _target_refused(observed: ScalingObservation) -> Finish:
    """Report that others have registered a variant with other bounds: those are not overwritten without adoption."""
    clash, bounds = min(observed.other_targets.items())
    message = (
        f"{UNKNOWN_OWNER} has registered {clash} as a scalable target with a capacity of {bounds}: it is left alone."
        " Give spec.minCapacity and spec.maxCapacity these values, or set its annotation"
        " sagemaker.aws.amazon.com/adoption-policy=adopt: it is then put back when the object goes."
    )
    return _stalled(observed, message, is_seen_at_aws=True)


def _stalled(observed: ScalingObservation, message: str, *, is_seen_at_aws: bool) -> Finish:
    """Report a conflict; one that costs calls of AWS to see is looked at less and less often, every few minutes."""
    reason = reasons.ALREADY_EXISTS
    status_update = StatusUpdate(
        Phase.STUCK, reason, message, value=ERROR, additional=message, synced=reason, tried=_tried(observed)
    )
    events = messages.once(observed.base, reasons.STALLED, reason, message)
    outcome = Outcome.RETRY_SLOWLY if is_seen_at_aws else Outcome.DONE
    return Finish(status_update, observed.base.recorded, events, again_s=4 * WAIT_S, outcome=outcome)


def _failed(observed: ScalingObservation, failure: Failure) -> ScalingStep:
    base = observed.base
    if failure.error_class is ErrorClass.CONFLICT and base.deleting_for_s is None:
        return _waits(observed, failure.message)
    step = failed(base, failure)
    if isinstance(step, RemoveFinalizer) or step.status_update is None:
        return step
    value = RECONCILING if step.outcome is Outcome.RETRY else ERROR  # v1-kinds.md 6.7
    phase = step.status_update.phase
    if observed.missing and phase is Phase.TROUBLED:
        phase = Phase.WORKING  # it is known that nothing scales
    events = tuple(
        replace(each, reason=reasons.POLICY_FAILED) if each.reason == reasons.CREATE_FAILED else each
        for each in step.events
    )
    status_update = replace(step.status_update, value=value, phase=phase, tried=_tried(observed))
    return replace(step, status_update=status_update, events=events, follow=False)


def _deleting(observed: ScalingObservation) -> ScalingStep:
    if not observed.base.has_finalizer:
        return Finish()
    ids = dict.fromkeys((*observed.recorded_ids, *observed.legacy_ids))
    left = tuple(each for each in ids if each not in observed.removed and each not in observed.taken)
    if left:
        return Remove(left)
    return RemoveFinalizer(
        (Event("Normal", reasons.DELETED, f"{observed.policy} is removed from {_variants(ids)}"),) if ids else ()
    )


def _tried(observed: ScalingObservation) -> str:
    """Return the policy's name as long as nothing is recorded: the predecessor shows it whatever happens."""
    return "" if observed.base.recorded is not None or observed.base.is_legacy else observed.policy


def _variants(ids: Collection[str]) -> str:
    what = "component" if ids and all(each.startswith(COMPONENT_PREFIX) for each in ids) else "variant"
    return f"{len(ids)} {what}{'' if len(ids) == 1 else 's'}"
