"""Turns a `StatusUpdate` into `status`: v1 fields, conditions with stable transition times, and the smallest patch.

Pure. Nothing is written if only `lastCheckTime` would change (DESIGN 4.8, D-02).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from api.annotations import AWS_RESOURCE
from api.descriptor import KindDescriptor
from api.meta import GROUP, Condition, ConditionStatus, JsonObject
from controller.reconcile import reasons
from controller.reconcile.observation import Recorded
from controller.reconcile.steps import Drift, Phase, StatusUpdate

RESOURCE_ANNOTATION: Final = AWS_RESOURCE.key
"""Annotation of objects that the operator creates for existing resources: their `status.awsResource`, as JSON."""


HANDLED: Final = "lastHandledReconcileAt"
"""Status field: the last handled value of the annotation `reconcile-at`. In the status rather than in memory, so that a
restart does not handle it again, and the user sees that it was handled."""


def rfc3339(time: datetime) -> str:
    """Return a time as Kubernetes writes it: UTC, whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: object) -> datetime | None:
    """Parse what `rfc3339` writes, also with fractions; None for anything else."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Facts:
    """Input to the status in addition to the update."""

    generation: int
    now: datetime
    recorded: Recorded | None = None
    log_url: str | None = None


def next_status(
    descriptor: KindDescriptor, old: Mapping[str, Any], status_update: StatusUpdate, facts: Facts
) -> JsonObject:
    """Return the complete new status except for `lastCheckTime`. `old` is not modified."""
    rule = descriptor.status
    status = {**old, **status_update.fields}
    status = {field: value for field, value in status.items() if value is not None}
    if status_update.value is not None:
        status[rule.field] = status_update.value
    elif not status.get(rule.field) and status_update.phase is not Phase.PAUSED:
        status[rule.field] = rule.reconciling
    if rule.secondary_field and status_update.secondary is not None:
        status[rule.secondary_field] = status_update.secondary
    if status_update.additional is not None:
        _set(status, "additional", status_update.additional)
    if status_update.forgets:
        status.pop("awsResource", None)
        status.pop(descriptor.name.status_field, None)
    elif facts.recorded is not None:
        status["awsResource"] = resource_fields(facts.recorded)
        status[descriptor.name.status_field] = facts.recorded.name
        _set(status, "cloudWatchLogUrl", facts.log_url)
    status["observedGeneration"] = facts.generation
    status["conditions"] = merged_conditions(
        old.get("conditions") or (), conditions(status_update, old.get("conditions") or ()), facts.generation, facts.now
    )
    return status


def _set(status: JsonObject, field: str, value: str | None) -> None:
    if value:
        status[field] = value
    else:
        status.pop(field, None)


def resource_fields(recorded: Recorded) -> JsonObject:
    """Return the fields of `status.awsResource`."""
    fields = {
        "arn": recorded.arn,
        "name": recorded.name,
        "accountId": recorded.account_id,
        "region": recorded.region,
        "partition": recorded.partition,
        "createdAt": rfc3339(recorded.created_at) if recorded.created_at else "",
        "tagsDigest": recorded.tags,
        "tagKeys": list(recorded.tag_keys),
    }
    return {name: value for name, value in fields.items() if value}


def recorded_in(status: Mapping[str, Any]) -> Recorded | None:
    """Return the identity that a status records, or None."""
    resource = status.get("awsResource") or {}
    if not resource.get("name"):
        return None
    return Recorded(
        name=resource["name"],
        region=resource.get("region", ""),
        partition=resource.get("partition", ""),
        arn=resource.get("arn", ""),
        account_id=resource.get("accountId", ""),
        created_at=parse_time(resource.get("createdAt")),
        tags=resource.get("tagsDigest", ""),
        tag_keys=tuple(resource.get("tagKeys") or ()),
    )


_USABLE: Final = frozenset({Phase.DONE, Phase.READY, Phase.READY_WORKING, Phase.READY_STUCK})
_MOVING: Final = frozenset({Phase.WORKING, Phase.TROUBLED, Phase.READY_WORKING})
_STALLED: Final = frozenset({Phase.ENDED, Phase.STUCK, Phase.READY_STUCK})


def announced_in(metadata: Mapping[str, Any]) -> Recorded | None:
    """Return the identity that the operator gave an object at its creation, or None.

    Trusted only on objects that one of our kinds controls: a copy made by a user is an ordinary object.
    """
    text = (metadata.get("annotations") or {}).get(RESOURCE_ANNOTATION)
    owners = [each for each in metadata.get("ownerReferences") or () if each.get("controller")]
    if not text or not any(str(each.get("apiVersion", "")).startswith(f"{GROUP}/") for each in owners):
        return None
    try:
        resource = json.loads(text)
    except ValueError:
        return None  # not written by us
    return recorded_in({"awsResource": resource}) if isinstance(resource, dict) else None


def conditions(status_update: StatusUpdate, old: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Return the conditions of an update (modern-expectations.md 2), in the order in which they are shown."""
    message = status_update.message
    synced = Condition(
        reasons.SYNCED,
        "True" if status_update.synced == reasons.SYNCED else "False",
        status_update.synced,
        "" if status_update.synced == reasons.SYNCED else status_update.additional or message,
    )
    working: ConditionStatus = "True" if status_update.phase in _MOVING else "False"
    stalled: ConditionStatus = "True" if status_update.phase in _STALLED else "False"
    result = [
        _ready(status_update, old),
        synced,
        Condition(reasons.RECONCILING, working, status_update.reason, message if working == "True" else ""),
        Condition(reasons.STALLED, stalled, status_update.reason, message if stalled == "True" else ""),
    ]
    if status_update.phase is Phase.DONE:
        result.append(Condition(reasons.COMPLETE, "True", status_update.reason, message))
    if status_update.phase is Phase.ENDED:
        result.append(Condition(reasons.FAILED, "True", status_update.reason, message))
    if drifted := _drifted(status_update, old):
        result.append(drifted)
    return tuple(result)


def _drifted(status_update: StatusUpdate, old: Sequence[Mapping[str, Any]]) -> Condition | None:
    """Return the condition Drifted; None for an object that has never drifted."""
    was_shown = any(each.get("type") == reasons.DRIFTED for each in old)
    if status_update.drift is None or (status_update.drift is Drift.NONE and not was_shown):
        return None
    is_found = status_update.drift is Drift.FOUND
    return Condition(
        reasons.DRIFTED,
        "True" if is_found else "False",
        status_update.drift.value,
        status_update.message if is_found else "",
    )


def _ready(status_update: StatusUpdate, old: Sequence[Mapping[str, Any]]) -> Condition:
    """Return the condition Ready, unchanged while AWS cannot be called or the object is paused."""
    if status_update.phase not in {Phase.TROUBLED, Phase.PAUSED}:
        return Condition(
            reasons.READY,
            "True" if status_update.phase in _USABLE else "False",
            status_update.reason,
            status_update.message,
        )
    shown = next((each for each in old if each.get("type") == reasons.READY), None)
    if shown is None:
        return Condition(
            reasons.READY, "False", reasons.CREATING if status_update.phase is Phase.TROUBLED else status_update.reason
        )
    return Condition(reasons.READY, shown.get("status", "Unknown"), shown.get("reason", ""), shown.get("message", ""))


def merged_conditions(
    old: Sequence[Mapping[str, Any]], wanted: Sequence[Condition], generation: int, now: datetime
) -> list[JsonObject]:
    """Return `wanted` as JSON; `lastTransitionTime` changes only with the status. Other types in `old` are kept."""
    before = {each.get("type"): each for each in old}
    own = {condition.type for condition in wanted}
    merged = []
    for condition in wanted:
        previous = before.get(condition.type, {})
        since = previous.get("lastTransitionTime") if previous.get("status") == condition.status else None
        merged.append(
            {
                "type": condition.type,
                "status": condition.status,
                "reason": condition.reason,
                "message": condition.message,
                "observedGeneration": generation,
                "lastTransitionTime": since or rfc3339(now),
            }
        )
    return merged + [dict(each) for each in old if each.get("type") not in own]


def with_notice(
    old: Sequence[Mapping[str, Any]], notice: Condition, generation: int, now: datetime
) -> list[JsonObject] | None:
    """Return `old` with `notice`, or without its type if the message is empty; None if nothing changes.

    The condition itself remembers, across restarts, what was reported.
    """
    shown = next((each.get("message") for each in old if each.get("type") == notice.type), "")
    if shown == notice.message:
        return None
    rest = [dict(each) for each in old if each.get("type") != notice.type]
    return rest + merged_conditions((), (notice,), generation, now) if notice.message else rest


def status_patch(
    old: Mapping[str, Any], new: Mapping[str, Any], now: datetime, *, stamp: str = "lastCheckTime"
) -> JsonObject | None:
    """Return the merge patch (RFC 7386) from `old` to `new`, with the time in `stamp`; None if nothing changed."""
    difference = merge_patch(old, new)
    if not difference:
        return None
    return {**difference, stamp: rfc3339(now)}


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> JsonObject:
    """Return the merge patch that turns `old` into `new`: null removes, lists are replaced whole."""
    patch: JsonObject = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old:
            patch[name] = value
        elif isinstance(value, Mapping) and isinstance(old[name], Mapping):
            if inner := merge_patch(old[name], value):
                patch[name] = inner
        elif value != old[name]:
            patch[name] = value
    return patch
