"""The operations of tuning jobs, and the settling that launches their training jobs as time passes."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hack.sandbox.aws.jobs import sampling, tuning_answers
from hack.sandbox.aws.jobs.job import Job
from hack.sandbox.aws.jobs.job_api import Operation, common_answer
from hack.sandbox.aws.jobs.kinds import TRAINING
from hack.sandbox.aws.jobs.training import check_images, check_role
from hack.sandbox.aws.jobs.tuning import Child, TuningJob, definitions, objective_of, ranges_of, replayed
from hack.sandbox.aws.records import triggers
from hack.sandbox.aws.records.listing import answered, paged, sort_key
from hack.sandbox.aws.records.resource import ErrorText, Kind, Store
from hack.sandbox.aws.records.tags import tag_map
from hack.sandbox.aws.records.timeline import Course, Durations, Step
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import Call, invalid

TUNING: Kind[TuningJob] = Kind(
    resource="HyperParameterTuningJob",
    arn_segment="hyper-parameter-tuning-job",
    items_member="HyperParameterTuningJobSummaries",
    not_found=ErrorText(
        "ResourceNotFound", "Amazon SageMaker can't find a tuning job called {name}. Type another name."
    ),
    exists=ErrorText(
        "ResourceInUse",
        "A hyperparameter tuning job with the name, {name}, already exists. Choose a different name.",
    ),
    describe=tuning_answers.describe,
    summary=tuning_answers.summary,
    sort_by="Name",
    is_ascending=True,
)
_WRONG_STATE = ErrorText(
    "ValidationException", "The request was rejected because the hyperparameter tuning job is in status {status}."
)


class TuningApi:
    """The operations over one store. Thread-safe.

    `settle` must be called before each response that can contain a training job or a tuning job.
    """

    def __init__(self, store: Store, durations: Durations) -> None:
        self._store = store
        self._durations = durations
        self._lock = threading.Lock()  # held while settling: a training job is launched once
        self._live: set[tuple[str, str, str]] = set()  # account, region, name of those in progress; guarded by _lock

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        return {
            "CreateHyperParameterTuningJob": self.create,
            "DescribeHyperParameterTuningJob": self.describe,
            "StopHyperParameterTuningJob": self.stop,
            "DeleteHyperParameterTuningJob": self.delete,
            "ListHyperParameterTuningJobs": self.list,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_children,
        }

    def settle(self, now: float) -> None:
        """Advance every tuning job to `now`: launch, stop and end the training jobs that are due."""
        with self._lock:
            for account, region, name in tuple(self._live):
                call = Call("sagemaker", "", account, region, now)
                job = self._store.find(TUNING, call, name)
                if job is None:
                    self._live.discard((account, region, name))
                    continue
                job = self._settled_locked(call, job)
                if job.course.at(now).is_terminal:
                    self._live.discard((account, region, name))

    def _settled_locked(self, call: Call, job: TuningJob) -> TuningJob:
        before = tuple(self._refreshed(call, child) for child in job.children)
        after = replayed(replace(job, children=before), call.now)
        for number, child in enumerate(after.children):
            if number >= len(before):
                self._store.add(TRAINING, child.job)
            elif child.job is not before[number].job and self._store.find(TRAINING, call, child.job.name) is not None:
                self._store.change(TRAINING, call, child.job.name, partial(_with_course, child.job.course))
        return self._store.change(
            TUNING, call, job.name, lambda known: replace(known, children=after.children, course=after.course)
        )

    def _refreshed(self, call: Call, child: Child) -> Child:
        """Return the child from the store, where it may have been stopped; a deleted child is returned unchanged."""
        known = self._store.find(TRAINING, call, child.job.name)
        return child if known is None or known.course == child.job.course else replace(child, job=known)

    def create(self, call: Call) -> dict[str, Any]:
        """Store a tuning job; its first training jobs exist at once."""
        name = _name(call)
        self._check(call)
        job = TuningJob(
            name=name,
            arn=TUNING.arn(call, name),
            region=call.region,
            account=call.account,
            request={key: value for key, value in call.params.items() if key != "Tags"},
            created_at=call.now,
            course=Course((Step(call.now, "InProgress", "", ""),)),
            markers=triggers.read(call.params, name),
            durations=self._durations,
            tags=tag_map(call.params.get("Tags") or ()),
        )
        self._store.add(TUNING, job)
        with self._lock:
            self._live.add((call.account, call.region, name))
        self.settle(call.now)
        return {TUNING.arn_member: job.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the full description of a tuning job; a warm start compares it with its parents."""
        job = self._store.get(TUNING, call, _name(call))
        answer = common_answer(TUNING, job, call.now) | tuning_answers.describe(job, call.now)
        parents = [self._store.find(TUNING, call, name) for name in _parents(job.request)]
        known = [parent for parent in parents if parent is not None]
        overall = tuning_answers.best_of_all([job, *known], call.now) if known else None
        return answer | ({"OverallBestTrainingJob": overall} if overall is not None else {})

    def stop(self, call: Call) -> None:
        """Stop launching training jobs, and stop the running ones."""

        def stopped(job: TuningJob) -> TuningJob:
            status = job.status_at(call.now)
            if status != "InProgress":
                raise _WRONG_STATE.raised(status=status)
            return replace(job, stopped_at=call.now)

        self._store.change(TUNING, call, _name(call), stopped)
        self.settle(call.now)

    def delete(self, call: Call) -> None:
        """Remove a finished tuning job; its training jobs are kept."""

        def check(job: TuningJob) -> None:
            step = job.course.at(call.now)
            if not step.is_terminal:
                raise _WRONG_STATE.raised(status=step.status)

        self._store.remove(TUNING, call, _name(call), check)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries, filtered and sorted; by default the first 10 by name."""
        validate("sagemaker", call.operation, call.params)
        return answered(TUNING, call, self._store, lambda job: _summary(job, call.now))

    def list_children(self, call: Call) -> dict[str, Any]:
        """Return a page of the training jobs a tuning job launched; by default the first 10 by name.

        If sorted by objective, those without one are omitted.
        """
        params, now = call.params, call.now
        job = self._store.get(TUNING, call, _name(call))
        children = {child.job.name: child for child in tuning_answers.launched(job, now)}
        jobs = [child.job for child in children.values()]
        if "StatusEquals" in params:
            jobs = [child for child in jobs if child.status_at(now) == params["StatusEquals"]]
        is_descending = params.get("SortOrder") == "Descending"
        if params.get("SortBy") == "FinalObjectiveMetricValue":
            values = {name: child.objective(now) for name, child in children.items()}
            jobs = [child for child in jobs if values[child.name] is not None]
            jobs.sort(key=lambda child: (values[child.name] or 0.0, child.name), reverse=is_descending)
        else:
            jobs.sort(key=sort_key(params.get("SortBy") or "Name", now), reverse=is_descending)
        return paged(
            "TrainingJobSummaries",
            params,
            jobs,
            lambda child: tuning_answers.summarize_child(job, children[child.name], now),
        )

    def _check(self, call: Call) -> None:
        """Raise for an invalid request. Source: API reference of CreateHyperParameterTuningJob."""
        request = call.params
        for problem in _problems(request):
            raise invalid(problem)
        for definition in definitions(request):
            check_images(definition, call.region)
            check_role(definition["RoleArn"])
        for parent in _parents(request):
            if not self._store.get(TUNING, call, parent).course.at(call.now).is_terminal:
                raise invalid(f"The parent hyperparameter tuning job {parent} must be in a terminal state.")


def _with_course(course: Course, job: Job) -> Job:
    return replace(job, course=course)


def _problems(request: Mapping[str, Any]) -> Iterator[str]:
    """Yield the problems of a request, as messages for the caller."""
    config = request["HyperParameterTuningJobConfig"]
    if ("TrainingJobDefinition" in request) == ("TrainingJobDefinitions" in request):
        yield "You must specify either TrainingJobDefinition or TrainingJobDefinitions, but not both."
    limits = config["ResourceLimits"]
    if "MaxNumberOfTrainingJobs" not in limits and config["Strategy"] != "Grid":
        yield "MaxNumberOfTrainingJobs must be specified."
    if limits["MaxParallelTrainingJobs"] > limits.get("MaxNumberOfTrainingJobs", float("inf")):
        yield "MaxParallelTrainingJobs must not be greater than MaxNumberOfTrainingJobs."
    for definition in definitions(request):
        ranges = ranges_of(request, definition)
        yield from sampling.problems(ranges)
        both = sampling.names(ranges) & (definition.get("StaticHyperParameters") or {}).keys()
        if both:
            yield f"The hyperparameters {', '.join(sorted(both))} have a range and a static value. Choose one."
        metrics = [metric["Name"] for metric in definition["AlgorithmSpecification"].get("MetricDefinitions") or ()]
        objective = objective_of(request, definition)["MetricName"]
        if metrics and objective not in metrics:
            yield f"The objective metric {objective} is not among the metric definitions: {', '.join(metrics)}."


def _parents(request: Mapping[str, Any]) -> list[str]:
    """Return the names of the parent tuning jobs of a warm start."""
    given = (request.get("WarmStartConfig") or {}).get("ParentHyperParameterTuningJobs") or ()
    return [parent["HyperParameterTuningJobName"] for parent in given if parent.get("HyperParameterTuningJobName")]


def _summary(job: TuningJob, now: float) -> dict[str, Any]:
    answer = common_answer(TUNING, job, now)
    answer.pop("FailureReason", None)
    return answer | tuning_answers.summary(job, now)


def _name(call: Call) -> str:
    validate("sagemaker", call.operation, call.params)
    name: str = call.params["HyperParameterTuningJobName"]
    return name
