"""SageMaker in memory, for all kinds: one log of calls, and a service for each sort of record."""

from collections.abc import Hashable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from api.descriptor import KindDescriptor, LifeCycle
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    ENDPOINT_CONFIG,
    HOSTING_AUTOSCALING_POLICY,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    INFERENCE_COMPONENT,
    KINDS,
    MODEL,
    PIPELINE_EXECUTION,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import Absent
from hack.sandbox.aws.records.resource import Store
from tests.fakes.autoscaling import FakeAutoscaling
from tests.fakes.calls import CallLog
from tests.fakes.clock import FakeClock
from tests.fakes.sagemaker.arns import ACCOUNT, kind_of
from tests.fakes.sagemaker.components import FakeComponents
from tests.fakes.sagemaker.entries import FakeEntries
from tests.fakes.sagemaker.executions import FakeExecutions
from tests.fakes.sagemaker.hosting import FakeHosting
from tests.fakes.sagemaker.jobs import FakeJobs
from tests.fakes.sagemaker.tuning import FakeTuning


class FakeSageMaker:
    """The ports of `controller.aws.sagemaker` and `tuning_jobs`.

    `scaling` is that of `autoscaling`, `parts` that of `parts`.
    """

    def __init__(self, clock: FakeClock, account: str = ACCOUNT) -> None:
        self.calls: CallLog = []
        """The calls of all services, in order."""
        jobs = {
            each.kind: FakeJobs(each, clock, self.calls, account)
            for each in (TRAINING_JOB, PROCESSING_JOB, BATCH_TRANSFORM_JOB)
        }
        self.hosting = FakeHosting(clock, self.calls)
        self.components = FakeComponents(clock, self.calls, self.hosting)
        self.tuning = FakeTuning(clock, self.calls, training=jobs[TRAINING_JOB.kind])
        self.scaling = FakeAutoscaling(clock, self.calls)
        self.executions = FakeExecutions(PIPELINE_EXECUTION, clock, self.calls, account)
        self._store = Store()
        self._services: dict[str, Any] = {
            **jobs,
            HYPERPARAMETER_TUNING_JOB.kind: self.tuning,
            **dict.fromkeys((MODEL.kind, ENDPOINT_CONFIG.kind, HOSTING_DEPLOYMENT.kind), self.hosting),
            INFERENCE_COMPONENT.kind: self.components,
            HOSTING_AUTOSCALING_POLICY.kind: self.scaling,
            PIPELINE_EXECUTION.kind: self.executions,
            **{
                each.kind: FakeEntries(each.kind, clock, self.calls, self._store)
                for each in KINDS
                if each.life_cycle is LifeCycle.IN_PLACE
            },
        }

    def of(self, descriptor: KindDescriptor) -> Any:
        """Return the service of a kind: what tests move, make fail and look at."""
        return self._services[descriptor.kind]

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations called so far, in order."""
        return tuple(call.operation for call in self.calls)

    @property
    def parts(self) -> Any:
        """`Parts`: of each kind its own service, and the steps of executions."""

        def created_page(descriptor: KindDescriptor, *given: Any, **more: Any) -> Page:
            page: Page = self.of(descriptor).created_page(descriptor, *given, **more)
            return page

        return SimpleNamespace(created_page=created_page, steps_page=self.executions.steps_page)

    # --- the ports

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """See `Jobs.reserve`: calls are not limited."""

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Jobs.create`."""
        arn: str = self.of(descriptor).create(descriptor, target, request, caller=caller)
        return arn

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        """See `Jobs.describe`."""
        answer: dict[str, Any] | Absent = self.of(descriptor).describe(
            descriptor, target, name, caller=caller, background=background
        )
        return answer

    def stop(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Jobs.stop`."""
        answer: Absent | None = self.of(descriptor).stop(descriptor, target, name, caller=caller)
        return answer

    def update(
        self, descriptor: KindDescriptor, target: Target, name: str, members: Mapping[str, Any], *, caller: Hashable
    ) -> None:
        """See `Jobs.update`."""
        self.of(descriptor).update(descriptor, target, name, members, caller=caller)

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        answer: Absent | None = self.of(descriptor).delete(descriptor, target, name, caller=caller)
        return answer

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        of_entries = {
            each.resource_update.operation: self.of(each) for each in KINDS if each.resource_update is not None
        }
        service = self.components if INFERENCE_COMPONENT.name.member in request else self.hosting
        of_entries.get(operation, service).change(target, operation, request, caller=caller)

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        page: Page = self.of(descriptor).list_page(descriptor, target, next_token=next_token)
        return page

    def search_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.search_page`."""
        page: Page = self.of(descriptor).search_page(descriptor, target, next_token=next_token)
        return page

    def page(self, target: Target, tuning_job: str, *, next_token: str, caller: Hashable) -> Page:
        """See `TuningJobChildren.page`."""
        return self.tuning.page(target, tuning_job, next_token=next_token, caller=caller)

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Jobs.tags`."""
        tags: Mapping[str, str] | Absent = self._services[kind_of(arn)].tags(target, arn, caller=caller)
        return tags

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        self._services[kind_of(arn)].add_tags(target, arn, tags, caller=caller)

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """See `Jobs.delete_tags`."""
        self._services[kind_of(arn)].delete_tags(target, arn, keys, caller=caller)
