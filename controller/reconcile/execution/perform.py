"""Implements `LifeCycle` for pipeline executions: jobs of which AWS chooses the ARN when they start.

The client token is made of the object's uid, so a Start that is repeated within minutes gives the same execution. Once
AWS may have forgotten the token (`TOKEN_LASTS_S`), the object looks for its execution among those of the pipeline
before it starts one. Which one that is says a mark in the description.
"""

import re
from functools import partial
from typing import Final

import structlog

from api.meta import JsonObject, ObjectKey
from api.v1 import PIPELINE_EXECUTION
from controller.aws.errors import CallError
from controller.aws.parts import Parts
from controller.aws.sagemaker import Jobs
from controller.reconcile.execution.shown_steps import shown_steps
from controller.reconcile.job.decide import JobStep
from controller.reconcile.job.observation import JobObservation
from controller.reconcile.job.perform import JobLifeCycle
from controller.reconcile.managed.lost_creation import find_own
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.managed.marker import is_marked, marked
from controller.reconcile.observation import ExternalResource, Ownership
from controller.reconcile.steps import Describe, VerifyOwner
from controller.runtime.errors import ABSENT, ErrorClass
from controller.runtime.frozen import replace

_log: Final = structlog.get_logger(__name__)

MOST_STEP_PAGES: Final = 20
"""Pages of steps that are read each time: further ones of a longer execution are neither shown nor counted."""
_DISPLAY_NAME: Final = "PipelineExecutionDisplayName"
_LONGEST_NAME: Final = 82


def completed(obj: JsonObject, request: JsonObject) -> JsonObject:
    """Return a request that starts an execution with the object's mark, and with the object's name to be shown."""
    shown = request.get(_DISPLAY_NAME) or _display_name(obj["metadata"]["name"])
    return {**marked(PIPELINE_EXECUTION, obj, request), _DISPLAY_NAME: shown}


def _display_name(name: str) -> str:
    """Return the name of an object as far as AWS takes it: letters, digits and single places for hyphens."""
    return re.sub(r"[^a-zA-Z0-9]+", "-", name)[:_LONGEST_NAME].strip("-")


class ExecutionLifeCycle:
    """`LifeCycle` of pipeline executions."""

    def __init__(self, job: JobLifeCycle, jobs: Jobs, parts: Parts) -> None:
        self._job = job
        self._jobs = jobs
        self._parts = parts

    def observe(self, managed: ManagedObject) -> JobObservation:
        """See `LifeCycle.observe`."""
        return self._job.observe(managed)

    def decide(self, observed: JobObservation) -> JobStep:
        """See `LifeCycle.decide`."""
        return self._job.decide(observed)

    def perform(self, step: JobStep, observed: JobObservation, managed: ManagedObject) -> JobObservation:
        """See `LifeCycle.perform`."""
        match step:
            case Describe() if observed.base.recorded is None and not observed.base.is_legacy:
                return self._find(step, observed, managed)
            case Describe():
                return self._with_steps(self._job.perform(step, observed, managed), managed)
            case VerifyOwner(arn):
                return self._verify_owner(arn, observed, managed)
            case _:
                return self._job.perform(step, observed, managed)

    def forget(self, key: ObjectKey) -> None:
        """See `LifeCycle.forget`."""
        self._job.forget(key)

    def _find(self, step: Describe, observed: JobObservation, managed: ManagedObject) -> JobObservation:
        """Look for the object's execution among those of the pipeline that were started since the object exists."""
        arn = find_own(managed, self._parts)
        if not arn:
            return observed.with_base(replace(observed.base, external=ABSENT))
        observed = self._job.perform(step, observed.with_base(replace(observed.base, name=arn)), managed)
        observed = self._with_steps(observed, managed)
        return observed.with_base(replace(observed.base, owner=Ownership.OURS))

    def _with_steps(self, observed: JobObservation, managed: ManagedObject) -> JobObservation:
        """Return the observation of a described execution with its steps.

        While it runs, a refusal leaves them as they are shown: the state counts more. What has ended is not described
        again, so only a right that is missing keeps its steps from being shown.
        """
        external = observed.base.external
        if not isinstance(external, ExternalResource):
            return observed
        has_ended = external.value in managed.descriptor.status.terminal
        try:
            steps = self._steps(observed.base.name, managed)
        except CallError as error:
            if has_ended and error.error_class is not ErrorClass.DENIED:
                raise
            _log.info("steps cannot be read", execution=observed.base.name, code=error.code)
            return observed
        external = replace(external, fields={**external.fields, **shown_steps(steps)})
        return observed.with_base(replace(observed.base, external=external))

    def _steps(self, arn: str, managed: ManagedObject) -> list[JsonObject]:
        """Return the steps that have begun, oldest first, as far as they are counted."""
        target, token = managed.identity.target(), ""
        steps: list[JsonObject] = []
        for _ in range(MOST_STEP_PAGES):
            read = partial(self._parts.steps_page, target, arn, next_token=token, caller=managed.key)
            page = managed.read(("steps", arn, token), read)
            steps += page.items
            if not (token := page.next_token):
                break
        return steps

    def _verify_owner(self, arn: str, observed: JobObservation, managed: ManagedObject) -> JobObservation:
        """Return the observation with the owner of an execution, by its description."""
        target, descriptor = managed.identity.target(), managed.descriptor
        answer = self._jobs.describe(descriptor, target, arn, caller=managed.key, background=False)
        if answer is ABSENT:
            return observed.with_base(replace(observed.base, external=ABSENT))
        is_own = is_marked(descriptor, managed.obj, answer)
        owner = Ownership.OURS if is_own else Ownership.FOREIGN
        return observed.with_base(replace(observed.base, owner=owner))
