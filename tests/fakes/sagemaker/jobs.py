"""SageMaker's jobs in memory: names are unique, tests move their state, answers may lag or fail."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from api.descriptor import KindDescriptor
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from tests.fakes.calls import CallLog, Service, refusal
from tests.fakes.clock import FakeClock
from tests.fakes.sagemaker.arns import ACCOUNT, arn_of


@dataclass(slots=True)
class Job:
    """One job; `request` is what it was created from."""

    name: str
    arn: str
    request: dict[str, Any]
    created: datetime
    modified: datetime
    value: str = "InProgress"
    secondary: str = "Starting"
    extra: dict[str, Any] = field(default_factory=dict)
    past: list["Job"] = field(default_factory=list)
    """What it was before each of its changes."""

    def as_of(self, until: datetime) -> "Job | None":
        """The job as it was then; None before it existed."""
        return next((each for each in (self, *reversed(self.past)) if each.modified <= until), None)

    @property
    def tags(self) -> dict[str, str]:
        """As ListTags returns them."""
        return {tag["Key"]: tag["Value"] for tag in self.request.get("Tags", ())}


class FakeJobs(Service):
    """`controller.aws.sagemaker.Jobs` in memory, for one kind of job."""

    def __init__(
        self, descriptor: KindDescriptor, clock: FakeClock, log: CallLog | None = None, account: str = ACCOUNT
    ) -> None:
        super().__init__(descriptor.kind, clock, [] if log is None else log)
        self._descriptor = descriptor
        self._account = account
        self.jobs: dict[tuple[str, str], Job] = {}
        self.stopped: list[str] = []
        """Jobs whose stop was requested and granted."""
        self.page_size = 100
        self.search_lag_s = 0.0
        """Seconds after which Search shows a state."""
        self.is_searchable: Callable[[Job], bool] = lambda job: True
        """Whether Search ever shows a job."""
        self.lag_s = 0.0
        """Seconds for which a new job is known to Create only (eventual consistency)."""

    # --- the test's side

    def move(self, name: str, value: str, secondary: str = "", *, region: str = "us-east-2", **extra: Any) -> None:
        """Change the state of a job."""
        job = self.jobs[region, name]
        job.past.append(replace(job))
        job.value, job.secondary, job.modified = value, secondary or value, self._clock.utcnow()
        job.extra.update(extra)

    def existing(self, name: str, value: str = "InProgress", *, region: str = "us-east-2", **request: Any) -> Job:
        """Add a job that the operator has not created, and return it."""
        now = self._clock.utcnow()
        job = self.jobs[region, name] = Job(name, self._arn(region, name), request, now, now, value)
        return job

    # --- the port

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Jobs.create`."""
        name = request[descriptor.name.member]
        with self._call("create", name):
            if (target.region, name) in self.jobs:
                raise AwsError(ErrorClass.EXISTS, "ResourceInUse", "Training job names must be unique")
            now = self._clock.utcnow()
            job = Job(name, self._arn(target.region, name), dict(request), now, now)
            self.jobs[target.region, name] = job
        return job.arn

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        """See `Jobs.describe`."""
        with self._call("describe", name):
            job = self._visible(target, name)
        return {**self._summary(descriptor, job), **self._mutable(descriptor, job), **job.extra} if job else ABSENT

    def stop(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Jobs.stop`."""
        with self._call("stop", name):
            job = self._visible(target, name)
            if job is None:
                return ABSENT
            if job.value != "InProgress":
                raise AwsError(ErrorClass.CONFLICT, "ValidationException", f"the training job is in status {job.value}")
            self.stopped.append(name)
            self.move(name, "Stopping", region=target.region)
        return None

    def update(
        self, descriptor: KindDescriptor, target: Target, name: str, members: Mapping[str, Any], *, caller: Hashable
    ) -> None:
        """See `Jobs.update`: while the job runs, or its warm pool is available."""
        with self._call("update", name):
            job = self.jobs[target.region, name]
            is_kept = job.extra.get("WarmPoolStatus", {}).get("Status") == "Available"
            if job.value != "InProgress" and not (is_kept and set(members) == {"ResourceConfig"}):
                raise refusal("UpdateTrainingJob", f"the training job is in status {job.value}")
            for member, value in members.items():
                kept = job.request.get(member, {}) if member == "ResourceConfig" else {}
                job.request[member] = {**kept, **value} if isinstance(value, Mapping) else value

    @staticmethod
    def _mutable(descriptor: KindDescriptor, job: Job) -> dict[str, Any]:
        """What Describe shows of the members that an update changes."""
        names = {each.split(".")[0] for each in descriptor.update.absent} if descriptor.update else set()
        return {name: job.request[name] for name in names if name in job.request}

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        with self._call("list", target.region):
            there = [job for (region, _), job in self.jobs.items() if region == target.region]
        if self.lag_s:
            there = [job for job in there if self._is_visible(job)]
        there.sort(key=attrgetter("created"), reverse=True)
        return self._page(descriptor, there, next_token)

    def _page(self, descriptor: KindDescriptor, jobs: Sequence[Job], next_token: str) -> Page:
        start = int(next_token or 0)
        end = start + self.page_size
        page = tuple(self._summary(descriptor, job) for job in jobs[start:end])
        return Page(items=page, next_token=str(end) if end < len(jobs) else "")

    def search_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.search_page`."""
        with self._call("search", target.region):
            found = [job for (region, _), job in self.jobs.items() if region == target.region]
        found = [job for job in found if self.is_searchable(job)]
        if self.search_lag_s:
            until = self._clock.utcnow() - timedelta(seconds=self.search_lag_s)
            found = [shown for job in found if (shown := job.as_of(until)) is not None]
        found.sort(key=attrgetter("modified"), reverse=True)
        return self._page(descriptor, found, next_token)

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Jobs.tags`."""
        with self._call("tags", arn):
            return next((job.tags for job in self.jobs.values() if job.arn == arn), ABSENT)

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        with self._call("add tags", arn):
            job = self._by_arn(arn)
            added = {tag["Key"]: tag["Value"] for tag in tags}
            job.request["Tags"] = [{"Key": key, "Value": value} for key, value in {**job.tags, **added}.items()]

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """See `Jobs.delete_tags`."""
        with self._call("delete tags", arn):
            job = self._by_arn(arn)
            job.request["Tags"] = [{"Key": key, "Value": job.tags[key]} for key in job.tags if key not in keys]

    def _by_arn(self, arn: str) -> Job:
        for job in self.jobs.values():
            if job.arn == arn:
                return job
        raise AwsError(ErrorClass.QUOTA, "ResourceNotFound", "no such resource")

    def _visible(self, target: Target, name: str) -> Job | None:
        job = self.jobs.get((target.region, name))
        return job if job is not None and self._is_visible(job) else None

    def _is_visible(self, job: Job) -> bool:
        return (self._clock.utcnow() - job.created).total_seconds() >= self.lag_s

    @staticmethod
    def _summary(descriptor: KindDescriptor, job: Job) -> dict[str, Any]:
        rule = descriptor.status
        summary = {
            descriptor.name.member: job.name,
            rule.arn_member: job.arn,
            "CreationTime": job.created,
            "LastModifiedTime": job.modified,
            rule.member: job.value,
        }
        if rule.secondary_member:
            summary[rule.secondary_member] = job.secondary
        return summary

    def _arn(self, region: str, name: str) -> str:
        return arn_of(self._descriptor, name, region=region, account=self._account)
