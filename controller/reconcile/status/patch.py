"""Turns a `StatusUpdate` into `status`: v1 fields, conditions with stable transition times, and the smallest patch.

Pure. Nothing is written if only `lastCheckTime` would change (DESIGN 4.8, D-02).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from api.annotations import AWS_RESOURCE
from api.descriptor import KindDescriptor
from api.meta import GROUP, Condition, ConditionStatus, JsonObject
from controller.observability.redact import redact_text
from controller.reconcile import reasons
from controller.reconcile.observation import Recorded
from controller.reconcile.status.messages import rules_with_issues
from controller.reconcile.status.notes import parsed
from controller.reconcile.steps import Drift, Phase, StatusUpdate
from controller.runtime.frozen import replace

RESOURCE_ANNOTATION: Final = AWS_RESOURCE.key
"""Annotation of objects that the operator creates for existing resources: their `status.awsResource`, as JSON."""

LAUNCHED_BY: Final = "launchedBy"
"""Member of that annotation: namespace and uid of the tuning job object, by which the job's tags prove it once the
object is an orphan."""

HANDLED: Final = "lastHandledReconcileAt"
"""Status field: the last handled value of the annotation `reconcile-at`. In the status rather than in memory, so that a
restart does not handle it again, and the user sees that it was handled."""


_TRIED: Final = "triedName"


def rfc3339(time: datetime) -> str:
    """Return a time as Kubernetes writes it: UTC, whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_ms(time: datetime) -> str:
    """Return a time with milliseconds, as SageMaker has them."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"


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
    message, additional = status_update.message, status_update.additional
    if message or additional:  # they may quote others
        additional = redact_text(additional) if additional else additional
        status_update = replace(status_update, message=redact_text(message), additional=additional)
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
    if facts.recorded is not None:
        status["awsResource"] = resource_fields(facts.recorded)
        status[descriptor.name.status_field] = facts.recorded.name
        if facts.recorded.is_released:
            del status[descriptor.name.status_field]
        _set(status, "cloudWatchLogUrl", facts.log_url)
    elif status_update.tried:
        status["awsResource"] = {_TRIED: status_update.tried}
        status[descriptor.name.status_field] = status_update.tried
        _set(status, "cloudWatchLogUrl", facts.log_url)
    status["observedGeneration"] = facts.generation
    wanted = conditions(status_update, old.get("conditions") or ())
    if "debugRuleEvaluationStatuses" in status:
        wanted += _rule_issues(status)
    status["conditions"] = merged_conditions(old.get("conditions") or (), wanted, facts.generation, facts.now)
    return status


def _rule_issues(status: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Return the condition about findings of debugger rules; none without."""
    if not (found := rules_with_issues(status)):
        return ()
    message = f"Debugger rules report issues: {', '.join(sorted(found))}"
    return (Condition(reasons.RULE_ISSUES, "True", reasons.RULE_ISSUES_FOUND, message),)


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
        "creationTime": rfc3339_ms(recorded.creation_time) if recorded.creation_time else "",
        "ownerUid": recorded.owner_uid,
        "ownerUnverified": recorded.is_unverified,
        "released": recorded.is_released,
        "contentDigest": recorded.content,
        "tagsDigest": recorded.tags,
        "tagKeys": list(recorded.tag_keys),
        "replacedNames": list(recorded.replaced_names),
        "changesDigest": recorded.changes,
    }
    return {name: value for name, value in fields.items() if value}


def tried_in(status: Mapping[str, Any]) -> str:
    """Return the name under which AWS has refused to create the resource; empty if there is none."""
    tried: str = (status.get("awsResource") or {}).get(_TRIED, "")
    return tried


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
        creation_time=parse_time(resource.get("creationTime")),
        owner_uid=resource.get("ownerUid", ""),
        is_unverified=resource.get("ownerUnverified") is True,
        is_released=resource.get("released") is True,
        content=resource.get("contentDigest", ""),
        tags=resource.get("tagsDigest", ""),
        tag_keys=tuple(resource.get("tagKeys") or ()),
        replaced_names=tuple(resource.get("replacedNames") or ()),
        changes=resource.get("changesDigest", ""),
    )


_USABLE: Final = frozenset({Phase.DONE, Phase.READY, Phase.READY_WORKING, Phase.READY_STUCK})
_MOVING: Final = frozenset({Phase.WORKING, Phase.TROUBLED, Phase.READY_WORKING})
_STALLED: Final = frozenset({Phase.ENDED, Phase.STUCK, Phase.READY_STUCK})
_UNCLEAR: Final = frozenset({Phase.TROUBLED, Phase.PAUSED})

_DEFAULTS: Final[Mapping[tuple[str, str], str]] = {
    (reasons.READY, "True"): "What the spec describes can be used.",
    (reasons.READY, "False"): "What the spec describes cannot be used yet.",
    (reasons.SYNCED, "True"): "AWS has what the spec asks for.",
    (reasons.SYNCED, "False"): "AWS does not have what the spec asks for yet.",
    (reasons.RECONCILING, "True"): "Work is in progress.",
    (reasons.RECONCILING, "False"): "No work is in progress.",
    (reasons.STALLED, "True"): "Nothing more happens until you change something.",
    (reasons.STALLED, "False"): "Nothing is blocked.",
    (reasons.COMPLETE, "True"): "The job has ended successfully.",
    (reasons.FAILED, "True"): "The job has ended without success, and SageMaker gives no reason.",
}
"""Messages of conditions about which nothing in particular is to be said: none is without one."""
_DRIFT_ENDS: Final = {
    Drift.CORRECTING: "The change that was made outside of the operator is being reverted.",
    Drift.NONE: "What the object has at AWS is not known to differ from what was applied last.",
}


def announced_in(metadata: Mapping[str, Any]) -> Recorded | None:
    """Return the identity that the operator gave an object at its creation, or None.

    Trusted only on objects that one of our kinds controls, and on orphans of those, which are where the operator has
    created them, under the name of the resource: a copy made by a user is an ordinary object.
    """
    if RESOURCE_ANNOTATION not in (metadata.get("annotations") or ()):
        return None
    recorded, owners = noted_resource(metadata), metadata.get("ownerReferences") or ()
    if recorded is None or recorded.name.lower() != metadata["name"]:
        return None
    is_orphan = not owners and _launcher(metadata).startswith(f"{metadata.get('namespace')}/")
    return recorded if is_controlled(metadata) or is_orphan else None


def is_controlled(metadata: Mapping[str, Any]) -> bool:
    """Return whether an object of one of our kinds controls the object."""
    owners = metadata.get("ownerReferences") or ()
    return any(each.get("controller") and str(each.get("apiVersion", "")).startswith(f"{GROUP}/") for each in owners)


def launched_by(metadata: Mapping[str, Any]) -> str:
    """Return the uid of the tuning job object that an orphan was created for; empty for other objects."""
    return _launcher(metadata).rpartition("/")[2]


def noted_resource(metadata: Mapping[str, Any]) -> Recorded | None:
    """Return the identity in the annotation `aws-resource`, which any user may have written; None without one."""
    return recorded_in({"awsResource": _noted(metadata)})


def _launcher(metadata: Mapping[str, Any]) -> str:
    return str(_noted(metadata).get(LAUNCHED_BY, ""))


def _noted(metadata: Mapping[str, Any]) -> JsonObject:
    resource: JsonObject = parsed((metadata.get("annotations") or {}).get(RESOURCE_ANNOTATION))
    return resource


def conditions(status_update: StatusUpdate, old: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    """Return the conditions of an update (modern-expectations.md 2), in the order in which they are shown."""
    message, is_synced = status_update.message, status_update.synced == reasons.SYNCED
    synced = Condition(
        reasons.SYNCED,
        "True" if is_synced else "False",
        status_update.synced,
        "" if is_synced else _unsynced(status_update),
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


def _unsynced(status_update: StatusUpdate) -> str:
    """Return why AWS has not what the spec asks for; a text that another condition has is not repeated."""
    message, additional = status_update.message, status_update.additional
    is_repeated = additional == message or status_update.synced in {
        status_update.reason,
        reasons.AWS_ERROR,
        reasons.AWS_ERROR_LASTS,
    }
    if not message or status_update.phase is Phase.PAUSED or not is_repeated:
        return additional or message
    stalls, moves = status_update.phase in _STALLED, status_update.phase in _MOVING
    where = reasons.STALLED if stalls else reasons.RECONCILING if moves else reasons.READY
    return f"AWS does not have what the spec asks for: the condition {where} says why."


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
        status_update.message if is_found else _DRIFT_ENDS[status_update.drift],
    )


def _ready(status_update: StatusUpdate, old: Sequence[Mapping[str, Any]]) -> Condition:
    """Return the condition Ready. While AWS cannot be called, or the object is paused, what can be used stays so; what
    cannot be used yet says what is in the way.
    """
    if status_update.phase in _UNCLEAR:
        for shown in old:
            if shown.get("type") == reasons.READY and shown.get("status") == "True":
                return Condition(reasons.READY, "True", shown.get("reason", ""), shown.get("message", ""))
    return Condition(
        reasons.READY,
        "True" if status_update.phase in _USABLE else "False",
        status_update.reason,
        status_update.message,
    )


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
                "message": condition.message or _DEFAULTS.get((condition.type, condition.status), ""),
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
    notice = replace(notice, message=redact_text(notice.message)) if notice.message else notice
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
        elif value != (before := old[name]):  # most are equal, and no part of those is looked at
            is_nested = isinstance(value, Mapping) and isinstance(before, Mapping)
            patch[name] = merge_patch(before, value) if is_nested else value
    return patch
