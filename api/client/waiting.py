"""Decides from an object's conditions whether to wait on. Pure; the rules are those of kstatus (docs/status.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Outcome(Enum):
    """What a look at an object says."""

    WAITING = "waiting"
    READY = "ready"
    """The result can be used: the job completed, the endpoint is in service, the model exists."""
    FAILED = "failed"
    """Nothing more happens until something is changed."""


@dataclass(frozen=True, slots=True)
class Look:
    """An outcome with its reason, and a line about it for people."""

    outcome: Outcome
    reason: str
    message: str

    @property
    def line(self) -> str:
        """Return reason and message in one line."""
        return f"{self.reason}: {self.message}" if self.message else self.reason


def look(obj: Mapping[str, Any]) -> Look:
    """Return what an object's status says. A status of an earlier spec says nothing."""
    status = obj.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    if status.get("observedGeneration") != obj["metadata"].get("generation"):
        return Look(Outcome.WAITING, "Pending", "the operator has not seen this version yet")
    for kind, outcome in (("Stalled", Outcome.FAILED), ("Reconciling", Outcome.WAITING), ("Ready", Outcome.READY)):
        if conditions.get(kind, {}).get("status") == "True":
            return _look(outcome, _reasoned(conditions, kind))
    return _look(Outcome.WAITING, conditions.get("Ready", {}))


def _reasoned(conditions: Mapping[str, Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    """Return the condition with the reason: for a job that failed, SageMaker's own."""
    failed = conditions.get("Failed", {})
    return failed if kind == "Stalled" and failed.get("status") == "True" else conditions[kind]


def _look(outcome: Outcome, condition: Mapping[str, Any]) -> Look:
    return Look(outcome, str(condition.get("reason") or "Unknown"), str(condition.get("message") or ""))
