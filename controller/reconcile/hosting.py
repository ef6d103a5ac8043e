"""The life-cycle of a HostingDeployment: an endpoint that is created, switched to new configurations, and deleted.

Pure, level-based. Rows cited are those of v1-kinds.md 12.4. What is asked of SageMaker while it is busy waits, and
only the newest wish is carried out. The children of a wish are made when it can be carried out, not before.

Over 400 lines: it is one table, whose cells refer to each other.
"""

from dataclasses import replace
from functools import partial
from typing import Any, Final

from controller.reconcile import tagging, wording
from controller.reconcile.capacity import changed_numbers
from controller.reconcile.drift import Difference, sentence
from controller.reconcile.family import Child, Want, shape_of
from controller.reconcile.hostingdrift import changed_configuration, changed_numbers_of
from controller.reconcile.hostingplan import (
    AskScaled,
    CorrectChild,
    DropChild,
    HostingPlan,
    HostingSeen,
    MakeChild,
    NoteServed,
    NoteWish,
    Numbers,
    OwnChild,
    RestoreChild,
    RetainChild,
    TagChild,
    Update,
)
from controller.reconcile.outcomes import (
    LOOK_AGAIN_S,
    drift_shown,
    drift_told,
    failed,
    foreign,
    may_be_invisible,
    nothing_to_adopt,
    only_looked_at,
    owner_of,
    paused,
    record_of,
    retain,
    status_changed,
)
from controller.reconcile.plan import (
    Adoption,
    CheckOwner,
    Create,
    Delete,
    Describe,
    Drift,
    During,
    Event,
    Failure,
    Found,
    Mutation,
    Owner,
    Phase,
    Prepare,
    Recorded,
    Release,
    Settle,
    Source,
    Verdict,
    View,
)
from controller.runtime.errors import ABSENT

IN_SERVICE: Final = "InService"
CREATING: Final = "Creating"
UPDATING: Final = "Updating"
DELETING: Final = "Deleting"
FAILED: Final = "Failed"
BUSY: Final = frozenset({CREATING, UPDATING, "SystemUpdating", "RollingBack"})
"""SageMaker refuses changes and deletion meanwhile."""

SETTLED: Final = frozenset({IN_SERVICE, FAILED, "OutOfService", "UpdateRollbackFailed"})
"""Nothing moves until somebody asks for it, autoscaling and SageMaker's maintenance apart."""

CHILDREN_POLL_S: Final = 10.0
"""Children wake their deployment; this is for those that the predecessor made, which name no owner."""
BUSY_POLL_S: Final = 10.0
DOUBT_S: Final = 10.0
"""How long "not found" is not believed where a creation may still be taking effect."""
TEARDOWN: Final = "DeletingChildren"
"""Reason of Reconciling once the endpoint is known to be gone: it is not asked for again."""


def decide(seen: HostingSeen) -> HostingPlan:
    """The next step. At most one mutation of AWS per pass; a hold lets no AWS call through."""
    plan = _decide(seen)
    base = seen.base
    if base.hold_s is not None and isinstance(plan, Describe | CheckOwner | AskScaled | Create | Update | Delete):
        return Settle(again_s=base.hold_s, follow=base.recorded is not None)
    if isinstance(plan, Settle) and plan.view is not None and seen.ignored and not seen.is_observed:
        message = f"without effect: {'; '.join(seen.ignored)}"  # once for each generation of the spec
        return replace(plan, events=(*plan.events, Event("Warning", "FieldsIgnored", message)))
    return plan


def _decide(seen: HostingSeen) -> HostingPlan:
    base = seen.base
    if base.deleting_for_s is not None and base.policy.retain:
        return _retain(seen)
    if base.policy.paused:
        return paused(base)
    if base.failure is not None:
        return _failed(seen, base.failure)
    if base.deleting_for_s is not None:
        return _deleting(seen, base.deleting_for_s)
    if base.policy.read_only:
        is_settled = seen.is_observed and seen.was_visible
        return only_looked_at(base, partial(_only_shown, seen), is_settled=is_settled)
    if seen.invalid is not None:
        return _invalid(seen, seen.invalid)
    if not base.has_finalizer:
        return Prepare()
    if (tags := tagging.step(base)) is not None:
        return tags
    for child in seen.children:
        if not child.is_owned and child.name not in seen.done:
            return OwnChild(child)
    if (want := _tagged_otherwise(seen)) is not None:
        return TagChild(want)
    if base.recorded is not None:
        return _recorded(seen, base.recorded)
    return _not_recorded(seen)


def _tagged_otherwise(seen: HostingSeen) -> Want | None:
    """A child that is wanted but for its tags, which are no content: they are changed in place (D-13)."""
    desired = seen.desired
    for want in (*desired.models, *filter(None, [desired.configuration])) if desired else ():
        child = want.child
        if child is None or child.is_deleting or child.name in seen.done:
            continue
        if (child.spec.get("tags") or []) != (want.spec.get("tags") or []):
            return want
    return None


def _only_shown(seen: HostingSeen, remote: Found, recorded: Recorded) -> Settle:
    """The endpoint as it is, whatever the spec says; no child is made or missed."""
    if remote.value == IN_SERVICE:
        view = View(Phase.READY, IN_SERVICE, value=IN_SERVICE, fields=_fields(seen))
        return Settle(view, recorded, _first_sight(seen, recorded), follow=True)
    if remote.value == FAILED:
        return _endpoint_stuck(seen, recorded, remote)
    return _as_it_is(seen, recorded, remote)


def _failed(seen: HostingSeen, failure: Failure) -> HostingPlan:
    """A refused update leaves an endpoint that serves."""
    plan = failed(seen.base, failure)
    if failure.during is not During.UPDATE or not isinstance(plan, Settle) or plan.view is None:
        return plan
    phase = Phase.READY_STUCK if plan.view.phase is Phase.STUCK else plan.view.phase
    return replace(plan, view=replace(plan.view, phase=phase))


def _invalid(seen: HostingSeen, failure: Failure) -> HostingPlan:
    """A spec that cannot be taken apart: nothing is changed, and an endpoint that is there is still shown as it is."""
    base, remote = seen.base, seen.base.remote
    plan = failed(base, failure)
    if base.recorded is None or not isinstance(plan, Settle) or plan.view is None:
        return plan
    if base.is_describe_due or (isinstance(remote, Found) and remote.source is Source.SUMMARY):
        return Describe(background=True)
    view = plan.view
    if isinstance(remote, Found):
        serves = remote.value == IN_SERVICE or (remote.value in BUSY and remote.value != CREATING)
        phase = Phase.READY_STUCK if serves else Phase.STUCK
        view = replace(view, phase=phase, value=remote.value, fields=_fields(seen))
    # Not held: AWS is asked only when the tracker has news, and news shall be shown.
    return replace(plan, view=view, verdict=Verdict.FINE)


def _retain(seen: HostingSeen) -> HostingPlan:
    """The endpoint stays, and so must what it is made of."""
    for child in seen.children:
        if child.name not in seen.done:
            return RetainChild(child)
    return retain(seen.base)


# --- before there is an endpoint


def _not_recorded(seen: HostingSeen) -> HostingPlan:
    """Rows 1 and 13."""
    base = seen.base
    remote = base.remote
    if remote is None:
        # A given name is looked up first: where it is taken by others, no children are made in vain.
        is_unsure = base.name_is_taken or base.is_legacy or not base.is_name_generated
        return Describe() if is_unsure else _build(seen)
    if remote is ABSENT:
        if base.policy.adoption is Adoption.ADOPT:
            return nothing_to_adopt(base)
        return Settle(again_s=LOOK_AGAIN_S) if base.name_is_taken else _build(seen)
    match owner_of(base):
        case Owner.UNKNOWN:
            return CheckOwner(remote.arn)
        case Owner.FOREIGN if base.policy.adoption is Adoption.REFUSE:
            return foreign(base)
        case _:
            recorded = record_of(base, remote)
            return _recorded(replace(seen, base=replace(base, recorded=recorded)), recorded)


def _build(seen: HostingSeen) -> HostingPlan:
    """Row 1: Models, then the EndpointConfig, then the endpoint."""
    return _children_or(seen, Create(), Phase.WORKING)


def _children_or(seen: HostingSeen, then: Create | Update, phase: Phase) -> HostingPlan:
    """`then`, if all children are there; else what has to be done, or waited for, before."""
    desired = seen.desired
    assert desired is not None  # noqa: S101 (only deletions have none)
    wants = [*desired.models, *filter(None, [desired.configuration])]
    for want in wants:
        if want.child is None and want.name not in seen.done:
            return RestoreChild(want) if want.spoilt else MakeChild(want)
    for want in wants:
        if want.child is None or not want.child.sagemaker_name:
            return _waits_for(seen, want, phase)
    return then


def _waits_for(seen: HostingSeen, want: Want, phase: Phase) -> Settle:
    base = seen.base
    kind, name = want.descriptor.kind, want.child.name if want.child else want.name
    is_stuck = want.child is not None and want.child.is_stalled
    trouble = want.child.trouble if want.child else ""
    message = f"{kind} {name}: {trouble}" if trouble else f"{kind} {name} is being created"
    reason = "ChildFailed" if is_stuck else f"Preparing{kind}"
    if is_stuck:
        phase = Phase.STUCK if phase is Phase.WORKING else Phase.READY_STUCK
    view = View(
        phase,
        reason,
        message,
        value=base.descriptor.status.reconciling,
        additional=message if trouble else "",
        fields=_fields(seen),
        synced="ChildFailed" if is_stuck else ("UpdatePending" if base.recorded else "Creating"),
    )
    events = wording.once(base, "Stalled", reason, message) if is_stuck else ()
    return Settle(view, base.recorded, events, follow=base.recorded is not None, again_s=CHILDREN_POLL_S)


# --- the endpoint exists


def _recorded(seen: HostingSeen, recorded: Recorded) -> HostingPlan:
    base, remote = seen.base, seen.base.remote
    if base.mutation is Mutation.CREATED:
        return _told(seen, recorded, CREATING, wording.created(base, recorded))
    if base.mutation is Mutation.UPDATED:
        begins = Event("Normal", "UpdateStarted", f"update of {recorded.name} begins")
        return _told(seen, recorded, UPDATING, begins, *_resets(seen, is_whole=not seen.attempt.is_of_numbers))
    if base.mutation is Mutation.DELETED:
        return _told(
            seen, recorded, DELETING, Event("Normal", "Deleting", f"{recorded.name} is deleted, to be made anew")
        )
    if remote is None:
        if not base.is_recorded_in_status:
            return _told(seen, recorded, CREATING, wording.created(base, recorded))
        settled = seen.was_visible and seen.is_observed and not base.is_describe_due
        return Settle(follow=True) if settled else Describe(background=seen.is_observed)
    if remote is ABSENT:
        if not seen.was_visible and may_be_invisible(base, recorded):
            return Settle(follow=True, again_s=LOOK_AGAIN_S)
        return _build(seen)  # row 1: it is wanted, and was deleted behind our back
    if remote.source is Source.SUMMARY or base.is_describe_due:
        return Describe(background=seen.is_observed)
    if base.policy.holds_updates and seen.is_new_wish and not seen.is_noted:
        return NoteWish()
    if remote.value == IN_SERVICE:
        return _in_service(seen, recorded, remote)
    if remote.value == FAILED:
        return _endpoint_failed(seen, recorded, remote)
    return _as_it_is(seen, recorded, remote)


def _told(seen: HostingSeen, recorded: Recorded, value: str, *events: Event) -> Settle:
    """SageMaker has accepted: this is what it says then, without asking."""
    phase = Phase.READY_WORKING if value == UPDATING else Phase.WORKING
    fields = _fields(seen)
    if value == CREATING and seen.desired and seen.desired.configuration and seen.desired.configuration.child:
        fields["endpointConfigName"] = seen.desired.configuration.child.sagemaker_name
    drift: Drift | None = Drift.NONE
    if value == UPDATING:
        drift = Drift.CORRECTING if drift_shown(seen.base) is Drift.FOUND else None
    view = View(phase, value, value=value, fields=fields, drift=drift)
    return Settle(view, recorded, events, follow=True)


def _as_it_is(seen: HostingSeen, recorded: Recorded, remote: Found) -> Settle:
    """Rows 3, 8 and 12, and values that AWS adds: shown as they are; a wish that has to wait is told."""
    base = seen.base
    serves = remote.value in BUSY and remote.value != CREATING
    pending = _is_pending(seen)
    message = ""
    if pending:
        what = "is prepared" if _is_held(seen) else "is applied"
        message = f"the changed spec {what} when the endpoint is InService (it is {remote.value})"
    view = View(
        Phase.READY_WORKING if serves else Phase.WORKING,
        wording.reason_of(remote.value),
        message or remote.failure_reason,
        value=remote.value,
        additional="",
        fields=_fields(seen),
        synced="UpdatePending" if pending else "Synced",
    )
    events = _first_sight(seen, recorded) + status_changed(base, remote.value)
    if pending and base.reasons.get("Synced") != "UpdatePending":
        events += (Event("Normal", "UpdatePending", message),)
    again_s = BUSY_POLL_S if remote.value == DELETING else None  # lists tell of changes, not of disappearance
    return Settle(view, recorded, events, follow=True, again_s=again_s)


def _is_pending(seen: HostingSeen) -> bool:
    """Whether there is something to ask SageMaker for: a changed spec, or another try."""
    return bool(seen.attempt.id) and seen.desired is not None and not seen.is_attempted


def _first_sight(seen: HostingSeen, recorded: Recorded) -> tuple[Event, ...]:
    is_news = not (seen.base.is_recorded_in_status or seen.base.is_legacy)
    return (wording.created(seen.base, recorded),) if is_news else ()


def _endpoint_failed(seen: HostingSeen, recorded: Recorded, remote: Found) -> HostingPlan:
    """Row 7: all that AWS allows is deletion."""
    pending = _is_pending(seen)
    if pending and seen.recreates and not (seen.was_refused_as_busy or _is_held(seen)):
        return Delete(recorded.name)
    return _endpoint_stuck(seen, recorded, remote)


def _endpoint_stuck(seen: HostingSeen, recorded: Recorded, remote: Found) -> Settle:
    pending = _is_pending(seen)
    message = remote.failure_reason or "SageMaker gives no reason"
    if pending:
        message += (
            ". The changed spec cannot be applied: a failed endpoint can only be deleted. Delete this object and create"
            " it again, or set its annotation sagemaker.aws.amazon.com/recreate-on-failure=true"
        )
    view = View(
        Phase.STUCK,
        "EndpointFailed",
        message,
        value=FAILED,
        additional=message,
        fields=_fields(seen),
        synced="UpdateBlocked" if pending else "Synced",
    )
    events = wording.once(seen.base, "Stalled", "EndpointFailed", message, "Failed")
    return Settle(view, recorded, _first_sight(seen, recorded) + events, follow=True)


# --- in service


def _in_service(seen: HostingSeen, recorded: Recorded, remote: Found) -> HostingPlan:
    """Rows 4 to 6."""
    desired, base = seen.desired, seen.base
    assert desired is not None  # noqa: S101 (only deletions have none)
    if base.shown == UPDATING and seen.attempt.since and remote.fields.get("lastModifiedTime") == seen.attempt.since:
        return Settle(follow=True, again_s=LOOK_AGAIN_S)  # an answer from before our update
    running = seen.running
    has_shape = running is not None and desired.shape != "" and desired.shape == shape_of(running.content)
    if has_shape and running is not None:
        return _right_configuration(seen, recorded, remote, running)
    if seen.is_attempted and desired.configuration is None:  # somebody has deleted a model's object: made anew first
        return _children_or(seen, Update(), Phase.READY_WORKING)
    if not seen.is_new_wish and seen.attempt.is_served:
        return _drifted(seen, recorded, changed_configuration(seen), _children_or(seen, Update(), Phase.WORKING))
    if seen.is_attempted:
        return _update_failed(seen, recorded, remote)  # row 6: SageMaker went back
    if seen.was_refused_as_busy:
        return Settle(follow=True, again_s=BUSY_POLL_S)
    plan = _children_or(seen, Update(), Phase.READY_WORKING)
    return _held(seen, recorded, is_whole=True) if isinstance(plan, Update) and _is_held(seen) else plan


def _right_configuration(seen: HostingSeen, recorded: Recorded, remote: Found, running: Child) -> HostingPlan:
    """The endpoint runs with what is wanted; weights and counts may have to be changed."""
    base = seen.base
    numbers: Numbers = changed_numbers(seen, running)
    has_failed = seen.attempt.is_of_numbers and not seen.attempt.is_served and bool(remote.failure_reason)
    if has_failed and seen.is_attempted:
        return _update_failed(seen, recorded, remote)
    if has_failed and not seen.is_new_wish and seen.desired is not None:
        numbers = seen.desired.numbers
    if not numbers or seen.is_attempted:
        return _serves(seen, recorded)
    if seen.was_refused_as_busy:
        return Settle(follow=True, again_s=BUSY_POLL_S)
    if _is_held(seen):
        return _held(seen, recorded, is_whole=False)
    return Update(numbers) if base.shown == base.descriptor.status.reconciling else _announce(seen, recorded)


def _is_held(seen: HostingSeen) -> bool:
    """Annotation `update-policy: manual`, and no new text in `reconcile-at` since the edit was seen."""
    if not seen.base.policy.holds_updates or not seen.is_new_wish or seen.desired is None:
        return False
    awaits = seen.attempt.awaits
    return awaits is None or awaits.id != seen.desired.attempt or awaits.retry == seen.desired.retry


def _held(seen: HostingSeen, recorded: Recorded, *, is_whole: bool) -> Settle:
    """Everything is prepared, and the user has the last word."""
    message = (
        "the update is prepared, and begins when the annotation sagemaker.aws.amazon.com/reconcile-at gets a new text"
    )
    if resets := _resets(seen, is_whole=is_whole):
        message += f"; {resets[0].message}"
    view = View(
        Phase.READY,
        "UpdatePending",
        message,
        value=IN_SERVICE,
        additional=message,
        fields=_fields(seen),
        synced="UpdatePending",
    )
    is_told = seen.base.reasons.get("Ready") == "UpdatePending"
    events = () if is_told else (Event("Normal", "UpdatePending", message),)
    return Settle(view, recorded, _first_sight(seen, recorded) + events, follow=True)


def _resets(seen: HostingSeen, *, is_whole: bool) -> tuple[Event, ...]:
    """D-17b: AWS's default is to forget what autoscaling has made of the counts; v1's users rely on that default."""
    if not (is_whole and seen.scalers and seen.desired is not None and seen.desired.resets_counts):
        return ()
    scaled = ", ".join(f"{variant} ({policy})" for variant, policy in sorted(seen.scalers.items()))
    message = (
        f"the update sets the instances of scaled variants back to the spec's: {scaled};"
        " spec.retainAllVariantProperties=true keeps them"
    )
    return (Event("Warning", "CapacityReset", message),)


def _announce(seen: HostingSeen, recorded: Recorded) -> HostingPlan:
    """The guide's `ReconcilingEndpoint` before `Updating`, also where no children have to be made."""
    view = View(
        Phase.READY_WORKING,
        "PreparingUpdate",
        "the endpoint is updated",
        value=seen.base.descriptor.status.reconciling,
        fields=_fields(seen),
        synced="UpdatePending",
    )
    return Settle(view, recorded, follow=True)


def _serves(seen: HostingSeen, recorded: Recorded) -> HostingPlan:
    """The wanted configuration runs; are its numbers and its children still what they were?"""
    if seen.is_new_wish or not seen.attempt.is_served or seen.attempt.awaits is not None:
        return NoteServed()
    changed = changed_numbers_of(seen)
    if changed.unclear:
        return AskScaled(changed.unclear)
    if changed.restore is not None:
        return _drifted(seen, recorded, changed.differences, Update(changed.restore), is_usable=True)
    if lost := [child for child in seen.children if child.drift and child.uid in _needed(seen)]:
        return _children_drifted(seen, recorded, lost)
    return _at_rest(seen, recorded)


def _drifted(
    seen: HostingSeen,
    recorded: Recorded,
    differences: tuple[Difference, ...],
    repair: HostingPlan,
    *,
    is_usable: bool = False,
) -> HostingPlan:
    """Told first, and then changed back where that is asked for; not in a loop where others do not give in."""
    base, corrects = seen.base, seen.base.policy.corrects
    message = sentence(differences)
    phases = (Phase.READY_WORKING, Phase.READY) if is_usable else (Phase.WORKING, Phase.STUCK)
    view = View(
        phases[0] if corrects else phases[1],
        "Drifted",
        message,
        value=IN_SERVICE,
        additional=message,
        fields=_fields(seen),
        synced="Drifted",
        drift=Drift.FOUND,
    )
    again_s = None
    if corrects and drift_shown(base) is Drift.FOUND:
        if base.correction_in_s <= 0.0 and not seen.was_refused_as_busy:
            return repair
        again_s = max(base.correction_in_s, BUSY_POLL_S)
    events = _first_sight(seen, recorded) + drift_told(base, message)
    return Settle(view, recorded, events, follow=True, again_s=again_s)


def _children_drifted(seen: HostingSeen, recorded: Recorded, lost: list[Child]) -> HostingPlan:
    """The endpoint serves on without them, and cannot be updated any more, nor get new instances."""
    if seen.base.policy.corrects:
        for child in lost:
            if not child.corrects and child.name not in seen.done:
                return CorrectChild(child)
    message = "; ".join(f"{child.descriptor.kind} {child.name}: {child.drift}" for child in lost)
    view = View(
        Phase.READY,
        "Drifted",
        message,
        value=IN_SERVICE,
        additional=message,
        fields=_fields(seen),
        synced="Drifted",
        drift=Drift.FOUND,
    )
    events = _first_sight(seen, recorded) + drift_told(seen.base, message)
    return Settle(view, recorded, events, follow=True)


def _at_rest(seen: HostingSeen, recorded: Recorded) -> HostingPlan:
    """Row 4: what is wanted is served; children that nobody needs go, configurations first (D-54)."""
    base = seen.base
    view = View(Phase.READY, IN_SERVICE, value=IN_SERVICE, fields=_fields(seen), drift=Drift.NONE)
    is_told = base.shown == IN_SERVICE and base.is_recorded_in_status and seen.is_observed
    superfluous = _superfluous(seen)
    if is_told and superfluous:
        for child in superfluous:
            if child.name not in seen.done and not child.is_deleting:
                return DropChild(child)
    events = _first_sight(seen, recorded)
    if base.shown == UPDATING:
        events += (Event("Normal", "UpdateCompleted", f"{recorded.name} serves the new configuration"),)
    elif base.shown == CREATING:
        events += (Event("Normal", "InService", f"{recorded.name} is in service"),)
    else:
        events += status_changed(base, IN_SERVICE)
    if drift_shown(base) is Drift.CORRECTING:
        events += (Event("Normal", "DriftCorrected", f"{recorded.name} is again as the spec wants it"),)
    return Settle(view, recorded, events, follow=True, again_s=CHILDREN_POLL_S if superfluous else None)


def _needed(seen: HostingSeen) -> set[str]:
    """The uids of the configuration that runs and of the models that the spec wants."""
    desired, running = seen.desired, seen.running
    assert desired is not None and running is not None  # noqa: S101, PT018 (the endpoint runs with a child)
    return {running.uid} | {want.child.uid for want in desired.models if want.child}


def _superfluous(seen: HostingSeen) -> list[Child]:
    """Children that neither the endpoint nor the spec needs; models only when the last configuration with them went."""
    wanted = _needed(seen)
    configurations = [child for child in seen.configurations if child.uid not in wanted]
    used = {
        variant.get("modelName")
        for child in seen.configurations
        for variants in ("productionVariants", "shadowProductionVariants")
        for variant in child.spec.get(variants) or ()
    }
    models = [child for child in seen.models if child.uid not in wanted and child.sagemaker_name not in used]
    return configurations + models


def _update_failed(seen: HostingSeen, recorded: Recorded, remote: Found) -> Settle:
    """Row 6, D-15: told with SageMaker's reason; another spec is tried, the same one is not."""
    reason = remote.failure_reason or "SageMaker went back to the previous configuration and gives no reason"
    message = f"The update failed: {reason}. It is not repeated; change the spec to try again"
    view = View(
        Phase.READY_STUCK,
        "UpdateFailed",
        message,
        value=IN_SERVICE,
        additional=message,
        fields=_fields(seen),
        synced="UpdateFailed",
        # Changing it back has failed: it is still not as it was applied.
        drift=Drift.FOUND if drift_shown(seen.base) is Drift.CORRECTING else None,
    )
    return Settle(view, recorded, wording.once(seen.base, "Stalled", "UpdateFailed", message), follow=True)


def _fields(seen: HostingSeen) -> dict[str, Any]:
    """Status fields beside the value: SageMaker's, the URL, the names of the models."""
    fields = dict(seen.fields)
    if isinstance(seen.base.remote, Found) and seen.base.remote.source is Source.DESCRIPTION:
        fields.setdefault("failureReason", None)
    if seen.url:
        fields["endpointUrl"] = seen.url
    names = seen.desired.model_names if seen.desired else {}
    if seen.desired and seen.desired.models and all(names.get(want.label) for want in seen.desired.models):
        fields["modelNames"] = [{"name": want.label, "value": names[want.label]} for want in seen.desired.models]
    return fields


# --- objects that are being deleted


def _deleting(seen: HostingSeen, deleting_for_s: float) -> HostingPlan:
    """Rows 2 and 9 to 11: endpoint, configurations, models, each waited for (D-54); then the object goes."""
    base = seen.base
    if not base.has_finalizer:
        return Settle()
    if base.reasons.get("Reconciling") == TEARDOWN and base.recorded is None:
        return _teardown(seen)
    remote = base.remote
    if base.mutation is Mutation.DELETED:
        return _waits_for_endpoint(seen, "deletion of the endpoint requested", "Deleting")
    if remote is None or (isinstance(remote, Found) and remote.source is Source.SUMMARY):
        return Describe()
    if remote is ABSENT:
        return _gone(seen, deleting_for_s)
    if base.recorded is None:
        match owner_of(base):
            case Owner.UNKNOWN:
                return CheckOwner(remote.arn)
            case Owner.FOREIGN:
                return _teardown_begins(seen, f"{base.name} was not created by this object and is left alone")
            case _:
                pass
    if remote.value == DELETING or remote.value in BUSY or seen.was_refused_as_busy:
        return _waits_for_endpoint(seen, _held_up(remote.value), "Deleting")
    return Delete(base.recorded.name if base.recorded else base.name)


def _held_up(value: str) -> str:
    """SageMaker deletes no endpoint that it is at work on."""
    return f"the endpoint is {value}" + ("" if value == DELETING else ": its deletion is asked for when that has ended")


def _gone(seen: HostingSeen, deleting_for_s: float) -> HostingPlan:
    base = seen.base
    if base.recorded is not None:
        if not seen.was_visible and may_be_invisible(base, base.recorded):
            return _waits_for_endpoint(seen, "the endpoint may not be visible yet", "Deleting")
        return _teardown_begins(seen, "the endpoint is gone")
    doubt_s = min(deleting_for_s, DOUBT_S if base.doubt_for_s is None else base.doubt_for_s)
    may_exist = bool(seen.children) and not base.was_refused  # without children nothing can have been created
    if may_exist and doubt_s < DOUBT_S:
        return Settle(again_s=DOUBT_S - doubt_s)
    return _teardown_begins(seen, "there is no endpoint")


def _waits_for_endpoint(seen: HostingSeen, message: str, reason: str) -> Settle:
    base = seen.base
    events = wording.once(base, "Reconciling", reason, message)
    told = tuple(Event("Normal", "Deleting", each.message) for each in events)
    fields = {**_fields(seen)}
    view = View(Phase.WORKING, reason, message, value=DELETING, fields=fields)
    return Settle(view, base.recorded, told, again_s=BUSY_POLL_S / 2)


def _teardown_begins(seen: HostingSeen, message: str) -> HostingPlan:
    """Written down before the children go: from here on nobody asks for the endpoint again."""
    if not seen.children:
        return Release(_last_words(seen, message))
    view = View(
        Phase.WORKING,
        TEARDOWN,
        message,
        value=DELETING,
        fields={"endpointConfigName": None, "modelNames": None},
        forgets=True,
    )
    return Settle(view, None, _last_words(seen, message), again_s=CHILDREN_POLL_S)


def _last_words(seen: HostingSeen, message: str) -> tuple[Event, ...]:
    return (Event("Normal", "Deleted", message),) if seen.base.recorded else ()


def _teardown(seen: HostingSeen) -> HostingPlan:
    for group in (seen.configurations, seen.models):
        for child in group:
            if not child.is_deleting and child.name not in seen.done:
                return DropChild(child)
        if group:
            return Settle(again_s=CHILDREN_POLL_S / 2)
    return Release()
