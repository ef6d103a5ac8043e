"""Sets up the reconciler of HostingDeployments."""

from dataclasses import replace
from functools import partial
from typing import Final

from api.descriptor import LifeCycle
from api.meta import ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_AUTOSCALING_POLICY, INFERENCE_COMPONENT, MODEL
from controller.reconcile.context import Context
from controller.reconcile.dependencies import PolicyDependencies, StateChanged, deployment_names, deployments_of_policy
from controller.reconcile.endpoint.child_objects import CHILDREN
from controller.reconcile.endpoint.desired import owners_of
from controller.reconcile.endpoint.perform import EndpointLifeCycle
from controller.reconcile.hosting import ENDPOINT_NAMES, OWNERS, SETTLED
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.passes.rest import run_unless_at_rest
from controller.reconcile.ports import ObjectReader
from controller.reconcile.served import Served
from controller.reconcile.setup import Setup, Shared, Watch
from controller.runtime.cache.handlers import KeysOf, VersionChanged, owner_keys
from controller.runtime.cache.store import Snapshot, Store
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    policies = shared.reader(HOSTING_AUTOSCALING_POLICY)
    context = replace(context, dependencies=PolicyDependencies(policies, deployment_names))
    life_cycle = EndpointLifeCycle(
        context,
        shared.sagemaker,
        shared.scaling,
        models=shared.reader(MODEL),
        configurations=shared.reader(ENDPOINT_CONFIG),
        policies=policies,
        components=shared.reader(INFERENCE_COMPONENT),
        writer=shared.client,
        check=shared.check,
    )
    return ObjectReconciler(context, store, life_cycle, partial(run_unless_at_rest, life_cycle))


def _keys_of(deployments: Served) -> KeysOf:
    return owner_keys(deployments.descriptor.resource)


def _deployments_of(deployments: Served) -> KeysOf:
    return partial(_with_component, deployments.store)


def _with_component(store: Store, component: Snapshot) -> list[ObjectKey]:
    """Return the deployments of the endpoint that runs a component: their deletion waits for its end."""
    obj = component.decode()
    named = str((obj.get("spec") or {}).get("endpointName"))
    at_sagemaker = str((obj.get("status") or {}).get("endpointName") or "")
    found = [ObjectKey(component.key.namespace, named), *store.index_keys(ENDPOINT_NAMES, at_sagemaker)]
    return list(dict.fromkeys(found))


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor.life_cycle is LifeCycle.ENDPOINT,
    new_reconciler=_new_reconciler,
    indexes={child.kind: {OWNERS: owners_of} for child in CHILDREN},
    watches=(
        *(Watch(child.kind, VersionChanged(), _keys_of) for child in CHILDREN),
        Watch(HOSTING_AUTOSCALING_POLICY.kind, StateChanged(), lambda _: deployments_of_policy),
        Watch(INFERENCE_COMPONENT.kind, StateChanged(), _deployments_of),
    ),
    settled=SETTLED,
)
