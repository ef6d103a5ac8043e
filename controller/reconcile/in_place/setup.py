"""Sets up the reconcilers of what AWS updates in place."""

from typing import Final

from api.descriptor import LifeCycle
from controller.reconcile.context import Context
from controller.reconcile.in_place.perform import InPlaceLifeCycle
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.setup import Setup, Shared
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    life_cycle = InPlaceLifeCycle(context, shared.sagemaker, shared.parts, shared.getter)
    return ObjectReconciler(context, store, life_cycle)


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor.life_cycle is LifeCycle.IN_PLACE,
    new_reconciler=_new_reconciler,
    is_tracked=False,
)
