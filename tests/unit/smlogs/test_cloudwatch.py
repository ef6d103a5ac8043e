"""CloudWatch Logs and SageMaker at the boundary: all pages, groups that are not there, failures that pass."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from controller.aws.errors import AwsError, CallError
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from controller.smlogs.cloudwatch import FILTER, LIST_MEMBERS, LogReader, MergedReader, TuningMembers
from controller.smlogs.events import LogEvent
from controller.smlogs.patience import Patience
from controller.smlogs.selection import Selection
from tests.fakes import Answers, FakeClock

TARGET = Target("us-east-2")
SELECTION = Selection("/aws/sagemaker/TrainingJobs", "job/", lambda stream: stream.startswith("job/"))


def error(error_class: ErrorClass, code: str = "Code", retry_after_s: float | None = None) -> CallError:
    """A failed call."""
    return AwsError(error_class, code, "words", operation=FILTER, retry_after_s=retry_after_s)


def found(*streams: str, **more: Any) -> dict[str, Any]:
    """An answer with one event in each of some streams."""
    events = [
        {"logStreamName": stream, "eventId": f"{number}", "timestamp": 1000 + number, "message": stream}
        for number, stream in enumerate(streams)
    ]
    return {"events": events, **more}


class Bench:
    """A reader over prepared answers; pauses only move the clock."""

    def __init__(self, attempts: int = 4, **answers: list[dict[str, Any] | Exception]) -> None:
        self.clock = FakeClock()
        self.api = Answers(**answers)
        self.pauses: list[float] = []
        self.told: list[str] = []
        self.patience = Patience(
            attempts=attempts, pause=self.pause, clock=self.clock, rng=random.Random(1), tell=self.told.append
        )
        self.reader = LogReader(self.api, TARGET, SELECTION, self.patience)

    def pause(self, seconds: float) -> None:
        """Note a pause, and let it pass."""
        self.pauses.append(seconds)
        self.clock.advance(seconds)

    def texts(self) -> list[str]:
        """Messages of all events."""
        return [each.message for page in self.reader.pages(0) for each in page]


@pytest.mark.guide("F-3h")
def test_every_page_is_read_with_the_token_of_the_one_before() -> None:
    """API reference: empty and half-full pages are no end; a missing token is."""
    bench = Bench(FilterLogEvents=[found("job/1", nextToken="a"), found(nextToken="b"), found("job/2")])
    assert bench.texts() == ["job/1", "job/2"]
    assert [request.get("nextToken") for _, request in bench.api.requests] == [None, "a", "b"]
    assert {request["logStreamNamePrefix"] for _, request in bench.api.requests} == {"job/"}


def test_a_token_that_repeats_itself_ends_the_pages() -> None:
    """It would be the same page for ever."""
    bench = Bench(FilterLogEvents=[found("job/1", nextToken="a"), found("job/2", nextToken="a")])
    assert bench.texts() == ["job/1", "job/2"]


def test_streams_that_were_not_asked_for_are_left_out() -> None:
    """A server that ignores the prefix must not make the job `foo` print the lines of `foo-bar`."""
    assert Bench(FilterLogEvents=[found("job/1", "job-2/1", "job/2")]).texts() == ["job/1", "job/2"]


def test_a_log_group_that_does_not_exist_is_empty() -> None:
    """AWS creates it with the first line of the first job in an account."""
    missing = error(ErrorClass.NOT_FOUND, "ResourceNotFoundException")
    assert Bench(FilterLogEvents=[missing]).texts() == []


@pytest.mark.parametrize("passing", [ErrorClass.THROTTLED, ErrorClass.RETRYABLE])
def test_failures_that_pass_are_tried_again_with_growing_pauses(passing: ErrorClass) -> None:
    """The page is asked for again, with the same token: no line is lost or doubled."""
    bench = Bench(FilterLogEvents=[found("job/1", nextToken="a"), error(passing), error(passing), found("job/2")])
    assert bench.texts() == ["job/1", "job/2"]
    assert [request.get("nextToken") for _, request in bench.api.requests] == [None, "a", "a", "a"]
    assert len(bench.pauses) == len(bench.told) == 2
    assert bench.pauses[0] < bench.pauses[1]


def test_patience_is_bounded() -> None:
    """The last error is the answer."""
    bench = Bench(FilterLogEvents=[error(ErrorClass.THROTTLED)], attempts=4)
    with pytest.raises(CallError):
        bench.texts()
    assert len(bench.api.requests) == 4


def test_waiting_for_the_own_budget_is_no_failure() -> None:
    """It says itself how long it takes, however often."""
    later = [error(ErrorClass.THROTTLED, "BudgetExhausted", retry_after_s=0.25) for _ in range(20)]
    bench = Bench(FilterLogEvents=[*later, found("job/1")], attempts=2)
    assert bench.texts() == ["job/1"]
    assert bench.pauses == [0.25] * 20


@pytest.mark.parametrize("lasting", [ErrorClass.DENIED, ErrorClass.INVALID, ErrorClass.QUOTA])
def test_failures_that_stay_are_not_tried_again(lasting: ErrorClass) -> None:
    """Nobody waits for what does not change."""
    bench = Bench(FilterLogEvents=[error(lasting)])
    with pytest.raises(CallError):
        bench.texts()
    assert bench.pauses == []


def members(bench: Bench) -> TuningMembers:
    """The training jobs of the tuning job `tune`."""
    return TuningMembers(bench.api, TARGET, "tune", bench.patience, bench.clock)


def jobs(*names: str, **more: Any) -> dict[str, Any]:
    """An answer of the list."""
    return {"TrainingJobSummaries": [{"TrainingJobName": name} for name in names], **more}


def test_all_pages_of_a_tuning_jobs_training_jobs_count() -> None:
    """And one list answers for all that it names."""
    bench = Bench(ListTrainingJobsForHyperParameterTuningJob=[jobs("tune-1", NextToken="x"), jobs("tune-2")])
    of_tune = members(bench)
    assert "tune-2" in of_tune
    assert "tune-1" in of_tune
    assert [(name, request.get("NextToken")) for name, request in bench.api.requests] == [
        (LIST_MEMBERS, None),
        (LIST_MEMBERS, "x"),
    ]


def test_a_training_job_that_was_launched_meanwhile_is_found() -> None:
    """A list is asked for when an unknown name turns up."""
    bench = Bench(ListTrainingJobsForHyperParameterTuningJob=[jobs("tune-1"), jobs("tune-1", "tune-2")])
    of_tune = members(bench)
    assert "tune-1" in of_tune
    assert "tune-2" in of_tune


def test_the_training_job_of_another_tuning_job_is_asked_about_seldom() -> None:
    """`tune-more-1` begins like those of `tune`; its lines must not cost a list each."""
    bench = Bench(ListTrainingJobsForHyperParameterTuningJob=[jobs("tune-1")])
    of_tune = members(bench)
    assert not any("tune-more-1" in of_tune for _ in range(50))
    assert len(bench.api.requests) == 1
    bench.clock.advance(61)
    assert "tune-more-1" not in of_tune
    assert len(bench.api.requests) == 2


def test_the_lines_of_several_groups_come_in_order_of_time() -> None:
    """Steps follow one another, or run at the same time."""
    logs: dict[str, list[list[LogEvent]]] = {
        "prepare": [[LogEvent("a", "1", 1, "x"), LogEvent("a", "2", 5, "x")], [LogEvent("a", "3", 4, "late")]],
        "train": [[], [LogEvent("b", "1", 3, "x")], [LogEvent("b", "2", 9, "x")]],
        "none": [],
    }

    class Read:
        def __init__(self, name: str) -> None:
            self.name = name

        def pages(self, start_ms: int, end_ms: int | None = None) -> Iterator[list[LogEvent]]:
            assert (start_ms, end_ms) == (0, 10)
            yield from logs[self.name]

    readers: list[Any] = [Read(name) for name in logs]
    assert [each.time_ms for page in MergedReader(readers).pages(0, 10) for each in page] == [1, 3, 4, 5, 9]
