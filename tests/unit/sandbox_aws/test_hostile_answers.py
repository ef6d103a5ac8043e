"""What a hostile SageMaker does to calls: words that change, proxies' pages, answers cut short, names taken first."""

import fnmatch
import http.client
import json
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError

from api.v1 import KINDS
from controller.aws.errors import classify
from controller.runtime.errors import ErrorClass
from hack.sandbox.aws.hostile.refusals import all_wordings, wording
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.aws.service import OTHERS
from tests.deadline import PATIENCE_S
from tests.tables import each_row
from tests.unit.sandbox_aws.answers import refusal
from tests.unit.sandbox_aws.conftest import REGION, Request
from tests.unit.sandbox_aws.test_faults import control
from tests.unit.sandbox_aws.test_models import create_config, create_model

MUTATING = {
    *(each.operations.create for each in KINDS),
    *(each.operations.stop for each in KINDS if each.operations.stop),
    *(each.operations.delete for each in KINDS if each.operations.delete),
    *(each.update.operation for each in KINDS if each.update is not None),
    *(each.resource_update.operation for each in KINDS if each.resource_update is not None),
    *("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "AddTags", "DeleteTags"),
    *("UpdateInferenceComponent", "UpdateInferenceComponentRuntimeConfig"),
    *("RegisterScalableTarget", "DeregisterScalableTarget"),
}
"""The operations by which the operator changes anything."""

# --- refusals


@each_row("operation", sorted(MUTATING))
def test_no_words_of_a_refusal_for_a_state_are_final(operation: str) -> None:
    """Only what the spec alone decides is; the words are many, and change. Nor do they say that a resource is gone."""
    number = 0
    seen = set()
    while (found := wording(operation, number)) not in seen:
        assert found is not None
        seen.add(found)
        body = {
            "Error": {"Code": found[0], "Message": found[1]},
            "ResponseMetadata": {"HTTPStatusCode": 400, "HTTPHeaders": {}},
        }
        error = classify(operation, ClientError(body, operation))
        assert error.error_class not in {ErrorClass.INVALID, ErrorClass.NOT_FOUND, ErrorClass.EXISTS}, found
        assert error.known
        number += 1


def test_what_is_refused_for_a_state_are_operations_of_the_operator() -> None:
    """A pattern that matches none of them would never be tried."""
    for pattern, said in all_wordings():
        assert fnmatch.filter(MUTATING, pattern), said


def test_a_refusal_has_other_words_each_time(aws: RunningServer, sagemaker: Any) -> None:
    """Until there are no others; a message that was ordered stays as it is."""
    aws.faults.add("UpdateEndpoint", "refused", count=None)
    asked = {"EndpointName": "e", "EndpointConfigName": "c"}
    known = {message for pattern, (_, message) in all_wordings() if pattern == "UpdateEndpoint"}
    seen = [refusal(sagemaker.update_endpoint, **asked)[:2] for _ in range(2 * len(known))]
    assert {code for code, _ in seen} == {"ValidationException"}
    assert [message for _, message in seen[: len(known)]] == [message for _, message in seen[len(known) :]]
    assert {message for _, message in seen} == known
    aws.faults.clear()
    aws.faults.add("UpdateEndpoint", "refused", message="so it is")
    assert refusal(sagemaker.update_endpoint, **asked) == ("ValidationException", "so it is", 400)


# --- what is not AWS's


@pytest.mark.parametrize("status", [302, 401, 403, 405, 407, 413, 502, 503])
def test_a_proxy_answers_with_a_page(aws: RunningServer, sagemaker: Any, status: int) -> None:
    """No error code: botocore shows the status in its place."""
    aws.faults.add("ListTrainingJobs", "html", status=status, message="Please log in")
    with pytest.raises(ClientError) as refused:
        sagemaker.list_training_jobs()
    response = refused.value.response
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert response["Error"]["Code"] == str(status)
    assert headers["content-type"].startswith("text/html")
    assert ("location" in headers) is (status == 302)
    assert aws.requests.errors("ListTrainingJobs", f"HTTP {status}") == 1


def test_a_login_page_may_look_like_a_success(aws: RunningServer, sagemaker: Any) -> None:
    """HTTP 200, and a body that is no JSON, which botocore takes for an answer in which everything is missing."""
    aws.faults.add("ListTrainingJobs", "html", status=200)
    answer = sagemaker.list_training_jobs()
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"].startswith("text/html")
    assert "TrainingJobSummaries" not in answer


def test_a_proxy_may_give_up_after_the_effect(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """A gateway's timeout says nothing about what it had passed on."""
    aws.faults.add("CreateTrainingJob", "html-after", status=504)
    assert refusal(sagemaker.create_training_job, **request_of())[2] == 504
    assert [each.operation for each in aws.effects.all()] == ["CreateTrainingJob"]


@pytest.mark.parametrize("operation", ["CreateTrainingJob", "StopTrainingJob"])
def test_an_answer_may_end_in_the_middle(
    aws: RunningServer, sagemaker: Any, request_of: Request, operation: str
) -> None:
    """Also one of an operation without output; the call took effect."""
    sagemaker.create_training_job(**request_of("old"))
    aws.faults.add(operation, "cut-within")
    asked = request_of("new") if operation == "CreateTrainingJob" else {"TrainingJobName": "old"}
    scope = f"Credential=key/20300101/{REGION}/sagemaker/aws4_request"
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
    request = urllib.request.Request(aws.url, json.dumps(asked).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer, pytest.raises(http.client.IncompleteRead):
        answer.read()
    assert aws.effects.all()[-1].operation == operation
    assert aws.requests.errors(operation, "(lost)") == 1


@pytest.mark.parametrize("is_date", [False, True])
def test_retry_after_has_two_forms(aws: RunningServer, sagemaker: Any, *, is_date: bool) -> None:
    """RFC 9110: seconds, or a date by the server's clock."""
    aws.faults.add("ListModels", "unavailable", retry_after_s=30, retry_after_is_date=is_date)
    with pytest.raises(ClientError) as refused:
        sagemaker.list_models()
    headers = refused.value.response["ResponseMetadata"]["HTTPHeaders"]
    if is_date:
        waits = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
        assert waits.total_seconds() == 30
    else:
        assert headers["retry-after"] == "30"


# --- names


def test_others_may_be_faster_with_a_name(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """Theirs has no tags; the caller meets what it did not create. Only creations can be forestalled."""
    aws.faults.add("*", "taken")
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []
    code, _, _ = refusal(sagemaker.create_training_job, **request_of("job"), Tags=[{"Key": "team", "Value": "a"}])
    assert code == "ResourceInUse"
    arn = sagemaker.describe_training_job(TrainingJobName="job")["TrainingJobArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []
    assert [each.user_agent for each in aws.effects.all()] == [OTHERS]


def test_a_name_changes_hands_at_once(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """By control endpoint: same name, same content, another resource; whatever state it was in."""
    sagemaker.create_training_job(**request_of("job"), Tags=[{"Key": "team", "Value": "a"}])
    before = sagemaker.describe_training_job(TrainingJobName="job")
    aws.clock.advance(60)
    place = {"resource": "TrainingJob", "name": "job", "region": "us-west-2"}
    assert control(aws, "POST", "takeovers", place) == (201, place)
    after = sagemaker.describe_training_job(TrainingJobName="job")
    assert after["TrainingJobArn"] == before["TrainingJobArn"]
    assert (after["CreationTime"] - before["CreationTime"]).total_seconds() == 60
    assert sagemaker.list_tags(ResourceArn=after["TrainingJobArn"])["Tags"] == []
    by_others = [each.operation for each in aws.effects.all() if each.user_agent == OTHERS]
    assert by_others == ["DeleteTrainingJob", "CreateTrainingJob"]


def test_an_endpoint_of_others_has_a_configuration_of_its_own(aws: RunningServer, sagemaker: Any) -> None:
    """What is ours can be deleted though they use the name."""
    create_model(sagemaker)
    create_config(sagemaker, "ours")
    aws.faults.add("CreateEndpoint", "taken")
    code, message, _ = refusal(sagemaker.create_endpoint, EndpointName="e", EndpointConfigName="ours")
    assert (code, "already existing" in message) == ("ValidationException", True)
    assert sagemaker.describe_endpoint(EndpointName="e")["EndpointConfigName"] == "theirs-ours"
    sagemaker.delete_endpoint_config(EndpointConfigName="ours")
    aws.clock.advance(1000)
    assert sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ({"resource": "Castle", "name": "n"}, "unknown resource 'Castle', known are: TrainingJob"),
        ({"resource": "Model", "name": "none"}, "Could not find model"),
        ({"resource": "TrainingJob", "name": "past-00000001"}, "does not change its past"),
    ],
)
def test_what_cannot_change_hands_is_refused(aws: RunningServer, place: dict[str, str], said: str) -> None:
    """400 with the reason."""
    aws.past.add(5, until=aws.clock.now())
    status, answer = control(aws, "POST", "takeovers", {"region": "us-west-2", **place})
    assert status == 400
    assert said in answer["error"]


# --- roles


def test_a_new_role_cannot_be_used_for_some_seconds(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """IAM is eventually consistent: refused in several words, then accepted; other roles have clocks of their own."""
    assert control(aws, "POST", "roles", {"lag_s": 10}) == (200, {"lag_s": 10})
    asked = request_of("job")
    seen = {refusal(sagemaker.create_training_job, **asked)[1].partition(" role")[0] for _ in range(3)}
    assert len(seen) == 3
    assert aws.roles.refused() == 3
    aws.clock.advance(10)
    sagemaker.create_training_job(**asked)
    other = request_of("other", RoleArn="arn:aws:iam::123456789012:role/other")
    assert refusal(sagemaker.create_training_job, **other)[0] == "ValidationException"
    assert control(aws, "POST", "roles", {"lag_s": -1})[0] == 400
    control(aws, "POST", "roles", {})
    sagemaker.create_training_job(**other)


# --- which calls


@pytest.mark.parametrize(
    ("order", "hits"),
    [
        ({"operation": "mutating"}, ["create", "stop"]),
        ({"operation": "reading"}, ["describe", "list"]),
        ({"name": "job"}, ["create", "describe", "stop"]),
        ({"name": "JOB"}, ["create", "describe", "stop"]),
        ({"name": "jo"}, []),
        ({"larger_than": 100}, ["create"]),
    ],
    ids=str,
)
def test_calls_are_selected_by_what_they_do_are_about_and_weigh(
    aws: RunningServer, sagemaker: Any, request_of: Request, order: dict[str, Any], hits: list[str]
) -> None:
    """One name, not all that begin with it; big requests, as a path with a small MTU swallows them."""
    sagemaker.create_training_job(**request_of("job"))
    aws.faults.add(**{"operation": "*", "fault": "throttle", "count": None, **order})
    calls: dict[str, Callable[[], Any]] = {
        "create": lambda: sagemaker.create_training_job(**request_of("job")),
        "describe": lambda: sagemaker.describe_training_job(TrainingJobName="job"),
        "list": sagemaker.list_training_jobs,
        "stop": lambda: sagemaker.stop_training_job(TrainingJobName="job"),
    }
    struck = []
    for name, call in calls.items():
        try:
            call()
        except ClientError as refused:
            if refused.response["Error"]["Code"] == "ThrottlingException":
                struck.append(name)
    assert struck == hits


def test_a_status_that_http_has_not_is_refused(aws: RunningServer) -> None:
    """As every order that makes no sense."""
    assert control(aws, "POST", "faults", {"operation": "*", "fault": "html", "status": 99})[0] == 400


# --- lists


def test_a_list_may_be_older_than_the_one_before(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """Another copy has answered: a job that was shown is not shown any more, then again."""
    aws.lists.set(jitter_s=60)
    sagemaker.create_training_job(**request_of())
    aws.clock.advance(30)
    shown = [bool(sagemaker.list_training_jobs()["TrainingJobSummaries"]) for _ in range(8)]
    assert any(before and not after for before, after in pairwise(shown))
    aws.clock.advance(30)
    assert all(sagemaker.list_training_jobs()["TrainingJobSummaries"] for _ in range(8))


def test_a_filter_may_have_no_effect(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """aws/aws-sdk-net#926: the filter on modification was ignored, that on creation worked."""
    sagemaker.create_training_job(**request_of())
    later = aws.clock.now() + 3600

    def shown() -> int:
        return len(sagemaker.list_training_jobs(LastModifiedTimeAfter=later)["TrainingJobSummaries"])

    assert shown() == 0
    aws.lists.set(ignored=["LastModifiedTimeAfter"])
    assert shown() == 1
    assert sagemaker.list_training_jobs(CreationTimeAfter=later)["TrainingJobSummaries"] == []
    assert control(aws, "POST", "lists", {"ignored": ["CreationTimeAfter"]})[0] == 400
