"""Rows: what is shown of an object, which rows are folded into others, and in which order they stand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api.v1 import KINDS

# Successful and failed ends; every other status is in progress. See the status values of each kind in api/.
GOOD = frozenset({"Completed", "Succeeded", "InService", "Created", "Active"})
BAD = frozenset(
    {"Failed", "CompletedWithFailures", "Stopped", "Error", "OutOfService", "UpdateRollbackFailed", "DeleteFailed"}
)
_KINDS = {kind.kind: kind for kind in KINDS}
_SHORT = {
    "TrainingJob": "training",
    "ProcessingJob": "processing",
    "BatchTransformJob": "transform",
    "HyperparameterTuningJob": "tuning",
    "Pipeline": "pipeline",
    "PipelineExecution": "execution",
    "Model": "model",
    "EndpointConfig": "config",
    "HostingDeployment": "hosting",
    "InferenceComponent": "component",
    "HostingAutoscalingPolicy": "scaling",
    "ModelPackageGroup": "group",
    "ModelPackage": "package",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One object as shown."""

    kind: str
    namespace: str
    name: str
    status: str
    detail: str
    remote_name: str
    message: str
    """Its problem, or empty."""
    parts: str = ""
    """How many of its parts are ready: training jobs of a tuning job, instances of an endpoint; or empty."""
    created_at: str = ""
    """RFC 3339, or empty."""
    uid: str = ""
    owner: str = ""
    """The uid of the object of ours that made it, or empty."""
    folded: int = 0
    """How many rows of objects that it made are left out."""

    @property
    def key(self) -> str:
        """Return kind and name in kubectl's form."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def short_kind(self) -> str:
        """Return the kind in one short word."""
        return _SHORT.get(self.kind, self.kind.lower())

    @property
    def verdict(self) -> bool | None:
        """Return True for success, False for failure, None if not finished."""
        return True if self.status in GOOD else False if self.status in BAD else None

    @property
    def state(self) -> str:
        """Return the status, with the secondary one if it adds information."""
        return f"{self.status} ({self.detail})" if self.detail and self.detail != self.status else self.status

    @property
    def stage(self) -> str:
        """Return the one word that says most: the stage of a job in progress, else the status."""
        is_stage = self.verdict is None and self.detail and not self.parts
        return self.detail if is_stage else self.status


def row_of(obj: Mapping[str, Any]) -> Row:
    """Return the row of an object of any of our kinds, from the status fields in its descriptor."""
    kind, status, metadata = _KINDS[obj["kind"]], obj.get("status") or {}, obj["metadata"]
    secondary = kind.status.secondary_field
    shown = status.get(kind.status.field) or ""
    return Row(
        kind=obj["kind"],
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        status=shown or "Pending",
        detail=(status.get(secondary) or "") if secondary else _progress(status),
        remote_name=status.get(kind.name.status_field) or "",
        message=str(status.get("additional") or status.get("failureReason") or ("" if shown else _obstacle(status))),
        parts=_parts(obj.get("spec") or {}, status),
        created_at=metadata.get("creationTimestamp") or "",
        uid=metadata.get("uid") or "",
        owner=_owner(metadata),
    )


def _obstacle(status: Mapping[str, Any]) -> str:
    """Return why nothing is known of an object at AWS yet, as its condition Ready says it."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready" and condition.get("status") != "True":
            return str(condition.get("message") or "")
    return ""


def _owner(metadata: Mapping[str, Any]) -> str:
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("kind") in _KINDS:
            return str(reference.get("uid") or "")
    return ""


def _progress(status: Mapping[str, Any]) -> str:
    """Return the progress of an object with parts: the jobs of a tuning job, the instances of an endpoint."""
    counters = status.get("trainingJobStatusCounters") or {}
    if counters:
        parts = {"completed": "completed", "inProgress": "running", "totalError": "failed", "stopped": "stopped"}
        return ", ".join(f"{counters[key]} {word}" for key, word in parts.items() if counters.get(key))
    return ", ".join(
        f"{row['variantName']} {row['currentInstanceCount']}/{row.get('desiredInstanceCount', '?')}"
        for row in _variants(status)
    )


def _parts(spec: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    """Return how many parts of an object are ready, of how many: `3/10`, or empty without parts."""
    counters = status.get("trainingJobStatusCounters") or {}
    if counters:
        limits = (spec.get("hyperParameterTuningJobConfig") or {}).get("resourceLimits") or {}
        known = ("completed", "inProgress", "totalError", "stopped")
        wanted = limits.get("maxNumberOfTrainingJobs") or sum(counters.get(each) or 0 for each in known)
        failed = counters.get("totalError") or 0
        return f"{counters.get('completed') or 0}/{wanted}" + (f" ({failed} failed)" if failed else "")
    copies = status.get("runtimeConfig") or {}
    if "desiredCopyCount" in copies:
        return f"{copies.get('currentCopyCount') or 0}/{copies['desiredCopyCount']}"
    if steps := status.get("steps"):
        return f"{sum(step.get('status') == 'Succeeded' for step in steps)}/{status.get('stepCount')}"
    variants = _variants(status)
    if not variants:
        return ""
    wanted = sum(row.get("desiredInstanceCount") or 0 for row in variants)
    return f"{sum(row['currentInstanceCount'] for row in variants)}/{wanted}"


def _variants(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in status.get("productionVariants") or () if "currentInstanceCount" in row]


def folded(rows: Iterable[Row]) -> list[Row]:
    """Return the rows without those of objects that another row's object made and that are well or counted there.

    A tuning job counts its training jobs, failed ones too. The models and the configuration of a deployment are left
    out while they have no problem.
    """
    every = list(rows)
    by_uid = {row.uid: row for row in every if row.uid}
    hidden = {id(row): row.owner for row in every if row.owner in by_uid and _is_told_by(by_uid[row.owner], row)}
    counts: dict[str, int] = {}
    for owner in hidden.values():
        counts[owner] = counts.get(owner, 0) + 1
    return [replace(row, folded=counts.get(row.uid, 0)) for row in every if id(row) not in hidden]


def _is_told_by(owner: Row, row: Row) -> bool:
    return owner.kind == "HyperparameterTuningJob" or (row.verdict is not False and not row.message)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Return the rows in the order in which they matter: unfinished, failed, finished well; then by kind and name."""
    rank = {None: 0, False: 1, True: 2}
    return sorted(rows, key=lambda row: (rank[row.verdict], row.kind, row.namespace, row.name))


def changes(before: Iterable[Row], after: Sequence[Row]) -> list[str]:
    """Return a line for each object that was added, changed its status or was removed."""
    old = {(row.namespace, row.key): row for row in before}
    lines = []
    for row in after:
        known = old.pop((row.namespace, row.key), None)
        if known is None or (known.state, known.message) != (row.state, row.message):
            why = f"  {row.message}" if row.message else ""
            is_new = row.remote_name and (known is None or known.remote_name != row.remote_name)
            remote = f"  {row.remote_name}" if is_new else ""
            lines.append(f"{row.namespace:<8} {row.key:<45} {row.state}{remote}{why}")
    lines += [f"{row.namespace:<8} {row.key:<45} gone" for row in old.values()]
    return lines
