"""What tools that use kstatus make of an object: Flux, Argo CD's generic check, Helm 4."""

from collections.abc import Mapping
from typing import Any


def kstatus(status: Mapping[str, Any], generation: int, *, is_deleting: bool = False) -> str:
    """Return what kstatus computes of a custom resource (cli-utils pkg/kstatus/status: its generic rules)."""
    conditions = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    if is_deleting:
        return "Terminating"
    if status.get("observedGeneration", generation) != generation:
        return "InProgress"
    if conditions.get("Reconciling") == "True":
        return "InProgress"
    if conditions.get("Stalled") == "True":
        return "Failed"
    return "Current" if conditions.get("Ready", "True") == "True" else "InProgress"
