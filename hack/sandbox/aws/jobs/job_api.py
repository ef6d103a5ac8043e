"""The operations of a kind of job, derived from its descriptor: create, describe, stop, list and delete.

Responses are JSON 1.1 values; times are epoch seconds with milliseconds, as SageMaker sends them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hack.sandbox.aws.jobs.job import Job, JobKind
from hack.sandbox.aws.records import triggers
from hack.sandbox.aws.records.listing import answered
from hack.sandbox.aws.records.resource import AnyKind, Store, stamp
from hack.sandbox.aws.records.tags import tag_map
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.records.validation import output_members, validate
from hack.sandbox.aws.wire import Call

Operation = Callable[[Call], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class JobApi:
    """The operations of one kind over one store."""

    kind: JobKind
    store: Store
    durations: Durations

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        resource = self.kind.resource
        table: dict[str, Operation] = {
            f"Create{resource}": self.create,
            f"Describe{resource}": self.describe,
            f"Stop{resource}": self.stop,
            f"List{resource}s": self.list,
        }
        if self.kind.update is not None:
            table[f"Update{resource}"] = self.update
        if self.kind.is_deletable:
            table[f"Delete{resource}"] = self.delete
        return table

    def create(self, call: Call) -> dict[str, Any]:
        """Store a job with its timeline. Checks run in the service's order: form, content, name."""
        validate("sagemaker", call.operation, call.params)
        related = self.kind.check(call, self.store)
        request = {key: value for key, value in call.params.items() if key != "Tags"}
        name = request[self.kind.name_member]
        asked = triggers.read(call.params, name, *related)
        job = Job(
            name=name,
            arn=self.kind.arn(call, name),
            region=call.region,
            account=call.account,
            request=request,
            created_at=call.now,
            course=self.kind.plan(request, asked, call.now, self.durations),
            markers=asked,
            durations=self.durations,
            tags=tag_map(call.params.get("Tags") or ()),
        )
        self.store.add(self.kind, job)
        return {self.kind.arn_member: job.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the full description of a job."""
        job = self.store.get(self.kind, call, self._name(call))
        answer = common_answer(self.kind, job, call.now) | self.kind.describe(job, call.now)
        known = output_members(call.operation)
        return {member: value for member, value in answer.items() if member in known}

    def stop(self, call: Call) -> None:
        """Request the stop of a job, which must be in progress."""

        def stopped(job: Job) -> Job:
            status = job.status_at(call.now)
            if status != "InProgress":
                raise self.kind.wrong_state.raised(name=job.name, status=status)
            return replace(job, course=self.kind.stop(job.course, call.now, job.durations))

        self.store.change(self.kind, call, self._name(call), stopped)

    def update(self, call: Call) -> dict[str, Any]:
        """Change a job, as far as its state allows it."""
        name, update = self._name(call), self.kind.update
        assert update is not None
        members = {key: value for key, value in call.params.items() if key != self.kind.name_member}
        job = self.store.change(self.kind, call, name, lambda job: update(job, members, call.now))
        return {self.kind.arn_member: job.arn}

    def delete(self, call: Call) -> None:
        """Remove a finished job."""

        def check(job: Job) -> None:
            step = job.course.at(call.now)
            if not step.is_terminal:
                raise self.kind.wrong_state.raised(name=job.name, status=step.status)

        self.store.remove(self.kind, call, self._name(call), check)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries, filtered and sorted; by default the 10 newest."""
        validate("sagemaker", call.operation, call.params)
        return answered(self.kind, call, self.store, lambda job: self._summary(job, call.now))

    def _summary(self, job: Job, now: float) -> dict[str, Any]:
        answer = common_answer(self.kind, job, now)
        answer.pop("FailureReason", None)  # kinds with this member in summaries add it themselves
        return answer | self.kind.summary(job, now)

    def _name(self, call: Call) -> str:
        validate("sagemaker", call.operation, call.params)
        name: str = call.params[self.kind.name_member]
        return name


def common_answer(kind: AnyKind, job: Job, now: float) -> dict[str, Any]:
    """Return the members of Describe that all kinds of jobs share."""
    step = job.course.at(now)
    answer = {
        kind.name_member: job.name,
        kind.arn_member: job.arn,
        kind.status_member: step.status,
        "CreationTime": stamp(job.created_at),
        "LastModifiedTime": stamp(step.at),
    }
    return answer | ({"FailureReason": step.failure} if step.failure else {})
