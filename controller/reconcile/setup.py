"""A life-cycle's entry in the wiring: which kinds it serves, what it reads and watches, how its reconciler is made.

Each life-cycle has a `setup.py` with one `Setup`; `controllers.py` lists them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import random
from typing import TypeAlias

from api.descriptor import KindDescriptor
from controller.aws.autoscaling import Scaling
from controller.aws.sagemaker import SageMaker
from controller.aws.tuning_jobs import Launched
from controller.reconcile.context import Context
from controller.reconcile.effects import EffectGate
from controller.reconcile.managed.pruning import well_formed
from controller.reconcile.ports import NoObjects, NoTracker, ObjectReader, ObjectWriter, Tracker
from controller.reconcile.served import Served
from controller.reconcile.settings import ReconcilerSettings
from controller.runtime.cache.handlers import EnqueueHandler, KeysOf, Predicate
from controller.runtime.cache.store import IndexFunc, Store
from controller.runtime.clock import Clock
from controller.runtime.controller import Reconciler


@dataclass(frozen=True, slots=True)
class Shared:
    """The dependencies that all reconcilers of the process share."""

    kinds: Mapping[str, Served]
    client: ObjectWriter
    sagemaker: SageMaker
    scaling: Scaling
    launched: Launched
    effects: EffectGate
    clock: Clock
    settings: ReconcilerSettings
    rand: Callable[[], float] = random

    def reader(self, descriptor: KindDescriptor) -> ObjectReader:
        """Return the store of a kind; an empty one where it is not served."""
        served = self.kinds.get(descriptor.kind)
        return served.store if served else NoObjects()


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

    def new_store(self, descriptor: KindDescriptor) -> Store:
        """Return an empty store of a kind with the indexes that reconcilers read."""
        indexes: dict[str, IndexFunc] = {}
        for each in self.setups:
            indexes |= each.indexes.get(descriptor.kind, {})
        return Store(indexes, transform=well_formed(descriptor))

    def handlers(self, served: Served, kinds: Mapping[str, Served]) -> Iterator[EnqueueHandler]:
        """Yield the handlers for changes of a kind's objects, which enqueue the objects and their watchers."""
        yield EnqueueHandler(served.queue)
        for watcher in kinds.values():
            for watch in self.of(watcher.descriptor).watches:
                if watch.kind == served.descriptor.kind:
                    yield EnqueueHandler(watcher.queue, watch.changes, keys_of=watch.keys_of(watcher))

    def new_reconciler(self, served: Served, tracker: Tracker | None, shared: Shared) -> Reconciler:
        """Return the reconciler of a kind; `tracker` is None for kinds that are not tracked."""
        context = Context(
            served.descriptor,
            shared.effects,
            shared.clock,
            shared.settings,
            tracker or NoTracker(),
            shared.rand,
        )
        return self.of(served.descriptor).new_reconciler(context, served.store, shared)
