"""Sets up the reconciler of inference components."""

from collections.abc import Iterable
from functools import partial
from typing import Final

from api.autoscaling import COMPONENT_PREFIX
from api.descriptor import LifeCycle
from api.meta import JsonObject, ObjectKey
from api.v1 import HOSTING_AUTOSCALING_POLICY, INFERENCE_COMPONENT
from controller.reconcile.component.perform import ComponentLifeCycle
from controller.reconcile.context import Context
from controller.reconcile.dependencies import StateChanged
from controller.reconcile.hosting import COMPONENT_NAMES, COMPONENTS_OF, FAILED, IN_SERVICE
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.served import Served
from controller.reconcile.setup import Setup, Shared, Watch
from controller.reconcile.status.patch import recorded_in
from controller.runtime.cache.handlers import KeysOf
from controller.runtime.cache.store import Snapshot, Store
from controller.runtime.controller import Reconciler


def names_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `COMPONENT_NAMES`."""
    if name := (obj.get("status") or {}).get(INFERENCE_COMPONENT.name.status_field):
        yield str(name)


def endpoints_of(obj: JsonObject) -> Iterable[str]:
    """Index function for `COMPONENTS_OF`: in its namespace, and at SageMaker, where names have none."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if recorded_in(status) is not None:
        yield f"{obj['metadata'].get('namespace') or ''}/{spec.get('endpointName')}"
        yield f"/{status.get('endpointName')}"


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    policies = shared.reader(HOSTING_AUTOSCALING_POLICY)
    return ObjectReconciler(context, store, ComponentLifeCycle(context, shared.sagemaker, shared.scaling, policies))


def _keys_of(components: Served) -> KeysOf:
    return partial(_scaled_by, components.store)


def _scaled_by(store: Store, policy: Snapshot) -> list[ObjectKey]:
    """Return the components that a policy scales: their numbers of copies count no longer, or again once it is gone."""
    ids = map(str, (policy.decode().get("status") or {}).get("resourceIDList") or ())
    names = [each.removeprefix(COMPONENT_PREFIX) for each in ids if each.startswith(COMPONENT_PREFIX)]
    return [key for name in names for key in store.index_keys(COMPONENT_NAMES, name)]


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor.life_cycle is LifeCycle.COMPONENT,
    new_reconciler=_new_reconciler,
    indexes={INFERENCE_COMPONENT.kind: {COMPONENT_NAMES: names_of, COMPONENTS_OF: endpoints_of}},
    watches=(Watch(HOSTING_AUTOSCALING_POLICY.kind, StateChanged(), _keys_of),),
    # Nothing moves in these states until a change is requested, autoscaling apart.
    settled=frozenset({IN_SERVICE, FAILED}),
)
