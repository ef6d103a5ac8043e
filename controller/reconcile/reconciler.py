"""The shell that all job kinds share: read the store, make one pass, remember what saves the next one work."""

import random
from collections.abc import Callable

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Jobs
from controller.reconcile.context import JobContext, JobSettings, JobTracker, ObjectReader
from controller.reconcile.executor import Executor
from controller.reconcile.memory import Memories
from controller.reconcile.onepass import Pass
from controller.runtime.clock import Clock
from controller.runtime.controller import DONE, Result
from controller.runtime.errors import ClassifiedError, ErrorClass


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
    ) -> None:
        self._store = store
        self._context = JobContext(descriptor, tracker, jobs, executor, clock, settings, rand)
        self._memories = Memories()

    def reconcile(self, key: ObjectKey) -> Result:
        """One pass over one object; see `runtime.controller.Reconciler.reconcile`."""
        obj = self._store.get(key)
        if obj is None:
            self._forget(key)
            return DONE
        memory = self._memories.of(key, obj["metadata"]["uid"])
        if obj["metadata"]["resourceVersion"] in memory.stale:
            return DONE  # the store has not seen our own write yet; its event comes and wakes the key
        memory.stale.clear()
        try:
            result = Pass(self._context, key, obj, memory).run()
        except ClassifiedError as error:
            if error.error_class is ErrorClass.NOT_FOUND and not isinstance(error, AwsError):
                # Of a write: the object is gone.
                self._forget(key)
                return DONE
            raise
        if memory.is_blank():
            self._memories.forget(key)
        return result

    def _forget(self, key: ObjectKey) -> None:
        self._context.tracker.forget(key)
        self._memories.forget(key)
