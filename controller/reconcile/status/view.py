"""From a `View` to `status`: v1 fields, conditions with stable transition times, and the smallest patch.

Pure. Nothing is written when only `lastCheckTime` would change (DESIGN 4.8, D-02).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from api.annotations import AWS_RESOURCE
from api.descriptor import KindDescriptor
from api.meta import GROUP, Condition, ConditionStatus, JsonObject
from controller.reconcile.plan import Drift, Phase, Recorded, View
from controller.reconcile.status import reasons

RESOURCE_ANNOTATION: Final = AWS_RESOURCE.key
"""On objects that the operator makes for resources that are there already: their `status.awsResource`, as JSON."""


HANDLED: Final = "lastHandledReconcileAt"
"""Status field: the text of the annotation `reconcile-at` that was acted on. In the status and not in a process's
memory, so that a restart does not take an old text for a new one, and the user sees when it was heard."""


def rfc3339(time: datetime) -> str:
    """A time as Kubernetes writes it: UTC, whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: object) -> datetime | None:
    """The inverse of `rfc3339`, lenient about fractions; None for what is no time."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the writer knows beside the view."""

    generation: int
    now: datetime
    recorded: Recorded | None = None
    log_url: str | None = None


def next_status(descriptor: KindDescriptor, old: Mapping[str, Any], view: View, facts: Facts) -> JsonObject:
    """The whole status that an object should have, `lastCheckTime` apart. `old` is left as it is."""
    rule = descriptor.status
    status = {**old, **view.fields}
    status = {field: value for field, value in status.items() if value is not None}
    if view.value is not None:
        status[rule.field] = view.value
    elif not status.get(rule.field) and view.phase is not Phase.PAUSED:
        status[rule.field] = rule.reconciling
    if rule.secondary_field and view.secondary is not None:
        status[rule.secondary_field] = view.secondary
    if view.additional is not None:
        _set(status, "additional", view.additional)
    if view.forgets:
        status.pop("awsResource", None)
        status.pop(descriptor.name.status_field, None)
    elif facts.recorded is not None:
        status["awsResource"] = resource_fields(facts.recorded)
        status[descriptor.name.status_field] = facts.recorded.name
        _set(status, "cloudWatchLogUrl", facts.log_url)
    status["observedGeneration"] = facts.generation
    status["conditions"] = merged_conditions(
        old.get("conditions") or (), conditions(view, old.get("conditions") or ()), facts.generation, facts.now
    )
    return status


def _set(status: JsonObject, field: str, value: str | None) -> None:
    if value:
        status[field] = value
    else:
        status.pop(field, None)


def resource_fields(recorded: Recorded) -> JsonObject:
    """The fields of `status.awsResource`."""
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
    """The identity that a status records, or None."""
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
    """The identity that the operator gave an object with its creation, or None.

    Believed only of objects that one of our kinds controls: a copy that a user makes is an object like any other.
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


def conditions(view: View, old: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """The conditions that a view stands for (modern-expectations.md 2), in the order in which they are shown."""
    message = view.message
    synced = Condition(
        reasons.SYNCED,
        "True" if view.synced == reasons.SYNCED else "False",
        view.synced,
        "" if view.synced == reasons.SYNCED else view.additional or message,
    )
    working: ConditionStatus = "True" if view.phase in _MOVING else "False"
    stalled: ConditionStatus = "True" if view.phase in _STALLED else "False"
    result = [
        _ready(view, old),
        synced,
        Condition(reasons.RECONCILING, working, view.reason, message if working == "True" else ""),
        Condition(reasons.STALLED, stalled, view.reason, message if stalled == "True" else ""),
    ]
    if view.phase is Phase.DONE:
        result.append(Condition(reasons.COMPLETE, "True", view.reason, message))
    if view.phase is Phase.ENDED:
        result.append(Condition(reasons.FAILED, "True", view.reason, message))
    if drifted := _drifted(view, old):
        result.append(drifted)
    return tuple(result)


def _drifted(view: View, old: Sequence[Mapping[str, Any]]) -> Condition | None:
    """Objects that nobody else has ever touched do not show it."""
    was_shown = any(each.get("type") == reasons.DRIFTED for each in old)
    if view.drift is None or (view.drift is Drift.NONE and not was_shown):
        return None
    is_found = view.drift is Drift.FOUND
    return Condition(
        reasons.DRIFTED, "True" if is_found else "False", view.drift.value, view.message if is_found else ""
    )


def _ready(view: View, old: Sequence[Mapping[str, Any]]) -> Condition:
    """Ready stays as it was while AWS cannot be asked, or shall not be."""
    if view.phase not in {Phase.TROUBLED, Phase.PAUSED}:
        return Condition(reasons.READY, "True" if view.phase in _USABLE else "False", view.reason, view.message)
    shown = next((each for each in old if each.get("type") == reasons.READY), None)
    if shown is None:
        return Condition(reasons.READY, "False", reasons.CREATING if view.phase is Phase.TROUBLED else view.reason)
    return Condition(reasons.READY, shown.get("status", "Unknown"), shown.get("reason", ""), shown.get("message", ""))


def merged_conditions(
    old: Sequence[Mapping[str, Any]], wanted: Sequence[Condition], generation: int, now: datetime
) -> list[JsonObject]:
    """`wanted` as JSON; `lastTransitionTime` moves only when a condition's status does. Types of others are kept."""
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
    """The conditions `old` with one that is there only as long as its message is not empty; None where they say so
    already: it remembers over restarts what was told.
    """
    told = next((each.get("message") for each in old if each.get("type") == notice.type), "")
    if told == notice.message:
        return None
    rest = [dict(each) for each in old if each.get("type") != notice.type]
    return rest + merged_conditions((), (notice,), generation, now) if notice.message else rest


def status_patch(
    old: Mapping[str, Any], new: Mapping[str, Any], now: datetime, *, stamp: str = "lastCheckTime"
) -> JsonObject | None:
    """Merge patch (RFC 7386) of `status` from `old` to `new`, with the time in `stamp`; None if nothing changed."""
    difference = merge_patch(old, new)
    if not difference:
        return None
    return {**difference, stamp: rfc3339(now)}


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> JsonObject:
    """The merge patch that turns `old` into `new`: null removes, lists are replaced whole."""
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
