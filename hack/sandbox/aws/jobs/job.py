"""The record of one SageMaker job, and a descriptor per kind.

A kind is data: its operations are called Create, Describe, Stop, Delete and List plus the kind's name, and differ in
the timeline of a request and in the members of a response. `job_api.py` turns a `JobKind` into operations.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.records.resource import ErrorText, Kind, Resource, Store
from hack.sandbox.aws.records.timeline import Course, Durations
from hack.sandbox.aws.records.triggers import Markers
from hack.sandbox.aws.wire import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Resource):
    """One job."""

    course: Course
    markers: Markers
    durations: Durations
    tuning_job_arn: str = ""  # of the tuning job that launched it
    pool_ended_at: float | None = None  # when an update has ended its warm pool

    def status_at(self, now: float) -> str:
        """Return the primary status."""
        return self.course.at(now).status

    def modified_at(self, now: float) -> float:
        """Return the time of the last transition."""
        return self.course.at(now).at


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind(Kind[Job]):
    """A kind of job.

    `check` raises ApiError for an invalid request, and otherwise returns the requests of the resources that the job
    uses (its model), since their markers count as the job's own. `plan` and `stop` are pure.
    """

    wrong_state: ErrorText  # of a Stop that is too late
    check: Callable[[Call, Store], Iterable[Mapping[str, Any]]]
    plan: Callable[[Mapping[str, Any], Markers, float, Durations], Course]
    stop: Callable[[Course, float, Durations], Course]
    is_deletable: bool = False
    update: Callable[[Job, Mapping[str, Any], float], Job] | None = None  # raises ApiError in a wrong state
