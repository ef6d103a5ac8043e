"""Sets up the reconciler of pipeline executions."""

from typing import Final

from api.v1 import PIPELINE_EXECUTION
from controller.reconcile.context import Context
from controller.reconcile.execution.perform import ExecutionLifeCycle, completed
from controller.reconcile.job.perform import JobLifeCycle
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.setup import Setup, Shared
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    job = JobLifeCycle(context, shared.sagemaker, shared.check_models, complete=completed)
    return ObjectReconciler(context, store, ExecutionLifeCycle(job, shared.sagemaker, shared.parts))


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor is PIPELINE_EXECUTION,
    new_reconciler=_new_reconciler,
)
