"""InvokeEndpoint, through boto3's sagemaker-runtime client, as the hosting guide uses it."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.answers import refusal
from tests.unit.sandbox_aws.test_models import create_config, create_model, variant

GUIDE = ",".join(map(str, range(1, 785)))


@pytest.fixture
def runtime(aws: RunningServer, sagemaker: Any, client: Callable[[str], Any]) -> Any:
    """A runtime client; an endpoint with variants `a` (weight 1) and `b` (weight 3) is being created."""
    create_model(sagemaker)
    create_config(sagemaker, ProductionVariants=[variant("a"), variant("b", InitialVariantWeight=3.0)])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    return client("sagemaker-runtime")


def invoke(runtime: Any, body: str = GUIDE, **members: Any) -> Any:
    """The answer to an invocation with CSV."""
    return runtime.invoke_endpoint(EndpointName="endpoint", ContentType="text/csv", Body=body, **members)


def test_the_guides_input_gets_the_guides_answer(aws: RunningServer, runtime: Any) -> None:
    """hosting-deployment-guide: `seq 784` predicts 4.95847082138, every time."""
    aws.clock.advance(400)
    answers = [invoke(runtime) for _ in range(2)]
    assert [answer["Body"].read() for answer in answers] == [b"4.95847082138"] * 2
    assert answers[0]["ContentType"] == "text/csv; charset=utf-8"
    assert 0 <= float(invoke(runtime, "1,2,3")["Body"].read()) < 10
    assert len(invoke(runtime, "1,2\n3,4\n")["Body"].read().split()) == 2


def test_variants_get_their_share_or_the_one_asked_for(aws: RunningServer, runtime: Any) -> None:
    """By weight 1 to 3; TargetVariant overrides it."""
    aws.clock.advance(400)
    served = [invoke(runtime)["InvokedProductionVariant"] for _ in range(60)]
    assert 5 < served.count("a") < 25
    assert {invoke(runtime, TargetVariant="a")["InvokedProductionVariant"] for _ in range(9)} == {"a"}
    assert refusal(lambda: invoke(runtime, TargetVariant="c"))[0] == "ValidationError"


@pytest.mark.parametrize("state", ["Creating", "Failed", "Deleting", "gone", "unknown"])
def test_an_endpoint_that_does_not_serve_is_not_found(
    aws: RunningServer, sagemaker: Any, runtime: Any, state: str
) -> None:
    """The runtime has a code and a text of its own for it, whatever the reason."""
    name = "fail-me" if state == "Failed" else "nobody" if state == "unknown" else "endpoint"
    if state == "Failed":
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="config")
    aws.clock.advance(0 if state == "Creating" else 400)
    if state in {"Deleting", "gone"}:
        sagemaker.delete_endpoint(EndpointName=name)
        aws.clock.advance(0 if state == "Deleting" else 50)
    error = refusal(runtime.invoke_endpoint, EndpointName=name, Body="1")
    assert error == ("ValidationError", f"Endpoint {name} of account 123456789012 not found.", 400)


@pytest.mark.parametrize("marker", ["SANDBOX_SECONDS", "SANDBOX_FAIL", "SANDBOX_ROLLBACK_FAIL"])
def test_an_endpoint_serves_while_it_is_updated_and_rolled_back(
    aws: RunningServer, sagemaker: Any, runtime: Any, marker: str
) -> None:
    """Blue/green: no answer is lost at any time."""
    aws.clock.advance(400)
    create_config(sagemaker, "new", Tags=[{"Key": marker, "Value": "300"}])
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="new")
    for _ in range(10):
        assert invoke(runtime)["Body"].read() == b"4.95847082138"
        aws.clock.advance(45)


def test_an_input_that_is_no_number_is_the_models_error(aws: RunningServer, runtime: Any) -> None:
    """ModelError: HTTP 424 with the model's own words and its log stream."""
    aws.clock.advance(400)
    with pytest.raises(ClientError) as refused:
        invoke(runtime, "1,two")
    response = refused.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == ("ModelError", 424)
    assert response["OriginalStatusCode"] == 400
    assert response["OriginalMessage"] == "could not convert string to float: 'two'"
    assert ":log-group:/aws/sagemaker/Endpoints/endpoint:log-stream:" in response["LogStreamArn"]


def test_invocations_are_logged(aws: RunningServer, runtime: Any, client: Callable[[str], Any]) -> None:
    """One line each, in the stream of the instance that answered."""
    aws.clock.advance(400)
    invoke(runtime, TargetVariant="b")
    refusal(lambda: invoke(runtime, "x", TargetVariant="b"))
    events = client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/Endpoints/endpoint", logStreamNamePrefix="b/", filterPattern="POST"
    )["events"]
    assert [event["message"] for event in events] == [
        '"POST /invocations HTTP/1.1" 200',
        '"POST /invocations HTTP/1.1" 400',
    ]


def test_faults_and_counts_know_invocations_by_name(aws: RunningServer, runtime: Any) -> None:
    """As any other operation, though this one speaks REST."""
    aws.clock.advance(400)
    aws.faults.add("InvokeEndpoint", "throttle")
    assert refusal(lambda: invoke(runtime))[:2] == ("ThrottlingException", "Rate exceeded")
    assert invoke(runtime)["Body"].read() == b"4.95847082138"
    assert aws.requests.count("InvokeEndpoint") == 2
