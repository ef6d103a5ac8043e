"""Builds Describe and List responses of a tuning job and its training jobs."""

import copy
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from hack.sandbox.aws.jobs.training_answers import OBJECTIVE_KEY, fill_defaults
from hack.sandbox.aws.jobs.tuning import Child, TuningJob, definitions, objective_of
from hack.sandbox.aws.records.resource import stamp
from hack.sandbox.aws.records.validation import echoed_members

_OBJECTIVES = {"Completed": "Succeeded", "InProgress": "Pending", "Stopping": "Pending"}


def describe(job: TuningJob, now: float) -> dict[str, Any]:
    """Return the members of DescribeHyperParameterTuningJob other than the common ones and the best of all parents."""
    members = echoed_members("HyperParameterTuningJob")
    answer = copy.deepcopy({member: value for member, value in job.request.items() if member in members})
    answer["HyperParameterTuningJobConfig"].setdefault("TrainingJobEarlyStoppingType", "Off")
    for definition in definitions(answer):
        _fill_definition(cast("dict[str, Any]", definition), objective_of(job.request, definition)["MetricName"])
    answer |= summary(job, now)
    for member in ("Strategy", "ResourceLimits"):
        del answer[member]
    best_child = best(job, now)
    if best_child is not None:
        answer["BestTrainingJob"] = {"TuningJobName": job.name, **summarize_child(job, best_child, now)}
    spent_s = sum(max(0.0, min(now, child.ends_at) - child.job.created_at) for child in launched(job, now))
    answer["ConsumedResources"] = {"RuntimeInSeconds": math.ceil(spent_s)}
    return answer


def summary(job: TuningJob, now: float) -> dict[str, Any]:
    """Return the members of HyperParameterTuningJobSummary other than the common ones."""
    config = job.request["HyperParameterTuningJobConfig"]
    statuses = [child.job.status_at(now) for child in launched(job, now)]
    counted, objectives = Counter(statuses), Counter(_OBJECTIVES.get(status, "Failed") for status in statuses)
    step = job.course.at(now)
    answer = {
        "Strategy": config["Strategy"],
        "ResourceLimits": dict(config["ResourceLimits"]),
        "TrainingJobStatusCounters": {
            "Completed": counted["Completed"],
            "InProgress": counted["InProgress"] + counted["Stopping"],
            "RetryableError": 0,
            "NonRetryableError": counted["Failed"],
            "Stopped": counted["Stopped"],
        },
        "ObjectiveStatusCounters": {status: objectives[status] for status in ("Succeeded", "Pending", "Failed")},
    }
    return answer | ({"HyperParameterTuningEndTime": stamp(step.at)} if step.is_terminal else {})


def launched(job: TuningJob, now: float) -> list[Child]:
    """Return the training jobs that exist at `now`."""
    return [child for child in job.children if child.job.created_at <= now]


def best(job: TuningJob, now: float) -> Child | None:
    """Return the training job with the best objective so far, or None before the first has one."""
    found = [(child, value) for child in launched(job, now) if (value := child.objective(now)) is not None]
    if not found:
        return None
    is_maximized = objective_of(job.request, found[0][0].definition)["Type"] == "Maximize"
    return max(found, key=lambda pair: pair[1] if is_maximized else -pair[1])[0]


def best_of_all(jobs: Iterable[TuningJob], now: float) -> dict[str, Any] | None:
    """Return the summary of the best training job of several tuning jobs with one objective, or None."""
    found = [(job, child) for job in jobs if (child := best(job, now)) is not None]
    if not found:
        return None
    first, first_child = found[0]
    sign = 1 if objective_of(first.request, first_child.definition)["Type"] == "Maximize" else -1
    job, child = max(found, key=lambda pair: sign * (pair[1].objective(now) or 0.0))
    return {"TuningJobName": job.name, **summarize_child(job, child, now)}


def summarize_child(job: TuningJob, child: Child, now: float) -> dict[str, Any]:
    """Return the HyperParameterTrainingJobSummary of a training job."""
    step = child.job.course.at(now)
    answer: dict[str, Any] = {
        "TrainingJobName": child.job.name,
        "TrainingJobArn": child.job.arn,
        "CreationTime": stamp(child.job.created_at),
        "TrainingJobStatus": step.status,
        "TunedHyperParameters": dict(child.tuned),
        "ObjectiveStatus": _OBJECTIVES.get(step.status, "Failed"),
    }
    if "DefinitionName" in child.definition:
        answer["TrainingJobDefinitionName"] = child.definition["DefinitionName"]
    started_at = child.job.course.first("Downloading", now)
    if started_at is not None:
        answer["TrainingStartTime"] = stamp(started_at)
    if step.is_terminal:
        answer["TrainingEndTime"] = stamp(step.at)
    if step.failure:
        answer["FailureReason"] = step.failure
    value = child.objective(now)
    if value is not None:
        objective = objective_of(job.request, child.definition)
        metric = {"Type": objective["Type"], "MetricName": objective["MetricName"], "Value": value}
        answer["FinalHyperParameterTuningJobObjectiveMetric"] = metric
    return answer


def _fill_definition(definition: dict[str, Any], objective: str) -> None:
    fill_defaults(definition)
    definition["AlgorithmSpecification"].pop("EnableSageMakerMetricsTimeSeries", None)
    definition.setdefault("StaticHyperParameters", {})[OBJECTIVE_KEY] = objective
    for switch in ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"):
        definition.setdefault(switch, False)
