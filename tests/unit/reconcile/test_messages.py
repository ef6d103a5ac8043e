"""What users read in conditions and events: each says what is so, once, and what to do about it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import KINDS, TRAINING_JOB
from controller.aws.errors import classify
from controller.aws.refused_values import rewritten
from controller.reconcile import observation as o
from controller.reconcile import reasons
from controller.reconcile import steps as s
from controller.reconcile.endpoint import decide as hosting
from controller.reconcile.job import decide as job
from controller.reconcile.resource import decide as resource
from controller.reconcile.scaling import decide as scaling
from controller.reconcile.shared_decisions import failed
from controller.reconcile.status import messages
from controller.reconcile.status.patch import Facts, next_status
from controller.runtime.errors import ErrorClass
from tests.tables import each_row
from tests.unit.reconcile import test_hosting_table as hosting_table
from tests.unit.reconcile import test_job_table as job_table
from tests.unit.reconcile import test_resource_table as resource_table
from tests.unit.reconcile import test_scaling_table as scaling_table
from tests.unit.reconcile.job_observations import changed

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def decided(kind: KindDescriptor) -> list[s.Finish]:
    """Every end of a pass that the decision table of a kind has."""
    steps: list[object]
    if kind in job_table.JOBS:
        steps = [job.decide(job_table.observed(kind, cell)) for cell in job_table.of_kind(kind).cells]
    elif kind in resource_table.KINDS:
        steps = [resource.decide(resource_table.observed(kind, cell)) for cell in resource_table.TABLE.cells]
    elif kind is hosting_table.HOSTING_DEPLOYMENT:
        steps = [hosting.decide(hosting_table.observed(cell)) for cell in hosting_table.TABLE.cells]
    else:
        steps = [scaling.decide(scaling_table.observed(cell)) for cell in scaling_table.TABLE.cells]
    ends = [each for each in steps if isinstance(each, s.Finish)]
    return list({repr(each): each for each in ends if each.status_update is not None}.values())


def conditions(kind: KindDescriptor, end: s.Finish, old: JsonObject | None = None) -> dict[str, JsonObject]:
    """The conditions of a status, by type."""
    assert end.status_update is not None
    shown = next_status(kind, old or {}, end.status_update, Facts(2, NOW))["conditions"]
    return {each["type"]: each for each in shown}


@each_row("kind", KINDS, ids=lambda each: each.kind)
def test_no_condition_and_no_event_is_without_a_message(kind: KindDescriptor) -> None:
    """In every cell of the decision tables."""
    ends = decided(kind)
    assert len(ends) > 2
    for end in ends:
        assert all(each["message"] for each in conditions(kind, end).values()), end
        assert all(each.message for each in end.events), end


@each_row("kind", KINDS, ids=lambda each: each.kind)
def test_ready_says_what_is_in_the_way(kind: KindDescriptor) -> None:
    """`kubectl get` answers whether it is well, and its wide output why not: the reason of Stalled or Reconciling."""
    for end in decided(kind):
        shown = conditions(kind, end)
        blocks = [shown[each] for each in ("Stalled", "Reconciling") if shown[each]["status"] == "True"]
        if shown["Ready"]["status"] != "True" and blocks:
            ready = shown["Ready"]
            assert (ready["reason"], ready["message"]) == (blocks[0]["reason"], blocks[0]["message"])


def seen(**changes: Any) -> o.Observed:
    """A job that is not created yet."""
    cell = {"whose": "never", "asked by": "nobody", "state": "-", "object": "wanted", "spec": "same"}
    return replace(job_table.observed(TRAINING_JOB, cell).base, **changes)


LASTING = [
    pytest.param(ErrorClass.DENIED, "AccessDeniedException", reasons.ACCESS_DENIED, id="no permission"),
    pytest.param(ErrorClass.DENIED, "Credentials", reasons.CREDENTIALS_ERROR, id="no credentials"),
    pytest.param(ErrorClass.RETRYABLE, "EndpointUnreachable", reasons.AWS_UNAVAILABLE, id="unreachable endpoint"),
    pytest.param(ErrorClass.QUOTA, "ResourceLimitExceeded", reasons.QUOTA_EXCEEDED, id="quota"),
    pytest.param(ErrorClass.QUOTA, "ValidationException", reasons.DEPENDENCY_MISSING, id="missing model"),
    pytest.param(ErrorClass.REFUSED, "ValidationException", reasons.REQUEST_REFUSED, id="refused"),
]


@each_row(("error_class", "code", "reason"), LASTING)
def test_ready_of_what_cannot_be_created_names_the_cause_and_the_next_step(
    error_class: ErrorClass, code: str, reason: str
) -> None:
    """It said `Creating`, for as long as credentials were missing or an endpoint was unreachable."""
    end = failed(seen(), o.Failure(o.During.CREATE, error_class, code, "some words of AWS"))
    assert isinstance(end, s.Finish)
    ready = conditions(TRAINING_JOB, end)["Ready"]
    assert (ready["status"], ready["reason"]) == ("False", reason)
    assert ready["message"] == f"{code}: some words of AWS. {messages.NEXT_STEPS[reason]}"


@pytest.mark.parametrize("phase", [s.Phase.TROUBLED, s.Phase.PAUSED], ids=lambda each: each.value)
def test_what_can_be_used_stays_ready_while_aws_cannot_be_called(phase: s.Phase) -> None:
    """An endpoint serves, whatever the operator can see of it."""
    usable = s.StatusUpdate(s.Phase.READY, "InService", "It serves", value="InService")
    old = next_status(TRAINING_JOB, {}, usable, Facts(1, NOW))
    ready = conditions(TRAINING_JOB, s.Finish(s.StatusUpdate(phase, "Trouble", "words")), old)["Ready"]
    assert (ready["status"], ready["reason"], ready["message"]) == ("True", "InService", "It serves")


def test_a_long_text_of_aws_is_whole_in_one_field_and_one_event() -> None:
    """It was the same thousand characters in five places."""
    text = "word " * 200
    end = failed(seen(), o.Failure(o.During.CREATE, ErrorClass.INVALID, "ValidationException", text))
    assert isinstance(end, s.Finish)
    assert end.status_update is not None
    assert text.strip() in str(end.status_update.additional)
    assert [text.strip() in each.message for each in end.events] == [True]
    shown = conditions(TRAINING_JOB, end)
    assert max(len(each["message"]) for each in shown.values()) < messages.BRIEF + 200
    assert sum("word word" in each["message"] for each in shown.values()) == 2, "Ready and Stalled, which tools read"


def test_the_failure_reason_of_a_job_is_whole_in_one_field_and_one_event() -> None:
    """It may be a traceback of a thousand characters."""
    cell = {"whose": "ours", "asked by": "describe", "state": "Failed", "object": "wanted", "spec": "same"}
    seen = job_table.observed(TRAINING_JOB, cell)
    assert isinstance(seen.base.external, o.ExternalResource)
    text = "AlgorithmError " * 60
    end = job.decide(changed(seen, external=replace(seen.base.external, failure_reason=text)))
    assert isinstance(end, s.Finish)
    assert end.status_update is not None
    assert end.status_update.additional == text
    assert end.events[-1].message == f"The job failed: {text}"
    assert all(len(each["message"]) < messages.BRIEF + 50 for each in conditions(TRAINING_JOB, end).values())


TYPES = [f"ml.{family}.{size}xlarge" for family in ("m5", "c5", "p3", "g4dn") for size in ("", "2", "4", "12", "24")]


def test_a_value_that_aws_does_not_take_is_refused_with_the_closest_ones() -> None:
    """AWS lists all of them, of which there are hundreds of instance types."""
    said = (
        "1 validation error detected: Value 'ml.m5.xlrage' at 'resourceConfig.instanceType' failed to satisfy"
        f" constraint: Member must satisfy enum value set: [{', '.join(TYPES)}]"
    )
    error = classify("CreateTrainingJob", refusal_of(said))
    assert error.error_class is ErrorClass.INVALID
    assert error.message == (
        "1 validation error detected: Value 'ml.m5.xlrage' at 'resourceConfig.instanceType' is none of the 20 values"
        " that AWS takes; similar ones are ml.m5.xlarge, ml.m5.4xlarge, ml.m5.2xlarge"
    )


def test_values_that_are_few_are_listed_and_one_that_resembles_none_gets_an_example() -> None:
    """Two faults in one answer are both rewritten; what AWS says otherwise stays."""
    fault = "Value '{}' at 'x' failed to satisfy constraint: Member must satisfy enum value set: [{}]"
    assert rewritten(f"2 errors: {fault.format('File', 'Pipe, FastFile')}; {fault.format('?', ', '.join(TYPES))}") == (
        "2 errors: Value 'File' at 'x' is none of: FastFile, Pipe; Value '?' at 'x' is none of the 20 values that AWS"
        " takes, such as ml.c5.12xlarge"
    )
    assert rewritten("Could not find model") == "Could not find model"


def refusal_of(message: str) -> Exception:
    """An answer of SageMaker."""
    error: Any = {"Error": {"Code": "ValidationException", "Message": message}}
    return ClientError(error | {"ResponseMetadata": {"HTTPStatusCode": 400}}, "CreateTrainingJob")
