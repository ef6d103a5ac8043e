"""Faults on request, counts, quota and the control endpoints: what tests of the operator lean on."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.faults import Fault
from hack.sandbox.aws.hostile.kinds import FAULTS
from hack.sandbox.aws.server import RunningServer, start
from tests.deadline import PATIENCE_S, eventually
from tests.unit.sandbox_aws.conftest import ONE_TRY, REGION, Request


def control(aws: RunningServer, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """One request to the control endpoints: status and decoded answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{aws.url}/sandbox/{path}", data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.load(refused)


@pytest.mark.parametrize(
    ("fault", "code", "status", "words"),
    [
        ("throttle", "ThrottlingException", 400, "Rate exceeded"),
        ("deny", "AccessDeniedException", 400, "is not authorized to perform: sagemaker:DescribeTrainingJob"),
        ("quota", "ResourceLimitExceeded", 400, "account-level service limit"),
        ("expired", "ExpiredTokenException", 400, "expired"),
        ("invalid", "ValidationException", 400, "fault was asked for"),
        ("refused", "ValidationException", 400, "fault was asked for"),
        ("too-many", "TooManyRequestsException", 429, "Too Many"),
        ("error", "InternalFailure", 500, "internal error"),
        ("unavailable", "ServiceUnavailable", 503, "temporarily"),
    ],
)
def test_an_ordered_fault_is_answered_as_the_service_would(
    aws: RunningServer, sagemaker: Any, request_of: Request, fault: str, code: str, status: int, words: str
) -> None:
    """v1-kinds 13.4: client errors, throttling and denied access included, are HTTP 400."""
    sagemaker.create_training_job(**request_of())
    aws.faults.add("DescribeTrainingJob", fault)
    with pytest.raises(ClientError) as refused:
        sagemaker.describe_training_job(TrainingJobName="job")
    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert words in response["Error"]["Message"]
    assert sagemaker.describe_training_job(TrainingJobName="job")


@pytest.mark.parametrize("fault", ["too-many", "unavailable"])
def test_a_refusal_may_say_when_to_come_back(aws: RunningServer, sagemaker: Any, fault: str) -> None:
    """Of one object only, and until cleared: others are answered."""
    aws.faults.add("Describe*", fault, None, contains="picked-on", retry_after_s=30)
    for _ in range(2):
        with pytest.raises(ClientError) as refused:
            sagemaker.describe_training_job(TrainingJobName="picked-on")
        assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "30"
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="another")


def test_a_fault_may_strike_one_caller_only_and_is_counted(aws: RunningServer, sagemaker: Any) -> None:
    """Named by its User-Agent, so that whoever judges is not struck."""
    aws.faults.add("List*", "throttle", None, user_agent="somebody-else")
    sagemaker.list_training_jobs()
    assert not aws.faults.struck()
    aws.faults.clear()
    aws.faults.add("List*", "throttle", user_agent="Boto3")
    with pytest.raises(ClientError, match="Rate exceeded"):
        sagemaker.list_training_jobs()
    assert aws.faults.struck() == {("throttle", "ListTrainingJobs"): 1}


@pytest.mark.parametrize(
    ("fault", "error", "takes_effect"),
    [
        ("error", ClientError, False),
        ("error-after", ClientError, True),
        ("cut-before", ConnectionClosedError, False),
        ("cut-after", ConnectionClosedError, True),
    ],
)
def test_a_lost_answer_may_or_may_not_mean_a_lost_request(
    aws: RunningServer, sagemaker: Any, request_of: Request, fault: str, error: type[Exception], takes_effect: bool
) -> None:
    """DESIGN 4.3: a create that times out must be tried again safely, whichever of the two happened."""
    aws.faults.add("CreateTrainingJob", fault)
    with pytest.raises(error):
        sagemaker.create_training_job(**request_of())
    assert bool(sagemaker.list_training_jobs()["TrainingJobSummaries"]) is takes_effect


@pytest.mark.parametrize(("fault", "takes_effect"), [("hang-before", False), ("hang-after", True)])
def test_an_answer_that_never_comes_ends_in_the_clients_timeout(
    aws: RunningServer, client: Callable[[str], Any], request_of: Request, fault: str, takes_effect: bool
) -> None:
    """The server holds the connection open, so that the client's own limit is what ends the call.

    It may do so before the server has even read the request.
    """
    sagemaker = client("sagemaker")
    impatient = ONE_TRY.merge(Config(read_timeout=0.2))
    other = boto3.client(
        "sagemaker",
        region_name=REGION,
        endpoint_url=aws.url,
        config=impatient,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    aws.faults.add("CreateTrainingJob", fault, delay_s=60)
    with pytest.raises(ReadTimeoutError):
        other.create_training_job(**request_of())
    other.close()
    eventually(lambda: not aws.faults.pending(), what="the request hangs")
    if takes_effect:
        eventually(lambda: sagemaker.list_training_jobs()["TrainingJobSummaries"], what="the job is there")
    else:
        assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_stopping_the_server_ends_hanging_requests() -> None:
    """A test that forgot a hanging request must not hang itself: `stop` joins every thread."""
    with start(clock=SandboxClock.frozen()) as aws:
        aws.faults.add("*", "hang-before", delay_s=3600)
        host, port = aws.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as connection:
            connection.sendall(
                b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: SageMaker.ListTags\r\nContent-Length: 0\r\n\r\n"
            )
            eventually(lambda: not aws.faults.pending(), what="the request hangs")
            aws.stop()
            assert connection.recv(1) == b""


@pytest.mark.parametrize(
    ("order", "hits"),
    [
        pytest.param({"operation": "DescribeTrainingJob", "count": 2}, [True, True, False, False], id="twice"),
        pytest.param({"operation": "Describe*", "count": None}, [True, True, True, True], id="always, by wildcard"),
        pytest.param({"operation": "DescribeTrainingJob", "after": 1}, [False, True, False, False], id="the second"),
        pytest.param(
            {"operation": "DescribeTrainingJob", "contains": '"b"'}, [False, True, False, False], id="one job"
        ),
        pytest.param({"operation": "CreateTrainingJob"}, [False, False, False, False], id="another operation"),
        pytest.param({"operation": "*", "region": "us-west-2"}, [True, False, False, False], id="its region"),
        pytest.param({"operation": "*", "region": "us-east-2"}, [False, False, False, False], id="another region"),
    ],
)
def test_a_fault_hits_the_calls_it_is_ordered_for(
    aws: RunningServer, sagemaker: Any, request_of: Request, order: dict[str, Any], hits: list[bool]
) -> None:
    """Per operation and count, and if wanted for one job only."""
    for name in ("a", "b"):
        sagemaker.create_training_job(**request_of(name))
    aws.faults.add(fault="throttle", **order)
    seen = []
    for name in ("a", "b", "a", "b"):
        try:
            sagemaker.describe_training_job(TrainingJobName=name)
            seen.append(False)
        except ClientError:
            seen.append(True)
    assert seen == hits


def test_what_took_effect_is_remembered_whatever_the_caller_was_told(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """The evidence of soak tests: an answer that was lost is an effect, an error that came instead is none."""
    aws.faults.add("CreateTrainingJob", "error-after")
    aws.faults.add("StopTrainingJob", "error")
    with pytest.raises(ClientError):
        sagemaker.create_training_job(**request_of("a"), Tags=[{"Key": "team", "Value": "b"}])
    with pytest.raises(ClientError):
        sagemaker.stop_training_job(TrainingJobName="a")
    sagemaker.describe_training_job(TrainingJobName="a")
    (effect,) = aws.effects.all()
    assert (effect.operation, effect.name, effect.region) == ("CreateTrainingJob", "a", "us-west-2")
    assert effect.tags == {"team": "b"}


@pytest.mark.parametrize("order", [{"fault": "earthquake"}, {"fault": "throttle", "count": 0}])
def test_an_order_that_makes_no_sense_is_refused(order: dict[str, Any]) -> None:
    """The message lists what can be ordered."""
    with pytest.raises(ValueError, match=r"unknown fault|count must be"):
        Fault(operation="*", **order)


def test_faults_reach_the_services_that_moto_answers(aws: RunningServer, client: Callable[[str], Any]) -> None:
    """STS speaks the query protocol, so its errors are XML."""
    aws.faults.add("GetCallerIdentity", "deny", code="AccessDenied")
    with pytest.raises(ClientError) as refused:
        client("sts").get_caller_identity()
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert client("sts").get_caller_identity()["Account"] == "123456789012"


def test_requests_are_counted_by_operation_and_error(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """Budgets are tested by counting: every request counts, answered or not."""
    aws.faults.add("CreateTrainingJob", "throttle")
    aws.faults.add("CreateTrainingJob", "cut-before")
    for _ in range(3):
        try:
            sagemaker.create_training_job(**request_of())
        except (ClientError, ConnectionClosedError):
            continue
    assert aws.requests.counts() == {"CreateTrainingJob": 3}
    assert aws.requests.errors("CreateTrainingJob", "ThrottlingException") == 1
    assert aws.requests.errors("CreateTrainingJob", "(lost)") == 1
    aws.requests.reset()
    assert aws.requests.counts() == {}


def test_the_call_quota_throttles_each_list_and_describe_operation_by_itself(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """DESIGN 4.5: about two List calls a second. What was not used is saved up to the burst, no further."""
    sagemaker.create_training_job(**request_of())
    aws.quota.set(2, burst=3)

    def answered() -> int:
        before = aws.requests.errors("ListTrainingJobs", "ThrottlingException")
        for _ in range(10):
            try:
                sagemaker.list_training_jobs()
            except ClientError:
                continue
        return 10 - (aws.requests.errors("ListTrainingJobs", "ThrottlingException") - before)

    counts = []
    for wait_s in (0, 0, 0.5, 1, 60):
        aws.clock.advance(wait_s)
        counts.append(answered())
    assert counts == [3, 0, 1, 2, 3]
    assert sagemaker.describe_training_job(TrainingJobName="job")
    sagemaker.create_training_job(**request_of("other"))


def test_the_control_endpoints_do_what_the_objects_do(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """For another process: faults, counts, clock, quota, reset over HTTP."""
    assert control(aws, "GET", "health") == (200, {"status": "ok"})
    assert control(aws, "POST", "faults", {"operation": "CreateTrainingJob", "fault": "throttle"})[0] == 201
    assert control(aws, "GET", "faults")[1]["faults"][0]["operation"] == "CreateTrainingJob"
    with pytest.raises(ClientError, match="Rate exceeded"):
        sagemaker.create_training_job(**request_of())
    assert control(aws, "GET", "requests")[1] == {
        "requests": {"CreateTrainingJob": 1},
        "errors": {"CreateTrainingJob": {"ThrottlingException": 1}},
    }
    assert control(aws, "DELETE", "requests")[1] == {"requests": {}, "errors": {}}
    now = control(aws, "GET", "clock")[1]["now"]
    assert control(aws, "POST", "clock", {"advance_s": 5}) == (200, {"now": now + 5})
    sagemaker.create_training_job(**request_of())
    assert control(aws, "POST", "quota", {"calls_per_second": 1})[0] == 200
    assert control(aws, "POST", "reset") == (200, {"status": "ok"})
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "faults", {"operation": "x", "fault": "earthquake"}, 400),
        ("POST", "faults", {"operation": "x", "fault": "throttle", "colour": "red"}, 400),
        ("POST", "clock", {"advance_s": -1}, 400),
        ("POST", "clock", {}, 400),
        ("POST", "quota", {"calls_per_second": -1}, 400),
        ("POST", "faults", [1], 400),
        ("GET", "nothing", None, 404),
    ],
)
def test_a_wrong_control_request_says_what_is_wrong(
    aws: RunningServer, method: str, path: str, body: object, status: int
) -> None:
    """400 with the reason, or 404."""
    code, answer = control(aws, method, path, body)
    assert code == status
    assert answer["error"]


def test_every_fault_has_a_line_of_help() -> None:
    """The command line prints the table as it is."""
    assert all(kind.help for kind in FAULTS.values())
