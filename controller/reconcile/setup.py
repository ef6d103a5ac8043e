"""A life-cycle's entry in the wiring: which kinds it serves, what it reads and watches, how its reconciler is made.

Each life-cycle has a `setup.py` with one `Setup`; `controllers.py` lists them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from random import random
from typing import Final, TypeAlias

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import FINALIZER, ObjectKey
from api.v1 import KINDS, MODEL
from controller.aws.autoscaling import Scaling
from controller.aws.parts import NoParts, Parts
from controller.aws.sagemaker import SageMaker
from controller.aws.tuning_jobs import TuningJobChildren
from controller.reconcile.checks import NAMES_AT_SAGEMAKER, Checks
from controller.reconcile.context import Context
from controller.reconcile.dependencies import (
    NAMES,
    REFERENCES,
    ReferencedObjects,
    StateChanged,
    names,
    references,
    users_of,
)
from controller.reconcile.effects import EffectGate
from controller.reconcile.managed.pruning import prune
from controller.reconcile.object_metrics import STATES, ObjectMetrics, state_of
from controller.reconcile.ports import (
    NoObjects,
    NothingToGet,
    NoTracker,
    ObjectGetter,
    ObjectReader,
    ObjectWriter,
    Tracker,
)
from controller.reconcile.served import Served
from controller.reconcile.settings import ReconcilerSettings
from controller.runtime.cache.handlers import EnqueueHandler, KeysOf, Predicate
from controller.runtime.cache.snapshot import Snapshot
from controller.runtime.cache.store import IndexFunc, Store
from controller.runtime.clock import Clock
from controller.runtime.controller import Reconciler

_REFERRED: Final = frozenset(reference.kind for kind in KINDS for reference in kind.references)
"""Kinds that references name."""


def waits(obj: Snapshot) -> bool:
    """Return whether an object has not been taken up yet, or is to be deleted: after a restart of the operator, it
    must not wait until thousands at rest have been looked at."""
    return "deletionTimestamp" in obj.metadata or FINALIZER not in (obj.metadata.get("finalizers") or ())


@dataclass(frozen=True, slots=True)
class Shared:
    """The dependencies that all reconcilers of the process share."""

    kinds: Mapping[str, Served]
    client: ObjectWriter
    sagemaker: SageMaker
    scaling: Scaling
    launched: TuningJobChildren
    effects: EffectGate
    clock: Clock
    settings: ReconcilerSettings
    rand: Callable[[], float] = random
    checks: Checks = field(kw_only=True)
    """One for all kinds: who requests a check is of another kind than what is checked."""
    parts: Parts = field(default_factory=NoParts)
    getter: ObjectGetter = field(default_factory=NothingToGet)
    metrics: ObjectMetrics = field(default_factory=lambda: ObjectMetrics(CollectorRegistry()))

    def reader(self, descriptor: KindDescriptor) -> ObjectReader:
        """Return the store of a kind; an empty one where it is not served."""
        served = self.kinds.get(descriptor.kind)
        return served.store if served else NoObjects()

    def check(self, descriptor: KindDescriptor, key: ObjectKey) -> None:
        """Make an object look for its resource at AWS now, and create it again if it is gone."""
        if (served := self.kinds.get(descriptor.kind)) is not None:
            self.checks.request(descriptor.kind, key)
            served.queue.add(key)

    def check_models(self, names: Iterable[str]) -> None:
        """Make the Models with these names at SageMaker look for them."""
        if (served := self.kinds.get(MODEL.kind)) is not None:
            for key in {key for name in names for key in served.store.index_keys(NAMES_AT_SAGEMAKER, name)}:
                self.check(MODEL, key)


@dataclass(frozen=True, slots=True)
class Watch:
    """Changes of objects of another kind that enqueue objects of the life-cycle's own."""

    kind: str
    changes: Predicate
    keys_of: Callable[[Served], KeysOf]
    """From what the process has of the own kind to the function that returns the keys to enqueue."""


Indexes: TypeAlias = Mapping[str, Mapping[str, IndexFunc]]
"""Index functions by name, by the kind of the objects."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One life-cycle."""

    serves: Callable[[KindDescriptor], bool]
    """Whether a kind has this life-cycle; the first in the list that returns True is used."""
    new_reconciler: Callable[[Context, ObjectReader, Shared], Reconciler]
    indexes: Indexes = field(default_factory=dict)
    """The indexes that it reads, in stores of any kind."""
    watches: tuple[Watch, ...] = ()
    is_tracked: bool = True
    """The state changes at AWS by itself, so it is polled: others need only the slow resync."""
    settled: frozenset[str] = frozenset()
    """AWS status values that need to be polled rarely."""


@dataclass(frozen=True, slots=True)
class Controllers:
    """The life-cycles of a process."""

    setups: tuple[Setup, ...]

    def of(self, descriptor: KindDescriptor) -> Setup:
        """Return the setup that serves a kind."""
        return next(each for each in self.setups if each.serves(descriptor))

    def indexes(self, descriptor: KindDescriptor) -> dict[str, IndexFunc]:
        """Return the index functions by name that reconcilers read of a kind."""
        indexes: dict[str, IndexFunc] = {STATES: state_of}
        if descriptor.references:
            indexes[REFERENCES] = partial(references, descriptor)
        if descriptor.kind in _REFERRED:
            indexes[NAMES] = partial(names, descriptor)
        for each in self.setups:
            indexes |= each.indexes.get(descriptor.kind, {})
        return indexes

    def new_store(self, descriptor: KindDescriptor) -> Store:
        """Return an empty store of a kind with these indexes."""
        # The schema of a kind is read for its first object: most clusters have objects of a few kinds only.
        return Store(self.indexes(descriptor), transform=partial(prune, descriptor))

    def handlers(self, served: Served, kinds: Mapping[str, Served]) -> Iterator[EnqueueHandler]:
        """Yield the handlers for changes of a kind's objects, which enqueue the objects and their watchers."""
        yield EnqueueHandler(served.queue, waits=waits)
        for watcher in kinds.values():
            for watch in self.of(watcher.descriptor).watches:
                if watch.kind == served.descriptor.kind:
                    yield EnqueueHandler(watcher.queue, watch.changes, keys_of=watch.keys_of(watcher))
            if any(each.kind == served.descriptor.kind for each in watcher.descriptor.references):
                users = users_of(served.descriptor, watcher.store)
                yield EnqueueHandler(watcher.queue, StateChanged(), keys_of=users)

    def new_reconciler(self, served: Served, tracker: Tracker | None, shared: Shared) -> Reconciler:
        """Return the reconciler of a kind; `tracker` is None for kinds that nothing is heard of."""
        context = Context(
            served.descriptor,
            shared.effects,
            shared.clock,
            shared.settings,
            tracker or NoTracker(),
            shared.rand,
            shared.metrics,
        )
        if references := served.descriptor.references:
            readers = {each.kind: shared.kinds[each.kind].store for each in references if each.kind in shared.kinds}
            context = replace(context, dependencies=ReferencedObjects(served.descriptor, readers))
        return self.of(served.descriptor).new_reconciler(context, served.store, shared)
