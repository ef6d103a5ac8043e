"""The operations of executions, and the settling that makes jobs of their steps as time passes."""

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from hack.sandbox.aws.jobs.job import Job, JobKind
from hack.sandbox.aws.jobs.job_api import JobApi, Operation
from hack.sandbox.aws.jobs.kinds import PROCESSING, TRAINING, TRANSFORM
from hack.sandbox.aws.pipelines.definition import StepDefinition, parse, resolved
from hack.sandbox.aws.pipelines.execution import Execution, StepRun, parameters, replayed
from hack.sandbox.aws.pipelines.pipeline_api import PIPELINE, name_of
from hack.sandbox.aws.records.listing import paged
from hack.sandbox.aws.records.resource import ErrorText, Kind, Store, stamp
from hack.sandbox.aws.records.timeline import Course, Durations, Step
from hack.sandbox.aws.records.tokens import TOKEN_LIFE_S
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import ApiError, Call, invalid

_JOBS: Final[Mapping[str, JobKind]] = {"Training": TRAINING, "Processing": PROCESSING, "Transform": TRANSFORM}
_STEP_NAME = 20  # characters of a step's name in the name of its job
_ENDS: Final = {"Completed": "Succeeded", "Failed": "Failed", "Stopped": "Stopped"}
_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def _described(execution: Execution, now: float) -> dict[str, Any]:
    request, step = execution.request, execution.course.at(now)
    echoed = ("ParallelismConfiguration", "SelectiveExecutionConfig", "PipelineVersionId")
    return {
        "PipelineArn": execution.arn.partition("/execution/")[0],
        "PipelineExecutionDescription": request.get("PipelineExecutionDescription", ""),
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName", f"execution-{execution.name}"),
        **{member: request[member] for member in echoed if member in request},
        **({"FailureReason": step.failure} if step.failure else {}),
    }


def _summarized(execution: Execution, now: float) -> dict[str, Any]:
    described = _described(execution, now)
    failure = described.get("FailureReason")
    return {
        "PipelineExecutionArn": execution.arn,
        "StartTime": stamp(execution.created_at),
        "PipelineExecutionStatus": execution.status_at(now),
        "PipelineExecutionDescription": described["PipelineExecutionDescription"],
        "PipelineExecutionDisplayName": described["PipelineExecutionDisplayName"],
        **({"PipelineExecutionFailureReason": failure} if failure else {}),
    }


EXECUTION: Kind[Execution] = Kind(
    resource="PipelineExecution",
    arn_segment="pipeline",
    items_member="PipelineExecutionSummaries",
    not_found=ErrorText("ResourceNotFound", "PipelineExecution '{name}' does not exist."),
    exists=ErrorText("ConflictException", "{arn} exists."),  # of a name that AWS chooses: never
    describe=_described,
    summary=_summarized,
)


class ExecutionApi:
    """The operations over one store. Thread-safe.

    `settle` must be called before each response that can contain an execution, or a job of one.
    """

    def __init__(self, store: Store, durations: Durations) -> None:
        self._store = store
        self._jobs = {each.kind.resource: each for each in (JobApi(kind, store, durations) for kind in _JOBS.values())}
        self._lock = threading.RLock()  # held while settling: a step becomes one job
        self._live: set[tuple[str, str, str]] = set()  # account, region, name of those that run; guarded by _lock
        self.token_life_s = TOKEN_LIFE_S
        """Changed by tests."""

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        return {
            "StartPipelineExecution": self.start,
            "DescribePipelineExecution": self.describe,
            "StopPipelineExecution": self.stop,
            "ListPipelineExecutions": self.list,
            "ListPipelineExecutionSteps": self.list_steps,
            "ListPipelineParametersForExecution": self.list_parameters,
            "DescribePipelineDefinitionForExecution": self.describe_definition,
        }

    def is_repeated(self, call: Call) -> bool:
        """Return whether a call starts or stops what an earlier one with its token has: it changes nothing."""
        return call.operation == "StartPipelineExecution" and self._started(call) is not None

    def start(self, call: Call) -> dict[str, Any]:
        """Start an execution; the same one for the same client token."""
        validate("sagemaker", call.operation, call.params)
        pipeline = self._store.get(PIPELINE, call, name_of(call.params["PipelineName"]))
        with self._lock:
            known = self._started(call)
            if known is None:
                known = self._execution(call, pipeline.name, pipeline.arn, pipeline.request["PipelineDefinition"])
                self._store.add(EXECUTION, known)
                self._live.add((call.account, call.region, known.name))
        self.settle(call.now)
        return {"PipelineExecutionArn": known.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the description of an execution."""
        execution = self._get(call)
        return {
            "PipelineExecutionArn": execution.arn,
            "PipelineExecutionStatus": execution.status_at(call.now),
            "CreationTime": stamp(execution.created_at),
            "LastModifiedTime": stamp(execution.modified_at(call.now)),
            **_described(execution, call.now),
        }

    def stop(self, call: Call) -> dict[str, Any]:
        """Stop an execution, and the jobs of its steps."""
        execution = self._get(call)

        def stopped(known: Execution) -> Execution:
            status = known.status_at(call.now)
            if status != "Executing":
                raise ApiError("ConflictException", f"Pipeline execution {known.arn} is in status {status}.")
            course = known.course.cut(call.now, Step(call.now, "Stopping", "", ""))
            return replace(known, stopped_at=call.now, course=course)

        with self._lock:
            self._store.change(EXECUTION, call, execution.name, stopped)
            for run in execution.steps:
                if run.job_name and run.status_at(call.now) == "Executing":
                    api = self._jobs[run.resource]
                    job = self._store.find(api.kind, call, run.job_name)
                    if job is not None and job.status_at(call.now) == "InProgress":
                        api.stop(
                            replace(call, operation=f"Stop{run.resource}", params={api.kind.name_member: run.job_name})
                        )
        self.settle(call.now)
        return {"PipelineExecutionArn": execution.arn}

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of the executions of one pipeline, newest first by default."""
        validate("sagemaker", call.operation, call.params)
        params = call.params
        pipeline = self._store.get(PIPELINE, call, name_of(params["PipelineName"]))
        after, before = params.get("CreatedAfter", 0.0), params.get("CreatedBefore", call.now + 1)
        found = [
            each
            for each in self._store.shown(EXECUTION, call)
            if each.pipeline == pipeline.name and after < each.created_at < before
        ]
        found.sort(key=lambda each: (each.created_at, each.name), reverse=params.get("SortOrder") != "Ascending")
        return paged(EXECUTION.items_member, params, found, lambda each: _summarized(each, call.now))

    def list_steps(self, call: Call) -> dict[str, Any]:
        """Return a page of the steps that have begun, newest first by default."""
        execution = self._get(call)
        begun = [run for run in execution.steps if run.started_at <= call.now]
        begun.sort(key=lambda run: run.started_at, reverse=call.params.get("SortOrder") != "Ascending")
        start = int(call.params.get("NextToken") or 0)
        end = start + (call.params.get("MaxResults") or 100)
        answer: dict[str, Any] = {"PipelineExecutionSteps": [_step(run, call.now) for run in begun[start:end]]}
        return answer | ({"NextToken": str(end)} if end < len(begun) else {})

    def list_parameters(self, call: Call) -> dict[str, Any]:
        """Return the parameters of an execution."""
        found = parameters(self._get(call))
        return {"PipelineParameters": [{"Name": name, "Value": str(value)} for name, value in found.items()]}

    def describe_definition(self, call: Call) -> dict[str, Any]:
        """Return the definition that an execution runs."""
        execution = self._get(call)
        return {"PipelineDefinition": execution.definition.text, "CreationTime": stamp(execution.created_at)}

    # --- settling

    def settle(self, now: float) -> None:
        """Advance every execution to `now`: begin the steps that are due, and end what has ended."""
        with self._lock:
            for account, region, name in tuple(self._live):
                call = Call("sagemaker", "", account, region, now)
                execution = self._store.find(EXECUTION, call, name)
                if execution is None:
                    self._live.discard((account, region, name))
                    continue
                steps = tuple(self._refreshed(call, run) for run in execution.steps)
                execution = replayed(replace(execution, steps=steps), now, partial(self._begin, call))
                self._store.change(EXECUTION, call, name, partial(_put, execution))
                if execution.course.end.is_terminal:
                    self._live.discard((account, region, name))

    def _refreshed(self, call: Call, run: StepRun) -> StepRun:
        """Return a step with the end of its job, which others may have stopped or deleted."""
        if not run.job_name or run.ends_at <= call.now:
            return run
        job = self._store.find(self._jobs[run.resource].kind, call, run.job_name)
        return run if job is None else _with_end(run, job)

    def _begin(self, call: Call, execution: Execution, step: StepDefinition, at: float) -> StepRun:
        """Make the job of a step; a step of another type succeeds at once, but for `Fail`."""
        run = StepRun(step.name, at)
        if step.type == "Fail":
            reason = str(resolved(step.arguments, partial(self._value, call, execution)).get("ErrorMessage", ""))
            return replace(run, ends_at=at, ends_as="Failed", failure=reason)
        kind = _JOBS.get(step.type)
        if kind is None:
            return replace(run, ends_at=at, ends_as="Succeeded")
        suffix = _made_of(f"{execution.arn}{step.name}", 10)
        name = f"pipelines-{execution.name}-{step.name[:_STEP_NAME].strip('-_').replace('_', '-')}-{suffix}"
        create = replace(call, operation=f"Create{kind.resource}", now=at)
        run = replace(run, resource=kind.resource, job_name=name, job_arn=kind.arn(create, name))
        try:
            arguments = resolved(step.arguments, partial(self._value, call, execution))
            self._jobs[kind.resource].create(replace(create, params={**arguments, kind.name_member: name}))
        except ApiError as exc:
            failure = f"ClientError: {exc.message}"
            return replace(run, job_name="", job_arn="", ends_at=at, ends_as="Failed", failure=failure)
        return _with_end(run, self._store.get(kind, create, name))

    def _value(self, call: Call, execution: Execution, path: str) -> Any:
        """Return what a `Get` stands for: a parameter, a member of a step's job, or a fact of the execution."""
        scope, _, rest = path.partition(".")
        if scope == "Parameters":
            return parameters(execution)[rest]
        if scope == "Execution":
            known = {"PipelineName": execution.pipeline, "PipelineExecutionId": execution.name}
            return known.get(rest, execution.arn)
        name, *members = rest.split(".")
        run = next(each for each in execution.steps if each.name == name)
        api = self._jobs[run.resource]
        value: Any = api.describe(
            replace(
                call,
                operation=f"Describe{run.resource}",
                now=run.ends_at,
                params={api.kind.name_member: run.job_name},
            )
        )
        for member in members:
            value = value[member] if isinstance(value, dict) else value
        return value

    # --- records

    def _started(self, call: Call) -> Execution | None:
        """Return the execution that a call with this token has started, while the token is remembered."""
        token, since = call.params.get("ClientRequestToken"), call.now - self.token_life_s
        known = self._store.list(EXECUTION, call)
        return next((each for each in known if each.token == token and each.created_at >= since), None)

    def _execution(self, call: Call, pipeline: str, pipeline_arn: str, definition: str) -> Execution:
        parsed = parse(definition)
        unknown = {each["Name"] for each in call.params.get("PipelineParameters") or ()} - parsed.defaults.keys()
        if unknown:
            raise invalid(f"Unknown parameters: {', '.join(sorted(unknown))}")
        request = dict(call.params)
        execution_id = _made_of(f"{pipeline_arn}{request['ClientRequestToken']}{call.now}", 12)
        made = Execution(
            name=execution_id,
            arn=f"{pipeline_arn}/execution/{execution_id}",
            region=call.region,
            account=call.account,
            request=request,
            created_at=call.now,
            pipeline=pipeline,
            definition=parsed,
            course=Course((Step(call.now, "Executing", "", ""),)),
        )
        missing = sorted(name for name, value in parameters(made).items() if value is None)
        if missing:
            raise invalid(f"Parameters without a value: {', '.join(missing)}")
        return made

    def _get(self, call: Call) -> Execution:
        validate("sagemaker", call.operation, call.params)
        arn = call.params["PipelineExecutionArn"]
        execution = self._store.find(EXECUTION, call, arn.rpartition("/")[2])
        if execution is None or execution.arn != arn:
            raise EXECUTION.not_found.raised(name=arn)
        return execution


def _put(after: Execution, _before: Execution) -> Execution:
    return after


def _with_end(run: StepRun, job: Job) -> StepRun:
    end = job.course.end
    return replace(run, ends_at=end.at, ends_as=_ENDS[end.status], failure=end.failure)


def _step(run: StepRun, now: float) -> dict[str, Any]:
    status = run.status_at(now)
    answer: dict[str, Any] = {
        "StepName": run.name,
        "StartTime": stamp(run.started_at),
        "StepStatus": status,
        "AttemptCount": 1,
        "Metadata": {run.resource: {"Arn": run.job_arn}} if run.job_arn else {},
    }
    if status != "Executing":
        answer["EndTime"] = stamp(run.ends_at)
    return answer | ({"FailureReason": run.failure} if status == "Failed" and run.failure else {})


def _made_of(text: str, length: int) -> str:
    """Return letters and digits as AWS puts them into names; the same for the same text."""
    return "".join(_DIGITS[byte % len(_DIGITS)] for byte in hashlib.sha256(text.encode()).digest()[:length])
