"""Sets up the reconcilers of models and endpoint configurations."""

from typing import Final

from api.descriptor import LifeCycle
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT
from controller.reconcile.context import Context
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.resource.perform import ResourceLifeCycle
from controller.reconcile.resource.users import CONFIGURATION, MODELS, Users, configuration_of, models_of
from controller.reconcile.setup import Setup, Shared
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    users = Users(shared.reader(ENDPOINT_CONFIG), shared.reader(HOSTING_DEPLOYMENT))
    return ObjectReconciler(context, store, ResourceLifeCycle(context, shared.sagemaker, users))


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor.life_cycle is LifeCycle.RESOURCE,
    new_reconciler=_new_reconciler,
    indexes={ENDPOINT_CONFIG.kind: {MODELS: models_of}, HOSTING_DEPLOYMENT.kind: {CONFIGURATION: configuration_of}},
    is_tracked=False,
)
