"""Warm pools: instances kept after a training job for the next one, as shown by a job and its filters, and changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hack.sandbox.aws.jobs.job import Job
from hack.sandbox.aws.wire import invalid


def warm_pool(job: Job, now: float) -> dict[str, Any]:
    """Return the member WarmPoolStatus, or nothing for a job that keeps no instances or still uses them."""
    end = job.course.at(now)
    if not end.is_terminal or not (_keep_s(job) or job.pool_ended_at is not None):
        return {}
    limits = [now - end.at, float("inf") if job.pool_ended_at is None else job.pool_ended_at - end.at]
    retained_s = min(*limits, _keep_s(job) or float("inf"))
    is_available = job.pool_ended_at is None and retained_s < _keep_s(job)
    status = "Available" if is_available else "Terminated"
    return {"WarmPoolStatus": {"Status": status, "ResourceRetainedBillableTimeInSeconds": int(retained_s)}}


def updated(job: Job, members: Mapping[str, Any], now: float) -> Job:
    """Return the job after UpdateTrainingJob. Raises ApiError if its state does not allow that.

    While it runs, everything can be changed; while its warm pool is available, the time for which that is kept.
    Source: developer guide, "Use SageMaker managed warm pools"; the real wording of refusals is unknown.
    """
    step = job.course.at(now)
    resources = members.get("ResourceConfig")
    if step.is_terminal:
        is_kept = warm_pool(job, now).get("WarmPoolStatus", {}).get("Status") == "Available"
        if set(members) != {"ResourceConfig"} or not is_kept:
            raise invalid(f"The request was rejected because the training job is in status {step.status}.")
        if not resources["KeepAlivePeriodInSeconds"]:
            job = replace(job, pool_ended_at=now)
    elif step.status != "InProgress":
        raise invalid(f"The request was rejected because the training job is in status {step.status}.")
    changed = {key: value for key, value in members.items() if key != "ResourceConfig"}
    if resources is not None:
        changed["ResourceConfig"] = {**(job.request.get("ResourceConfig") or {}), **resources}
    return replace(job, request={**job.request, **changed})


def has_warm_pool_status(job: Job, wanted: str, now: float) -> bool:
    """Return whether the job passes the filter WarmPoolStatusEquals."""
    return bool(warm_pool(job, now).get("WarmPoolStatus", {}).get("Status") == wanted)


def has_training_plan(job: Job, wanted: str, _now: float) -> bool:
    """Return whether the job passes the filter TrainingPlanArnEquals."""
    return bool((job.request.get("ResourceConfig") or {}).get("TrainingPlanArn") == wanted)


def _keep_s(job: Job) -> float:
    keep_s: float = (job.request.get("ResourceConfig") or {}).get("KeepAlivePeriodInSeconds", 0)
    return keep_s
