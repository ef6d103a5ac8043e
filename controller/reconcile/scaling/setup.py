"""Sets up the reconciler of autoscaling policies."""

from dataclasses import replace
from functools import partial
from typing import Final

from api.descriptor import LifeCycle
from api.meta import ObjectKey
from api.v1 import HOSTING_AUTOSCALING_POLICY, HOSTING_DEPLOYMENT, INFERENCE_COMPONENT
from controller.reconcile.context import Context
from controller.reconcile.dependencies import (
    ENDPOINTS,
    SCALED_COMPONENTS,
    PolicyDependencies,
    StateChanged,
    endpoint_names,
    fellow_policies,
)
from controller.reconcile.hosting import ENDPOINT_NAMES, RESOURCE_IDS
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.scaling.perform import (
    ScalingLifeCycle,
    components_of,
    endpoint_of,
    endpoints_of,
    resource_ids_of,
)
from controller.reconcile.served import Served
from controller.reconcile.setup import Setup, Shared, Watch
from controller.runtime.cache.handlers import KeysOf, VersionChanged
from controller.runtime.cache.store import Snapshot, Store
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    context = replace(context, dependencies=PolicyDependencies(store, endpoint_names))
    return ObjectReconciler(
        context,
        store,
        ScalingLifeCycle(
            context, shared.scaling, store, shared.reader(HOSTING_DEPLOYMENT), shared.reader(INFERENCE_COMPONENT)
        ),
    )


def _keys_of(policies: Served) -> KeysOf:
    return partial(_policies_of, policies.store)


def _component_keys_of(policies: Served) -> KeysOf:
    return partial(_policies_of_component, policies.store)


def _policies_of_component(store: Store, component: Snapshot) -> list[ObjectKey]:
    """Return the autoscaling policies of a component, by its name or that at SageMaker: they wait for that."""
    at_sagemaker = (component.decode().get("status") or {}).get(INFERENCE_COMPONENT.name.status_field)
    values = (f"{component.key.namespace}/{component.key.name}", f"/{at_sagemaker}")
    return list(dict.fromkeys(key for value in values for key in store.index_keys(SCALED_COMPONENTS, value)))


def _policies_of(store: Store, deployment: Snapshot) -> list[ObjectKey]:
    """Return the autoscaling policies of a deployment, by its name or that of its endpoint: they wait for that."""
    at_sagemaker = (f"/{name}" for name in endpoint_of(deployment.decode()))
    values = (f"{deployment.key.namespace}/{deployment.key.name}", *at_sagemaker)
    return list(dict.fromkeys(key for value in values for key in store.index_keys(ENDPOINTS, value)))


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor.life_cycle is LifeCycle.SCALING,
    new_reconciler=_new_reconciler,
    indexes={
        HOSTING_AUTOSCALING_POLICY.kind: {
            RESOURCE_IDS: resource_ids_of,
            ENDPOINTS: endpoints_of,
            SCALED_COMPONENTS: components_of,
        },
        HOSTING_DEPLOYMENT.kind: {ENDPOINT_NAMES: endpoint_of},
    },
    watches=(
        Watch(HOSTING_DEPLOYMENT.kind, VersionChanged(), _keys_of),
        Watch(INFERENCE_COMPONENT.kind, VersionChanged(), _component_keys_of),
        Watch(HOSTING_AUTOSCALING_POLICY.kind, StateChanged(), fellow_policies),
    ),
    is_tracked=False,
)
