"""Classifies AWS errors: one table from error code and message, per operation, to `ErrorClass`.

SageMaker answers client errors, throttling and denied access included, with HTTP 400 and a code; "not found" has six
wordings under two codes (v1-kinds.md 13). Rows are tried in order, the first match wins. A reply without a row is
classified by its HTTP status, and marked as unknown where that says nothing either, so that it is logged for
investigation.

Codes are compared without their suffix `Exception`: the JSON protocol has it, the Query protocol has not.
`ValidationException` is SageMaker's code for the state of things as much as for the spec, in wordings that change. Only
what the request alone decides is INVALID; every other refusal of a change may pass.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Final, Self

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from controller.aws.refused_values import rewritten
from controller.observability.redact import quoted
from controller.runtime.errors import ClassifiedError, ErrorClass

LONGEST_RETRY_AFTER_S: Final = 900.0
"""A longer Retry-After is cut to this: what stands between us and AWS may ask for a year."""
_MESSAGE_LIMIT: Final = 1024
"""Characters of an AWS message that are kept: conditions and events contain it."""
_CODE_LIMIT: Final = 128


class CallError(ClassifiedError):
    """A call of AWS that failed, or that was never made: `AwsError` or `LocalRefusal`.

    `code` is the AWS error code, or one of the operator's where no reply came (`ReadTimeout`, `BudgetExhausted`).
    """

    is_sent: ClassVar[bool]
    """False: nothing can have reached AWS."""

    def __init__(
        self,
        error_class: ErrorClass,
        code: str,
        message: str,
        *,
        operation: str = "",
        retry_after_s: float | None = None,
        known: bool = True,
    ) -> None:
        super().__init__(error_class, code, message, retry_after_s=retry_after_s)
        self.operation = operation
        self.known = known
        """Whether a row of the table matched."""
        self.ambiguous = False
        """The request may have taken effect although no reply confirms it."""
        self.has_listed_code = True
        """False: a code of a reply that no row has, which may be any text."""

    @property
    def label(self) -> str:
        """Return the code as a metric label: bounded, whatever server answers at an endpoint that a user chose."""
        return self.code if self.known and self.has_listed_code else "unknown"

    def again(self, *, error_class: ErrorClass | None = None, message: str | None = None) -> Self:
        """Return a copy for another caller, without advice when to retry.

        An exception that is raised twice collects both tracebacks.
        """
        copied = type(self)(
            error_class or self.error_class,
            self.code,
            self.message if message is None else message,
            operation=self.operation,
            known=self.known,
        )
        copied.ambiguous, copied.has_listed_code = self.ambiguous, self.has_listed_code
        return copied


class AwsError(CallError):
    """A call that AWS refused, or did not answer as it should."""

    is_sent = True

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
    ) -> None:
        super().__init__(error_class, code, message, operation=operation, retry_after_s=retry_after_s, known=known)
        self.ambiguous = ambiguous


class LocalRefusal(CallError):  # noqa: N818 (a verdict of ours, as `Terminal` is)
    """A call that the operator did not make: no turn, no identity, no valid request."""

    is_sent = False


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
        if bare(code) not in self.codes or (self.operations and operation not in self.operations):
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
    return Row(error_class, frozenset(map(bare, codes.split())), frozenset(operations.split()), text, source, anywhere)


def bare(code: str) -> str:
    """Return an error code in the spelling of the Query protocol: without `Exception` at its end."""
    return code.removesuffix("Exception")


_CHANGES: Final = (
    "CreateTrainingJob CreateProcessingJob CreateTransformJob CreateHyperParameterTuningJob CreateModel"
    " CreateEndpointConfig CreateEndpoint UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteModel"
    " DeleteEndpointConfig DeleteEndpoint RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy"
    " DeleteScalingPolicy AddTags DeleteTags UpdateTrainingJob CreateInferenceComponent UpdateInferenceComponent"
    " UpdateInferenceComponentRuntimeConfig DeleteInferenceComponent StartPipelineExecution"
    " CreateModelPackageGroup DeleteModelPackageGroup CreateModelPackage UpdateModelPackage DeleteModelPackage"
    " CreatePipeline UpdatePipeline DeletePipeline"
)
_CREATIONS: Final = (
    "CreateTrainingJob CreateProcessingJob CreateTransformJob CreateHyperParameterTuningJob CreateModel"
    " CreateEndpointConfig CreateEndpoint UpdateEndpoint CreateInferenceComponent UpdateInferenceComponent"
    " StartPipelineExecution CreateModelPackageGroup CreateModelPackage CreatePipeline UpdatePipeline"
)
_CREDENTIALS: Final = (
    "ExpiredToken UnrecognizedClient InvalidClientTokenId InvalidAccessKeyId InvalidToken InvalidIdentityToken"
    " InvalidSignature SignatureDoesNotMatch MissingAuthenticationToken IncompleteSignature RequestTimeTooSkewed"
    " AuthFailure TokenRefreshRequired IDPRejectedClaim"
)
_COMPONENT_CALLS: Final = (
    "DescribeInferenceComponent DeleteInferenceComponent UpdateInferenceComponent UpdateInferenceComponentRuntimeConfig"
)
_STOPS: Final = "StopTrainingJob StopTransformJob StopProcessingJob StopHyperParameterTuningJob StopPipelineExecution"
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
        ErrorClass.QUOTA,
        "ValidationException",
        "UpdateEndpoint CreateEndpoint",
        "Could not find endpoint configuration",
        source="v1-kinds.md 13.1: the new configuration, or the one that the endpoint runs with, was deleted",
    ),
    _row(
        ErrorClass.RETRYABLE,
        "ValidationException",
        "DescribeEndpoint DeleteEndpoint",
        "Could not find endpoint configuration",
        source="v1-kinds.md 13.1: the configuration is missing, not the endpoint; longer prefix first",
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeEndpoint DeleteEndpoint UpdateEndpoint UpdateEndpointWeightsAndCapacities",
        "Could not find endpoint",
        source="v1-kinds.md 13.1: predecessor, ACK",
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        _COMPONENT_CALLS,
        "Could not find inference component",
        source="wording assumed from that of endpoints, in small letters or as the API spells it",
    ),
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        _COMPONENT_CALLS,
        "Could not find InferenceComponent",
        source="see the last row",
    ),
    _row(
        ErrorClass.QUOTA,
        "ValidationException",
        "CreateInferenceComponent UpdateInferenceComponent",
        "Could not find",
        source="an endpoint, a model or a base component is missing, and may appear at any time: slow retry",
    ),
    _row(
        ErrorClass.QUOTA,
        "ValidationException",
        "CreateTransformJob CreateEndpointConfig CreateEndpoint UpdateEndpoint",
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
    _row(
        ErrorClass.NOT_FOUND,
        "ValidationException",
        "DescribeModelPackageGroup DeleteModelPackageGroup DescribeModelPackage DeleteModelPackage UpdateModelPackage",
        "does not exist",
        source="ACK, generator.yaml: message_suffix",
        anywhere=True,
    ),
    _row(ErrorClass.NOT_FOUND, "ObjectNotFoundException", _SCALING, source="application-autoscaling service model"),
    # --- already exists
    _row(ErrorClass.EXISTS, "ResourceInUse", source="v1-kinds.md 13.2: declared for the Create*Job operations"),
    _row(
        ErrorClass.EXISTS,
        "ValidationException",
        "CreateModel CreateEndpointConfig CreateEndpoint CreateInferenceComponent",
        "Cannot create already existing",
        source="v1-kinds.md 13.2: predecessor, ACK",
    ),
    _row(
        ErrorClass.EXISTS,
        "ValidationException",
        "CreateTrainingJob CreateProcessingJob CreateTransformJob CreateHyperParameterTuningJob CreateModel"
        " CreateEndpointConfig CreateEndpoint CreateInferenceComponent CreateModelPackageGroup"
        " CreateModelPackage CreatePipeline",
        "already exist",
        source="another wording: harmless if it is about something else, as a Describe follows",
        anywhere=True,
    ),
    # --- wrong state
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        _STOPS,
        source="v1-kinds.md 13.3: wording differs by kind; only the name is sent, so it is the state that is wrong",
    ),
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        "UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteEndpoint",
        "in-progress",
        source='v1-kinds.md 13.3: "Cannot update in-progress endpoint", "Cannot delete in-progress endpoint"',
        anywhere=True,
    ),
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        "UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteEndpoint",
        "in progress",
        source="another wording: harmless if it is about something else, as a Describe follows",
        anywhere=True,
    ),
    _row(
        ErrorClass.INVALID,
        "ValidationException",
        "DeleteInferenceComponent",
        "failed to satisfy constraint",
        source="AWS's request validation: no component can have this name",
        anywhere=True,
    ),
    _row(
        ErrorClass.CONFLICT,
        "ValidationException",
        "DeleteInferenceComponent",
        source="only the name is sent, so it is the state that is wrong: it is being changed, or others depend on it",
    ),
    *(
        _row(
            ErrorClass.CONFLICT,
            "ValidationException",
            "UpdateInferenceComponent UpdateInferenceComponentRuntimeConfig",
            text,
            source="wordings of endpoints: harmless if it is about something else, as a Describe follows",
            anywhere=True,
        )
        for text in ("in-progress", "in progress")
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
        "ThrottlingException ThrottledException TooManyRequestsException RequestLimitExceeded RequestThrottled SlowDown"
        " BandwidthLimitExceeded PriorRequestNotComplete ProvisionedThroughputExceededException EC2ThrottledException"
        " TransactionInProgressException",
        source="v1-kinds.md 13.4; botocore retries/standard.py, but for LimitExceededException, which is a quota here",
    ),
    # --- credentials and permissions: never classified as "not found"
    _row(
        ErrorClass.DENIED,
        _CREDENTIALS,
        source="v1-kinds.md 13.4; AWS common errors; STS API",
    ),
    _row(
        ErrorClass.DENIED,
        "AccessDeniedException UnauthorizedOperation UnauthorizedException ForbiddenException NotAuthorized"
        " OptInRequired SubscriptionRequired FailedResourceAccessException",
        source="v1-kinds.md 13.4; AWS common errors; application-autoscaling service model",
    ),
    _row(
        ErrorClass.DENIED,
        "KMSAccessDenied KMSDisabled KMSInvalidState KMSNotFound KMSOptInRequired KmsAccessDenied KmsDisabled"
        " KmsInvalidState KmsNotFound KmsOptInRequired",
        source="KMS and SQS API references: the key cannot be used",
    ),
    _row(
        ErrorClass.DENIED,
        "ValidationException",
        text="is not authorized to perform",
        source="of an execution role that was just made or lacks a right; IAM is eventually consistent",
        anywhere=True,
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
        "ServiceUnavailable InternalFailure InternalServerError InternalServiceException InternalServerException"
        " InternalError InternalServiceError InternalDependencyException RequestTimeout RequestExpired"
        " IDPCommunicationError",
        source="v1-kinds.md 13.4; AWS common errors; STS API",
    ),
    # --- an execution role that was just created cannot be assumed yet (IAM is eventually consistent)
    _row(
        ErrorClass.QUOTA,
        "ValidationException",
        text="Could not assume role",
        source="v1-kinds.md 13.4: missing dependency; ACK calls it recoverable",
    ),
    # --- permanent input errors: what the request alone decides
    *(
        _row(
            ErrorClass.INVALID,
            "ValidationException ValidationError",
            text=text,
            source="AWS's request validation, before any service looks at it",
            anywhere=True,
        )
        for text in ("failed to satisfy constraint", "validation error detected", "validation errors detected")
    ),
    _row(
        ErrorClass.INVALID,
        "InvalidParameterCombination MissingParameter MissingAction InvalidAction InvalidQueryParameter"
        " MalformedQueryString SerializationException UnknownOperationException",
        source="v1-kinds.md 13.4; AWS common errors",
    ),
    # --- what the request refers to may appear at any time
    *(
        _row(
            ErrorClass.QUOTA,
            "ValidationException",
            _CREATIONS,
            text,
            source="seen of data, model data, roles, images and networks that were made a moment later: slow retry",
            anywhere=True,
        )
        for text in (
            "No S3 objects found",
            "Could not find model data",
            "Could not access model data",
            "The repository of your image",
            "Requested image",
            "does not exist",
            "doesn't exist",
        )
    ),
    # --- every other refusal of a change may be about the state of what it refers to
    _row(
        ErrorClass.REFUSED,
        "ValidationException",
        _CHANGES,
        source="missing objects, images and data, roles, scaled variants, …: wordings are many and change",
    ),
    _row(
        ErrorClass.REFUSED,
        "InvalidParameterValue InvalidRequestException",
        source="AWS common errors: a value may be invalid for now",
    ),
    _row(
        ErrorClass.INVALID,
        "ValidationException ValidationError",
        source="of reads: only names and tokens are sent",
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
    # --- declared for all job operations; last of the "not found" rows because it has a code of its own
    _row(
        ErrorClass.NOT_FOUND,
        "ResourceNotFound ResourceNotFoundException",
        "DescribeTrainingJob StopTrainingJob DescribeProcessingJob StopProcessingJob DescribeTransformJob"
        " StopTransformJob DescribeHyperParameterTuningJob StopHyperParameterTuningJob"
        " ListTrainingJobsForHyperParameterTuningJob DescribeModel DeleteModel DescribeEndpointConfig"
        " DeleteEndpointConfig DescribeEndpoint DeleteEndpoint UpdateEndpoint UpdateEndpointWeightsAndCapacities"
        " ListTags AddTags DeleteTags DescribeInferenceComponent DeleteInferenceComponent UpdateInferenceComponent"
        " UpdateInferenceComponentRuntimeConfig DescribePipelineExecution StopPipelineExecution"
        " ListPipelineExecutions ListPipelineExecutionSteps DescribeModelPackageGroup DeleteModelPackageGroup"
        " DescribeModelPackage UpdateModelPackage DeleteModelPackage DescribePipeline UpdatePipeline DeletePipeline",
        source="v1-kinds.md 13.1: accepted as an alternative everywhere",
    ),
    _row(
        ErrorClass.QUOTA,
        "ResourceNotFound ResourceNotFoundException",
        source="of a Create: something that the request refers to does not exist yet; v1-kinds.md 13.4",
    ),
)


UNAUTHENTICATED: Final = frozenset({*_CREDENTIALS.split(), "Credentials", "HTTP401", "HTTP407"})
"""Bare codes of missing or invalid credentials; other DENIED ones mean missing permissions."""


@dataclass(frozen=True, slots=True)
class _Local:
    """A client-side failure: exception types, in the order in which they are tried."""

    types: tuple[type[BaseException], ...]
    error_class: ErrorClass
    code: str
    ambiguous: bool = False


UNREACHABLE: Final = "EndpointUnreachable"

UNREADABLE_ANSWER: Final = "UnreadableAnswer"
"""Code of an answer that cannot be AWS's, or is not understood."""

BUDGET_EXHAUSTED: Final = "BudgetExhausted"
"""Code of a call that our own budget holds back: nothing was sent."""

_CODES: Final = frozenset(code for row in TABLE for code in row.codes)

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
        (sdk.ConnectionClosedError, sdk.IncompleteReadError), ErrorClass.RETRYABLE, "ConnectionBroken", ambiguous=True
    ),
    _Local((ResponseParserError,), ErrorClass.RETRYABLE, UNREADABLE_ANSWER, ambiguous=True),
    # The request was certainly not sent.
    _Local((sdk.ConnectTimeoutError,), ErrorClass.RETRYABLE, "ConnectTimeout"),
    _Local(
        (sdk.EndpointConnectionError, sdk.ProxyConnectionError, sdk.SSLError),
        ErrorClass.RETRYABLE,
        UNREACHABLE,
    ),
    _Local((sdk.HTTPClientError, sdk.ConnectionError), ErrorClass.RETRYABLE, "ConnectionBroken", ambiguous=True),
)


def classify(operation: str, exc: Exception, *, is_sent: bool = True) -> CallError:
    """Return the classified error for a failure of `operation`. Never raises; chain with `raise … from exc`.

    NOT_FOUND is returned only for replies that state it. `is_sent`: the request may have been sent.
    """
    if isinstance(exc, CallError):
        return exc
    if isinstance(exc, sdk.ClientError):
        error = _from_reply(operation, exc.response)
        error.has_listed_code = error.code in _CODES or bool(re.fullmatch(r"HTTP\d{3}", error.code))
        return error
    for row in _LOCAL:
        if isinstance(exc, row.types):
            if row.error_class is ErrorClass.INVALID:
                return LocalRefusal(row.error_class, row.code, _short(str(exc)), operation=operation)
            return AwsError(row.error_class, row.code, _short(str(exc)), operation=operation, ambiguous=row.ambiguous)
    if isinstance(exc, ValueError) and not is_sent:
        # botocore raises bare ValueErrors for endpoint URLs that it cannot parse.
        return LocalRefusal(ErrorClass.INVALID, "InvalidEndpoint", _short(str(exc)), operation=operation)
    if isinstance(exc, ValueError | TypeError | LookupError | AttributeError):
        # botocore's parsers trust an answer to have the shape that the service model gives it.
        message = _short(f"{type(exc).__name__}: {exc}")
        return AwsError(
            ErrorClass.RETRYABLE, UNREADABLE_ANSWER, message, operation=operation, ambiguous=True, known=False
        )
    return AwsError(
        ErrorClass.RETRYABLE, type(exc).__name__, _short(str(exc)), operation=operation, ambiguous=True, known=False
    )


def _from_reply(operation: str, response: Mapping[str, Any]) -> AwsError:
    error = _by_table(operation, response)
    error.retry_after_s = _retry_after_s(response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
    return error


def _by_table(operation: str, response: Mapping[str, Any]) -> AwsError:
    error = response.get("Error", {})
    # Query-protocol codes may carry a namespace ("aws.protocoltests#Code"); JSON ones are short already.
    code = quoted(str(error.get("Code", "")).rpartition("#")[2], _CODE_LIMIT)
    message = str(error.get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    for row in TABLE:
        if row.matches(operation, code, message):
            # A 5xx does not mean that nothing happened.
            ambiguous = row.error_class is ErrorClass.RETRYABLE and status >= 500
            return AwsError(row.error_class, code, _short(rewritten(message)), operation=operation, ambiguous=ambiguous)
    has_code = bool(code) and not code.isdigit()  # without one, botocore puts the status in its place
    error_class = _by_status(status)
    return AwsError(
        error_class,
        code if has_code else f"HTTP{status}",
        _short(rewritten(message)),
        operation=operation,
        ambiguous=error_class is ErrorClass.RETRYABLE,
        known=status in _KNOWN_STATUSES or (not has_code and 300 <= status < 500),
    )


_KNOWN_STATUSES: Final = frozenset({401, 403, 407, 429, 500, 502, 503, 504})
"""HTTP statuses that mean the same, whatever the code with them."""


def _by_status(status: int) -> ErrorClass:
    """Return the class of a reply with a code that no row knows, or without one: of proxies and firewalls."""
    match status:
        case 401 | 403 | 407:
            return ErrorClass.DENIED
        case 429:
            return ErrorClass.THROTTLED
        case 408:
            return ErrorClass.RETRYABLE
        case _:
            return ErrorClass.REFUSED if 300 <= status < 500 else ErrorClass.RETRYABLE


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the wait that a reply asks for (RFC 9110 10.2.3): seconds, or a date by the server's own clock."""
    given = str(headers.get("retry-after", "")).strip()
    if not given:
        return None
    try:
        if given.isdigit():
            asked_s = float(given)
        else:
            asked_s = (parsedate_to_datetime(given) - parsedate_to_datetime(headers["date"])).total_seconds()
    except (ValueError, TypeError, KeyError):
        return None  # a header that says nothing is no header
    return min(asked_s, LONGEST_RETRY_AFTER_S) if asked_s > 0 else None


def _short(text: str) -> str:
    return quoted(text, _MESSAGE_LIMIT)
