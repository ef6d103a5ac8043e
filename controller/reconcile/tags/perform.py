"""Performs what `tags.decide` decided: changes the tags of the recorded resource, and records them in the status."""

from typing import Final

import structlog

from api.meta import Condition, JsonObject
from controller.aws.errors import CallError, LocalRefusal
from controller.observability.redact import quoted
from controller.reconcile import reasons
from controller.reconcile.managed.aws_identity import tags_of
from controller.reconcile.managed.managed_object import JITTER, MESSAGE_LIMIT, ManagedObject
from controller.reconcile.observation import Observed, Recorded
from controller.reconcile.status.patch import merge_patch, recorded_in, resource_fields, with_notice
from controller.reconcile.steps import DropTags, PutTags
from controller.reconcile.tags.decide import AGAIN_S, LASTING, after, before
from controller.runtime.errors import ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)


def retag(managed: ManagedObject, observed: Observed, step: PutTags | DropTags) -> Observed:
    """Change the tags of the recorded resource, and record them in the status.

    A lasting refusal is reported in a condition and does not hold up the pass. Raises `CallError` for others.
    """
    recorded = observed.recorded
    assert recorded is not None  # noqa: S101 (`tags.decide.step`)
    identity, effects = managed.identity, managed.context.effects
    target = identity.target()
    if isinstance(step, PutTags) and identity.tags_fault:
        error = LocalRefusal(ErrorClass.INVALID, "InvalidField", f"spec.tags: {identity.tags_fault}")
        _refused(managed, observed, recorded, error)
        return replace(observed, are_tags_held=True)
    intended = before(recorded, observed.tags, step)
    if intended == recorded:
        managed.require_current()
    else:
        _note(managed, observed, intended)
    try:
        match step:
            case PutTags():
                effects.tag(target, recorded.arn, identity.tagged(tags_of(managed.spec)), caller=managed.key)
            case DropTags(keys):
                effects.untag(target, recorded.arn, keys, caller=managed.key)
    except CallError as error:
        if error.error_class not in LASTING:
            raise
        _refused(managed, observed, recorded, error)
        return replace(observed, are_tags_held=True)
    managed.state.tags_hold = None
    noted = after(recorded, observed.tags, step)
    _note(managed, observed, noted)
    stored = recorded_in(managed.obj.get("status") or {})
    if stored is None or (stored.tags, stored.tag_keys) != (noted.tags, noted.tag_keys):
        _hold(managed)  # otherwise every pass would tag it
        _log.warning("the API server has no field for the note of tags: its CRDs are older than this operator")
        return replace(observed, are_tags_held=True)
    return replace(observed, recorded=noted)


def _note(managed: ManagedObject, observed: Observed, noted: Recorded) -> None:
    status = managed.obj.get("status") or {}
    resource = status.get("awsResource") or {}
    fields = {name: resource_fields(noted).get(name) for name in ("ownerUnverified", "tagsDigest", "tagKeys")}
    wanted = {name: value for name, value in {**resource, **resource_fields(noted), **fields}.items() if value}
    patch: JsonObject = {"awsResource": merge_patch(resource, wanted)}
    tagged = Condition(reasons.TAGGED, "True", reasons.TAGGED)
    conditions = with_notice(status.get("conditions") or (), tagged, observed.generation, observed.now)
    if conditions is not None:
        patch["conditions"] = conditions
    managed.patch_status(patch)


def _refused(managed: ManagedObject, observed: Observed, recorded: Recorded, error: CallError) -> None:
    _hold(managed)
    reason = reasons.ACCESS_DENIED if error.error_class is ErrorClass.DENIED else reasons.TAGS_REFUSED
    message = quoted(f"{recorded.name} cannot be tagged: {error}", MESSAGE_LIMIT)
    managed.notice(observed, Condition(reasons.TAGGED, "False", reason, message), reasons.TAGS_REFUSED)


def _hold(managed: ManagedObject) -> None:
    managed.state.tags_hold = managed.hold_for(AGAIN_S * (1.0 - JITTER * managed.context.rand()))
