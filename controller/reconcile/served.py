"""Descriptor, store and queue of one kind, for everything that watches or enqueues its objects."""

from dataclasses import dataclass

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.runtime.cache.store import Store
from controller.runtime.queue.work_queue import WorkQueue


@dataclass(frozen=True, slots=True)
class Served:
    """Descriptor, store and queue of one kind."""

    descriptor: KindDescriptor
    store: Store
    queue: WorkQueue[ObjectKey]
