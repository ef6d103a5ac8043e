"""What AWS's refusals mean: every row of the table, by example."""

import pytest
from botocore import exceptions as sdk
from botocore.exceptions import ClientError

from controller.aws.errors import TABLE, classify
from controller.runtime.errors import ErrorClass

C = ErrorClass

EXAMPLES = [
    # operation, code, message, meaning
    ("DescribeTrainingJob", "ValidationException", "Requested resource not found.", C.NOT_FOUND),
    ("StopTrainingJob", "ValidationException", "Requested resource not found.", C.NOT_FOUND),
    ("DescribeProcessingJob", "ValidationException", "Could not find requested job", C.NOT_FOUND),
    ("StopProcessingJob", "ValidationException", "Could not find requested job", C.NOT_FOUND),
    ("DescribeTransformJob", "ValidationException", "Could not find requested job with name: x", C.NOT_FOUND),
    ("StopTransformJob", "ValidationException", "Could not find requested job with name: x", C.NOT_FOUND),
    ("DescribeHyperParameterTuningJob", "ResourceNotFound", "Amazon SageMaker can't find a tuning job", C.NOT_FOUND),
    (
        "DescribeTrainingJob",
        "ValidationException",
        "1 validation error detected: Value 'a.b' at 'trainingJobName' failed to satisfy constraint: Member must …",
        C.NOT_FOUND,
    ),
    (
        "CreateTrainingJob",
        "ValidationException",
        "1 validation error detected: Value 'a.b' at 'trainingJobName' failed to satisfy constraint: Member must …",
        C.INVALID,
    ),
    ("DescribeModel", "ValidationException", 'Could not find model "arn:aws:…"', C.NOT_FOUND),
    ("DescribeEndpointConfig", "ValidationException", "Could not find endpoint configuration x", C.NOT_FOUND),
    ("DescribeEndpoint", "ValidationException", "Could not find endpoint x", C.NOT_FOUND),
    ("UpdateEndpoint", "ValidationException", "Could not find endpoint x", C.NOT_FOUND),
    ("UpdateEndpoint", "ValidationException", "Could not find endpoint configuration x", C.RETRYABLE),
    ("DeleteEndpoint", "ValidationException", "Could not find endpoint configuration x", C.RETRYABLE),
    ("DeleteScalingPolicy", "ObjectNotFoundException", "No scaling policy found for service namespace", C.NOT_FOUND),
    ("FilterLogEvents", "ResourceNotFoundException", "The specified log group does not exist.", C.NOT_FOUND),
    ("FilterLogEvents", "InvalidParameterException", "The specified nextToken is invalid.", C.INVALID),
    ("ReceiveMessage", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", C.NOT_FOUND),
    ("ReceiveMessage", "KmsAccessDenied", "The ciphertext refers to a key that you may not use", C.DENIED),
    ("CreateTransformJob", "ValidationException", "Could not find model x", C.QUOTA),
    ("RegisterScalableTarget", "ValidationException", "SageMaker endpoint doesn't exist: endpoint/e", C.QUOTA),
    ("CreateTrainingJob", "ResourceNotFound", "no such experiment", C.QUOTA),
    ("CreateTrainingJob", "ResourceInUse", "Training job names must be unique within an AWS account", C.EXISTS),
    ("CreateHyperParameterTuningJob", "ResourceInUse", "A hyperparameter tuning job with the name", C.EXISTS),
    ("CreateModel", "ValidationException", "Cannot create already existing model x", C.EXISTS),
    ("CreateEndpointConfig", "ValidationException", "Cannot create already existing endpoint configuration", C.EXISTS),
    ("CreateEndpoint", "ValidationException", "Cannot create already existing endpoint x", C.EXISTS),
    (
        "StopTrainingJob",
        "ValidationException",
        "The request was rejected because the training job is in status Completed",
        C.CONFLICT,
    ),
    ("StopTransformJob", "ValidationException", "The job is already stopped", C.CONFLICT),
    ("AssumeRole", "ValidationError", "1 validation error detected: Value 'x' at 'roleArn'", C.DENIED),
    ("AssumeRole", "RegionDisabledException", "STS is not activated in this region", C.DENIED),
    ("UpdateEndpoint", "ValidationException", 'Cannot update in-progress endpoint "x".', C.CONFLICT),
    (
        "RegisterScalableTarget",
        "ValidationException",
        "Endpoint x: The status should be in 'InService' to register it as a scalable target.",
        C.CONFLICT,
    ),
    ("PutScalingPolicy", "ConcurrentUpdateException", "", C.CONFLICT),
    ("DescribeTrainingJob", "ThrottlingException", "Rate exceeded", C.THROTTLED),
    ("CreateTrainingJob", "TooManyRequestsException", "", C.THROTTLED),
    ("DescribeTrainingJob", "ExpiredTokenException", "The security token included is expired", C.DENIED),
    ("DescribeTrainingJob", "UnrecognizedClientException", "The security token is invalid", C.DENIED),
    ("DescribeTrainingJob", "AccessDeniedException", "User: … is not authorized to perform", C.DENIED),
    ("CreateTrainingJob", "ResourceLimitExceeded", "The account-level service limit 'ml.p3' is 0", C.QUOTA),
    ("PutScalingPolicy", "LimitExceededException", "", C.QUOTA),
    ("DescribeTrainingJob", "InternalFailure", "", C.RETRYABLE),
    ("DescribeTrainingJob", "RequestExpired", "", C.RETRYABLE),
    ("CreateTrainingJob", "ValidationException", "Could not assume role arn:aws:iam::1:role/x.", C.QUOTA),
    ("CreateTrainingJob", "ValidationException", "1 validation error detected", C.INVALID),
    # D-10: a bad request looks like no missing job, whatever the operation
    ("DescribeTransformJob", "ValidationException", "1 validation error detected: name too long", C.INVALID),
    ("DescribeTrainingJob", "ValidationException", "1 validation error detected: name too long", C.INVALID),
    ("DescribeTrainingJob", "ValidationException", "Could not find model x", C.INVALID),
]


def reply(operation: str, code: str, message: str, status: int = 400) -> ClientError:
    """What botocore raises for an error answer."""
    body = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(body, operation)


@pytest.mark.parametrize(("operation", "code", "message", "expected"), EXAMPLES)
def test_a_reply_has_one_meaning(operation: str, code: str, message: str, expected: ErrorClass) -> None:
    """v1-kinds.md 13: code and wording, per operation."""
    error = classify(operation, reply(operation, code, message))
    assert error.error_class is expected
    assert error.known


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.error_class.value}: {min(row.codes)} {row.text}")
def test_every_row_decides_an_example_and_names_its_source(row: object) -> None:
    """A row that no example reaches is dead or shadowed by an earlier one."""
    first = [
        next(each for each in TABLE if each.matches(operation, code, message))
        for operation, code, message, _ in EXAMPLES
    ]
    assert any(each is row for each in first)
    assert row.source  # type: ignore[attr-defined]


def test_what_no_row_knows_is_retried_and_marked() -> None:
    """Never terminal on a guess, never "not found"; logged for somebody to add a row."""
    error = classify("CreateTrainingJob", reply("CreateTrainingJob", "BrandNewException", "surprise"))
    assert error.error_class is ErrorClass.RETRYABLE
    assert not error.known


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_server_may_have_done_what_was_asked(status: int) -> None:
    """A 5xx is retryable and ambiguous, with or without a known code."""
    for code in ("InternalFailure", "", "Odd"):
        error = classify("CreateTrainingJob", reply("CreateTrainingJob", code, "", status))
        assert (error.error_class, error.ambiguous, error.known) == (ErrorClass.RETRYABLE, True, True)


def test_a_429_without_a_known_code_is_throttling() -> None:
    """Proxies in between say it by status alone."""
    assert classify("x", reply("x", "", "", 429)).error_class is ErrorClass.THROTTLED


URL = {"endpoint_url": "https://api.sagemaker.us-east-2.amazonaws.com"}


@pytest.mark.parametrize(
    ("exc", "expected", "ambiguous", "sent"),
    [
        (sdk.ParamValidationError(report="Missing required parameter"), C.INVALID, False, False),
        (sdk.InvalidRegionError(region_name="us east"), C.INVALID, False, False),
        (ValueError("Invalid endpoint: nonsense"), C.INVALID, False, False),
        (sdk.NoCredentialsError(), C.DENIED, False, True),
        (sdk.CredentialRetrievalError(provider="web-identity", error_msg="no"), C.DENIED, False, True),
        (sdk.ConnectTimeoutError(**URL), C.RETRYABLE, False, True),
        (sdk.EndpointConnectionError(**URL), C.RETRYABLE, False, True),
        (sdk.ReadTimeoutError(**URL), C.RETRYABLE, True, True),
        (sdk.ConnectionClosedError(**URL), C.RETRYABLE, True, True),
        (sdk.HTTPClientError(error="reset by peer"), C.RETRYABLE, True, True),
        (RuntimeError("odd"), C.RETRYABLE, True, True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_failure_on_our_side_of_the_wire_has_one_meaning(
    exc: Exception, expected: ErrorClass, ambiguous: bool, sent: bool
) -> None:
    """Only what cannot have reached AWS is certain to have had no effect."""
    error = classify("CreateTrainingJob", exc)
    assert (error.error_class, error.ambiguous, error.sent) == (expected, ambiguous, sent)


def test_messages_are_short_and_on_one_line() -> None:
    """They go into conditions and events."""
    error = classify("x", reply("x", "ValidationException", "a\n b " * 2000))
    assert len(error.message) <= 1024
    assert "\n" not in error.message
