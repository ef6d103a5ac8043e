"""Classifies AWS errors: one table from error code and message, per operation, to `ErrorClass`.

SageMaker answers client errors, throttling and denied access included, with HTTP 400 and a code; "not found" has six
wordings under two codes (v1-kinds.md 13). Rows are tried in order, the first match wins; an error without a row is
retryable and marked as unknown, so that it is logged for investigation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from controller.runtime.errors import ClassifiedError, ErrorClass

_MESSAGE_LIMIT: Final = 1024
"""Characters of an AWS message that are kept: conditions and events contain it."""


class AwsError(ClassifiedError):
    """An AWS call that failed, or was not made.

    `code` is the AWS error code, or one of the operator's where no reply came (`ReadTimeout`, `BudgetExhausted`).
    """

    def __init__(
        self,
        error_class: ErrorClass,
        code: str,
        message: str,
        *,
        operation: str = "",
        retry_after_s: float | None = None,
        ambiguous: bool = False,
        known: bool = True,
        sent: bool = True,
    ) -> None:
        super().__init__(error_class, code, message, retry_after_s=retry_after_s)
        self.operation = operation
        self.ambiguous = ambiguous
        """The request may have taken effect although no reply confirms it."""
        self.known = known
        """Whether a row of the table matched."""
        self.sent = sent
        """False: nothing can have reached AWS, because the request was never sent."""

    @property
    def label(self) -> str:
        """Return the code as a metric label: bounded, whatever server answers at an endpoint that a user chose."""
        return self.code if self.known else "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table. All given conditions must hold; `text` must be in the message, at its start unless
    `anywhere`; no `operations` means every operation.
    """

    error_class: ErrorClass
    codes: frozenset[str]
    operations: frozenset[str]
    text: str
    source: str
    anywhere: bool = False

    def matches(self, operation: str, code: str, message: str) -> bool:
        """Return whether this row matches the reply."""
        if code not in self.codes or (self.operations and operation not in self.operations):
            return False
        return self.text in message if self.anywhere else message.startswith(self.text)


def _row(
    error_class: ErrorClass,
    codes: str,
    operations: str = "",
    text: str = "",
    *,
    source: str,
    anywhere: bool = False,
) -> Row:
    return Row(error_class, frozenset(codes.split()), frozenset(operations.split()), text, source, anywhere)


_STOPS: Final = "StopTransformJob StopProcessingJob StopHyperParameterTuningJob"
_QUEUES: Final = "ReceiveMessage DeleteMessageBatch"
_SCALING: Final = "DeleteScalingPolicy DeregisterScalableTarget PutScalingPolicy"

TABLE: Final = (
    # --- not found: code and wording, never only a code that also means bad input (D-09, D-10)
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeTrainingJob StopTrainingJob",
        "Requested resource not found",
        source="v1-kinds.md 13.1: predecessor, ACK",
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeProcessingJob StopProcessingJob DescribeTransformJob StopTransformJob",
        "Could not find requested job",
        source="v1-kinds.md 13.1: predecessor, ACK; stop: assumed equal",
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeModel DeleteModel",
        "Could not find model",
        source="v1-kinds.md 13.1: predecessor, ACK",
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeEndpointConfig DeleteEndpointConfig",
        "Could not find endpoint configuration",
        source="v1-kinds.md 13.1: predecessor, ACK",
    ),
    _row(
        ErrorClass.RETRYABLE,
        "ValidationException",
        "UpdateEndpoint CreateEndpoint DescribeEndpoint DeleteEndpoint",
        "Could not find endpoint configuration",
        source="v1-kinds.md 13.1: the configuration is missing, not the endpoint; longer prefix first",
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeEndpoint DeleteEndpoint UpdateEndpoint",
        "Could not find endpoint",
        source="v1-kinds.md 13.1: predecessor, ACK",
    ),
    _row(
        ErrorClass.QUOTA,
        "ValidationException",
        "CreateTransformJob CreateEndpointConfig",
        "Could not find model",
        source="v1-kinds.md 13.4: missing dependency, may appear at any time: slow retry",
    ),
    _row(
        ErrorClass.QUOTA,
        "ValidationException",
        "RegisterScalableTarget",
        "doesn't exist",
        source="endpoint or variant is missing, may appear at any time: slow retry; v1-kinds.md 13.4",
        anywhere=True,
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeTrainingJob DescribeProcessingJob DescribeTransformJob DescribeHyperParameterTuningJob",
        "failed to satisfy constraint",
        source="reply to a name that breaks AWS's pattern: only the name is sent, and nothing can bear it."
        " v1 lets users give such names, and their objects must be deletable",
        anywhere=True,
    ),
    _row(ErrorClass.NOT_FOUND, "ObjectNotFoundException", _SCALING, source="application-autoscaling service model"),
    # --- already exists
    _row(ErrorClass.EXISTS, "ResourceInUse", source="v1-kinds.md 13.2: declared for the Create*Job operations"),
    _row(
        ErrorClass.EXISTS,
        "ValidationException",
        "CreateModel CreateEndpointConfig CreateEndpoint",
        "Cannot create already existing",
        source="v1-kinds.md 13.2: predecessor, ACK",
    ),
    # --- wrong state
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        "StopTrainingJob",
        "The request was rejected because the training job is in status",
        source="v1-kinds.md 13.3",
    ),
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        _STOPS,
        source="v1-kinds.md 13.3: wording differs by kind; only the name is sent, so it is the state that is wrong",
    ),
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        "UpdateEndpoint DeleteEndpoint",
        "Cannot update in-progress endpoint",
        source="v1-kinds.md 13.3",
    ),
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        "RegisterScalableTarget",
        "The status should be in 'InService' to register it as a scalable target",
        source="v1-kinds.md 13.3",
        anywhere=True,
    ),
    _row(ErrorClass.CONFLICT, "ConcurrentUpdateException ConflictException", source="service models"),
    # --- throttling
    _row(
        ErrorClass.THROTTLED,
        "ThrottlingException Throttling ThrottledException TooManyRequestsException RequestLimitExceeded"
        " RequestThrottled RequestThrottledException SlowDown BandwidthLimitExceeded PriorRequestNotComplete",
        source="v1-kinds.md 13.4; botocore retries/standard.py",
    ),
    # --- credentials and permissions: never classified as "not found"
    _row(
        ErrorClass.DENIED,
        "ExpiredToken ExpiredTokenException UnrecognizedClientException InvalidClientTokenId"
        " InvalidSignatureException SignatureDoesNotMatch MissingAuthenticationToken IncompleteSignature OptInRequired",
        source="v1-kinds.md 13.4; AWS common errors",
    ),
    _row(
        ErrorClass.DENIED,
        "AccessDeniedException AccessDenied UnauthorizedOperation NotAuthorized",
        source="v1-kinds.md 13.4; AWS common errors",
    ),
    _row(
        ErrorClass.DENIED,
        "RegionDisabledException ValidationError MalformedPolicyDocument PackedPolicyTooLarge",
        "AssumeRole",
        source="STS API: the role cannot be had as it is named; nothing is wrong with the object",
    ),
    # --- quotas
    _row(
        ErrorClass.QUOTA,
        "ResourceLimitExceeded LimitExceededException ServiceQuotaExceededException",
        source="v1-kinds.md 13.4",
    ),
    # --- transient
    _row(
        ErrorClass.RETRYABLE,
        "ServiceUnavailable ServiceUnavailableException InternalFailure InternalServerError InternalServiceException"
        " InternalServerException RequestTimeout RequestTimeoutException RequestExpired",
        source="v1-kinds.md 13.4",
    ),
    # --- an execution role that was just created cannot be assumed yet (IAM is eventually consistent)
    _row(
        ErrorClass.QUOTA,
        "ValidationException",
        text="Could not assume role",
        source="v1-kinds.md 13.4: missing dependency; ACK calls it recoverable",
    ),
    # --- permanent input errors
    _row(
        ErrorClass.INVALID,
        "ValidationException ValidationError InvalidParameterValue InvalidParameterValueException"
        " InvalidParameterCombination MissingParameter MissingAction InvalidAction InvalidQueryParameter"
        " MalformedQueryString SerializationException UnknownOperationException",
        source="v1-kinds.md 13.4; AWS common errors",
    ),
    # --- CloudWatch Logs, for the logs plugin
    _row(
        ErrorClass.NOT_FOUND,
        "ResourceNotFoundException",
        "FilterLogEvents",
        source="CloudWatch Logs API reference, FilterLogEvents: no such log group; the first line makes it",
    ),
    _row(
        ErrorClass.INVALID,
        "InvalidParameterException",
        "FilterLogEvents",
        source="CloudWatch Logs API reference, FilterLogEvents",
    ),
    # --- SQS, for status queues
    _row(
        ErrorClass.NOT_FOUND,
        "AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist",
        _QUEUES,
        source="SQS API reference, ReceiveMessage; the first is the query-compatible spelling",
    ),
    _row(
        ErrorClass.DENIED,
        "KmsAccessDenied KmsDisabled KmsInvalidState KmsNotFound KmsOptInRequired",
        _QUEUES,
        source="SQS API reference, ReceiveMessage: the queue's key cannot be used",
    ),
    # --- declared for all job operations; last of the "not found" rows because it has a code of its own
    _row(
        ErrorClass.NOT_FOUND,
        "ResourceNotFound ResourceNotFoundException",
        "DescribeTrainingJob StopTrainingJob DescribeProcessingJob StopProcessingJob DescribeTransformJob"
        " StopTransformJob DescribeHyperParameterTuningJob StopHyperParameterTuningJob"
        " ListTrainingJobsForHyperParameterTuningJob DescribeModel DeleteModel DescribeEndpointConfig"
        " DeleteEndpointConfig DescribeEndpoint DeleteEndpoint UpdateEndpoint ListTags DeleteTags",
        source="v1-kinds.md 13.1: accepted as an alternative everywhere",
    ),
    _row(
        ErrorClass.QUOTA,
        "ResourceNotFound ResourceNotFoundException",
        source="of a Create: something that the request refers to does not exist yet; v1-kinds.md 13.4",
    ),
)


@dataclass(frozen=True, slots=True)
class _Local:
    """A client-side failure: exception types, in the order in which they are tried."""

    types: tuple[type[BaseException], ...]
    error_class: ErrorClass
    code: str
    ambiguous: bool = False


UNREACHABLE: Final = "EndpointUnreachable"

BUDGET_EXHAUSTED: Final = "BudgetExhausted"
"""Code of a call that our own budget holds back: nothing was sent."""

_LOCAL: Final = (
    _Local((sdk.ParamValidationError, sdk.UnknownParameterError), ErrorClass.INVALID, "ParamValidation"),
    _Local((sdk.InvalidRegionError, sdk.NoRegionError), ErrorClass.INVALID, "InvalidRegion"),
    _Local(
        (
            sdk.NoCredentialsError,
            sdk.PartialCredentialsError,
            sdk.CredentialRetrievalError,
            sdk.TokenRetrievalError,
            sdk.ProfileNotFound,
            sdk.SSOError,
            sdk.InvalidConfigError,
        ),
        ErrorClass.DENIED,
        "Credentials",
    ),
    _Local((sdk.MetadataRetrievalError,), ErrorClass.RETRYABLE, "Credentials"),
    # The request was sent but not answered: it may have taken effect.
    _Local((sdk.ReadTimeoutError,), ErrorClass.RETRYABLE, "ReadTimeout", ambiguous=True),
    _Local(
        (sdk.ConnectionClosedError, sdk.IncompleteReadError, ResponseParserError),
        ErrorClass.RETRYABLE,
        "ConnectionBroken",
        ambiguous=True,
    ),
    # The request was certainly not sent.
    _Local((sdk.ConnectTimeoutError,), ErrorClass.RETRYABLE, "ConnectTimeout"),
    _Local(
        (sdk.EndpointConnectionError, sdk.ProxyConnectionError, sdk.SSLError),
        ErrorClass.RETRYABLE,
        UNREACHABLE,
    ),
    _Local((sdk.HTTPClientError, sdk.ConnectionError), ErrorClass.RETRYABLE, "ConnectionBroken", ambiguous=True),
)


def classify(operation: str, exc: Exception) -> AwsError:
    """Return the classified error for a failure of `operation`. Never raises; chain with `raise … from exc`.

    NOT_FOUND is returned only for replies that state it.
    """
    if isinstance(exc, AwsError):
        return exc
    if isinstance(exc, sdk.ClientError):
        return _from_reply(operation, exc.response)
    for row in _LOCAL:
        if isinstance(exc, row.types):
            return AwsError(
                row.error_class,
                row.code,
                _short(str(exc)),
                operation=operation,
                ambiguous=row.ambiguous,
                sent=row.error_class is not ErrorClass.INVALID,
            )
    if isinstance(exc, ValueError):
        # botocore raises bare ValueErrors for endpoint URLs that it cannot parse, before anything is sent.
        return AwsError(ErrorClass.INVALID, "InvalidEndpoint", _short(str(exc)), operation=operation, sent=False)
    return AwsError(
        ErrorClass.RETRYABLE, type(exc).__name__, _short(str(exc)), operation=operation, ambiguous=True, known=False
    )


def _from_reply(operation: str, response: Mapping[str, Any]) -> AwsError:
    error = response.get("Error", {})
    # Query-protocol codes may carry a namespace ("aws.protocoltests#Code"); JSON ones are short already.
    code = str(error.get("Code", "")).rpartition("#")[2]
    message = str(error.get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    for row in TABLE:
        if row.matches(operation, code, message):
            # A 5xx does not mean that nothing happened.
            ambiguous = row.error_class is ErrorClass.RETRYABLE and status >= 500
            return AwsError(row.error_class, code, _short(message), operation=operation, ambiguous=ambiguous)
    if status == 429:
        return AwsError(ErrorClass.THROTTLED, code or "HTTP429", _short(message), operation=operation)
    known = status in {500, 502, 503, 504}
    return AwsError(
        ErrorClass.RETRYABLE,
        code or f"HTTP{status}",
        _short(message),
        operation=operation,
        ambiguous=status >= 500 or status == 0,
        known=known,
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MESSAGE_LIMIT else text[: _MESSAGE_LIMIT - 1] + "…"
