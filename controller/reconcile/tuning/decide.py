"""Decides when the training jobs of a tuning job are listed, and which become TrainingJob objects.

Pure. SageMaker launches these jobs; the objects only show them, and are never created or re-created at AWS
(v1-kinds.md 12.2). Counters are shown when every job that they count has its object: so the status itself shows
whether a list is due, and a restart costs nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from api.convert import to_status
from api.descriptor import KindDescriptor
from api.meta import GROUP, JsonObject, ObjectKey
from controller.reconcile import reasons
from controller.reconcile.identity import is_replaced
from controller.reconcile.observation import Adoption, ExternalResource, Observed, Ownership
from controller.reconcile.shared_decisions import ownership_of
from controller.reconcile.status.patch import RESOURCE_ANNOTATION

SPAWN_FINALIZER: Final = "sagemaker-operator-hpo-trainingjob"
"""On spawned objects since v1. Here it lets the tuning job note that the user deleted one before it is gone (D-19)."""
REMOVED: Final = "removedTrainingJobs"
"""Field of the tuning job's status: names that are not spawned again."""
COUNTERS: Final = "trainingJobStatusCounters"

LIST_EVERY_S: Final = 10.0
"""Least time between two listings for one tuning job that runs: jobs that start and end together are seen together."""
MAX_LISTINGS: Final = 3
"""How often to list jobs that are counted but missing before the counters are shown without them."""
PATIENCE: Final = 3
"""How often a list may be denied before the end of a tuning job is shown without it."""
REFUSED_S: Final = 60.0
REFUSED_CAP_S: Final = 300.0
"""Seconds until a denied list is repeated, at first and in the end."""

_COUNTED: Final = ("completed", "inProgress", "nonRetryableError", "retryableError", "stopped")


# --- when to list


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a tuning job is: its status and its counters."""

    value: str
    counters: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, value: str, fields: Mapping[str, Any]) -> "Progress":
        """Return the progress by a status value and status fields."""
        return cls(value, tuple(sorted((fields.get(COUNTERS) or {}).items())))

    @property
    def launched(self) -> int:
        """Return the number of training jobs that SageMaker has launched, by its counters."""
        return sum(count for name, count in self.counters if name in _COUNTED)


@dataclass(frozen=True, slots=True)
class Refusal:
    """AWS has denied the list of launched jobs."""

    count: int
    """Times in a row."""
    left_s: float
    """Seconds until it is repeated."""


class ListAction(Enum):
    """What to do about the list of launched jobs."""

    NONE = "none"
    """No list is needed, and the answer can be shown as it is."""
    NOW = "now"
    LATER = "later"
    """A list is needed, but not yet: the counters must not be shown before."""
    HELD = "held"
    """A list is needed, but AWS calls are on hold."""
    DONE = "done"
    """This process has made the list for this progress already."""
    REFUSED = "refused"
    """A list is needed, but denied: the rest is shown."""
    PATIENT = "patient"
    """The same at the end: it is not shown yet, as permissions may be granted soon, and nothing is listed after it."""


def list_action(
    observed: Observed,
    shown: Progress,
    done: Progress | None,
    listed_ago_s: float | None,
    refusal: Refusal | None = None,
) -> ListAction:
    """Return whether to list the launched jobs, by the status, the last list and its refusals."""
    if not isinstance(observed.external, ExternalResource) or not spawns_children(observed):
        return ListAction.NONE
    progress = Progress.of(observed.external.value, observed.external.fields)
    is_owed = observed.reasons.get(reasons.SYNCED) == reasons.SPAWN_FAILED
    if (progress == shown and not is_owed) or not progress.counters:
        return ListAction.NONE
    if progress == done:
        return ListAction.DONE
    if observed.hold_s is not None:
        return ListAction.HELD
    ends = progress.value in observed.descriptor.status.terminal
    if refusal is not None and refusal.left_s > 0:
        return ListAction.PATIENT if ends and refusal.count < PATIENCE else ListAction.REFUSED
    return ListAction.NOW if ends or listed_ago_s is None or listed_ago_s >= LIST_EVERY_S else ListAction.LATER


def spawns_children(observed: Observed) -> bool:
    """Return whether launched jobs get objects: not if it is not ours, ended, paused or being deleted (D-50)."""
    wanted = observed.deleting_for_s is None and not observed.policy.paused
    return wanted and observed.failure is None and not observed.is_ended and owns_resource(observed)


def owns_resource(observed: Observed) -> bool:
    """Return whether the resource with the object's name belongs to the object."""
    if observed.recorded is not None or observed.is_legacy:
        return not is_replaced(observed)
    if not isinstance(observed.external, ExternalResource):
        return False
    match ownership_of(observed):
        case Ownership.OURS:
            return True
        case Ownership.FOREIGN:
            return observed.policy.adoption is not Adoption.REFUSE
        case Ownership.UNKNOWN:
            return False


# --- the best job, and where its object is


def best_of(descriptor: KindDescriptor, items: Iterable[Mapping[str, Any]], goal: str) -> JsonObject:
    """Return the `bestTrainingJob` field by a list of launched jobs; `goal` is Maximize or Minimize; empty if unclear.

    SageMaker returns the best job in Describe, which is called once, at the end. Different objectives cannot be
    compared here.
    """
    rated = [item for item in items if item.get("ObjectiveStatus", "Succeeded") == "Succeeded" and _objective(item)]
    goals = {_objective(item).get("Type") or goal for item in rated}
    metrics = {_objective(item).get("MetricName") for item in rated}
    if len(goals) != 1 or len(metrics) != 1 or not goals <= {"Maximize", "Minimize"}:
        return {}
    sign = 1 if goals == {"Maximize"} else -1
    best = max(rated, key=lambda item: sign * float(_objective(item).get("Value", 0)))
    return to_status(descriptor, {"BestTrainingJob": best})


def _objective(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item.get("FinalHyperParameterTuningJobObjectiveMetric") or {}


def child_key(namespace: str, job_name: str) -> ObjectKey:
    """Return the key of the object of a launched job: the job's name in lower case, as Kubernetes requires."""
    return ObjectKey(namespace, job_name.lower())


# --- ownership of objects


def tuning_of(obj: Mapping[str, Any]) -> Sequence[str]:
    """Index value of a TrainingJob: `namespace/name` of the tuning job object that owns it.

    The predecessor's spawned objects name no owner: theirs is `namespace/` and the tuning job's name at AWS, which
    SageMaker puts before its own `-001-0a1b2c3d`.
    """
    metadata = obj["metadata"]
    namespace = metadata.get("namespace") or ""
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("kind") == "HyperparameterTuningJob" and reference.get("apiVersion", "").startswith(GROUP):
            return (f"{namespace}/{reference.get('name', '')}",)
    if SPAWN_FINALIZER in (metadata.get("finalizers") or ()):
        return (f"{namespace}/{metadata['name'].rsplit('-', 2)[0]}",)
    return ()


def leaving(obj: Mapping[str, Any]) -> Sequence[str]:
    """Return the same for objects that are being deleted and wait for the tuning job to record it."""
    metadata = obj["metadata"]
    waits = metadata.get("deletionTimestamp") and SPAWN_FINALIZER in (metadata.get("finalizers") or ())
    return tuning_of(obj) if waits else ()


def owner_uid(child: Mapping[str, Any]) -> str:
    """Return the uid of the tuning job object that controls a TrainingJob; empty for legacy objects and orphans."""
    for reference in child["metadata"].get("ownerReferences") or ():
        if reference.get("kind") == "HyperparameterTuningJob":
            return str(reference.get("uid") or "")
    return ""


def is_orphan(child: Mapping[str, Any]) -> bool:
    """Return whether we spawned it and `kubectl delete --cascade=orphan` removed its owner."""
    return not owner_uid(child) and RESOURCE_ANNOTATION in (child["metadata"].get("annotations") or {})
