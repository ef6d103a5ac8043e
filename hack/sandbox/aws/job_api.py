"""The operations of a kind of job, made from its descriptor: create, describe, stop, list and delete.

Answers are JSON 1.1 values; times are epoch seconds with milliseconds, as SageMaker sends them.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import Any

from hack.sandbox.aws import markers
from hack.sandbox.aws.course import Durations
from hack.sandbox.aws.jobs import Job, JobKind, JobStore
from hack.sandbox.aws.tags import tag_map
from hack.sandbox.aws.validation import validate
from hack.sandbox.aws.wire import Call, invalid

Operation = Callable[[Call], dict[str, Any] | None]
_DEFAULT_PAGE = 10


@dataclass(frozen=True, slots=True)
class JobApi:
    """The operations of one kind over one store."""

    kind: JobKind
    store: JobStore
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
        if self.kind.is_deletable:
            table[f"Delete{resource}"] = self.delete
        return table

    def create(self, call: Call) -> dict[str, Any]:
        """Accept a job and draw up its course. The order of refusals is the service's: form, content, name."""
        validate("sagemaker", call.operation, call.params)
        self.kind.check(call.params)
        request = {key: value for key, value in call.params.items() if key != "Tags"}
        name = request[self.kind.name_member]
        asked = markers.read(call.params, name)
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
        return {f"{self.kind.resource}Arn": job.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return everything there is to say about a job."""
        job = self.store.get(self.kind, call, self._name(call))
        step = job.course.at(call.now)
        answer = {
            self.kind.name_member: job.name,
            f"{self.kind.resource}Arn": job.arn,
            self.kind.status_member: step.status,
            "CreationTime": stamp(job.created_at),
            "LastModifiedTime": stamp(step.at),
        }
        if step.failure:
            answer["FailureReason"] = step.failure
        return answer | self.kind.describe(job, call.now)

    def stop(self, call: Call) -> None:
        """Ask a job to stop; only one in progress can be asked."""

        def stopped(job: Job) -> Job:
            status = job.course.at(call.now).status
            if status != "InProgress":
                raise self.kind.wrong_state.raised(name=job.name, status=status)
            return replace(job, course=self.kind.stop(job.course, call.now, job.durations))

        self.store.change(self.kind, call, self._name(call), stopped)

    def delete(self, call: Call) -> None:
        """Forget a job that has ended."""

        def check(job: Job) -> None:
            step = job.course.at(call.now)
            if not step.is_terminal:
                raise self.kind.wrong_state.raised(name=job.name, status=step.status)

        self.store.remove(self.kind, call, self._name(call), check)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries, filtered and sorted; by default the 10 newest."""
        validate("sagemaker", call.operation, call.params)
        params = call.params
        tests = _filters(self.kind, call)
        jobs = [
            job
            for job in self.store.list(self.kind, call.account, call.region)
            if not tests or all(test(job) for test in tests)
        ]
        is_ascending = params.get("SortOrder") == "Ascending"
        jobs.sort(key=_sort_key(params.get("SortBy") or "CreationTime", call.now), reverse=not is_ascending)
        start = _offset(params.get("NextToken"), jobs)
        page = jobs[start : start + (params.get("MaxResults") or _DEFAULT_PAGE)]
        answer: dict[str, Any] = {f"{self.kind.resource}Summaries": [self._summary(job, call.now) for job in page]}
        if start + len(page) < len(jobs):
            answer["NextToken"] = _token(start + len(page), page[-1].name)
        return answer

    def _summary(self, job: Job, now: float) -> dict[str, Any]:
        step = job.course.at(now)
        return {
            self.kind.name_member: job.name,
            f"{self.kind.resource}Arn": job.arn,
            self.kind.status_member: step.status,
            "CreationTime": stamp(job.created_at),
            "LastModifiedTime": stamp(step.at),
        } | self.kind.summary(job, now)

    def _name(self, call: Call) -> str:
        validate("sagemaker", call.operation, call.params)
        name: str = call.params[self.kind.name_member]
        return name


def stamp(at: float) -> float:
    """Return a time as SageMaker sends it: epoch seconds with milliseconds."""
    return round(at, 3)


def _filters(kind: JobKind, call: Call) -> list[Callable[[Job], bool]]:
    """Return a test for each filter given: with none, a list of 100,000 jobs costs no call per job."""
    wanted, now = call.params, call.now
    tests: list[Callable[[Job], bool]] = []
    if part := wanted.get("NameContains", "").lower():
        tests.append(lambda job: part in job.name.lower())
    if status := wanted.get("StatusEquals"):
        tests.append(lambda job: job.course.at(now).status == status)
    tests += _bounds(lambda job: job.created_at, wanted.get("CreationTimeAfter"), wanted.get("CreationTimeBefore"))
    for member, passes in kind.filters.items():
        if member in wanted:
            tests.append(partial(_passes, passes, wanted[member], now))
    after, before = wanted.get("LastModifiedTimeAfter"), wanted.get("LastModifiedTimeBefore")
    return tests + _bounds(lambda job: job.course.at(now).at, after, before)


def _passes(passes: Callable[[Job, Any, float], bool], wanted: Any, now: float, job: Job) -> bool:
    return passes(job, wanted, now)


def _bounds(at: Callable[[Job], float], after: float | None, before: float | None) -> list[Callable[[Job], bool]]:
    tests: list[Callable[[Job], bool]] = []
    if after is not None:
        tests.append(lambda job: stamp(at(job)) > after)
    if before is not None:
        tests.append(lambda job: stamp(at(job)) < before)
    return tests


def _sort_key(by: str, now: float) -> Callable[[Job], Any]:
    """Return a sort key; the name breaks ties, so that pages neither repeat nor lose a job of the same instant."""
    if by == "Name":
        return attrgetter("name")
    if by == "Status":
        return lambda job: (job.course.at(now).status, job.name)
    return attrgetter("created_at", "name")


def _token(offset: int, last: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([offset, last]).encode()).decode()


def _offset(token: str | None, jobs: list[Job]) -> int:
    """Return where a page starts: after the job that ended the last page, or at its old position if that is gone."""
    if not token:
        return 0
    try:
        offset, last = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError) as exc:
        raise invalid("Invalid pagination token") from exc
    position = next((number for number, job in enumerate(jobs) if job.name == last), None)
    return int(offset) if position is None else position + 1
