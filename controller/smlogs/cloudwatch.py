"""Reads log events from CloudWatch Logs, and the training jobs of a tuning job from SageMaker: all pages."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from heapq import merge
from itertools import chain, islice
from typing import Any, Final

from controller.aws.errors import CallError
from controller.aws.limits.adaptive_rate import Limit
from controller.aws.sagemaker import PAGE_SIZE, Api
from controller.aws.targets import Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from controller.smlogs.events import LogEvent, in_order
from controller.smlogs.patience import Patience
from controller.smlogs.selection import Selection

FILTER: Final = "FilterLogEvents"
LIST_MEMBERS: Final = "ListTrainingJobsForHyperParameterTuningJob"

LIMITS: Final[Mapping[str, Limit]] = {
    # The quota is 5 to 25 a second per account and region, shared with all dashboards.
    FILTER: Limit(4.0, 8.0),
    LIST_MEMBERS: Limit(1.0, 2.0),
}
"""The plugin's own budgets: they limit how fast a long log is read, in pages of at most 1 MB."""

_MERGED: Final = 1_000
"""Events of a page of several logs."""
_FOREIGN_S: Final = 60.0
"""How long a training job that is not part of the tuning job is cached as foreign before it is looked up again."""


class LogReader:
    """Reads the events of one selection. A log group that does not exist (yet) counts as empty."""

    def __init__(self, api: Api, target: Target, selection: Selection, patience: Patience) -> None:
        self._api = api
        self._target = target
        self._selection = selection
        self._patience = patience

    def pages(self, start_ms: int, end_ms: int | None = None) -> Iterator[list[LogEvent]]:
        """Yield events from `start_ms` to `end_ms`, roughly sorted; pages may be empty. Raises `CallError`; blocks."""
        request: dict[str, Any] = {"logGroupName": self._selection.group, "startTime": max(0, start_ms)}
        if self._selection.prefix:
            request["logStreamNamePrefix"] = self._selection.prefix
        if end_ms is not None:
            request["endTime"] = end_ms
        while True:
            answer = self._patience.call(partial(self._filter, request))
            if answer is ABSENT:
                return
            yield [event for event in map(_event, answer.get("events", ())) if self._selection.accepts(event.stream)]
            token = answer.get("nextToken")
            # The same token again would return the same page forever.
            if not token or token == request.get("nextToken"):
                return
            request = {**request, "nextToken": token}

    def _filter(self, request: Mapping[str, Any]) -> dict[str, Any] | Absent:
        try:
            return self._api.call(self._target, "logs", FILTER, request, caller=FILTER)
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                return ABSENT
            raise


class MergedReader:
    """Reads the events of several selections, in order of time."""

    def __init__(self, readers: Sequence[LogReader]) -> None:
        self._readers = readers

    def pages(self, start_ms: int, end_ms: int | None = None) -> Iterator[list[LogEvent]]:
        """Yield events from `start_ms` to `end_ms`, sorted. Raises `CallError`; blocks."""
        logs = [chain.from_iterable(in_order(each.pages(start_ms, end_ms))) for each in self._readers]
        merged = merge(*logs, key=lambda event: event.time_ms)
        while page := list(islice(merged, _MERGED)):
            yield page


def _event(found: Mapping[str, Any]) -> LogEvent:
    return LogEvent(
        stream=str(found.get("logStreamName", "")),
        event_id=str(found.get("eventId", "")),
        time_ms=int(found.get("timestamp", 0)),
        message=str(found.get("message", "")),
    )


class TuningMembers:
    """The training jobs of one tuning job: lists them when it is asked for an unknown name.

    So a follower makes a List call when a training job begins to write, and not at every poll.
    """

    def __init__(self, api: Api, target: Target, tuning_job: str, patience: Patience, clock: Clock) -> None:
        self._api = api
        self._target = target
        self._tuning_job = tuning_job
        self._patience = patience
        self._clock = clock
        self._known: set[str] = set()
        self._foreign_since: dict[str, float] = {}

    def __contains__(self, job_name: object) -> bool:
        """Return whether the tuning job launched `job_name`. Raises `CallError`; may block."""
        name, now = str(job_name), self._clock.monotonic()
        if name in self._known:
            return True
        if now - self._foreign_since.get(name, float("-inf")) < _FOREIGN_S:
            return False
        self._known.update(self._listed())
        if name in self._known:
            return True
        self._foreign_since[name] = now
        return False

    def _listed(self) -> Iterator[str]:
        request: dict[str, Any] = {"HyperParameterTuningJobName": self._tuning_job, "MaxResults": PAGE_SIZE}
        while True:
            answer = self._patience.call(
                partial(self._api.call, self._target, "sagemaker", LIST_MEMBERS, request, caller=LIST_MEMBERS)
            )
            yield from (str(each["TrainingJobName"]) for each in answer.get("TrainingJobSummaries", ()))
            if not answer.get("NextToken"):
                return
            request = {**request, "NextToken": answer["NextToken"]}
