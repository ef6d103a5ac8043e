"""Indexes and watches that connect tuning jobs and their TrainingJob objects."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from api.meta import ObjectKey, Resource
from controller.reconcile.tuning.decide import leaving, tuning_of
from controller.runtime.cache.handlers import KeysOf, Predicate, owner_keys
from controller.runtime.cache.store import IndexFunc, Snapshot

OWNED: Final = "tuning-job"
LEAVING: Final = "leaving-tuning-job"
INDEXERS: Final[Mapping[str, IndexFunc]] = {OWNED: tuning_of, LEAVING: leaving}
"""Indexes that the store of TrainingJobs must have."""
TUNINGS: Final = "sagemaker-name"
"""Index of tuning job objects by `tuning_names`."""


class Leaves(Predicate):
    """Passes deletions of TrainingJobs. Tuning jobs follow the progress of their jobs by counters."""

    def passes_add(self, obj: Snapshot) -> bool:
        """See `Predicate.passes_add`."""
        return bool(obj.metadata.get("deletionTimestamp"))

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:
        """See `Predicate.passes_update`."""
        return old.resource_version != new.resource_version and bool(new.metadata.get("deletionTimestamp"))


def tuning_names(obj: Mapping[str, Any]) -> Iterable[str]:
    """Return the index value of a tuning job object: `namespace/` and its name at AWS."""
    name = (obj.get("status") or {}).get("sageMakerHyperParameterTuningJobName")
    return (f"{obj['metadata'].get('namespace') or ''}/{name}",) if name else ()


def tuning_keys(tuning: Resource, by_name: Callable[[str], list[ObjectKey]]) -> KeysOf:
    """Return a function from a TrainingJob to the key of its tuning job object.

    `by_name` finds tuning job objects by `tuning_names`: the predecessor's spawned objects name no owner. If none is
    found either, the key has no object, and its pass releases the children (D-18).
    """
    owners = owner_keys(tuning)

    def keys(snapshot: Snapshot) -> Iterable[ObjectKey]:
        named = tuple(owners(snapshot))
        if named:
            return named
        found: list[ObjectKey] = []
        for value in tuning_of({"metadata": {"name": snapshot.key.name, **snapshot.metadata}}):
            namespace, _, name = value.partition("/")
            found += by_name(value) or [ObjectKey(namespace, name)]
        return found

    return keys
