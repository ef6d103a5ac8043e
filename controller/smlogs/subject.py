"""Reads the AWS resource with the logs from a Kubernetes object. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from controller.reconcile import reasons
from controller.smlogs.kinds import LogKind

_SINCE: Final = "lastTransitionTime"


@dataclass(frozen=True, slots=True)
class Subject:
    """A job or an endpoint, as described by its object."""

    kind: LogKind
    uid: str
    object_name: str
    aws_name: str
    """Empty until the operator has chosen a name."""
    region: str
    """Its region; its future region before it exists."""
    status: str
    secondary: str
    is_recorded: bool
    """Whether the operator has recorded it from AWS."""
    is_stalled: bool
    """Whether the operator has stopped retrying."""
    reason: str
    """Why it does not match the spec (yet), or why it failed; empty if the object has no reason."""
    sagemaker_endpoint: str = ""
    """URL for SageMaker in the object's spec."""
    created_at: datetime | None = None
    """When AWS created it, if recorded."""
    ended_at: datetime | None = None
    """When the operator observed its end, from the conditions."""

    @property
    def has_ended(self) -> bool:
        """Return whether no further line will be written, except those in transit."""
        return self.status in self.kind.terminal

    @property
    def may_exist(self) -> bool:
        """Return whether the resource may exist at AWS: it is recorded, or has a state of AWS (older status)."""
        return bool(self.aws_name) and (self.is_recorded or self.status not in self.kind.pending)

    @property
    def header(self) -> str:
        """Return the first line of output, as the guides show it (guide F-3e)."""
        secondary = f' and secondary status "{self.secondary}"' if self.kind.secondary_field else ""
        return (
            f'"{self.object_name}" has SageMaker {self.kind.name_member} "{self.aws_name}" '
            f'in region "{self.region}", status "{self.status}"{secondary}'
        )


def of(kind: LogKind, obj: Mapping[str, Any]) -> Subject:
    """Parse an object. The recorded name and region win over the spec's, which may have been edited since (D-04)."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    recorded = status.get("awsResource") or {}
    shown = str(status.get(kind.status_name_field) or "")
    return Subject(
        kind=kind,
        uid=str(obj["metadata"].get("uid", "")),
        object_name=obj["metadata"]["name"],
        aws_name=str(recorded.get("name") or shown or spec.get(kind.spec_name_field) or ""),
        region=str(recorded.get("region") or spec.get("region") or ""),
        status=str(status.get(kind.status_field) or ""),
        secondary=str(status.get(kind.secondary_field) or ""),
        is_recorded=bool(recorded.get("name") or shown),
        is_stalled=bool(_condition(status, reasons.STALLED, "True")),
        reason=_reason(status),
        sagemaker_endpoint=str(spec.get("sageMakerEndpoint") or ""),
        created_at=_time(recorded.get("createdAt")),
        ended_at=_time(
            (_condition(status, reasons.COMPLETE, "True") or _condition(status, reasons.FAILED, "True")).get(_SINCE)
        ),
    )


def _reason(status: Mapping[str, Any]) -> str:
    """Return the most useful message: the status's own, else those of unhealthy conditions."""
    told = status.get("failureReason") or status.get("additional")
    if told:
        return str(told)
    candidates = [_condition(status, *wanted) for wanted in ((reasons.STALLED, "True"), (reasons.SYNCED, "False"))]
    candidates.append(_condition(status, reasons.READY, "False"))
    return next((words for words in map(_words, candidates) if words), "")


def _condition(status: Mapping[str, Any], kind: str, value: str) -> Mapping[str, Any]:
    conditions = status.get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind and each.get("status") == value), {})


def _words(condition: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, (condition.get("reason", ""), condition.get("message", ""))))


def _time(text: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
