"""Sets up the reconcilers of models and endpoint configurations."""

from typing import Final

from api.descriptor import LifeCycle
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, INFERENCE_COMPONENT, MODEL
from controller.reconcile.checks import NAMES_AT_SAGEMAKER, names_at_sagemaker
from controller.reconcile.context import Context
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.resource.perform import ResourceLifeCycle
from controller.reconcile.resource.users import (
    CONFIGURATION,
    MODELS,
    Users,
    configuration_of,
    models_of,
    models_of_component,
)
from controller.reconcile.setup import Setup, Shared
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    users = Users(
        shared.reader(MODEL),
        shared.reader(ENDPOINT_CONFIG),
        shared.reader(HOSTING_DEPLOYMENT),
        shared.reader(INFERENCE_COMPONENT),
    )
    life_cycle = ResourceLifeCycle(context, shared.sagemaker, users, shared.checks, shared.check_models)
    return ObjectReconciler(context, store, life_cycle)


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor.life_cycle is LifeCycle.RESOURCE,
    new_reconciler=_new_reconciler,
    indexes={
        ENDPOINT_CONFIG.kind: {MODELS: models_of},
        INFERENCE_COMPONENT.kind: {MODELS: models_of_component},
        HOSTING_DEPLOYMENT.kind: {CONFIGURATION: configuration_of},
        MODEL.kind: {NAMES_AT_SAGEMAKER: names_at_sagemaker},
    },
    is_tracked=False,
)
