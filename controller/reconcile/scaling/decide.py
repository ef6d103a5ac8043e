"""The life-cycle of autoscaling policies: put in place, put again when changed, taken away.

All variants are written into the status before anything is asked of AWS, so that whatever was half applied is known
(D-25). Changes replace in place; what has left the list is removed afterwards, never before (D-24).

Pure, level-based. The table is that of v1-kinds.md 12.5.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from api.autoscaling import ScalingRequests
from controller.reconcile import reasons
from controller.reconcile.drift.report import Difference, sentence
from controller.reconcile.observation import During, ExtendedObservation, Failure, Recorded
from controller.reconcile.shared_decisions import (
    drift_reported,
    drift_shown,
    failed,
    nothing_to_adopt,
    paused,
    respecting_hold,
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

UNKNOWN_OWNER: Final = "somebody outside this cluster"
"""Who has put a policy that no object here has written down."""

WAIT_S: Final = 15.0
"""Pause before another look at an endpoint that is not in service; deployments of this cluster wake their policies."""


@dataclass(frozen=True, slots=True)
class CheckVariants(AwsStep):
    """Ask which of these variants have a target, or a policy of this name, already.

    Such a target is somebody else's and stays when the object goes; over such a policy nothing is put.
    """

    during = During.DESCRIBE

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyPolicies(AwsStep):
    """Ask which variants still have the policy: the slow safety net."""

    during = During.DESCRIBE


@dataclass(frozen=True, slots=True)
class Apply(AwsStep):
    """Register all targets, then put all policies."""

    during = During.CREATE


@dataclass(frozen=True, slots=True)
class Remove(AwsStep):
    """Take the policy from these variants, and their targets unless others need them."""

    during = During.DELETE

    ids: tuple[str, ...]


ScalingStep: TypeAlias = EnsureFinalizer | CheckVariants | VerifyPolicies | Apply | Remove | RemoveFinalizer | Finish


@dataclass(frozen=True, slots=True)
class ScalingObservation(ExtendedObservation):
    """All that a decision about an autoscaling policy depends on."""

    policy: str
    record: Recorded | None = None
    """What the status shall record; None: no region is known."""
    wanted: tuple[str, ...] = ()
    """Resource ids of the variants that the spec lists."""
    recorded_ids: tuple[str, ...] = ()
    """`status.resourceIDList`: where the policy may be in place."""
    legacy_ids: tuple[str, ...] = ()
    """What the predecessor may have applied without writing it down."""
    waiting: str = ""
    """Which endpoint is not in service, in words."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Variants on which another object has put a policy of this name."""
    is_observed: bool = False
    """The status was decided on this very generation of the spec."""
    is_check_due: bool = False
    is_verified: bool = False
    """AWS has told in this pass which variants have the policy."""
    is_checked: bool = False
    """It is known whose targets the new variants are."""
    is_applied: bool = False
    missing: bool = False
    """Somebody has removed what was applied."""
    differences: tuple[Difference, ...] = ()
    """What somebody has changed of it."""
    removed: frozenset[str] = frozenset()
    requests: tuple[ScalingRequests, ...] = ()
    """What the spec asks for, one for each variant."""
    place: Recorded | None = None
    """Where the policy is put now; None: no region is known."""


def decide(observed: ScalingObservation) -> ScalingStep:
    """The next step; a hold lets no AWS call through."""
    return respecting_hold(observed.base, _decide(observed))


def _decide(observed: ScalingObservation) -> ScalingStep:
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
    """Annotation `read-only`. What is found is not written down as applied: it would be removed with the object."""
    base = observed.base
    is_told = base.shown in {CREATED, ERROR} and base.is_recorded_in_status and observed.is_observed
    if not observed.is_verified:
        return Finish() if is_told and not observed.is_check_due else VerifyPolicies()
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
    # An edit under the pause is observed, not applied.
    is_trusted = observed.base.reasons.get(reasons.RECONCILING) != reasons.PAUSED
    is_done = (
        is_trusted
        and observed.base.shown == CREATED
        and observed.is_observed
        and set(observed.recorded_ids) == set(observed.wanted)
    )
    if is_done and not observed.missing:
        if observed.differences:
            return _drifted(observed)
        if drift_shown(observed.base) is not Drift.FOUND:
            return VerifyPolicies() if observed.is_check_due else Finish()
        return _in_place(observed) if observed.is_verified else VerifyPolicies()
    if observed.waiting:
        return _waits(observed, observed.waiting)
    if new := tuple(each for each in observed.wanted if each not in observed.recorded_ids):
        return _record_variants(observed, new) if observed.is_checked else CheckVariants(new)
    if not observed.is_applied:
        return Apply()
    if old := tuple(
        each for each in observed.recorded_ids if each not in observed.wanted and each not in observed.removed
    ):
        return Remove(old)
    return _in_place(observed, reasons.POLICY_APPLIED)


def _in_place(observed: ScalingObservation, reason: str = "") -> Finish:
    """AWS has what the spec asks for; `reason` of the Event, if we have seen to it."""
    fields = {"resourceIDList": list(observed.wanted)}
    status_update = StatusUpdate(Phase.READY, reasons.CREATED, value=CREATED, fields=fields, drift=Drift.NONE)
    message = f"{observed.policy} is in place on {_variants(observed.wanted)}"
    return Finish(status_update, observed.record, (Event("Normal", reason, message),) if reason else ())


def _drifted(observed: ScalingObservation) -> ScalingStep:
    """Told first, then put in place again where that is asked for; not in a loop where others do not give in."""
    base = observed.base
    if observed.is_applied:
        return _in_place(observed, reasons.DRIFT_CORRECTED)
    is_told = drift_shown(base) is Drift.FOUND
    if base.policy.corrects and is_told and base.correction_in_s <= 0.0 and not observed.waiting:
        return Apply()
    return drift_reported(base, observed.record, sentence(observed.differences), CREATED, WAIT_S)


def _record_variants(observed: ScalingObservation, new: tuple[str, ...]) -> Finish:
    """Written down before it is done; our own write wakes the key for the rest."""
    fields = {"resourceIDList": [*observed.recorded_ids, *new]}
    status_update = StatusUpdate(
        Phase.WORKING, reasons.APPLYING, value=RECONCILING, fields=fields, synced=reasons.APPLYING
    )
    return Finish(status_update, observed.record)


def _waits(observed: ScalingObservation, message: str) -> Finish:
    """An endpoint that is not in service is waited for: no error (v1-kinds.md 13.3)."""
    reason = reasons.WAITING_FOR_ENDPOINT
    status_update = StatusUpdate(Phase.WORKING, reason, message, value=RECONCILING, synced=reason)
    events = messages.once(observed.base, reasons.RECONCILING, reason, message)
    told = tuple(Event("Normal", each.reason, each.message) for each in events)
    return Finish(status_update, observed.base.recorded, told, again_s=WAIT_S)


def _refused(observed: ScalingObservation, clash: str) -> Finish:
    """D-28: one policy name on one variant belongs to one object."""
    who = observed.taken[clash]
    way = ", or set its annotation sagemaker.aws.amazon.com/adoption-policy=adopt" if who == UNKNOWN_OWNER else ""
    message = (
        f"{who} has put a policy named {observed.policy} on {clash}: it is left alone."
        f" Choose another spec.policyName{way}."
    )
    reason = reasons.ALREADY_EXISTS
    status_update = StatusUpdate(Phase.STUCK, reason, message, value=ERROR, additional=message, synced=reason)
    events = messages.once(observed.base, reasons.STALLED, reason, message)
    return Finish(status_update, observed.base.recorded, events, again_s=4 * WAIT_S)


def _failed(observed: ScalingObservation, failure: Failure) -> ScalingStep:
    base = observed.base
    if failure.error_class is ErrorClass.CONFLICT and base.deleting_for_s is None:
        return _waits(observed, failure.message)
    step = failed(base, failure)
    if isinstance(step, RemoveFinalizer) or step.status_update is None:
        return step
    value = RECONCILING if step.outcome is Outcome.RETRY else ERROR  # v1-kinds.md 6.7
    events = tuple(
        replace(each, reason=reasons.POLICY_FAILED) if each.reason == reasons.CREATE_FAILED else each
        for each in step.events
    )
    return replace(step, status_update=replace(step.status_update, value=value), events=events, follow=False)


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


def _variants(ids: Collection[str]) -> str:
    return f"{len(ids)} variant{'' if len(ids) == 1 else 's'}"
