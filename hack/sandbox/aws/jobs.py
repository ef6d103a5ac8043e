"""What all kinds of SageMaker jobs share: a descriptor per kind, the record of one job, and the jobs of an account.

A kind is data: its operations are called Create, Describe, Stop, Delete and List plus the kind's name, and differ in
how a request becomes a course and in what an answer holds. `job_api.py` turns a `JobKind` into operations.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from hack.sandbox.aws.course import Course, Durations
from hack.sandbox.aws.markers import Markers
from hack.sandbox.aws.wire import ApiError, Call


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Immutable: stopping or tagging it puts a changed copy in its place."""

    name: str
    arn: str
    region: str
    account: str
    request: Mapping[str, Any]  # as validated, Tags removed
    created_at: float
    course: Course
    markers: Markers
    durations: Durations
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ErrorText:
    """An error of the real service: its code, and its message with `{name}`, `{arn}` or `{status}` to fill in."""

    code: str
    message: str

    def raised(self, **facts: str) -> ApiError:
        """Return the exception for these facts."""
        return ApiError(self.code, self.message.format(**facts))


@dataclass(frozen=True, slots=True)
class LogStream:
    """One CloudWatch log stream with the lines written so far: (epoch seconds, text), ascending."""

    name: str
    created_at: float
    lines: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job as the API knows it. The callables are pure; `check` raises ApiError for what it refuses."""

    resource: str  # as in CreateTrainingJob
    arn_segment: str
    log_group: str
    not_found: ErrorText
    exists: ErrorText
    wrong_state: ErrorText  # of a Stop that comes too late
    check: Callable[[Mapping[str, Any]], None]
    plan: Callable[[Mapping[str, Any], Markers, float, Durations], Course]
    stop: Callable[[Course, float, Durations], Course]
    describe: Callable[[Job, float], dict[str, Any]]
    log_lines: Callable[[Job, float], Iterable[LogStream]]
    summary: Callable[[Job, float], dict[str, Any]]  # members beside name, ARN, status and the two common times
    is_deletable: bool = False
    filters: Mapping[str, Callable[[Job, Any, float], bool]] = field(default_factory=dict)  # beyond the common ones

    @property
    def name_member(self) -> str:
        """The request member that names the job."""
        return f"{self.resource}Name"

    @property
    def status_member(self) -> str:
        """The answer member that holds the primary status."""
        return f"{self.resource}Status"

    def arn(self, call: Call, name: str) -> str:
        """Return the ARN of a job called `name`; SageMaker writes names in ARNs in lower case."""
        return f"arn:{partition(call.region)}:sagemaker:{call.region}:{call.account}:{self.arn_segment}/{name.lower()}"


_Place: TypeAlias = tuple[JobKind, str, str, str]  # kind, account, region, name


class JobStore:
    """The jobs of all accounts and regions. Thread-safe; hands out immutable records."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[tuple[str, str, str], dict[str, Job]] = {}  # (resource, account, region) → name → job
        self._by_arn: dict[str, _Place] = {}  # both guarded by _lock

    def add(self, kind: JobKind, job: Job) -> None:
        """Keep a new job. Raises the kind's "exists" error if its name (or a name differing in case only) is taken."""
        with self._lock:
            if job.arn in self._by_arn:
                raise kind.exists.raised(name=job.name, arn=job.arn)
            self._table(kind, job.account, job.region)[job.name] = job
            self._by_arn[job.arn] = (kind, job.account, job.region, job.name)

    def get(self, kind: JobKind, call: Call, name: str) -> Job:
        """Return the job called `name`; raises the kind's "not found" error."""
        with self._lock:
            return self._get_locked(kind, call.account, call.region, name)

    def change(self, kind: JobKind, call: Call, name: str, change: Callable[[Job], Job]) -> Job:
        """Replace a job by `change(job)`, atomically. What `change` raises leaves the job as it was."""
        with self._lock:
            job = change(self._get_locked(kind, call.account, call.region, name))
            self._table(kind, call.account, call.region)[name] = job
            return job

    def remove(self, kind: JobKind, call: Call, name: str, check: Callable[[Job], None]) -> None:
        """Forget a job if `check` does not raise."""
        with self._lock:
            job = self._get_locked(kind, call.account, call.region, name)
            check(job)
            del self._table(kind, call.account, call.region)[name]
            del self._by_arn[job.arn]

    def list(self, kind: JobKind, account: str, region: str) -> tuple[Job, ...]:
        """Return the jobs of a kind in one account and region, oldest first."""
        with self._lock:
            return tuple(self._table(kind, account, region).values())

    def by_arn(self, arn: str) -> Job:
        """Return the job with this ARN, of any kind. Raises KeyError for an unknown ARN."""
        with self._lock:
            return self._get_locked(*self._by_arn[arn])

    def retag(self, arn: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Replace the tags of an existing job, atomically. Raises KeyError for an unknown ARN."""
        with self._lock:
            kind, account, region, name = self._by_arn[arn]
            job = self._get_locked(kind, account, region, name)
            self._table(kind, account, region)[name] = replace(job, tags=change(job.tags))

    def clear(self) -> None:
        """Forget all jobs."""
        with self._lock:
            self._jobs.clear()
            self._by_arn.clear()

    def _table(self, kind: JobKind, account: str, region: str) -> dict[str, Job]:
        return self._jobs.setdefault((kind.resource, account, region), {})

    def _get_locked(self, kind: JobKind, account: str, region: str, name: str) -> Job:
        job = self._table(kind, account, region).get(name)
        if job is None:
            raise kind.not_found.raised(name=name)
        return job


def partition(region: str) -> str:
    """Return the ARN partition of a region."""
    prefixes = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc"}
    return next((name for prefix, name in prefixes.items() if region.startswith(prefix)), "aws")
