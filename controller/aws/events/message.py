"""Reads messages of a status queue: EventBridge's envelope around `detail`, spelled as the API would spell it. Pure.

`detail` is nearly a Describe answer. Its spelling differs by kind: endpoints have their states in capitals
(`IN_SERVICE`), pipelines write `currentPipelineExecutionStatus`, times are epoch milliseconds as text or as a number,
or ISO 8601. A message may be anything, as the right to send one is nothing that this process can check: whatever it
holds, the result is a value.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from api.descriptor import KindDescriptor
from api.naming import key_of
from api.v1 import KINDS, MODEL_PACKAGE, PIPELINE_EXECUTION

SOURCE: Final = "aws.sagemaker"
DETAIL_TYPES: Final[Mapping[str, KindDescriptor]] = {
    event: kind for kind in KINDS for event in (kind.status.event, kind.status.part_event) if event
}
"""The events of what is followed. Models and configurations change only by calls, and are not followed."""
SCHEDULE_SOURCE: Final = "aws.events"
SCHEDULE_DETAIL_TYPE: Final = "Scheduled Event"
"""What a scheduled rule sends: it shows that EventBridge reaches the queue while no job changes."""
MOST_BYTES: Final = 262_144
"""Size of a message that is read; real ones have a few kilobytes."""

Reason: TypeAlias = Literal[
    "oversized", "unreadable", "foreign_source", "unknown_detail_type", "no_name", "no_status", "no_time", "no_region"
]
"""Why a message is dropped."""

_NAME: Final = re.compile(r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62}")
_VALUE: Final = re.compile(r"[A-Za-z_]{1,64}")
_STEP: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REGION: Final = re.compile(r"[a-z]{2,8}(?:-[a-z]{2,12}){1,3}-\d{1,2}")
_ACCOUNT: Final = re.compile(r"\d{12}")
_ARN: Final = re.compile(r"arn:[a-z0-9-]{1,32}:sagemaker:([a-z0-9-]{1,32}):(\d{12}):[!-~]{1,512}")
_DIGITS: Final = re.compile(r"\d{1,16}(?:\.0{1,6})?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StatusEvent:
    """A state change, in the API's spelling."""

    descriptor: KindDescriptor
    arn: str
    """Empty if the message has none."""
    name: str
    region: str
    account: str
    """Empty if neither the envelope nor the ARN has it."""
    status: str
    secondary: str
    """Empty where the kind or the message has none."""
    modified: datetime
    """When the resource changed; when the event was made, if `detail` has no such time."""
    sent: datetime
    """When the event was made."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A message of a scheduled rule."""

    region: str
    account: str
    sent: datetime


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message without use, and why."""

    reason: Reason
    kind: str = ""
    """The kind's `controller_name`, as far as it was recognised."""


def parse(body: str) -> StatusEvent | Heartbeat | Dropped:
    """Return what a message says. Never raises, and does not read messages of any size."""
    if len(body) > MOST_BYTES:
        return Dropped("oversized")
    envelope = _json_object(body)
    if envelope is not None and envelope.get("Type") == "Notification":  # SNS between EventBridge and the queue
        envelope = _json_object(_text(envelope, "Message"))
    if envelope is None:
        return Dropped("unreadable")
    source, detail_type = envelope.get("source"), envelope.get("detail-type")
    if (source, detail_type) == (SCHEDULE_SOURCE, SCHEDULE_DETAIL_TYPE):
        return _heartbeat(envelope)
    if source != SOURCE:
        return Dropped("foreign_source")
    descriptor = DETAIL_TYPES.get(detail_type) if isinstance(detail_type, str) else None
    if descriptor is None:
        return Dropped("unknown_detail_type")
    detail = envelope.get("detail")
    return _status_event(descriptor, envelope, detail if isinstance(detail, dict) else {})


def _heartbeat(envelope: Mapping[str, Any]) -> Heartbeat | Dropped:
    region, sent = _matching(_REGION, envelope.get("region")), time_of(envelope.get("time"))
    if not region:
        return Dropped("no_region")
    if sent is None:
        return Dropped("no_time")
    return Heartbeat(region, _matching(_ACCOUNT, envelope.get("account")), sent)


def _status_event(
    descriptor: KindDescriptor, envelope: Mapping[str, Any], detail: Mapping[str, Any]
) -> StatusEvent | Dropped:
    kind = descriptor.controller_name
    read = _READERS.get(descriptor.kind, _named)
    arn, name, status, secondary = read(descriptor, envelope, detail)
    of_arn = _ARN.fullmatch(arn)
    region = _matching(_REGION, of_arn[1] if of_arn else envelope.get("region"))
    account = of_arn[2] if of_arn else _matching(_ACCOUNT, envelope.get("account"))
    sent = time_of(envelope.get("time"))
    modified = time_of(detail.get("LastModifiedTime")) or sent
    if not name:
        return Dropped("no_name", kind)
    if not status:
        return Dropped("no_status", kind)
    if not region:
        return Dropped("no_region", kind)
    if modified is None:
        return Dropped("no_time", kind)
    return StatusEvent(descriptor, arn, name, region, account, status, secondary, modified, sent or modified)


def _named(
    descriptor: KindDescriptor, envelope: Mapping[str, Any], detail: Mapping[str, Any]
) -> tuple[str, str, str, str]:
    """Return ARN, name, status and secondary status of an event that spells members as the API does."""
    rule = descriptor.status
    arn = _arn(envelope, detail.get(rule.arn_member))
    name = _matching(_NAME, detail.get(descriptor.name.member)) or _matching(_NAME, arn.rpartition("/")[2])
    secondary = _matching(_VALUE, detail.get(rule.secondary_member)) if rule.secondary_member else ""
    return arn, name, api_spelling(_matching(_VALUE, detail.get(rule.member))), secondary


def _execution(
    descriptor: KindDescriptor, _envelope: Mapping[str, Any], detail: Mapping[str, Any]
) -> tuple[str, str, str, str]:
    """Return the same of an execution, or of a step: a step only shows that the execution runs, and that it differs.

    The first resource of the envelope is the pipeline.
    """
    rule = descriptor.status
    arn = _matching(_ARN, detail.get(key_of(rule.arn_member)))
    step = _matching(_VALUE, detail.get("currentStepStatus"))
    if step:
        return arn, arn, rule.running, f"{_matching(_STEP, detail.get('stepName'))} {step}"
    return arn, arn, _matching(_VALUE, detail.get(f"current{rule.member}")), ""


def _package(
    descriptor: KindDescriptor, envelope: Mapping[str, Any], detail: Mapping[str, Any]
) -> tuple[str, str, str, str]:
    """Return the same of a package: versions have no names, and who approves one changes nothing but the approval."""
    arn, _, status, approval = _named(descriptor, envelope, detail)
    return arn, arn, status, approval


_READERS: Final = {PIPELINE_EXECUTION.kind: _execution, MODEL_PACKAGE.kind: _package}
"""Kinds that are known by their ARN."""


def api_spelling(status: str) -> str:
    """Return a state as Describe and List spell it: `InService` for `IN_SERVICE`, all others as they are."""
    return "".join(part.capitalize() for part in status.split("_")) if status.isupper() else status


def time_of(value: object) -> datetime | None:
    """Return the time (UTC) of epoch milliseconds, as number or text, or of ISO 8601 text; None for anything else."""
    try:
        if isinstance(value, str):
            if not _DIGITS.fullmatch(value):
                return _iso(value)
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return _EPOCH + timedelta(milliseconds=value)
    except (ValueError, OverflowError):
        return None


def _iso(text: str) -> datetime | None:
    if len(text) > 40:
        return None
    time = datetime.fromisoformat(text)
    return (time.replace(tzinfo=UTC) if time.tzinfo is None else time).astimezone(UTC)


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # deep nesting takes few bytes
        return None
    return found if isinstance(found, dict) else None


def _arn(envelope: Mapping[str, Any], in_detail: object) -> str:
    resources = envelope.get("resources")
    first = resources[0] if isinstance(resources, list) and resources else None
    return _matching(_ARN, first) or _matching(_ARN, in_detail)


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""
