"""Warm pools: instances kept after a training job for the next one, as shown by a job and its filters."""

from typing import Any

from hack.sandbox.aws.jobs.job import Job


def warm_pool(job: Job, now: float) -> dict[str, Any]:
    """Return the member WarmPoolStatus, or nothing for a job that keeps no instances or still uses them."""
    keep_s = (job.request.get("ResourceConfig") or {}).get("KeepAlivePeriodInSeconds", 0)
    end = job.course.at(now)
    if not keep_s or not end.is_terminal:
        return {}
    retained_s = min(now - end.at, keep_s)
    status = "Available" if retained_s < keep_s else "Terminated"
    return {"WarmPoolStatus": {"Status": status, "ResourceRetainedBillableTimeInSeconds": int(retained_s)}}


def has_warm_pool_status(job: Job, wanted: str, now: float) -> bool:
    """Return whether the job passes the filter WarmPoolStatusEquals."""
    return bool(warm_pool(job, now).get("WarmPoolStatus", {}).get("Status") == wanted)


def has_training_plan(job: Job, wanted: str, _now: float) -> bool:
    """Return whether the job passes the filter TrainingPlanArnEquals."""
    return bool((job.request.get("ResourceConfig") or {}).get("TrainingPlanArn") == wanted)
