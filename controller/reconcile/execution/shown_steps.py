"""The steps of an execution as its status shows them: pure.

The status has those that began last, and says how many have begun: a pipeline may have thousands (`ForEach`), and an
object no more than one and a half megabytes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from api.meta import JsonObject
from controller.observability.redact import redact_text, shortened
from controller.reconcile.status.patch import rfc3339

MOST_SHOWN: Final = 50
"""Steps in the status: as many as AWS allows in a pipeline by default."""
_REASON: Final = 300
"""Characters of a step's reason. AWS has 1,024, and all of them in `kubectl smlogs` and the console."""


def shown_steps(steps: Sequence[Mapping[str, Any]]) -> JsonObject:
    """Return the status fields for the steps that have begun, oldest first."""
    return {"stepCount": len(steps), "steps": [_shown(step) for step in steps[-MOST_SHOWN:]]}


def _shown(step: Mapping[str, Any]) -> JsonObject:
    metadata = step.get("Metadata") or {}
    kind = next((name for name, value in metadata.items() if value is not None), "")
    about = metadata.get(kind) or {}
    fields = {
        "name": step.get("StepName"),
        "status": step.get("StepStatus"),
        "type": kind,
        "arn": about.get("Arn") or about.get("CheckJobArn"),
        "reason": redact_text(shortened(str(step.get("FailureReason") or ""), _REASON)),
        "startTime": _time(step.get("StartTime")),
        "endTime": _time(step.get("EndTime")),
        "iteration": (step.get("IterationContext") or {}).get("Index"),
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _time(value: Any) -> str:
    return rfc3339(value) if isinstance(value, datetime) else ""
