"""Builds the `Observed` of an object from object, settings and local state, and reads AWS's answers. Pure."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from api import annotations as known
from api.convert import ConversionError, to_status
from api.descriptor import KindDescriptor, LifeCycle
from api.meta import FINALIZER, JsonObject
from api.naming import sagemaker_name
from controller.aws.errors import AwsError, CallError
from controller.observability.redact import redact_free_texts, redact_text
from controller.reconcile import reasons
from controller.reconcile.identity import SAME_CREATION, is_same_creation
from controller.reconcile.managed.local_state import LocalState
from controller.reconcile.namespaces.settings import EffectiveSettings
from controller.reconcile.observation import (
    CreationWindow,
    External,
    ExternalResource,
    Observed,
    Ownership,
    Policy,
    Recorded,
    Source,
)
from controller.reconcile.status.copies import SKEW, begins_at, has_uid, is_copied, own_status
from controller.reconcile.status.patch import HANDLED, announced_in, parse_time, recorded_in, tried_in
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from controller.runtime.frozen import replace

RESYNC_SHARE: Final = 0.8
"""Resyncs have jitter: one that is a little early still counts."""
_ENDED: Final = (reasons.COMPLETE, reasons.FAILED)


def observe_object(
    descriptor: KindDescriptor,
    obj: JsonObject,
    effective_settings: EffectiveSettings,
    state: LocalState,
    *,
    now: datetime,
    monotonic: float,
    depends_on: tuple[str, ...] = (),
) -> Observed:
    """Return what object, settings and local state show; the pass adds AWS's answers."""
    metadata, spec, status = obj["metadata"], obj.get("spec") or {}, own_status(descriptor, obj)
    conditions = {each.get("type", ""): each for each in status.get("conditions") or ()}
    in_status = _recorded(status, state)
    # The ownership of a recorded resource does not depend on its name.
    is_generated = not (in_status or descriptor.name.by_aws)
    generated = sagemaker_name(metadata["name"], metadata["uid"], descriptor.name.max_length) if is_generated else ""
    spawned = announced_in(metadata)
    announced = None if in_status or spawned is None else replace(spawned, owner_uid=metadata["uid"])
    recorded = in_status or state.recorded or announced
    given = spec.get(descriptor.name.spec_field) or spec.get(descriptor.name.chosen_by) or ""
    chosen = given if isinstance(given, str) else ""  # the conversion reports what is no text
    name = recorded.name if recorded else (chosen or generated)
    shown_name = status.get(descriptor.name.status_field) or ""
    # Our own objects name a resource only with its record, or with the note that its creation was refused.
    is_legacy = recorded is None and bool(shown_name) and shown_name != tried_in(status)
    hold = state.hold
    holds = (
        hold is not None and hold.until > monotonic and hold.token == hold_token(obj, effective_settings, depends_on)
    )
    stalled, stamp = conditions.get(reasons.STALLED, {}), metadata.get("deletionTimestamp")
    ends = [conditions[each] for each in _ENDED if conditions.get(each, {}).get("status") == "True"]
    ended_at = ends[0].get("lastTransitionTime") if in_status and ends else None
    asked = (known.RECONCILE_AT.of(effective_settings.own) or "") if effective_settings.own else ""
    is_reconcile_requested = asked != "" and asked != status.get(HANDLED)
    return Observed(
        descriptor=descriptor,
        name=shown_name if is_legacy else name,
        is_name_generated=is_generated and name == generated,
        is_name_persisted=bool(given) or not descriptor.name.late_initialized,
        has_finalizer=FINALIZER in (metadata.get("finalizers") or ()),
        generation=int(metadata.get("generation") or 0),
        now=now,
        # Launched jobs are deleted with their tuning job: the namespace's default is for objects created by users.
        policy=replace(effective_settings.policy(), ttl_s=known.TTL.of(effective_settings.own))
        if spawned and metadata.get("ownerReferences")
        else _policy(descriptor, effective_settings),
        deleting_for_s=_deleting_for_s(stamp, state, now, monotonic) if stamp else None,
        recorded=recorded,
        is_recorded_in_status=in_status is not None,
        is_announced=announced is not None,
        is_spawned=spawned is not None,
        is_copied=descriptor.life_cycle is not LifeCycle.RESOURCE
        and in_status is not None
        and in_status.owner_uid != metadata["uid"]
        and not state.is_proved
        and is_copied(metadata, in_status),
        uid=metadata["uid"],
        is_legacy=is_legacy,
        legacy_created=_legacy_window(metadata, status, shown_name) if is_legacy else None,
        is_ended=in_status is not None and bool(ends),
        ended_ago_s=seconds_since(ended_at, now) if ended_at else None,
        shown=status.get(descriptor.status.field) or "",
        reasons={each: condition.get("reason", "") for each, condition in conditions.items()},
        edited=_edited(descriptor, spec, in_status.name, in_status.region) if in_status else (),
        doubt_for_s=None if state.doubtful_since is None else monotonic - state.doubtful_since,
        was_refused=stalled.get("status") == "True" and stalled.get("reason") == reasons.INVALID_SPEC,
        is_reconcile_requested=is_reconcile_requested,
        is_describe_due=is_reconcile_requested,
        correction_in_s=state.corrections.due_in_s(monotonic),
        hold_s=hold.until - monotonic if hold is not None and holds else None,
        setbacks=state.setbacks,
        failing_for_s=0.0 if state.failing_since is None else monotonic - state.failing_since,
    )


def _policy(descriptor: KindDescriptor, effective_settings: EffectiveSettings) -> Policy:
    policy = effective_settings.policy()
    if descriptor.is_retained and effective_settings.says(known.DELETION_POLICY) is None:
        return replace(policy, retain=True)
    return policy


def _recorded(status: Mapping[str, Any], state: LocalState) -> Recorded | None:
    """Return the recorded identity. What an earlier version recorded of an endpoint lacks AWS's creation time, which
    the status shows in a field of its own, whatever the owner of the endpoint.
    """
    recorded = recorded_in(status)
    if recorded is None or recorded.creation_time is not None:
        return recorded
    shown = parse_time(status.get("creationTime")) if status.get("creationTime") else None
    created = state.creation or shown
    return recorded if created is None else replace(recorded, creation_time=created, is_unverified=True)


def _legacy_window(metadata: Mapping[str, Any], status: Mapping[str, Any], name: str) -> CreationWindow | None:
    """Return when AWS created the resource `name` that a status of the predecessor shows.

    Of endpoints it shows the creation time. Of others only when it was last written, before which they existed: that
    is used for names that others may use again, not for those with the uid of the object in them. What is older than
    the object was created for another one, and came with a backup of that.
    """
    begins = None if has_uid(name, metadata) else begins_at(metadata)
    if (shown := parse_time(status.get("creationTime"))) is not None:
        earliest = shown - SAME_CREATION
        return CreationWindow(shown + SAME_CREATION, earliest if begins is None else max(earliest, begins))
    checked = parse_time(status.get("lastCheckTime") or status.get("lastUpdateTime"))
    return None if checked is None or has_uid(name, metadata) else CreationWindow(checked + SKEW, begins)


def hold_token(obj: JsonObject, effective_settings: EffectiveSettings, depends_on: tuple[str, ...] = ()) -> str:
    """Return a token that changes with all that may resolve an error: spec, deletion, effective settings, and the
    states `depends_on` of the objects that it depends on.
    """
    metadata = obj["metadata"]
    facts = (metadata.get("generation"), metadata.get("deletionTimestamp"), *effective_settings.facts(), *depends_on)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def described(observed: Observed, describe: Callable[[], JsonObject | Absent]) -> JsonObject | Absent:
    """Describe; return ABSENT where the object is being deleted and AWS accepts its name in no request.

    Nothing was recorded under the name, so the Create was refused as the Describe is: nothing of the object can exist.
    Raises `CallError` otherwise.
    """
    try:
        return describe()
    except CallError as error:
        is_going = observed.deleting_for_s is not None and observed.recorded is None
        if is_going and error.error_class is ErrorClass.INVALID:
            return ABSENT
        raise


def external_resource(descriptor: KindDescriptor, answer: Mapping[str, Any], source: Source) -> ExternalResource:
    """Return a Describe answer or a List summary as a value. Raises `CallError` RETRYABLE for an unreadable one."""
    rule = descriptor.status
    try:
        fields = to_status(descriptor, answer)
    except ConversionError as exc:
        raise AwsError(ErrorClass.RETRYABLE, "UnreadableAnswer", str(exc), known=False) from exc
    if not answer.get(rule.arn_member):
        message = f"SageMaker's answer names no {rule.arn_member}"  # the answer of a proxy, perhaps: not trusted
        raise AwsError(ErrorClass.RETRYABLE, "UnreadableAnswer", message, known=False)
    own = {rule.field, rule.secondary_field, "additional", descriptor.name.status_field}
    if (value := answer.get(rule.member)) != rule.completed:
        runs = value not in rule.terminal
        own |= {field.name for field in descriptor.compat.status if field.of_completed or (runs and field.of_ended)}
    created_at = answer.get("CreationTime")
    return ExternalResource(
        source=source,
        value=str(answer.get(rule.member) or ""),
        secondary=str(answer.get(rule.secondary_member) or "") if rule.secondary_member else "",
        arn=str(answer.get(rule.arn_member) or ""),
        created_at=created_at if isinstance(created_at, datetime) else None,
        failure_reason=redact_text(str(reason)) if (reason := answer.get("FailureReason")) else "",
        fields=redact_free_texts({name: value for name, value in fields.items() if name not in own}),
    )


def with_external(state: LocalState, observed: Observed, external: External) -> Observed:
    """Return the observation with an answer of AWS, and the owner of what it shows, as far as that is known."""
    if not isinstance(external, ExternalResource):
        return replace(observed, external=external)
    owner = observed.owner
    is_asked_again = observed.is_reconcile_requested and external.is_fresh
    if owner is not Ownership.UNKNOWN and (is_asked_again or not _is_same(external, observed.external)):
        owner = Ownership.UNKNOWN
    foreign = None if is_asked_again else state.foreign
    if foreign is not None and _is_known_as_foreign(foreign, observed.name, external):
        owner = Ownership.FOREIGN
    return replace(observed, external=external, owner=owner)


def _is_known_as_foreign(foreign: tuple[str, datetime], name: str, external: ExternalResource) -> bool:
    known, created_at = foreign
    return known == name and external.created_at is not None and is_same_creation(external.created_at, created_at)


def _is_same(external: ExternalResource, before: External) -> bool:
    if not isinstance(before, ExternalResource) or external.created_at is None or before.created_at is None:
        return before is None
    return is_same_creation(external.created_at, before.created_at)


def _deleting_for_s(stamp: object, state: LocalState, now: datetime, monotonic: float) -> float:
    """Return the age of the deletion by the API server's stamp or by our own clock, whichever is longer."""
    by_stamp = seconds_since(stamp, now)
    return by_stamp if state.deleting_since is None else max(by_stamp, monotonic - state.deleting_since)


def seconds_since(stamp: object, now: datetime) -> float:
    """Return the age of a stamp, never negative: the server's clock may be ahead. Unreadable ones count as now."""
    time = parse_time(stamp)
    return max((now - time).total_seconds(), 0.0) if time else 0.0


def _edited(descriptor: KindDescriptor, spec: Mapping[str, Any], name: str, region: str) -> tuple[str, ...]:
    """Return the identity fields that differ from what was created (D-04). Absent fields are not edits."""
    checks = ((descriptor.name.spec_field, name), ("region", region))
    return tuple(
        f"spec.{field}" for field, recorded in checks if recorded and spec.get(field) and spec[field] != recorded
    )
