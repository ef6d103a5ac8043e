"""What AWS's refusals mean: every row of the table, by example."""

import pytest
from botocore import exceptions as sdk
from botocore.exceptions import ClientError
from botocore.retries.standard import ThrottledRetryableChecker

from controller.aws.errors import (
    LONGEST_RETRY_AFTER_S,
    TABLE,
    UNREADABLE_ANSWER,
    AwsError,
    CallError,
    LocalRefusal,
    classify,
)
from controller.runtime.errors import ErrorClass
from tests.tables import each_row

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
    ("DescribeModelPackage", "ValidationException", "ModelPackage arn:aws:… does not exist.", C.NOT_FOUND),
    ("DescribePipeline", "ResourceNotFound", "Pipeline 'arn:aws:…' does not exist.", C.NOT_FOUND),
    ("DeleteModelPackageGroup", "ConflictException", "still has model packages", C.CONFLICT),
    ("CreateModelPackage", "ValidationException", "ModelPackageGroup arn:aws:… does not exist.", C.QUOTA),
    ("CreatePipeline", "ValidationException", "Pipeline arn:aws:… already exists.", C.EXISTS),
    ("UpdatePipeline", "ValidationException", "Unable to parse pipeline definition.", C.REFUSED),
    ("DescribeEndpointConfig", "ValidationException", "Could not find endpoint configuration x", C.NOT_FOUND),
    ("DescribeEndpoint", "ValidationException", "Could not find endpoint x", C.NOT_FOUND),
    ("UpdateEndpoint", "ValidationException", "Could not find endpoint x", C.NOT_FOUND),
    ("UpdateEndpoint", "ValidationException", "Could not find endpoint configuration x", C.QUOTA),
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
    (
        "CreateTrainingJob",
        "ValidationException",
        "The execution role ARN is not authorized to perform: s3:GetObject",
        C.DENIED,
    ),
    ("CreateModel", "KMSInvalidStateException", "the key is pending deletion", C.DENIED),
    ("CreateEndpoint", "InvalidParameterCombination", "", C.INVALID),
    ("CreateTrainingJob", "InvalidParameterValue", "no such subnet", C.REFUSED),
    # state, not spec: whatever the wording
    # not there yet
    ("CreateTrainingJob", "ValidationException", "No S3 objects found under S3 URL s3://bucket/in", C.QUOTA),
    ("CreateModel", "ValidationException", "Could not find model data at s3://bucket/model.tar.gz.", C.QUOTA),
    ("CreateModel", "ValidationException", "Could not access model data at s3://bucket/model.tar.gz.", C.QUOTA),
    ("CreateModel", "ValidationException", "Requested image 1.dkr.ecr…/x:1 not found.", C.QUOTA),
    ("CreateModel", "ValidationException", "The repository of your image x does not grant ecr:…", C.QUOTA),
    ("CreateProcessingJob", "ValidationException", "The subnet ID 'subnet-1' does not exist", C.QUOTA),
    ("CreateTransformJob", "ValidationException", "The bucket doesn't exist", C.QUOTA),
    ("UpdateEndpoint", "ValidationException", "Variant a is a scalable target; deregister it first", C.REFUSED),
    ("PutScalingPolicy", "ValidationException", "Only one TargetTrackingScaling policy for a metric", C.REFUSED),
    ("RegisterScalableTarget", "ValidationException", "a wording that nobody has seen yet", C.REFUSED),
    ("CreateEndpoint", "ValidationException", "2 validation errors detected: …", C.INVALID),
    ("CreateModel", "ValidationException", "A model with this name already exists", C.EXISTS),
    ("UpdateEndpoint", "ValidationException", "An update of endpoint x is in progress", C.CONFLICT),
    ("DescribeInferenceComponent", "ValidationException", 'Could not find inference component "x".', C.NOT_FOUND),
    ("DeleteInferenceComponent", "ValidationException", "Could not find InferenceComponent x", C.NOT_FOUND),
    ("CreateInferenceComponent", "ValidationException", 'Could not find endpoint "x".', C.QUOTA),
    ("UpdateInferenceComponent", "ValidationException", 'Could not find model "x".', C.QUOTA),
    (
        "CreateInferenceComponent",
        "ValidationException",
        'Cannot create already existing inference component "x".',
        C.EXISTS,
    ),
    (
        "CreateInferenceComponent",
        "ValidationException",
        "Inference Components are not supported in this Endpoint.",
        C.REFUSED,
    ),
    ("UpdateInferenceComponent", "ValidationException", "Cannot update in-progress inference component x", C.CONFLICT),
    ("UpdateInferenceComponentRuntimeConfig", "ValidationException", "An update is in progress", C.CONFLICT),
    ("DeleteInferenceComponent", "ValidationException", "It has adapters", C.CONFLICT),
    ("DeleteInferenceComponent", "ValidationException", "Value 'x' failed to satisfy constraint: y", C.INVALID),
    ("DeleteEndpoint", "ValidationException", "Cannot delete endpoint x, as it has inference components", C.REFUSED),
    ("UpdateEndpointWeightsAndCapacities", "ValidationException", "Cannot update in-progress endpoint x", C.CONFLICT),
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


@each_row(("operation", "code", "message", "expected"), EXAMPLES)
def test_a_reply_has_one_meaning(operation: str, code: str, message: str, expected: ErrorClass) -> None:
    """v1-kinds.md 13: code and wording, per operation."""
    error = classify(operation, reply(operation, code, message))
    assert error.error_class is expected
    assert error.known


@each_row("row", TABLE, ids=lambda row: f"{row.error_class.value}: {min(row.codes)} {row.text}")
def test_every_row_decides_an_example_and_names_its_source(row: object) -> None:
    """A row that no example reaches is dead or shadowed by an earlier one."""
    first = [
        next(each for each in TABLE if each.matches(operation, code, message))
        for operation, code, message, _ in EXAMPLES
    ]
    assert any(each is row for each in first)
    assert row.source  # type: ignore[attr-defined]


def test_what_no_row_knows_is_retried_slowly_and_marked() -> None:
    """Never terminal on a guess, never "not found"; logged, so that a row can be added."""
    error = classify("CreateTrainingJob", reply("CreateTrainingJob", "BrandNewException", "surprise"))
    assert (error.error_class, error.known, error.ambiguous) == (ErrorClass.REFUSED, False, False)


@each_row("spelling", ["{}", "{}Exception"], ids=["Query", "JSON"])
@each_row(
    ("names", "expected"),
    [
        (
            (
                "IncompleteSignature MissingAuthenticationToken NotAuthorized SubscriptionRequired RequestTimeTooSkewed"
                " KMSAccessDenied KMSInvalidState KMSDisabled KMSNotFound AccessDenied UnrecognizedClient"
                " InvalidSignature ExpiredToken InvalidClientTokenId SignatureDoesNotMatch OptInRequired"
                " UnauthorizedOperation FailedResourceAccess Forbidden Unauthorized"
            ),
            C.DENIED,
        ),
        (
            (
                "Throttling Throttled EC2Throttled ProvisionedThroughputExceeded RequestThrottled TooManyRequests"
                " PriorRequestNotComplete BandwidthLimitExceeded SlowDown RequestLimitExceeded TransactionInProgress"
            ),
            C.THROTTLED,
        ),
        ("ServiceUnavailable InternalFailure InternalServerError RequestTimeout RequestExpired", C.RETRYABLE),
        ("ResourceLimitExceeded LimitExceeded ServiceQuotaExceeded", C.QUOTA),
    ],
    ids=lambda value: value.value if isinstance(value, ErrorClass) else "",
)
def test_both_spellings_of_a_code_mean_the_same(names: str, expected: ErrorClass, spelling: str) -> None:
    """Codes over JSON end in `Exception`, those of the Query protocol do not."""
    codes = [spelling.format(name) for name in names.split()]
    classes = {code: classify("CreateTrainingJob", reply("CreateTrainingJob", code, "")).error_class for code in codes}
    assert classes == dict.fromkeys(codes, expected)


def test_what_botocore_takes_for_throttling_is_throttling() -> None:
    """But for the code that SageMaker and Application Auto Scaling use for quotas."""
    codes = {*ThrottledRetryableChecker._THROTTLED_ERROR_CODES} - {"LimitExceededException"}
    assert {classify("x", reply("x", code, "")).error_class for code in codes} == {C.THROTTLED}


@each_row(
    ("status", "expected", "ambiguous"),
    [
        (301, C.REFUSED, False),
        (302, C.REFUSED, False),
        (401, C.DENIED, False),
        (403, C.DENIED, False),
        (404, C.REFUSED, False),
        (405, C.REFUSED, False),
        (407, C.DENIED, False),
        (408, C.RETRYABLE, True),
        (413, C.REFUSED, False),
        (418, C.REFUSED, False),
        (429, C.THROTTLED, False),
        (500, C.RETRYABLE, True),
        (502, C.RETRYABLE, True),
        (503, C.RETRYABLE, True),
        (504, C.RETRYABLE, True),
    ],
)
@each_row("code", ["", "status", "Odd"])
def test_the_status_decides_where_the_code_does_not(
    code: str, status: int, expected: ErrorClass, ambiguous: bool
) -> None:
    """Proxies and firewalls send none; botocore puts the status in its place. Never "not found", never final."""
    code = str(status) if code == "status" else code
    error = classify("CreateTrainingJob", reply("CreateTrainingJob", code, "<html>", status))
    assert (error.error_class, error.ambiguous) == (expected, ambiguous)
    assert error.code == ("Odd" if code == "Odd" else f"HTTP{status}")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_server_may_have_done_what_was_asked(status: int) -> None:
    """A 5xx is retryable and ambiguous, with or without a known code."""
    for code in ("InternalFailure", "", "Odd"):
        error = classify("CreateTrainingJob", reply("CreateTrainingJob", code, "", status))
        assert (error.error_class, error.ambiguous, error.known) == (ErrorClass.RETRYABLE, True, True)


@each_row(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "31536000"}, LONGEST_RETRY_AFTER_S),
        (
            {"date": "Wed, 02 Jan 2030 03:04:05 GMT", "retry-after": "Wed, 02 Jan 2030 03:05:05 GMT"},
            60.0,
        ),
        ({"date": "Wed, 02 Jan 2030 03:04:05 GMT", "retry-after": "Wed, 02 Jan 2030 03:00:00 GMT"}, None),
        ({"retry-after": "Wed, 02 Jan 2030 03:05:05 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "0"}, None),
    ],
)
@each_row("status", [429, 503])
def test_a_reply_may_say_when_to_come_back(status: int, headers: dict[str, str], expected: float | None) -> None:
    """RFC 9110 10.2.3: seconds, or a date by the clock of the server; a header that says nothing is none."""
    exc = reply("CreateTrainingJob", "", "", status)
    exc.response["ResponseMetadata"]["HTTPHeaders"] = headers
    assert classify("CreateTrainingJob", exc).retry_after_s == expected


URL = {"endpoint_url": "https://api.sagemaker.us-east-2.amazonaws.com"}


@each_row(
    ("exc", "expected", "ambiguous", "sent"),
    [
        (sdk.ParamValidationError(report="Missing required parameter"), C.INVALID, False, False),
        (sdk.InvalidRegionError(region_name="us east"), C.INVALID, False, False),
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
    assert (error.error_class, error.ambiguous, error.is_sent) == (expected, ambiguous, sent)


def test_an_endpoint_that_is_no_url_is_found_before_anything_is_sent() -> None:
    """botocore raises a bare ValueError when it makes the client."""
    error = classify("CreateTrainingJob", ValueError("Invalid endpoint: nonsense"), is_sent=False)
    assert (error.error_class, error.code, error.is_sent) == (C.INVALID, "InvalidEndpoint", False)


@pytest.mark.parametrize("exc", [ValueError("Invalid timestamp"), AttributeError("'list'"), KeyError("x"), TypeError()])
def test_an_answer_that_botocore_cannot_parse_was_sent(exc: Exception) -> None:
    """Its parsers trust the shape of an answer: what they raise says nothing about the effect."""
    error = classify("CreateTrainingJob", exc)
    assert (error.error_class, error.code) == (C.RETRYABLE, UNREADABLE_ANSWER)
    assert (error.ambiguous, error.is_sent) == (True, True)


def test_messages_are_short_and_on_one_line() -> None:
    """They go into conditions and events."""
    error = classify("x", reply("x", "ValidationException", "a\n b " * 2000))
    assert len(error.message) <= 1024
    assert "\n" not in error.message


@pytest.mark.parametrize(
    "error",
    [
        AwsError(C.RETRYABLE, "ReadTimeout", "no answer", operation="CreateModel", ambiguous=True, known=False),
        LocalRefusal(C.DENIED, "UnknownIdentity", "no role", operation="CreateModel"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_copy_says_the_same_of_what_may_have_happened(error: CallError) -> None:
    """What was refused here stays certain not to have reached AWS; only class and words may differ."""
    copied = error.again(error_class=C.RETRYABLE, message="otherwise")
    assert type(copied) is type(error)
    assert (copied.error_class, copied.message) == (C.RETRYABLE, "otherwise")
    for name in ("code", "operation", "ambiguous", "known", "is_sent", "has_listed_code"):
        assert getattr(copied, name) == getattr(error, name)
