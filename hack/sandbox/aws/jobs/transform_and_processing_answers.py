"""Builds Describe and List responses of transform and processing jobs, and their containers' lines in CloudWatch."""

import copy
import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hack.sandbox.aws.jobs.job import Job
from hack.sandbox.aws.jobs.transform_and_processing import WORKING, exit_message
from hack.sandbox.aws.records.resource import LogStream, stamp
from hack.sandbox.aws.records.validation import echoed_members

_LINES = 8


def describe_transform(job: Job, now: float) -> dict[str, Any]:
    """Return the members of DescribeTransformJob other than the common ones, with the service's defaults."""
    answer = _echoed(job, "TransformJob")
    answer["TransformInput"].setdefault("CompressionType", "None")
    answer["TransformInput"].setdefault("SplitType", "None")
    answer["TransformOutput"].setdefault("AssembleWith", "None")
    answer["TransformOutput"].setdefault("KmsKeyId", "")
    processing = answer.setdefault("DataProcessing", {})
    for member, default in (("InputFilter", "$"), ("OutputFilter", "$"), ("JoinSource", "None")):
        processing.setdefault(member, default)
    return answer | _times(job, now, "TransformStartTime", "TransformEndTime")


def describe_processing(job: Job, now: float) -> dict[str, Any]:
    """Return the members of DescribeProcessingJob other than the common ones, with the service's defaults."""
    answer = _echoed(job, "ProcessingJob")
    answer.setdefault("StoppingCondition", {}).setdefault("MaxRuntimeInSeconds", 86_400)
    for given in answer.get("ProcessingInputs", ()):
        given.setdefault("AppManaged", False)
        if "S3Input" in given:
            given["S3Input"].setdefault("S3DataDistributionType", "FullyReplicated")
            given["S3Input"].setdefault("S3CompressionType", "None")
    for output in answer.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        output.setdefault("AppManaged", False)
    return answer | _times(job, now, "ProcessingStartTime", "ProcessingEndTime") | _exit_message(job, now)


def summarize_transform(job: Job, now: float) -> dict[str, Any]:
    """Return the members of TransformJobSummary other than the common ones."""
    return _end(job, now, "TransformEndTime")


def summarize_processing(job: Job, now: float) -> dict[str, Any]:
    """Return the members of ProcessingJobSummary other than the common ones."""
    return _end(job, now, "ProcessingEndTime") | _exit_message(job, now)


def transform_log(job: Job, now: float) -> Iterator[LogStream]:
    """Yield two streams for each instance, `<job>/<instance>-<epoch>` and its `/data-log`."""
    begun = job.course.first(WORKING, now)
    if begun is None:
        return
    for number in range(job.request["TransformResources"]["InstanceCount"]):
        instance = f"i-{hashlib.sha256(f'{job.arn}{number}'.encode()).hexdigest()[:17]}"
        name = f"{job.name}/{instance}-{int(begun)}"
        yield LogStream(name, begun, tuple(_written(job, now, "INFO: batch {0} of {1} transformed")))
        yield LogStream(f"{name}/data-log", begun, ((begun, "Starting transform: reading input objects"),))


def processing_log(job: Job, now: float) -> Iterator[LogStream]:
    """Yield one stream for each instance, `<job>/algo-<n>-<epoch>`."""
    begun = job.course.first(WORKING, now)
    if begun is None:
        return
    for number in range(1, job.request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] + 1):
        name = f"{job.name}/algo-{number}-{int(begun)}"
        yield LogStream(name, begun, tuple(_written(job, now, "INFO: part {0} of {1} processed")))


def _written(job: Job, now: float, line: str) -> Iterator[tuple[float, str]]:
    """Yield the lines written by `now`, at a pace that does not depend on what ends the job."""
    work = next((step, following) for step, following in pairwise(job.course.steps) if step.secondary == WORKING)
    started_at, following = work[0].at, work[1]
    planned_s = job.durations.transform_s if "TransformInput" in job.request else job.durations.processing_s
    pace_s = (planned_s if job.markers.work_s is None else job.markers.work_s) / (_LINES + 1)
    lines = [(started_at, "INFO: container started")]
    lines += [(started_at + pace_s * number, line.format(number, _LINES)) for number in range(1, _LINES + 1)]
    lines = [(at, text) for at, text in lines if at < following.at or at == started_at]
    if following.failure:
        lines.append((following.at, f"ERROR: {following.failure}"))
    elif following.status == "Completed":
        lines.append((following.at, "INFO: done"))
    else:
        lines.append((following.at, "INFO: received SIGTERM"))
    yield from ((at, text) for at, text in lines if at <= now)


def _echoed(job: Job, resource: str) -> dict[str, Any]:
    members = echoed_members(resource)
    return copy.deepcopy({member: value for member, value in job.request.items() if member in members})


def _times(job: Job, now: float, start: str, end: str) -> dict[str, Any]:
    begun = job.course.first(WORKING, now)
    step = job.course.at(now)
    answer: dict[str, Any] = {} if begun is None else {start: stamp(begun)}
    return answer | ({end: stamp(step.at)} if step.is_terminal else {})


def _end(job: Job, now: float, member: str) -> dict[str, Any]:
    step = job.course.at(now)
    answer: dict[str, Any] = {member: stamp(step.at)} if step.is_terminal else {}
    return answer | ({"FailureReason": step.failure} if step.failure else {})


def _exit_message(job: Job, now: float) -> dict[str, Any]:
    """Return the container's exit message: it has one only when it fails itself."""
    is_own_failure = job.course.at(now).failure.startswith("AlgorithmError")
    return {"ExitMessage": exit_message(job.markers)} if is_own_failure else {}
