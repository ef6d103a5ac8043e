"""Wires the process, top to bottom in the order in which its parts start.

All dependencies are created here and passed in. `run` returns when the process should end.
"""

import gc
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson
import structlog
from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import ObjectKey, Resource
from controller.aws.accounts import Accounts
from controller.aws.assume_role import RoleSessions
from controller.aws.autoscaling import ApplicationAutoScaling
from controller.aws.clients import AwsApi, Clients, ClientSettings, new_session
from controller.aws.events.receiver import EVENTS, RECEIVERS, QueueAddress, Readers, StatusQueueMetrics
from controller.aws.events.receivers import Receivers
from controller.aws.limits.budgets import Budgets
from controller.aws.parts import SageMakerParts
from controller.aws.polling.announced import AnnouncedChanges
from controller.aws.polling.confidence import Reason
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.search_state import SEARCH
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.sagemaker import SageMaker
from controller.aws.targets import BASE_IDENTITY, TargetDefaults
from controller.aws.tuning_jobs import SageMakerTuningJobChildren
from controller.controllers import CONTROLLERS
from controller.kinds import selected
from controller.kube.access import ConfigError
from controller.kube.client import KubeClient
from controller.kube.cluster_id import ClusterId
from controller.kube.config import Cluster, connect, home_namespace, pod_namespace
from controller.kube.events import KubeEventSink
from controller.kube.installed_kinds import InstalledKinds, log_other_failure
from controller.kube.lease import LeaseLock
from controller.kube.lister_watcher import KubeListerWatcher
from controller.kube.namespace_check import ServedNamespaces
from controller.kube.transport import RestMetrics
from controller.observability.registry import new_registry
from controller.observability.server import Check, WebServer, health_routes, metrics_routes
from controller.reconcile import reasons
from controller.reconcile.checks import Checks
from controller.reconcile.effects import EffectGate
from controller.reconcile.managed.pruning import PruningWriter
from controller.reconcile.namespaces.named_queues import NamedQueues
from controller.reconcile.namespaces.queue_receivers import QueueReceivers
from controller.reconcile.namespaces.settings import Namespaces, UnreadNamespaces
from controller.reconcile.namespaces.watches import Tenancy
from controller.reconcile.object_metrics import ObjectMetrics
from controller.reconcile.served import Served
from controller.reconcile.settings import ReconcilerSettings
from controller.reconcile.setup import Shared
from controller.runtime.cache.informer import HandlerRegistration, Informer
from controller.runtime.cache.informer_metrics import InformerMetrics
from controller.runtime.cache.store import Store
from controller.runtime.clock import Clock, SystemClock
from controller.runtime.controller import Controller
from controller.runtime.controller_metrics import ControllerMetrics
from controller.runtime.election.fence import Fence, LeaseFence, UnfencedUntil
from controller.runtime.election.leader_election import ElectionMetrics, Elector, unique_identity
from controller.runtime.manager import Manager, Stage
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.rate_limiter import BucketRateLimiter
from controller.runtime.queue.work_queue import PRIORITY_BACKGROUND, WorkQueue
from controller.runtime.record.events import Regarding
from controller.runtime.record.recorder import EventRecorder
from controller.runtime.threads import Stop
from controller.settings import Settings
from controller.version import DISTRIBUTION, register_build_info, version

log = structlog.get_logger(__name__)

_TRACKER_THREADS: Final = 2
"""Number of regions or credentials that can be slow at once before the status of others is delayed."""
_SETTLED_FACTOR: Final = 12
"""Factor of the poll interval while all objects are settled: once a minute by default."""
_GC_THRESHOLDS: Final = (50_000, 20, 50)
"""Every list creates and frees thousands of objects, without cycles: rarer collections made the initial list of
40,000 objects a third faster (hack/bench/runtime.py)."""
_NEVER_S: Final = 10 * 365 * 86_400.0
"""A period longer than any process lives: `--resync-period 0` in seconds."""
_UNRELIABLE: Final[Mapping[Reason, str]] = {
    "missed": "polling has found a change that no message announced",
    "refuted": "AWS does not confirm what messages announce",
    "failed": "the status queue cannot be read",
    "silent": "nothing has come from the status queue, not even a heartbeat",
}
_RESYNC_SPREAD: Final = (0.9, 1.1)
"""Jitter, so that replicas that start together do not replay their caches together (M4)."""


def run(settings: Settings) -> int:
    """Run the operator until a signal or a failure; returns the exit code.

    Raises `ConfigError` and `BindError` with messages for the user who starts the process.
    """
    gc.set_threshold(*_GC_THRESHOLDS)
    clock = SystemClock()
    cluster = connect(clock, kubeconfig=settings.kubeconfig, context=settings.context, master=settings.master)
    log.info("starting", version=version(), cluster=cluster.base_url, configured_by=cluster.source)
    with ExitStack() as closing:
        return _Operator(settings, cluster, clock, closing).manager.run()


@dataclass(frozen=True, slots=True)
class _Metrics:
    """The metrics of the process, declared once."""

    rest: RestMetrics
    informers: InformerMetrics
    queues: QueueMetrics
    controllers: ControllerMetrics
    trackers: TrackerMetrics
    objects: ObjectMetrics

    @classmethod
    def on(cls, registry: CollectorRegistry) -> "_Metrics":
        register_build_info(registry)
        return cls(
            RestMetrics(registry),
            InformerMetrics(registry),
            QueueMetrics(registry),
            ControllerMetrics(registry),
            TrackerMetrics(registry),
            ObjectMetrics(registry),
        )


class _Operator:
    """All parts, added to a `Manager` that starts and stops them."""

    def __init__(self, settings: Settings, cluster: Cluster, clock: Clock, closing: ExitStack) -> None:
        self._settings = settings
        self._cluster = cluster
        self._clock = clock
        self._closing = closing
        self._resync_s = settings.resync_period_s or _NEVER_S
        self._registry = new_registry()
        self._metrics = _Metrics.on(self._registry)
        self._client = self._new_client()
        self._watching = self._new_client()
        self._recorder = EventRecorder(KubeEventSink(self._new_client(), instance=_instance()), clock=clock)
        home = home_namespace(settings.leader_election_namespace)
        self._tenancy = None if settings.namespaces else Tenancy(home, clock=clock)
        self._cluster_id = ClusterId(self._client, clock, configured=settings.cluster_id, served=settings.namespaces)
        self._namespaces = ServedNamespaces(self._client, settings.namespaces)
        self._installed = InstalledKinds()
        self._trackers: list[Tracker] = []  # complete before any thread starts
        self._announced: list[AnnouncedChanges] = []  # as well
        self._lease: Regarding | None = None  # set by _election
        api = self._api = AwsApi(self._new_clients(), Budgets(clock, self._registry), clock, self._registry)
        self._accounts = Accounts(api, clock)
        self._jobs = SageMaker(api)
        self._scaling = ApplicationAutoScaling(api)
        self._launched = SageMakerTuningJobChildren(api)
        self._parts = SageMakerParts(api)
        self._checks = Checks()

        self._fence, elector = self._election()
        self.manager = Manager(election=elector, shutdown_timeout_s=settings.shutdown_timeout_s, clock=clock)
        self.manager.add(Stage.EVENTS, "recorder", self._recorder.run)
        self._add_servers(elector)
        self.manager.add(Stage.CACHES, "namespaces", self._namespaces.run, may_end=True)
        self.manager.add_cache("cluster-id", self._cluster_id.run, has_synced=lambda: bool(self._cluster_id.value))
        self._kinds = {descriptor.kind: self._served(descriptor) for descriptor in selected(settings.kinds)}
        if settings.kinds:
            log.info("serving some kinds", kinds=sorted(self._kinds))
        for served in self._kinds.values():
            self._add_kind(served)
        hinted: list[Tracker | AnnouncedChanges] = [*self._trackers, *self._announced]
        trackers = {each.kind: each for each in hinted}
        self._receivers = Receivers(api, trackers, clock, StatusQueueMetrics(self._registry))
        self._queues = self._add_status_queues()
        self._named_queues = QueueReceivers(self._name_queues, hinted, self._receivers, self._wake_namespace)
        self._add_namespaces()

    def _served(self, descriptor: KindDescriptor) -> Served:
        queue = WorkQueue[ObjectKey](descriptor.controller_name, metrics=self._metrics.queues, clock=self._clock)
        return Served(descriptor, CONTROLLERS.new_store(descriptor), queue)

    def _new_client(self, *, is_limited: bool = True, request_timeout_s: float | None = None) -> KubeClient:
        """Return a client with connections of its own, closed at the end; unlimited only for leader election."""
        settings = self._settings
        limiter = (
            BucketRateLimiter[str](self._clock, rate_per_s=settings.kube_api_qps, burst=settings.kube_api_burst)
            if is_limited and settings.kube_api_qps
            else None
        )
        timeouts = {} if request_timeout_s is None else {"request_timeout_s": request_timeout_s}
        return self._closing.enter_context(
            KubeClient.of(self._cluster, metrics=self._metrics.rest, clock=self._clock, limiter=limiter, **timeouts)
        )

    def _new_clients(self) -> Clients:
        settings = self._settings
        how = ClientSettings(
            version=version(),
            pool_size=settings.workers + _TRACKER_THREADS,
            connect_timeout_s=settings.aws_connect_timeout_s,
            read_timeout_s=settings.aws_read_timeout_s,
        )
        new = partial(new_session, orjson.loads)  # pages of Lists in a third of the time
        return Clients(how, RoleSessions(how.config(), self._clock, lambda: self._cluster_id.value, new))

    def _election(self) -> tuple[Fence, Elector | None]:
        """Return the fence that every effect checks, and the elector that opens it."""
        settings = self._settings
        if not settings.enable_leader_election:
            return UnfencedUntil(Stop()), None
        config = settings.election_config(unique_identity())
        key = ObjectKey(settings.leader_election_namespace or _own_namespace(), settings.leader_election_id)
        fence = LeaseFence(self._clock, renew_deadline_s=config.renew_deadline_s)
        client = self._new_client(is_limited=False, request_timeout_s=config.request_timeout_s)
        lock = LeaseLock(client, key)
        self._lease = lock.regarding
        elector = Elector(
            config,
            lock,
            fence=fence,
            recorder=self._recorder,
            metrics=ElectionMetrics(self._registry, key.name),
            clock=self._clock,
        )
        return fence, elector

    def _add_servers(self, elector: Elector | None) -> None:
        settings = self._settings
        healthz = {} if elector is None else {"leader-election": _leader_check(elector)}
        readyz = {"caches": self.manager.readiness, "namespaces": self._namespaces.readiness}
        degraded = {"status-sources": self._status_sources, "kinds": self._installed.note}
        for name, address, routes, flag in (
            ("metrics", settings.metrics_addr, metrics_routes(self._registry), "--metrics-addr"),
            (
                "health",
                settings.health_addr,
                health_routes(healthz=healthz, readyz=readyz, degraded=degraded),
                "--health-addr",
            ),
        ):
            if address is not None:
                server = WebServer(name, address, routes, flag=flag)
                self._closing.callback(server.close)
                self.manager.add(Stage.SERVERS, name, server.run)

    def _status_sources(self) -> str | None:
        """Return which List operations fail, None while all answer; objects show it, too (`StatusDelayed`)."""
        return "; ".join(lost for tracker in self._trackers for lost in tracker.lost_lists()) or None

    def _add_kind(self, served: Served) -> None:
        """Add informers, tracker and controller of one kind."""
        name = served.descriptor.controller_name
        self._metrics.objects.add(served.descriptor, served.store)
        self._add_caches(served)
        setup = CONTROLLERS.of(served.descriptor)
        tracker = self._tracker(served, setup.settled) if setup.is_tracked else self._announced_changes(served)

        def work(stop: Stop) -> None:
            writer = PruningWriter(self._client)
            effects = EffectGate(writer, self._jobs, self._recorder, self._fence)
            shared = Shared(
                self._kinds,
                writer,
                self._jobs,
                self._scaling,
                self._launched,
                effects,
                self._clock,
                self._reconciler_settings(),
                checks=self._checks,
                metrics=self._metrics.objects,
                parts=self._parts,
                getter=self._client,
            )
            Controller(
                name,
                served.queue,
                CONTROLLERS.new_reconciler(served, tracker, shared),
                metrics=self._metrics.controllers,
                clock=self._clock,
                workers=self._settings.workers,
            ).run(stop)

        self.manager.add(Stage.LEADING, name, work)

    def _add_caches(self, served: Served) -> None:
        for name, informer in self._informers(served.descriptor, served.store):
            registrations = [
                informer.add_handler(
                    handler,
                    resync_period_s=self._settings.resync_period_s * random.uniform(*_RESYNC_SPREAD),  # noqa: S311
                )
                for handler in CONTROLLERS.handlers(served, self._kinds)
            ]
            run = partial(self._follow, informer)
            has_synced = partial(self._has_synced, informer.resource, registrations)
            self.manager.add_cache(name, run, has_synced=has_synced)

    def _has_synced(self, resource: Resource, registrations: Sequence[HandlerRegistration]) -> bool:
        return _have_synced(registrations) or self._installed.is_missing(resource)

    def _tracker(self, served: Served, settled: frozenset[str]) -> Tracker:
        tracker = Tracker(
            served.descriptor,
            self._jobs,
            served.queue.add,
            self._clock,
            self._metrics.trackers,
            PollSettings(
                poll_s=self._settings.poll_interval_s,
                resync_s=self._resync_s,
                settled=settled,
                settled_poll_s=self._settings.poll_interval_s * _SETTLED_FACTOR,
            ),
            accelerators=self._accelerators(served.descriptor),
            optional=[EVENTS],
            on_distrust=partial(self._report_distrust, served.descriptor.kind),
        )
        for number in range(_TRACKER_THREADS):
            name = f"{served.descriptor.controller_name}-tracker-{number}"
            self.manager.add(Stage.LEADING, name, tracker.run)
        self._trackers.append(tracker)
        return tracker

    def _announced_changes(self, served: Served) -> AnnouncedChanges | None:
        """Return what passes on the events of a kind that is not polled; None if it has none."""
        if not served.descriptor.status.event:
            return None
        self._announced.append(AnnouncedChanges(served.descriptor, served.queue.add_after, self._clock))
        return self._announced[-1]

    def _accelerators(self, descriptor: KindDescriptor) -> list[str]:
        """Return what may make sweeps of a kind rare."""
        is_searched = self._settings.status_search and bool(descriptor.operations.search)
        return [EVENTS] * bool(self._settings.status_queues) + [SEARCH] * is_searched

    def _report_distrust(self, kind: str, source: str, region: str, why: Reason) -> None:
        """Record an Event on the operator's Lease where a queue is not relied on any more; Search is no one's duty."""
        if source == EVENTS and self._lease is not None:
            message = (
                f"{kind} in {region}: {_UNRELIABLE.get(why, why)}. Polling is as frequent as without a status queue."
            )
            self._recorder.event(self._lease, "Warning", reasons.STATUS_QUEUE_UNRELIABLE, message)

    def _add_status_queues(self) -> list[QueueAddress]:
        """Add the receivers of state changes: for trackers, so only a replica that leads takes messages."""
        defaults = self._target_defaults()
        addresses = []
        for url in self._settings.status_queues:
            try:
                address = QueueAddress.of(url, defaults.region)
            except ValueError as exc:
                raise ConfigError(f"--status-queue: {exc}") from exc
            addresses.append(address)
            receiver = self._receivers.new(address, partial(self._readers, address.account))
            for number in range(RECEIVERS):
                name = f"status-queue-{address.region}-{address.name}-{number}"
                self.manager.add(Stage.LEADING, name, receiver.run)
        return addresses

    def _readers(self, account: str) -> Readers:
        """Return who reads a queue of an account: a role that a namespace has there, and the operator's own."""
        identity = None if self._tenancy is None else self._tenancy.identity_in(account, self._client)
        return Readers() if identity is None else Readers((identity, BASE_IDENTITY))

    def _name_queues(self) -> NamedQueues:
        """Return the status queues that namespaces name at the moment."""
        if self._tenancy is None:
            return NamedQueues()
        return self._tenancy.status_queues(self._client, self._target_defaults().region, self._queues)

    def _wake_namespace(self, namespace: str) -> None:
        for served in self._kinds.values():
            for key in served.store.keys(namespace):
                served.queue.add(key, PRIORITY_BACKGROUND)

    def _target_defaults(self) -> TargetDefaults:
        settings = self._settings
        return TargetDefaults.of(
            aws_region=settings.aws_region, aws_endpoint_url=settings.aws_endpoint_url, environment=os.environ
        )

    def _add_namespaces(self) -> None:
        """Add the caches of namespaces. No kind is reconciled before they have synced."""
        if self._tenancy is None:
            log.info("annotations of namespaces have no effect: --namespace is given", served=self._settings.namespaces)
            return
        self.manager.add(Stage.LEADING, "status-queues", self._named_queues.run)
        for each in self._tenancy.followed(self._watching, self._kinds.values(), self._named_queues):
            informer = Informer(
                each.resource,
                each.source,
                each.store,
                metrics=self._metrics.informers,
                clock=self._clock,
                namespace=each.namespace,
            )
            registrations = [informer.add_handler(handler) for handler in each.handlers]
            has_synced = partial(_have_synced, registrations)
            self.manager.add_cache(each.name, partial(self._follow, informer), has_synced=has_synced)

    def _follow(self, informer: Informer, stop: Stop) -> None:
        """Run an informer. Stopping closes its client: an unanswered request must not delay the end (K3)."""
        take_back = stop.on_set(self._watching.close)
        try:
            informer.run(stop)
        finally:
            take_back()

    def _informers(self, descriptor: KindDescriptor, store: Store) -> Iterator[tuple[str, Informer]]:
        """Yield one informer for all namespaces, or one per served namespace; they share the store."""
        for namespace in self._settings.namespaces or ("",):
            source = KubeListerWatcher(
                self._watching, descriptor.resource, namespace or None, label_selector=self._settings.watch_selector
            )
            informer = Informer(
                descriptor.resource,
                self._installed.watched(descriptor.resource, source),
                store,
                metrics=self._metrics.informers,
                clock=self._clock,
                namespace=namespace,
                on_failure=log_other_failure,
            )
            yield f"{descriptor.plural}{'/' if namespace else ''}{namespace}", informer

    def _namespace_settings(self) -> Namespaces:
        if self._tenancy is None:
            return UnreadNamespaces()
        return self._tenancy.reader(self._client, self._named_queues.troubles)

    def _reconciler_settings(self) -> ReconcilerSettings:
        settings = self._settings
        return ReconcilerSettings(
            cluster_id=self._cluster_id.value,
            manager=f"{DISTRIBUTION}/{version()}",
            defaults=self._target_defaults(),
            namespaces=self._namespace_settings(),
            accounts=self._accounts,
            has_ownership_tags=settings.ownership_tags,
            resource_tags=dict(settings.resource_tags),
            resync_s=self._resync_s,
        )


def _have_synced(registrations: Sequence[HandlerRegistration]) -> bool:
    return all(registration.has_synced for registration in registrations)


def _leader_check(elector: Elector) -> Check:
    return lambda: None if elector.healthy() else "leading on a lease that was not renewed in time"


def _instance() -> str:
    """Return the reporter of Events: the pod's name, which is its host name."""
    return os.uname().nodename


def _own_namespace() -> str:
    """Return the namespace of this pod. Raises `ConfigError` outside of a cluster."""
    namespace = pod_namespace()
    if not namespace:
        raise ConfigError(
            "leader election needs a namespace for its Lease, and this process does not run in a pod: "
            "set --leader-election-namespace"
        )
    return namespace
