"""Status conditions of the server's own controllers."""

from typing import Any

from hack.sandbox.kube.resources.object_meta import timestamp

Json = dict[str, Any]


def set_condition(status: Json, kind: str, value: str, reason: str, message: str) -> None:
    """Set one condition; the transition time changes with the status."""
    conditions = [c for c in status.get("conditions") or () if c["type"] != kind]
    old = next((c for c in status.get("conditions") or () if c["type"] == kind), None)
    since = old["lastTransitionTime"] if old and old["status"] == value else timestamp()
    new = {"type": kind, "status": value, "lastTransitionTime": since, "reason": reason, "message": message}
    position = (status.get("conditions") or []).index(old) if old else len(conditions)
    conditions.insert(position, new)
    status["conditions"] = conditions


def is_true(obj: Json, kind: str) -> bool:
    """Return whether an object has a condition with status True."""
    conditions = obj.get("status", {}).get("conditions") or ()
    return any(c["type"] == kind and c["status"] == "True" for c in conditions)
