"""How tuning jobs and TrainingJob objects find each other: indexes of their stores, and whose changes wake whom."""

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
    """Passes what tuning jobs want to know of TrainingJobs: that they go. How they fare is told by the counters."""

    def passes_add(self, obj: Snapshot) -> bool:
        """See `Predicate.passes_add`."""
        return bool(obj.metadata.get("deletionTimestamp"))

    def passes_update(self, old: Snapshot, new: Snapshot) -> bool:
        """See `Predicate.passes_update`."""
        return old.resource_version != new.resource_version and bool(new.metadata.get("deletionTimestamp"))


def tuning_names(obj: Mapping[str, Any]) -> Iterable[str]:
    """Index value of a tuning job object: `namespace/` and its name at AWS."""
    name = (obj.get("status") or {}).get("sageMakerHyperParameterTuningJobName")
    return (f"{obj['metadata'].get('namespace') or ''}/{name}",) if name else ()


def tuning_keys(tuning: Resource, by_name: Callable[[str], list[ObjectKey]]) -> KeysOf:
    """From a TrainingJob to the tuning job object that it was spawned for.

    `by_name` finds tuning job objects by `tuning_names`: the predecessor's spawned objects name no owner. Where none is
    found either, the key is one without an object, whose pass lets go of what was left behind (D-18).
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
