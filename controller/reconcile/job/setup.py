"""Sets up the reconcilers of jobs."""

from typing import Final

from api.descriptor import LifeCycle
from controller.reconcile.context import Context
from controller.reconcile.job.perform import JobLifeCycle
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.setup import Setup, Shared
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    return ObjectReconciler(context, store, JobLifeCycle(context, shared.sagemaker, shared.check_models))


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor.life_cycle is LifeCycle.JOB,
    new_reconciler=_new_reconciler,
)
