"""The shell that all job kinds share: read the store, make one pass, remember what saves the next one work."""

import random
from collections.abc import Callable

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.sagemaker import Jobs
from controller.reconcile.context import JobContext, JobSettings, JobTracker, ObjectReader
from controller.reconcile.executor import Executor
from controller.reconcile.job.companions import Companions, NoCompanions
from controller.reconcile.job.perform import Pass
from controller.reconcile.local_state import Memories
from controller.reconcile.one_key import reconcile_one
from controller.runtime.clock import Clock
from controller.runtime.controller import Result


class JobReconciler:
    """A `runtime.controller.Reconciler` for one job kind.

    Raises `ClassifiedError` for failed calls (THROTTLED and CONFLICT do not count as failures), `Terminal` for what
    only a change of the object can cure.
    """

    def __init__(
        self,
        descriptor: KindDescriptor,
        store: ObjectReader,
        tracker: JobTracker,
        jobs: Jobs,
        executor: Executor,
        clock: Clock,
        settings: JobSettings,
        rand: Callable[[], float] = random.random,
        companions: Companions | None = None,
    ) -> None:
        self._store = store
        self._companions = companions or NoCompanions()
        self._context = JobContext(descriptor, tracker, jobs, executor, clock, settings, rand)
        self._memories = Memories()

    def reconcile(self, key: ObjectKey) -> Result:
        """One pass over one object; see `runtime.controller.Reconciler.reconcile`."""
        return reconcile_one(
            key,
            self._store,
            self._memories,
            lambda obj, memory: Pass(self._context, self._companions, key, obj, memory).run(),
            self._forget,
        )

    def _forget(self, key: ObjectKey) -> None:
        self._context.tracker.forget(key)
        self._companions.forget(key)
