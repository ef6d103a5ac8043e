"""Watches namespaces and the account map, and enqueues the affected objects when they change.

Part of the wiring (`app`): imported by nothing else.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from api.annotations import OWNER_ACCOUNT_ID
from api.meta import ObjectKey, Resource
from controller.aws.events.receiver import QueueAddress
from controller.aws.targets import Identity
from controller.kube.client import KubeClient
from controller.kube.lister_watcher import KubeListerWatcher
from controller.kube.well_known import CONFIG_MAPS, NAMESPACES
from controller.reconcile.namespaces.cache import ACCOUNT_MAP, SettingsChanged, WatchedNamespaces, trim
from controller.reconcile.namespaces.named_queues import NamedQueues, named_queues
from controller.reconcile.namespaces.settings import EffectiveSettings, NamespaceSettings
from controller.reconcile.served import Served
from controller.runtime.cache.handlers import EnqueueHandler, KeySink, KeysOf, VersionChanged
from controller.runtime.cache.store import Snapshot, Store
from controller.runtime.clock import Clock, SystemClock
from controller.runtime.errors import ClassifiedError
from controller.runtime.queue.work_queue import PRIORITY_BACKGROUND


@dataclass(frozen=True, slots=True)
class Followed:
    """A resource to watch into a store, with the handlers of its changes."""

    name: str
    resource: Resource
    namespace: str
    """The only namespace to watch; empty: all."""
    source: KubeListerWatcher
    store: Store
    handlers: tuple[EnqueueHandler, ...]


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The caches of an operator that serves all namespaces. `home` is its own namespace; empty if unknown."""

    home: str
    namespaces: Store = field(default_factory=lambda: Store(transform=trim))
    account_maps: Store = field(default_factory=Store)
    clock: Clock = field(default_factory=SystemClock)

    def reader(
        self,
        client: KubeClient,
        queue_troubles: Callable[[str], tuple[str, ...]] = lambda name: (),  # noqa: ARG005 (no pass shows them)
    ) -> WatchedNamespaces:
        """Return the reader of settings for passes."""
        account_map = ObjectKey(self.home, ACCOUNT_MAP) if self.home else None
        return WatchedNamespaces(self.namespaces, self.account_maps, client, account_map, self.clock, queue_troubles)

    def identity_in(self, account: str, client: KubeClient) -> Identity | None:
        """Return a namespace's identity with a role of this account, of several always the same one."""
        found = set()
        for settings in self._annotated(client):
            with suppress(ClassifiedError):  # settings that are invalid: the namespace's objects say so
                found.add(EffectiveSettings({}, settings).identity().shared)
        return min((each for each in found if each.account == account), default=None)

    def status_queues(self, client: KubeClient, default_region: str, besides: Collection[QueueAddress]) -> NamedQueues:
        """Return the status queues that namespaces name, other than those that are read anyway."""
        return named_queues(self._annotated(client), default_region, besides)

    def _annotated(self, client: KubeClient) -> Iterator[NamespaceSettings]:
        """Yield the settings of all namespaces that have some."""
        reader = self.reader(client)
        for namespace in self.namespaces.snapshots():
            if namespace.metadata.get("annotations"):
                with suppress(ClassifiedError):  # deleted since
                    yield reader.of(namespace.key.name)

    def followed(self, client: KubeClient, kinds: Iterable[Served], queues: KeySink) -> Iterator[Followed]:
        """Yield what to watch; changes enqueue objects of `kinds` in the background, as there may be thousands.

        Whatever changes is reported to `queues`, which reads the status queues of namespaces.
        """
        served = tuple(kinds)
        of_queues = EnqueueHandler(queues, VersionChanged())
        handlers = tuple(_handler(each, SettingsChanged(), partial(_objects_of, each.store)) for each in served)
        handlers = (*handlers, of_queues)
        source = KubeListerWatcher(client, NAMESPACES)
        yield Followed("namespaces/annotations", NAMESPACES, "", source, self.namespaces, handlers)
        if self.home:
            handlers = tuple(_handler(each, VersionChanged(), partial(self._mapped, each.store)) for each in served)
            handlers = (*handlers, of_queues)
            source = KubeListerWatcher(client, CONFIG_MAPS, self.home, field_selector=f"metadata.name={ACCOUNT_MAP}")
            yield Followed("account-map", CONFIG_MAPS, self.home, source, self.account_maps, handlers)

    def _mapped(self, store: Store, _: Snapshot) -> list[ObjectKey]:
        """Return the objects in `store` whose namespaces use the account map."""
        every = self.namespaces.snapshots()
        names = {each.key.name for each in every if OWNER_ACCOUNT_ID.key in (each.metadata.get("annotations") or {})}
        return [each.key for each in store.snapshots() if each.key.namespace in names] if names else []


def _handler(served: Served, changed: SettingsChanged | VersionChanged, keys_of: KeysOf) -> EnqueueHandler:
    return EnqueueHandler(served.queue, changed, keys_of=keys_of, priority=PRIORITY_BACKGROUND)


def _objects_of(store: Store, namespace: Snapshot) -> list[ObjectKey]:
    return store.keys(namespace.key.name)
