"""What is sent and shown of an execution: its mark, its name, its steps."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import MODEL_PACKAGE, PIPELINE_EXECUTION
from controller.reconcile.execution.perform import completed
from controller.reconcile.execution.shown_steps import MOST_SHOWN, shown_steps
from controller.reconcile.managed.marker import is_marked, mark_of, marked
from tests.tables import each_row

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?", fullmatch=True)


def obj(name: str = "retrain", uid: str = "a-b-c") -> JsonObject:
    """An object."""
    return {"metadata": {"namespace": "team", "name": name, "uid": uid}}


@pytest.mark.parametrize(("kind", "longest"), [(PIPELINE_EXECUTION, 3072), (MODEL_PACKAGE, 1024)])
@given(name=NAMES, text=st.text(max_size=10), times=st.integers(1, 400), other=st.uuids(), uid=st.uuids())
def test_what_aws_names_is_known_by_the_uid_at_the_end_of_its_description(
    kind: KindDescriptor, longest: int, name: str, text: str, times: int, other: object, uid: object
) -> None:
    """Whatever the user has written, within AWS's limits; and not by another object of the same name."""
    request = marked(kind, obj(name, str(uid)), {kind.name.mark: text * times})
    assert len(request[kind.name.mark]) <= longest
    assert is_marked(kind, obj(name, str(uid)), request)
    assert other == uid or not is_marked(kind, obj(name, str(other)), request)


@given(name=NAMES)
def test_an_execution_has_the_name_of_its_object_as_far_as_aws_takes_it(name: str) -> None:
    """It is shown, and identifies nothing."""
    shown = completed(obj(name), {})["PipelineExecutionDisplayName"]
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}", shown)


def test_what_the_user_writes_comes_first_and_the_name_is_his() -> None:
    """The mark is an addition."""
    given_ = {"PipelineExecutionDescription": "nightly", "PipelineExecutionDisplayName": "n", "PipelineName": "p"}
    assert completed(obj(), given_) == {
        "PipelineName": "p",
        "PipelineExecutionDisplayName": "n",
        "PipelineExecutionDescription": "nightly [Kubernetes team/retrain a-b-c]",
    }
    assert completed(obj(), {})["PipelineExecutionDescription"] == mark_of(obj())
    assert is_marked(PIPELINE_EXECUTION, obj(), completed(obj(), {}))


@each_row(
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
