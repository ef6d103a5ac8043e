"""Writes Kubernetes Events in their core/v1 form: `kubectl describe` shows its count and age."""

import uuid
from datetime import UTC, datetime
from typing import Final

from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.client import KubeClient
from controller.observability.redact import redact_text
from controller.runtime.record.events import EventRecord, EventRef

REPORTING_CONTROLLER: Final = "sagemaker.aws.amazon.com/operator"
EVENTS: Final = Resource(group="", version="v1", plural="events", kind="Event")

_TIMEOUT_S: Final = 10.0
"""Shorter than for objects: Events must not delay the end of the process."""
_NAME_LIMIT: Final = 253


class KubeEventSink:
    """Implements `runtime.events.EventSink`. `instance` is the reporting replica, e.g. the pod's name.

    core/v1 rather than events.k8s.io/v1: there a message cannot change once written, but combining similar Events
    changes it (V3). The API server serves the same objects under both.
    """

    def __init__(self, client: KubeClient, *, instance: str) -> None:
        self._client = client
        self._instance = instance

    def create(self, event: EventRecord) -> EventRef:
        """See `EventSink.create`."""
        namespace = event.regarding.namespace or "default"
        suffix = uuid.uuid4().hex[:16]
        name = f"{event.regarding.name[: _NAME_LIMIT - 1 - len(suffix)].rstrip('-.')}.{suffix}"
        body = {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"namespace": namespace, "name": name},
            "involvedObject": _reference(event),
            "type": event.type,
            "reason": event.reason,
            "firstTimestamp": _time(event.first_seen),
            "source": {"component": REPORTING_CONTROLLER},
            "reportingComponent": REPORTING_CONTROLLER,
            "reportingInstance": self._instance,
            **_changing(event),
        }
        self._client.create(EVENTS, namespace, body, timeout_s=_TIMEOUT_S)
        return EventRef(namespace, name)

    def update(self, ref: EventRef, event: EventRecord) -> None:
        """See `EventSink.update`."""
        self._client.patch(EVENTS, ObjectKey(ref.namespace, ref.name), _changing(event), timeout_s=_TIMEOUT_S)


def _changing(event: EventRecord) -> JsonObject:
    return {"message": redact_text(event.message), "count": event.count, "lastTimestamp": _time(event.last_seen)}


def _reference(event: EventRecord) -> JsonObject:
    regarding = event.regarding
    reference = {
        "apiVersion": regarding.api_version,
        "kind": regarding.kind,
        "namespace": regarding.namespace,
        "name": regarding.name,
        "uid": regarding.uid,
        "resourceVersion": regarding.resource_version,
    }
    return {member: value for member, value in reference.items() if value}


def _time(at: datetime) -> str:
    """Return RFC 3339 in UTC with whole seconds, as `metav1.Time` is written."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
