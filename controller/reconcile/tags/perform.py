"""Performs what `tags.decide` decided: changes the tags of the recorded resource, and records them in the status."""

from dataclasses import replace
from typing import Final

import structlog

from api.meta import Condition, JsonObject
from controller.aws.errors import AwsError
from controller.reconcile.hand import JITTER, MESSAGE_LIMIT, Hand
from controller.reconcile.plan import DropTags, Observed, PutTags, Recorded
from controller.reconcile.status import reasons
from controller.reconcile.status.view import merge_patch, recorded_in, resource_fields, with_notice
from controller.reconcile.tags.decide import AGAIN_S, LASTING, after
from controller.runtime.errors import ErrorClass

_log: Final = structlog.get_logger(__name__)


def retag(hand: Hand, seen: Observed, step: PutTags | DropTags) -> Observed:
    """Change the tags of the recorded resource, and record them in the status.

    A lasting refusal is reported in a condition and does not hold up the pass. Raises `AwsError` for others.
    """
    recorded = seen.recorded
    assert recorded is not None  # noqa: S101 (`tags.decide.step`)
    target = hand.target(seen)
    hand.confirm()
    try:
        match step:
            case PutTags():
                hand.executor.tag(target, recorded.arn, hand.tagging()[0], caller=hand.key)
            case DropTags(keys):
                hand.executor.untag(target, recorded.arn, keys, caller=hand.key)
    except AwsError as error:
        if error.error_class not in LASTING:
            raise
        _refused(hand, seen, recorded, error)
        return replace(seen, are_tags_held=True)
    hand.memory.tags_hold = None
    noted = after(recorded, seen.tags, step)
    _note(hand, seen, noted)
    stored = recorded_in(hand.obj.get("status") or {})
    if stored is None or (stored.tags, stored.tag_keys) != (noted.tags, noted.tag_keys):
        _hold(hand)  # otherwise every pass would tag it
        _log.warning("the API server has no field for the note of tags: its CRDs are older than this operator")
        return replace(seen, are_tags_held=True)
    return replace(seen, recorded=noted)


def _note(hand: Hand, seen: Observed, noted: Recorded) -> None:
    status = hand.obj.get("status") or {}
    resource = status.get("awsResource") or {}
    patch: JsonObject = {"awsResource": merge_patch(resource, {**resource, **resource_fields(noted)})}
    tagged = Condition(reasons.TAGGED, "True", reasons.TAGGED)
    conditions = with_notice(status.get("conditions") or (), tagged, seen.generation, seen.now)
    if conditions is not None:
        patch["conditions"] = conditions
    hand.wrote(hand.executor.show(hand.descriptor, hand.obj, patch))


def _refused(hand: Hand, seen: Observed, recorded: Recorded, error: AwsError) -> None:
    _hold(hand)
    reason = reasons.ACCESS_DENIED if error.error_class is ErrorClass.DENIED else reasons.TAGS_REFUSED
    message = f"{recorded.name} cannot be tagged: {error}"[:MESSAGE_LIMIT]
    hand.notice(seen, Condition(reasons.TAGGED, "False", reason, message), reasons.TAGS_REFUSED)


def _hold(hand: Hand) -> None:
    hand.memory.tags_hold = hand.hold_for(AGAIN_S * (1.0 - JITTER * hand.context.rand()))
