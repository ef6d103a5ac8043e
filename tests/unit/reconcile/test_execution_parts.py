"""What is sent and shown of an execution: its mark, its name, its steps."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.meta import JsonObject
from controller.reconcile.execution.marker import is_marked, mark_of, marked
from controller.reconcile.execution.shown_steps import MOST_SHOWN, shown_steps

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?", fullmatch=True)


def obj(name: str = "retrain", uid: str = "a-b-c") -> JsonObject:
    """An object."""
    return {"metadata": {"namespace": "team", "name": name, "uid": uid}}


@given(name=NAMES, text=st.text(max_size=10), times=st.integers(1, 400), other=st.uuids(), uid=st.uuids())
def test_an_execution_is_known_by_the_uid_at_the_end_of_its_description(
    name: str, text: str, times: int, other: object, uid: object
) -> None:
    """Whatever the user has written, within AWS's limits; and not by another object of the same name."""
    description = text * times
    request = marked(obj(name, str(uid)), {"PipelineExecutionDescription": description})
    assert len(request["PipelineExecutionDescription"]) <= 3072
    assert is_marked(obj(name, str(uid)), request)
    assert other == uid or not is_marked(obj(name, str(other)), request)
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}", request["PipelineExecutionDisplayName"])


def test_what_the_user_writes_comes_first_and_the_name_is_his() -> None:
    """The mark is an addition."""
    given_ = {"PipelineExecutionDescription": "nightly", "PipelineExecutionDisplayName": "n", "PipelineName": "p"}
    assert marked(obj(), given_) == {
        "PipelineName": "p",
        "PipelineExecutionDisplayName": "n",
        "PipelineExecutionDescription": "nightly [Kubernetes team/retrain a-b-c]",
    }
    assert marked(obj(), {})["PipelineExecutionDescription"] == mark_of(obj())
    assert is_marked(obj(), marked(obj(), {}))


@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (
            {
                "StepName": "Train",
                "StepStatus": "Failed",
                "FailureReason": "AlgorithmError: " + "x" * 500,
                "StartTime": datetime(2030, 1, 1, tzinfo=UTC),
                "EndTime": datetime(2030, 1, 2, tzinfo=UTC),
                "Metadata": {"TrainingJob": {"Arn": "arn:a"}},
            },
            {
                "name": "Train",
                "status": "Failed",
                "type": "TrainingJob",
                "arn": "arn:a",
                "reason": "AlgorithmError: " + "x" * 283 + "…",
                "startTime": "2030-01-01T00:00:00Z",
                "endTime": "2030-01-02T00:00:00Z",
            },
        ),
        (
            {"StepName": "Check", "StepStatus": "Starting", "Metadata": {"QualityCheck": {"CheckJobArn": "arn:b"}}},
            {"name": "Check", "status": "Starting", "type": "QualityCheck", "arn": "arn:b"},
        ),
        (
            {"StepName": "If", "StepStatus": "Succeeded", "Metadata": {"Condition": {"Outcome": "True"}}},
            {"name": "If", "status": "Succeeded", "type": "Condition"},
        ),
        (
            {"StepName": "Loop", "StepStatus": "Executing", "IterationContext": {"Index": 0}},
            {"name": "Loop", "status": "Executing", "iteration": 0},
        ),
        ({}, {}),
    ],
)
def test_a_step_is_shown_with_what_is_known_of_it(step: dict[str, Any], shown: dict[str, Any]) -> None:
    """Each sort of step has its own member."""
    assert shown_steps([step]) == {"stepCount": 1, "steps": [shown]}


def test_the_last_steps_of_many_are_shown_and_all_are_counted() -> None:
    """They are the ones that run."""
    shown = shown_steps([{"StepName": str(n)} for n in range(MOST_SHOWN + 20)])
    assert shown["stepCount"] == MOST_SHOWN + 20
    assert [each["name"] for each in shown["steps"]] == [str(n) for n in range(20, MOST_SHOWN + 20)]
