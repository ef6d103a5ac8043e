"""Builds DescribeTrainingJob and ListTrainingJobs responses, and the container's lines in CloudWatch.

Responses contain the request with the service's defaults, so that a client that compares desired and actual state finds
the same differences as with AWS.
"""

import copy
import hashlib
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hack.sandbox.aws.jobs.debugger import rule_statuses
from hack.sandbox.aws.jobs.job import Job
from hack.sandbox.aws.jobs.training import attempt_s
from hack.sandbox.aws.jobs.warm_pool import warm_pool
from hack.sandbox.aws.records.resource import LogStream
from hack.sandbox.aws.records.timeline import Step
from hack.sandbox.aws.records.validation import echoed_members

_BUSY = frozenset({"Downloading", "Training", "Uploading", "Stopping"})
_LINES_A_TRAINING = 20
OBJECTIVE_KEY = "_tuning_objective_metric"  # the hyperparameter with the metric of a tuning job
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
# SageMaker adds the metrics of its built-in algorithms by itself; the guides' samples use XGBoost's.
_XGBOOST_METRICS = tuple(
    {"Name": f"{data}:{metric}", "Regex": rf".*\[[0-9]+\].*#011{data}-{metric}:{_NUMBER}.*"}
    for data in ("train", "validation")
    for metric in ("error", "rmse")
)


def describe(job: Job, now: float) -> dict[str, Any]:
    """Return the members of DescribeTrainingJob other than name, ARN, status, failure and the two common times."""
    step = job.course.at(now)
    answer = copy.deepcopy({key: value for key, value in job.request.items() if key in echoed_members("TrainingJob")})
    fill_defaults(answer)
    for switch in ("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"):
        answer[switch] = job.request.get(switch, False)
    answer |= {
        "SecondaryStatus": step.secondary,
        "SecondaryStatusTransitions": _transitions(job.course.reached(now)),
    }
    answer |= _artifacts(job, now) | _times(job, now) | warm_pool(job, now)
    if job.tuning_job_arn:
        answer["TuningJobArn"] = job.tuning_job_arn
    for rules in ("DebugRule", "ProfilerRule"):
        if f"{rules}Configurations" in job.request:
            answer[f"{rules}EvaluationStatuses"] = rule_statuses(job, f"{rules}Configurations", now)
    if "ProfilerConfig" in job.request:
        is_off = job.request["ProfilerConfig"].get("DisableProfiler", False)
        answer["ProfilingStatus"] = "Disabled" if is_off else "Enabled"
    if step.status == "Completed":
        answer["FinalMetricDataList"] = _final_metrics(job, answer)
    return answer


def summary(job: Job, now: float) -> dict[str, Any]:
    """Return the members of TrainingJobSummary other than name, ARN, status and the two common times."""
    step = job.course.at(now)
    answer = {"SecondaryStatus": step.secondary} | warm_pool(job, now)
    if step.is_terminal:
        answer["TrainingEndTime"] = round(step.at, 3)
    return answer


def log_lines(job: Job, now: float) -> Iterator[LogStream]:
    """Yield one stream for each instance and each time training began: `<job>/algo-<n>-<epoch seconds>`."""
    resources = job.request.get("ResourceConfig") or {}
    instances = resources.get("InstanceCount") or sum(g["InstanceCount"] for g in resources.get("InstanceGroups") or ())
    for step, following in pairwise(job.course.steps):
        if step.secondary != "Training" or step.at > now:
            continue
        for number in range(1, max(1, instances) + 1):
            lines = tuple(line for line in _written(job, step.at, following, number) if line[0] <= now)
            yield LogStream(f"{job.name}/algo-{number}-{int(step.at)}", step.at, lines)


def _written(job: Job, started_at: float, following: Step, instance: int) -> Iterator[tuple[float, str]]:
    """Yield all lines of an instance from the start of its training to the step that follows.

    Their pace is that of the planned training, whatever ends it: stopping a job must not change lines already written.
    """
    yield started_at, f"INFO:root:Starting training on algo-{instance}"
    yield started_at, f"INFO:root:Hyperparameters: {len(job.request.get('HyperParameters') or ())} given"
    pace_s = attempt_s(job.request, job.markers, job.durations) / (_LINES_A_TRAINING + 1)
    for epoch in range(_LINES_A_TRAINING):
        error = 0.5 * math.exp(-0.15 * epoch)
        at = started_at + pace_s * (epoch + 1)
        if at < following.at:
            yield at, f"[{epoch}]#011train-error:{error:.6f}#011validation-error:{error * 1.1:.6f}"
    if following.secondary != "Uploading":
        yield following.at, "INFO:root:Received SIGTERM, saving what there is"
    elif job.course.end.failure:
        yield following.at, f"ERROR:root:{job.course.end.failure}"
    else:
        yield following.at, "INFO:root:Training finished, model saved to /opt/ml/model"


def fill_defaults(answer: dict[str, Any]) -> None:
    """Add the service's defaults to a request, in place."""
    algorithm = answer.get("AlgorithmSpecification", {})
    algorithm.setdefault("EnableSageMakerMetricsTimeSeries", False)
    if "xgboost" in algorithm.get("TrainingImage", "") and "MetricDefinitions" not in algorithm:
        algorithm["MetricDefinitions"] = [dict(metric) for metric in _XGBOOST_METRICS]
    for channel in answer.get("InputDataConfig", ()):
        channel.setdefault("CompressionType", "None")
        channel.setdefault("RecordWrapperType", "None")
        source = channel.get("DataSource", {}).get("S3DataSource")
        if source is not None:
            source.setdefault("S3DataDistributionType", "FullyReplicated")
    if "OutputDataConfig" in answer:
        answer["OutputDataConfig"].setdefault("KmsKeyId", "")
        answer["OutputDataConfig"].setdefault("CompressionType", "GZIP")
    answer.setdefault("StoppingCondition", {}).setdefault("MaxRuntimeInSeconds", 86_400)
    for rule in answer.get("DebugRuleConfigurations", ()):
        rule.setdefault("VolumeSizeInGB", 0)


def _transitions(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    rows = []
    for number, step in enumerate(steps):
        row: dict[str, Any] = {"Status": step.secondary, "StartTime": round(step.at, 3), "StatusMessage": step.message}
        if step.is_terminal:
            row["EndTime"] = round(step.at, 3)
        elif number + 1 < len(steps):
            row["EndTime"] = round(steps[number + 1].at, 3)
        rows.append(row)
    return rows


def _artifacts(job: Job, now: float) -> dict[str, Any]:
    """Return ModelArtifacts with the model's location: after Completed, or after Stopped if training had begun.

    Before, Describe has no such member, although the service model requires it: sagemaker-core refuses an empty one.
    """
    step = job.course.at(now)
    saved = step.status == "Completed" or (step.status == "Stopped" and job.course.first("Training", now) is not None)
    if not saved or "OutputDataConfig" not in job.request:
        return {}
    base = job.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    is_archive = job.request["OutputDataConfig"].get("CompressionType", "GZIP") == "GZIP"
    return {"ModelArtifacts": {"S3ModelArtifacts": f"{base}/{job.name}/output/model{'.tar.gz' if is_archive else '/'}"}}


def _times(job: Job, now: float) -> dict[str, Any]:
    started_at = job.course.first("Downloading", now)
    step = job.course.at(now)
    answer: dict[str, Any] = {}
    if started_at is not None:
        seconds = math.ceil(job.course.spent(_BUSY, now))
        answer["TrainingStartTime"] = round(started_at, 3)
        answer["TrainingTimeInSeconds"] = seconds
        if step.is_terminal:
            # Spot capacity is billed at about a third; on demand, the billed time is the used time.
            is_spot = job.request.get("EnableManagedSpotTraining", False)
            answer["BillableTimeInSeconds"] = max(1, seconds // 3) if is_spot else seconds
    if step.is_terminal:
        answer["TrainingEndTime"] = round(step.at, 3)
    return answer


def metric_value(job: Job, metric: str) -> float:
    """Return the final value of a metric; it depends on name and hyperparameters only, so that runs repeat."""
    seed = f"{job.name}{sorted((job.request.get('HyperParameters') or {}).items())}{metric}"
    return round(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") / 2**32, 6)


def _final_metrics(job: Job, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one value for each defined metric, and for the objective of a tuning job."""
    names = [metric["Name"] for metric in answer["AlgorithmSpecification"].get("MetricDefinitions", ())]
    objective = (job.request.get("HyperParameters") or {}).get(OBJECTIVE_KEY)
    names += [objective] if objective is not None and objective not in names else []
    at = round(job.course.end.at, 3)
    return [{"MetricName": name, "Value": metric_value(job, name), "Timestamp": at} for name in names]
