"""The record of an execution, and which of its steps begin by a given time: pure.

Nothing advances an execution by itself: `replayed` computes from the ends of the jobs what has begun since. A step
begins when those that it depends on have succeeded and fewer than MaxParallelExecutionSteps run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from hack.sandbox.aws.pipelines.definition import Definition, StepDefinition
from hack.sandbox.aws.records.resource import Resource
from hack.sandbox.aws.records.timeline import Course, Step

FAILED = "Step failure: One or multiple steps failed."


@dataclass(frozen=True, slots=True)
class StepRun:
    """A step that has begun. A step without a job ends as it begins."""

    name: str
    started_at: float
    resource: str = ""  # of the job: `TrainingJob`; empty without one
    job_name: str = ""
    job_arn: str = ""
    ends_at: float = inf
    ends_as: str = ""  # Succeeded, Failed or Stopped
    failure: str = ""

    def status_at(self, now: float) -> str:
        """Return the status of the step."""
        return self.ends_as if self.ends_at <= now else "Executing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution(Resource):
    """One execution. Its name is the last part of its ARN."""

    pipeline: str
    definition: Definition
    course: Course
    steps: tuple[StepRun, ...] = ()
    stopped_at: float | None = None

    @property
    def token(self) -> str:
        """Return the client token of the request that started it."""
        return str(self.request["ClientRequestToken"])

    def status_at(self, now: float) -> str:
        """Return the status."""
        return self.course.at(now).status

    def modified_at(self, now: float) -> float:
        """Return the time of the last transition."""
        return self.course.at(now).at


Begin = Callable[[Execution, StepDefinition, float], StepRun]
"""Makes the job of a step that begins."""


def replayed(execution: Execution, now: float, begin: Begin) -> Execution:
    """Return the execution as it is `now`. The ends of its steps must be known."""
    while (due := _next(execution, now)) is not None:
        step, at = due
        execution = replace(execution, steps=(*execution.steps, begin(execution, step, at)))
    return _ended(execution, now)


def _next(execution: Execution, now: float) -> tuple[StepDefinition, float] | None:
    """Return the step that begins next, and when; None if none begins by `now`."""
    if execution.stopped_at is not None:
        return None
    begun = {run.name: run for run in execution.steps}
    ready: list[tuple[float, StepDefinition]] = []
    for step in execution.definition.steps:
        before = [begun.get(name) for name in step.needs]
        if step.name in begun or not all(run is not None and run.ends_as == "Succeeded" for run in before):
            continue
        ready.append((max([execution.created_at, *(run.ends_at for run in before if run is not None)]), step))
    if not ready:
        return None
    at, step = min(ready, key=lambda each: each[0])
    at = _free_at(execution, at)
    return (step, at) if at <= now else None


def _free_at(execution: Execution, at: float) -> float:
    """Return when a step can begin at the earliest, given how many may run at once."""
    most: int | None = (execution.request.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps")
    while True:
        ends = [run.ends_at for run in execution.steps if run.started_at <= at < run.ends_at]
        if most is None or len(ends) < most:
            return at
        at = min(ends)


def _ended(execution: Execution, now: float) -> Execution:
    """Return the execution with its end, if nothing runs any more and nothing can begin."""
    step = execution.course.end
    if step.is_terminal or any(run.ends_at > now for run in execution.steps):
        return execution
    at = max([step.at, *(run.ends_at for run in execution.steps)])
    if execution.stopped_at is not None:
        end = Step(at, "Stopped", "", "")
    elif any(run.ends_as != "Succeeded" for run in execution.steps):
        end = Step(at, "Failed", "", "", FAILED)
    elif len(execution.steps) == len(execution.definition.steps):
        end = Step(at, "Succeeded", "", "")
    else:
        return execution
    return replace(execution, course=execution.course.cut(at, end))


def parameters(execution: Execution) -> Mapping[str, Any]:
    """Return the value of each parameter."""
    given = {each["Name"]: each["Value"] for each in execution.request.get("PipelineParameters") or ()}
    return {**execution.definition.defaults, **given}
