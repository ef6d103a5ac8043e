"""Performs what `job.changes` decided: changes a job that exists, and records it in the status."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import structlog

from api.meta import Condition, JsonObject
from controller.aws.errors import CallError
from controller.aws.sagemaker import Jobs
from controller.observability.redact import quoted
from controller.reconcile import reasons
from controller.reconcile.job.changes import AGAIN_S, in_doubt, nested
from controller.reconcile.managed.managed_object import JITTER, MESSAGE_LIMIT, ManagedObject
from controller.reconcile.observation import ExternalResource, JobChange, Mutation, Observed, Recorded
from controller.reconcile.status.patch import merge_patch, recorded_in, resource_fields, with_notice
from controller.reconcile.steps import Event, UpdateJob
from controller.reconcile.tags.decide import LASTING
from controller.runtime.errors import ErrorClass

_log: Final = structlog.get_logger(__name__)

_REFUSED: Final = LASTING | {ErrorClass.CONFLICT}


def update_job(managed: ManagedObject, observed: Observed, jobs: Jobs, members: tuple[str, ...]) -> Observed:
    """Send members of the pending change; returns the job as it is then.

    A refusal is reported in a condition and does not hold up the pass: the job goes on as it was, and its end is to be
    shown. Raises `CallError` for others.
    """
    change, recorded, update = observed.change, observed.recorded, managed.descriptor.update
    assert change is not None and recorded is not None and update is not None  # noqa: S101, PT018 (`changes.step`)
    target, sent = managed.identity.target(), {each: change.members[each] for each in members}
    jobs.reserve(target, update.operation, caller=managed.key)
    doubt = in_doubt(managed.descriptor, change, recorded.changes)
    if doubt != recorded.changes:
        managed.patch_status({"awsResource": {"changesDigest": doubt}})
    managed.require_current()
    try:
        managed.context.effects.update(managed.descriptor, target, recorded.name, nested(sent), caller=managed.key)
    except CallError as error:
        if error.ambiguous:
            unsure = replace(observed, recorded=replace(recorded, changes=doubt))
            return managed.refused(unsure, UpdateJob.during, error)
        if error.error_class not in _REFUSED:
            raise
        _refused(managed, observed, recorded, error)
        return replace(observed, is_change_held=True)
    return replace(observed, mutation=Mutation.UPDATED, external=_with(observed, sent))


def _with(observed: Observed, sent: Mapping[str, Any]) -> ExternalResource:
    external = observed.external
    assert isinstance(external, ExternalResource)  # noqa: S101 (`changes.step`)
    return replace(external, mutable={**external.mutable, **sent})


def record_change(managed: ManagedObject, observed: Observed, too_late: str) -> Observed:
    """Record that nothing is left to do about the pending change, and report it."""
    change, recorded = observed.change, observed.recorded
    assert change is not None and recorded is not None  # noqa: S101, PT018 (`changes.step`)
    noted = replace(recorded, changes=change.digest)
    status = managed.obj.get("status") or {}
    resource = status.get("awsResource") or {}
    wanted = {**resource, **resource_fields(noted), "changesDigest": change.digest}
    patch: JsonObject = {
        "awsResource": merge_patch(resource, {name: value for name, value in wanted.items() if value}),
        "observedGeneration": observed.generation,
    }
    message = quoted(too_late, MESSAGE_LIMIT) if too_late else ""
    notice = Condition(reasons.UPDATED, "False", reasons.UPDATE_REFUSED, message)
    conditions = with_notice(status.get("conditions") or (), notice, observed.generation, observed.now)
    if conditions is not None:
        patch["conditions"] = conditions
    managed.patch_status(patch)
    managed.state.change_hold = None
    managed.emit_events(_events(managed, observed, change, message))
    stored = recorded_in(managed.obj.get("status") or {})
    if stored is None or stored.changes != noted.changes:
        _hold(managed)  # otherwise every pass would describe the job
        _log.warning("the API server has no field for the note of changes: its CRDs are older than this operator")
    return replace(observed, change=None, recorded=noted)


def _events(managed: ManagedObject, observed: Observed, change: JobChange, too_late: str) -> list[Event]:
    update = managed.descriptor.update
    events = []
    if observed.mutation is Mutation.UPDATED and update is not None:
        fields = ", ".join(update.path_of(each) for each in change.members)
        events.append(Event("Normal", reasons.UPDATED, f"{observed.name} has the new {fields}"))
    if too_late:
        events.append(Event("Warning", reasons.UPDATE_REFUSED, too_late))
    return events


def _refused(managed: ManagedObject, observed: Observed, recorded: Recorded, error: CallError) -> None:
    _hold(managed)
    reason = reasons.ACCESS_DENIED if error.error_class is ErrorClass.DENIED else reasons.UPDATE_REFUSED
    message = quoted(f"{recorded.name} cannot be changed: {error}", MESSAGE_LIMIT)
    managed.notice(observed, Condition(reasons.UPDATED, "False", reason, message), reasons.UPDATE_REFUSED)


def _hold(managed: ManagedObject) -> None:
    managed.state.change_hold = managed.hold_for(AGAIN_S * (1.0 - JITTER * managed.context.rand()))
