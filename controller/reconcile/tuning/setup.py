"""Sets up the reconciler of tuning jobs."""

from functools import partial
from typing import Final

from api.v1 import HYPERPARAMETER_TUNING_JOB, TRAINING_JOB
from controller.reconcile.context import Context
from controller.reconcile.job.perform import JobLifeCycle
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.ports import ObjectReader
from controller.reconcile.served import Served
from controller.reconcile.setup import Setup, Shared, Watch
from controller.reconcile.tuning.children import TuningChildren
from controller.reconcile.tuning.perform import TuningLifeCycle
from controller.reconcile.tuning.watches import INDEXERS, TUNINGS, Leaves, tuning_keys, tuning_names
from controller.runtime.cache.handlers import KeysOf
from controller.runtime.controller import Reconciler


def _new_reconciler(context: Context, store: ObjectReader, shared: Shared) -> Reconciler:
    children = TuningChildren(
        TRAINING_JOB,
        shared.reader(TRAINING_JOB),
        shared.client,
        shared.launched,
        shared.sagemaker,
        shared.effects,
        shared.clock,
    )
    jobs = JobLifeCycle(context, shared.sagemaker, shared.check_models)
    return ObjectReconciler(context, store, TuningLifeCycle(jobs, children))


def _keys_of(tunings: Served) -> KeysOf:
    return tuning_keys(tunings.descriptor.resource, partial(tunings.store.index_keys, TUNINGS))


SETUP: Final = Setup(
    serves=lambda descriptor: descriptor is HYPERPARAMETER_TUNING_JOB,
    new_reconciler=_new_reconciler,
    indexes={TRAINING_JOB.kind: INDEXERS, HYPERPARAMETER_TUNING_JOB.kind: {TUNINGS: tuning_names}},
    watches=(Watch(TRAINING_JOB.kind, Leaves(), _keys_of),),
)
