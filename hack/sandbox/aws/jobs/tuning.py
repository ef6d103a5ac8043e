"""Hyperparameter tuning jobs: the record, and the progress of a tuning job at a given time.

No thread launches training jobs: `replayed` computes which ones a tuning job would have launched by now, and when,
from those it has launched so far. A training job starts as soon as fewer than MaxParallelTrainingJobs run.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hack.sandbox.aws.jobs.job import Job
from hack.sandbox.aws.jobs.kinds import TRAINING
from hack.sandbox.aws.jobs.sampling import sampled
from hack.sandbox.aws.jobs.training_answers import OBJECTIVE_KEY, metric_value
from hack.sandbox.aws.records import triggers
from hack.sandbox.aws.records.resource import partition
from hack.sandbox.aws.records.timeline import Course, Step

_ATTEMPTS = 5  # training jobs that may fail before the first one succeeds
_NO_SUCCESS = (
    "No training job succeeded after {attempts} attempts. Please take a look at the training job failures to get more"
    " details."
)
_CHILD_MEMBERS = frozenset(
    {
        "RoleArn",
        "InputDataConfig",
        "VpcConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "StoppingCondition",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
        "EnableManagedSpotTraining",
        "CheckpointConfig",
        "RetryStrategy",
        "Environment",
        "AlgorithmSpecification",
    }
)


@dataclass(frozen=True, slots=True)
class Child:
    """A training job that a tuning job launched."""

    job: Job
    definition: Mapping[str, Any]
    tuned: Mapping[str, str]

    @property
    def ends_at(self) -> float:
        """Return when the training job will have ended by its current timeline."""
        return self.job.course.end.at

    def objective(self, now: float) -> float | None:
        """Return the value of the objective metric once the training job has completed."""
        if self.job.status_at(now) != "Completed":
            return None
        return metric_value(self.job, self.job.request["HyperParameters"][OBJECTIVE_KEY])


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningJob(Job):
    """One tuning job with the training jobs launched so far, in the order of their launch."""

    children: tuple[Child, ...] = ()
    stopped_at: float | None = None

    @property
    def limits(self) -> Mapping[str, Any]:
        """Return the requested ResourceLimits."""
        limits: Mapping[str, Any] = self.request["HyperParameterTuningJobConfig"]["ResourceLimits"]
        return limits


@dataclass(frozen=True, slots=True)
class _Halt:
    """When and why no more training jobs are launched, and the running ones are stopped."""

    at: float
    status: str
    failure: str = ""


def definitions(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the training job definitions of a request, one or several."""
    single = request.get("TrainingJobDefinition")
    return [single] if single else list(request.get("TrainingJobDefinitions") or ())


def objective_of(request: Mapping[str, Any], definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the objective (Type, MetricName) of a definition: its own, or that of the whole job."""
    whole = request["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")
    found: Mapping[str, Any] = definition.get("TuningObjective") or whole or {"Type": "Minimize", "MetricName": "loss"}
    return found


def ranges_of(request: Mapping[str, Any], definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the parameter ranges of a definition: its own, or those of the whole job."""
    whole = request["HyperParameterTuningJobConfig"].get("ParameterRanges")
    found: Mapping[str, Any] = definition.get("HyperParameterRanges") or whole or {}
    return found


def maximum(request: Mapping[str, Any]) -> int:
    """Return how many training jobs a tuning job launches at most; a grid search has one for each combination."""
    config = request["HyperParameterTuningJobConfig"]
    number = config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
    if config["Strategy"] != "Grid":
        return int(number or 1)
    combinations = 0
    for definition in definitions(request):
        product = 1
        for parameter in ranges_of(request, definition).get("CategoricalParameterRanges") or ():
            product *= len(parameter["Values"])
        combinations += product
    return min(combinations, number or combinations)


def replayed(job: TuningJob, now: float) -> TuningJob:
    """Return the tuning job with its training jobs and its timeline by `now`. The past never changes."""
    children = list(job.children)
    limit, parallel = maximum(job.request), job.limits["MaxParallelTrainingJobs"]
    halt = _halt(job, children, now)
    while len(children) < limit:
        at = _next_start(job, children, parallel)
        if at > now or (halt is not None and at >= halt.at):
            break
        children.append(_launched(job, len(children), at))
        halt = _halt(job, children, now)
    if halt is not None:
        children = [_stopped(child, halt.at) for child in children]
    return replace(job, children=tuple(children), course=_course(job, children, halt, len(children) == limit))


def _next_start(job: TuningJob, children: list[Child], parallel: int) -> float:
    """Return when the next training job starts: at once, or when the number of running ones falls."""
    earliest = children[-1].job.created_at if children else job.created_at
    ends = sorted((child.ends_at for child in children), reverse=True)
    return earliest if len(ends) < parallel else max(earliest, ends[parallel - 1])


def _halt(job: TuningJob, children: list[Child], now: float) -> _Halt | None:
    """Return the first reason to stop launching, if there is one by `now`."""
    reasons = [] if job.stopped_at is None else [_Halt(job.stopped_at, "Stopped")]
    allowed_s = job.limits.get("MaxRuntimeInSeconds")
    if allowed_s is not None:
        reasons.append(_Halt(job.created_at + allowed_s, "Completed"))
    reasons += _hopeless(job, children)
    reasons += _good_enough(job, children)
    return min((reason for reason in reasons if reason.at <= now), key=lambda reason: reason.at, default=None)


def _hopeless(job: TuningJob, children: list[Child]) -> Iterator[_Halt]:
    """Yield a halt if the first training jobs to end all fail."""
    attempts = min(_ATTEMPTS, maximum(job.request))
    ended = sorted((child.job.course.end for child in children), key=lambda step: step.at)[:attempts]
    if len(ended) == attempts and all(step.status == "Failed" for step in ended):
        yield _Halt(ended[-1].at, "Failed", _NO_SUCCESS.format(attempts=attempts))


def _good_enough(job: TuningJob, children: list[Child]) -> Iterator[_Halt]:
    """Yield a halt for each training job whose objective reaches the target (TuningJobCompletionCriteria)."""
    criteria = job.request["HyperParameterTuningJobConfig"].get("TuningJobCompletionCriteria") or {}
    target = criteria.get("TargetObjectiveMetricValue")
    if target is None:
        return
    for child in children:
        value = child.objective(child.ends_at)
        is_maximized = objective_of(job.request, child.definition)["Type"] == "Maximize"
        if value is not None and (value >= target if is_maximized else value <= target):
            yield _Halt(child.ends_at, "Completed")


def _stopped(child: Child, at: float) -> Child:
    """Return the child after a halt at `at`: stopped, if it runs then."""
    if child.job.status_at(at) != "InProgress":
        return child
    course = TRAINING.stop(child.job.course, at, child.job.durations)
    return replace(child, job=replace(child.job, course=course))


def _course(job: TuningJob, children: list[Child], halt: _Halt | None, is_full: bool) -> Course:
    """Return the timeline: a step for each change of the counters, so that a list by LastModifiedTime shows it."""
    moments = {job.created_at} | {child.job.created_at for child in children} | {child.ends_at for child in children}
    stopping_at = float("inf") if job.stopped_at is None else job.stopped_at
    if job.stopped_at is not None:
        moments.add(job.stopped_at)
    end: list[Step] = []
    if halt is not None or is_full:
        at = max(moments | ({halt.at} if halt is not None else set()))
        status, failure = ("Completed", "") if halt is None else (halt.status, halt.failure)
        end = [Step(at, status, status, "", failure)]
        moments.discard(at)
    running = [
        Step(at, "Stopping" if at >= stopping_at else "InProgress", "", "") for at in sorted(moments | {job.created_at})
    ]
    return Course((*running, *end))


def _launched(job: TuningJob, number: int, at: float) -> Child:
    """Return the training job that is launched as the `number`-th, from 0, at `at`.

    Its name is `<tuning job>-<three digits>-<eight hexadecimal digits>`; it has the tuning job's tags.
    """
    every = definitions(job.request)
    definition = every[number % len(every)]
    config = job.request["HyperParameterTuningJobConfig"]
    tuned = sampled(
        ranges_of(job.request, definition),
        seed=str(config.get("RandomSeed", job.arn)),
        number=number // len(every) if config["Strategy"] == "Grid" else number,
        is_grid=config["Strategy"] == "Grid",
    )
    suffix = hashlib.sha256(f"{job.arn}{job.created_at}{number}".encode()).hexdigest()[:8]
    name = f"{job.name}-{number + 1:03}-{suffix}"
    objective = objective_of(job.request, definition)["MetricName"]
    request: dict[str, Any] = {member: definition[member] for member in _CHILD_MEMBERS & definition.keys()}
    request |= {
        "TrainingJobName": name,
        "ResourceConfig": definition.get("ResourceConfig") or _instances(definition),
        "HyperParameters": {**(definition.get("StaticHyperParameters") or {}), **tuned, OBJECTIVE_KEY: objective},
    }
    tags = [{"Key": key, "Value": value} for key, value in job.tags.items()]
    asked = triggers.read({**request, "Tags": tags}, name)
    if number < job.markers.fail_first:
        asked = replace(asked, fail=asked.fail or "")
    child = Job(
        name=name,
        arn=f"arn:{partition(job.region)}:sagemaker:{job.region}:{job.account}:training-job/{name.lower()}",
        region=job.region,
        account=job.account,
        request=request,
        created_at=at,
        course=TRAINING.plan(request, asked, at, job.durations),
        markers=asked,
        durations=job.durations,
        tags=dict(job.tags),
        tuning_job_arn=job.arn,
    )
    return Child(child, definition, tuned)


def _instances(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ResourceConfig for a HyperParameterTuningResourceConfig: its first choice."""
    given = definition.get("HyperParameterTuningResourceConfig") or {}
    first: Mapping[str, Any] = next(iter(given.get("InstanceConfigs") or ()), {})
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    return {member: value for member, value in {**given, **first}.items() if member in members}
