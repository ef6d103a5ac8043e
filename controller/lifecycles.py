"""The reconciler, the store's indexes and the watches of each kind, in one table.

Part of the wiring (`app`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from api.descriptor import KindDescriptor, LifeCycle
from api.meta import ObjectKey
from api.v1 import (
    ENDPOINT_CONFIG,
    HOSTING_AUTOSCALING_POLICY,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    MODEL,
    TRAINING_JOB,
)
from controller.aws.autoscaling import ApplicationAutoScaling
from controller.aws.polling.tracker import Tracker
from controller.aws.sagemaker import SageMaker
from controller.aws.tuning_jobs import Launched
from controller.kube.client import KubeClient
from controller.reconcile.context import JobSettings
from controller.reconcile.endpoint import states
from controller.reconcile.endpoint.child_objects import OWNERS
from controller.reconcile.endpoint.desired import owners_of
from controller.reconcile.endpoint.perform import HostingContext, HostingReconciler
from controller.reconcile.executor import Executor
from controller.reconcile.job.companions import Companions
from controller.reconcile.job.reconciler import JobReconciler
from controller.reconcile.pruning import well_formed
from controller.reconcile.resource.perform import ResourceContext, ResourceReconciler
from controller.reconcile.resource.users import CONFIGURATION, MODELS, Usage, configuration_of, models_of
from controller.reconcile.scaling.perform import (
    ENDPOINTS,
    RESOURCE_IDS,
    ScalingContext,
    ScalingReconciler,
    endpoints_of,
    resource_ids_of,
)
from controller.reconcile.served import Served
from controller.reconcile.tuning.children import TuningCompanions
from controller.reconcile.tuning.watches import INDEXERS as SPAWNED
from controller.reconcile.tuning.watches import TUNINGS, Leaves, tuning_keys, tuning_names
from controller.runtime.cache.handlers import EnqueueHandler, VersionChanged, owner_keys
from controller.runtime.cache.store import IndexFunc, Snapshot, Store
from controller.runtime.clock import Clock
from controller.runtime.controller import Reconciler

_INDEXES: Final[Mapping[str, Mapping[str, IndexFunc]]] = {
    MODEL.kind: {OWNERS: owners_of},
    ENDPOINT_CONFIG.kind: {OWNERS: owners_of, MODELS: models_of},
    HOSTING_DEPLOYMENT.kind: {CONFIGURATION: configuration_of},
    HOSTING_AUTOSCALING_POLICY.kind: {RESOURCE_IDS: resource_ids_of, ENDPOINTS: endpoints_of},
    TRAINING_JOB.kind: SPAWNED,
    HYPERPARAMETER_TUNING_JOB.kind: {TUNINGS: tuning_names},
}
_OWNERS: Final[Mapping[str, KindDescriptor]] = {
    MODEL.kind: HOSTING_DEPLOYMENT,
    ENDPOINT_CONFIG.kind: HOSTING_DEPLOYMENT,
}
"""Kinds that may be child objects, with the kind of their owner."""
TRACKED: Final = frozenset({LifeCycle.JOB, LifeCycle.ENDPOINT})
"""Life-cycles with a state that changes at AWS by itself: the others need only the slow resync."""


SETTLED: Final[Mapping[LifeCycle, frozenset[str]]] = {LifeCycle.ENDPOINT: states.SETTLED}
"""AWS status values by life-cycle that need to be polled rarely."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The dependencies that all reconcilers of the process share."""

    kinds: Mapping[str, Served]
    client: KubeClient
    sagemaker: SageMaker
    scaling: ApplicationAutoScaling
    launched: Launched
    executor: Executor
    clock: Clock
    settings: JobSettings


def new_store(descriptor: KindDescriptor) -> Store:
    """Return an empty store with the indexes that reconcilers read."""
    return Store(_INDEXES.get(descriptor.kind), transform=well_formed(descriptor))


def handlers(served: Served, kinds: Mapping[str, Served]) -> Iterator[EnqueueHandler]:
    """Yield the handlers for changes of a kind's objects: they enqueue the objects themselves, and their owners."""
    yield EnqueueHandler(served.queue)
    owner = _OWNERS.get(served.descriptor.kind)
    if owner is not None and owner.kind in kinds:
        yield EnqueueHandler(kinds[owner.kind].queue, VersionChanged(), keys_of=owner_keys(owner.resource))
    policies = kinds.get(HOSTING_AUTOSCALING_POLICY.kind)
    if policies is not None and served.descriptor is HOSTING_DEPLOYMENT:
        scaled = partial(_policies_of, policies.store)
        yield EnqueueHandler(policies.queue, VersionChanged(), keys_of=scaled)
    tuning = kinds.get(HYPERPARAMETER_TUNING_JOB.kind)
    if tuning is not None and served.descriptor is TRAINING_JOB:
        keys_of = tuning_keys(tuning.descriptor.resource, partial(tuning.store.index_keys, TUNINGS))
        yield EnqueueHandler(tuning.queue, Leaves(), keys_of=keys_of)


def _policies_of(store: Store, deployment: Snapshot) -> list[ObjectKey]:
    """Return the autoscaling policies that reference a deployment: they wait for its endpoint."""
    return store.index_keys(ENDPOINTS, f"{deployment.key.namespace}/{deployment.key.name}")


def new_reconciler(served: Served, tracker: Tracker | None, shared: Shared) -> Reconciler:
    """Return the reconciler of a kind, by its life-cycle."""
    descriptor, store = served.descriptor, served.store
    match descriptor.life_cycle:
        case LifeCycle.JOB:
            assert tracker is not None  # noqa: S101 (TRACKED)
            return JobReconciler(
                descriptor,
                store,
                tracker,
                shared.sagemaker,
                shared.executor,
                shared.clock,
                shared.settings,
                companions=_companions(descriptor, shared),
            )
        case LifeCycle.RESOURCE:
            usage = Usage(_store(ENDPOINT_CONFIG, shared), _store(HOSTING_DEPLOYMENT, shared))
            context = ResourceContext(
                descriptor, shared.sagemaker, usage, shared.executor, shared.clock, shared.settings
            )
            return ResourceReconciler(context, store)
        case LifeCycle.ENDPOINT:
            assert tracker is not None  # noqa: S101 (TRACKED)
            endpoints = HostingContext(
                endpoints=shared.sagemaker,
                tracker=tracker,
                models=_store(MODEL, shared),
                configurations=_store(ENDPOINT_CONFIG, shared),
                policies=_store(HOSTING_AUTOSCALING_POLICY, shared),
                scaling=shared.scaling,
                writer=shared.client,
                executor=shared.executor,
                clock=shared.clock,
                settings=shared.settings,
            )
            return HostingReconciler(endpoints, store)
        case LifeCycle.SCALING:
            scaling = ScalingContext(
                shared.scaling,
                store,
                _store(HOSTING_DEPLOYMENT, shared),
                shared.executor,
                shared.clock,
                shared.settings,
            )
            return ScalingReconciler(scaling)


def _companions(descriptor: KindDescriptor, shared: Shared) -> Companions | None:
    if descriptor is not HYPERPARAMETER_TUNING_JOB:
        return None
    children = _store(TRAINING_JOB, shared)
    return TuningCompanions(
        TRAINING_JOB, children, shared.client, shared.launched, shared.sagemaker, shared.executor, shared.clock
    )


def _store(descriptor: KindDescriptor, shared: Shared) -> Store:
    """Return the store of another kind; empty if that kind is not served."""
    served = shared.kinds.get(descriptor.kind)
    return served.store if served else new_store(descriptor)
