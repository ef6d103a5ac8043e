"""The table of faults: how a call can fail, by the name with which it is ordered."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class When(Enum):
    """What happens to the call that a fault hits."""

    INSTEAD = "instead"  # an error is returned, nothing took effect
    AFTER = "after"  # the call takes effect, then an error is returned
    DELAYED = "delayed"  # the call takes effect, late
    LOST_BEFORE = "lost_before"  # no answer, nothing took effect
    LOST_AFTER = "lost_after"  # no answer, but the call took effect
    LOST_WITHIN = "lost_within"  # the call took effect, and its answer ends in the middle
    FORESTALLED = "forestalled"  # others create what the call is about to create


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way to fail: error code, HTTP status and text if there is a response."""

    when: When
    help: str
    code: str = ""
    message: str = ""
    status: int = 400
    delay_s: float = 0.0
    is_html: bool = False
    """The response is a page of what stands between the caller and AWS; `message` is its title."""
    has_wordings: bool = False
    """Without a message of its own, each call is refused in other words: those of `refusals`."""


_LIMIT = (
    "The account-level service limit 'ml.m4.xlarge for training job usage' is 0 Instances, with current utilization of"
    " 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an increase for this"
    " quota."
)
_DENIED = (
    "User: arn:aws:sts::{account}:assumed-role/sandbox/operator is not authorized to perform: {service}:{operation}"
    " because no identity-based policy allows the {service}:{operation} action"
)
_INTERNAL = "We encountered an internal error."
FAULTS: Mapping[str, FaultKind] = {
    "throttle": FaultKind(When.INSTEAD, "ThrottlingException: Rate exceeded", "ThrottlingException", "Rate exceeded"),
    "deny": FaultKind(When.INSTEAD, "AccessDeniedException, as IAM says it", "AccessDeniedException", _DENIED),
    "quota": FaultKind(When.INSTEAD, "ResourceLimitExceeded", "ResourceLimitExceeded", _LIMIT),
    "expired": FaultKind(
        When.INSTEAD,
        "ExpiredTokenException: credentials are too old",
        "ExpiredTokenException",
        "The security token included in the request is expired",
    ),
    "invalid": FaultKind(
        When.INSTEAD,
        "ValidationException: the request can never succeed",
        "ValidationException",
        "1 validation error detected: Value at 'field' failed to satisfy constraint: a fault was asked for",
    ),
    "refused": FaultKind(
        When.INSTEAD,
        "ValidationException about the state of something, in other words each time",
        "ValidationException",
        "The request was refused because a fault was asked for",
        has_wordings=True,
    ),
    "too-many": FaultKind(
        When.INSTEAD, "HTTP 429 TooManyRequestsException", "TooManyRequestsException", "Too Many Requests", status=429
    ),
    "error": FaultKind(When.INSTEAD, "HTTP 500 InternalFailure", "InternalFailure", _INTERNAL, status=500),
    "unavailable": FaultKind(
        When.INSTEAD, "HTTP 503 ServiceUnavailable", "ServiceUnavailable", "Service is temporarily down.", status=503
    ),
    "html": FaultKind(
        When.INSTEAD, "a proxy's page, HTTP 502 or --status", message="502 Bad Gateway", status=502, is_html=True
    ),
    "html-after": FaultKind(
        When.AFTER, "the call takes effect, then a page as of html", message="502 Bad Gateway", status=502, is_html=True
    ),
    "error-after": FaultKind(
        When.AFTER, "the call takes effect, then HTTP 500", "InternalFailure", _INTERNAL, status=500
    ),
    "slow": FaultKind(When.DELAYED, "the answer comes after DELAY seconds", delay_s=2.0),
    "cut-before": FaultKind(When.LOST_BEFORE, "the connection is cut; nothing took effect"),
    "cut-after": FaultKind(When.LOST_AFTER, "the connection is cut; the call took effect"),
    "cut-within": FaultKind(When.LOST_WITHIN, "the connection is cut within the answer; the call took effect"),
    "hang-before": FaultKind(When.LOST_BEFORE, "no answer for DELAY seconds; nothing took effect", delay_s=120.0),
    "hang-after": FaultKind(When.LOST_AFTER, "no answer for DELAY seconds; the call took effect", delay_s=120.0),
    "taken": FaultKind(When.FORESTALLED, "Create* only: others create it first, under the same name"),
}
