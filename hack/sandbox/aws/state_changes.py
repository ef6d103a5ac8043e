"""Publishes state changes to EventBridge, in the spelling that SageMaker has for each kind.

States are computed from timelines when somebody looks, so a thread looks: it compares the states of now with those of
its last look, as long as EventBridge (moto's) has a rule. moto passes what matches to its SQS queues.
"""

import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.hosting.endpoint_api import ENDPOINT
from hack.sandbox.aws.hosting.endpoints import Endpoint
from hack.sandbox.aws.jobs.job import Job
from hack.sandbox.aws.jobs.kinds import PROCESSING, TRAINING, TRANSFORM
from hack.sandbox.aws.jobs.tuning_api import TUNING
from hack.sandbox.aws.moto_bridge import MotoBridge
from hack.sandbox.aws.pipelines.execution import Execution, StepRun
from hack.sandbox.aws.pipelines.execution_api import EXECUTION
from hack.sandbox.aws.records.resource import AnyKind, Resource, Store
from hack.sandbox.aws.records.timeline import Step
from hack.sandbox.aws.registry.kinds import PACKAGE, Entry

LOOK_S = 0.1
_SHARES = 1_000
"""Steps in which the share of lost events is set."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the events of a kind are written: the developer guide has an example of each."""

    kind: AnyKind
    detail_type: str
    time: Callable[[float], Any]
    status: Callable[[str], str] = str
    members: tuple[str, ...] = ()
    """Members of Describe that the event has, too."""
    detail: "Callable[[Any, float], dict[str, Any]] | None" = None
    """All of `detail`, of a kind with a spelling of its own."""


def _millis_text(at: float) -> str:
    return str(int(at * 1000))


def _millis(at: float) -> float:
    return float(int(at * 1000))


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _capitals(status: str) -> str:
    """`InService` → `IN_SERVICE`."""
    return "".join(
        f"_{letter}" if letter.isupper() and number else letter for number, letter in enumerate(status)
    ).upper()


def _of_execution(execution: Execution, now: float) -> dict[str, Any]:
    reached = execution.course.reached(now)
    before, step = reached[-2] if len(reached) > 1 else None, reached[-1]
    described = EXECUTION.describe(execution, now)
    return {
        **_parents(execution),
        "pipelineExecutionDisplayName": described["PipelineExecutionDisplayName"],
        "pipelineExecutionDescription": described["PipelineExecutionDescription"],
        "currentPipelineExecutionStatus": step.status,
        "previousPipelineExecutionStatus": before.status if before else None,
        "executionStartTime": _iso(execution.created_at),
        **({"executionEndTime": _iso(step.at)} if step.is_terminal else {}),
    }


def _of_step(of: tuple[Execution, StepRun], now: float) -> dict[str, Any]:
    execution, run = of
    status = run.status_at(now)
    has_ended = status != "Executing"
    job = {f"{run.resource[:1].lower()}{run.resource[1:]}": {"arn": run.job_arn}} if run.job_arn else {}
    return {
        **_parents(execution),
        "metadata": job,
        "stepName": run.name,
        "stepType": run.resource.removesuffix("Job"),
        "currentStepStatus": status,
        "previousStepStatus": "Executing" if has_ended else "Starting",
        "stepStartTime": _iso(run.started_at),
        **({"stepEndTime": _iso(run.ends_at)} if has_ended else {}),
    }


def _of_package(package: Entry, now: float) -> dict[str, Any]:
    """Return all that a Describe shows, as far as JSON has it; a version has no name."""
    return {
        **PACKAGE.describe(package, now),
        PACKAGE.arn_member: package.arn,
        PACKAGE.status_member: package.status_at(now),
        "CreationTime": _iso(package.created_at),
        "LastModifiedTime": _iso(package.changed_at),
    }


def _parents(execution: Execution) -> dict[str, Any]:
    return {"pipelineArn": execution.arn.partition("/execution/")[0], "pipelineExecutionArn": execution.arn}


SPELLINGS = (
    Spelling(TRAINING, "SageMaker Training Job State Change", _millis_text, members=("SecondaryStatus",)),
    Spelling(
        TUNING,
        "SageMaker HyperParameter Tuning Job State Change",
        _millis_text,
        members=("TrainingJobStatusCounters", "ObjectiveStatusCounters"),
    ),
    Spelling(TRANSFORM, "SageMaker Transform Job State Change", _iso),
    Spelling(PROCESSING, "SageMaker Processing Job State Change", _millis_text),
    Spelling(ENDPOINT, "SageMaker Endpoint State Change", _millis, _capitals, members=("EndpointConfigName",)),
    Spelling(EXECUTION, "SageMaker Model Building Pipeline Execution Status Change", _iso, detail=_of_execution),
    Spelling(PACKAGE, "SageMaker Model Package State Change", _iso, detail=_of_package),
)
STEPS = Spelling(EXECUTION, "SageMaker Model Building Pipeline Execution Step Status Change", _iso, detail=_of_step)
"""The events of the steps of an execution."""


def detail_of(spelling: Spelling, resource: Resource, now: float) -> dict[str, Any]:
    """Return the `detail` of an event about the present state."""
    if spelling.detail is not None:
        return spelling.detail(resource, now)
    kind, step = spelling.kind, step_of(resource, now)
    described = kind.describe(resource, now)
    return {
        kind.name_member: resource.name,
        kind.arn_member: resource.arn,
        kind.status_member: spelling.status(step.status),
        **{member: described[member] for member in spelling.members if member in described},
        **({"FailureReason": step.failure} if step.failure else {}),
        "CreationTime": spelling.time(resource.created_at),
        "LastModifiedTime": spelling.time(step.at),
        "Tags": dict(resource.tags),
    }


def step_of(resource: Resource, now: float) -> Step:
    """Return the present step of what has a timeline; of a package, what a change of it is announced for."""
    if isinstance(resource, Entry):
        described = PACKAGE.describe(resource, now)
        approval, stage = described.get("ModelApprovalStatus", ""), described.get("ModelLifeCycle", "")
        return Step(resource.changed_at, resource.status_at(now), f"{approval} {stage}", "")
    return cast("Job | Endpoint | Execution", resource).course.at(now)


@dataclass(frozen=True, slots=True)
class EventFlaws:
    """How events deviate from one for each change, at once and in order: EventBridge promises none of it."""

    lag_s: float = 0.0
    """Seconds after which an event is sent."""
    repeats: int = 0
    """How many times more it is sent."""
    lost: float = 0.0
    """Share of the events that are never sent, from 0 to 1."""
    is_reversed: bool = False
    """Events that are due together are sent in the opposite order."""

    def __post_init__(self) -> None:
        if self.lag_s < 0 or self.repeats < 0 or not 0 <= self.lost <= 1:
            raise ValueError("lag and repeats must be at least 0, and the lost share between 0 and 1")

    def loses(self, arn: str, status: str) -> bool:
        """Return whether an event is never sent; the same one always or never."""
        return zlib.crc32(f"{arn} {status}".encode()) % _SHARES < self.lost * _SHARES


@dataclass(frozen=True, slots=True)
class _Due:
    """An event that is still to be sent."""

    at: float
    spelling: Spelling
    resource: Resource
    detail: Mapping[str, Any]


class Publisher:
    """The thread that publishes. `stop` ends it."""

    def __init__(self, store: Store, settle: Callable[[float], None], moto: MotoBridge, clock: SandboxClock) -> None:
        self._store = store
        self._settle = settle
        self._moto = moto
        self._clock = clock
        self.flaws = EventFlaws()
        """Replaced as a whole, by tests and the control endpoint."""
        self._known: Mapping[str, tuple[float, Step]] | None = None
        self._due: list[_Due] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-aws-events")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Publish what has changed since the last look; the first one with a rule only learns the states."""
        if not self._moto.has_rules():
            self._known, self._due = None, []
            return
        now = self._clock.now()
        self._settle(now)
        known: dict[str, tuple[float, Step]] = {}
        for spelling in SPELLINGS:
            for resource in self._store.everywhere(spelling.kind):
                state = (resource.created_at, step_of(resource, now))
                known[resource.arn] = state
                if self._known is not None and _shown(self._known.get(resource.arn)) != _shown(state):
                    self._note(spelling, resource, step_of(resource, now), detail_of(spelling, resource, now), now)
        for execution in self._store.everywhere(EXECUTION):
            for run in execution.steps:
                step, place = Step(run.started_at, run.status_at(now), "", ""), f"{execution.arn}/{run.name}"
                known[place] = (run.started_at, step)
                if self._known is not None and _shown(self._known.get(place)) != _shown(known[place]):
                    self._note(STEPS, execution, step, _of_step((execution, run), now), now)
        self._known = known
        self._send(now)

    def _note(self, spelling: Spelling, resource: Resource, step: Step, detail: Mapping[str, Any], now: float) -> None:
        flaws = self.flaws
        if not flaws.loses(resource.arn, step.status):
            self._due += [_Due(now + flaws.lag_s, spelling, resource, detail)] * (1 + flaws.repeats)

    def _send(self, now: float) -> None:
        due = [each for each in self._due if each.at <= now]
        self._due = [each for each in self._due if each.at > now]
        for each in reversed(due) if self.flaws.is_reversed else due:
            self._moto.put_event(
                account=each.resource.account,
                region=each.resource.region,
                detail_type=each.spelling.detail_type,
                arns=arns_of(each.resource),
                detail=each.detail,
            )


def arns_of(resource: Resource) -> list[str]:
    """Return the ARNs that an event names: of an execution, its pipeline's first."""
    pipeline, found, _ = resource.arn.partition("/execution/")
    return [pipeline, resource.arn] if found else [resource.arn]


def _shown(state: tuple[float, Step] | None) -> tuple[float, str, str] | None:
    """Return what makes a state another one: also a new resource of the same name."""
    return None if state is None else (state[0], state[1].status, state[1].secondary)
