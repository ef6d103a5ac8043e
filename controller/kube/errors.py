"""Classifies the Kubernetes API's errors: one table from `metav1.Status` to typed errors.

The reason decides, the HTTP code only if there is none (API conventions, "Response Status Kind"; the reasons are
those of apimachinery `pkg/apis/meta/v1/types.go`). Errors that are not in the table are retryable.
"""

# ruff: noqa: N818 (client-go's names: IsNotFound, IsConflict; "Error" would only lengthen them)

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from controller.observability.redact import quoted
from controller.runtime.cache.reflector import Unreachable
from controller.runtime.errors import ClassifiedError, ErrorClass

_MESSAGE_LIMIT: Final = 1024
"""Characters of a Status message that are kept: a webhook or a proxy may send pages."""
_CODE_LIMIT: Final = 128


class ApiError(ClassifiedError):
    """A request that the API server refused, or did not answer in a usable way.

    `code` is the Status reason (`Conflict`), or one of the operator's where no Status came (`ConnectionRefused`).
    """

    error_class_of_type: ErrorClass = ErrorClass.RETRYABLE

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 0,
        retry_after_s: float | None = None,
        causes: tuple[str, ...] = (),
    ) -> None:
        # Both may come from a webhook, a proxy or a credential plugin: their errors quote what they were given.
        code, message = quoted(code, _CODE_LIMIT), quoted(message, _MESSAGE_LIMIT)
        super().__init__(self.error_class_of_type, code, message, retry_after_s=retry_after_s)
        self.status = status
        """HTTP status; 0 without a reply."""
        self.causes = causes
        """Reasons in `details.causes`, e.g. `NamespaceTerminating`."""


class NotFound(ApiError):
    """The object, or its namespace, does not exist, as a Status in the reply states."""

    error_class_of_type = ErrorClass.NOT_FOUND


class NotServed(ApiError):
    """404 without a Status: the server does not know the path, e.g. because the CRDs are not installed.

    Retryable, and deliberately not a `NotFound`: it proves nothing about the object.
    """


class AlreadyExists(ApiError):
    """An object of that name exists."""

    error_class_of_type = ErrorClass.EXISTS


class Conflict(ApiError):
    """The resourceVersion or uid of the request is not the current one, or another field manager owns the field."""

    error_class_of_type = ErrorClass.CONFLICT


class Gone(ApiError):
    """The resourceVersion or continue token is not available: too old, or newer than the server's state (R2)."""

    error_class_of_type = ErrorClass.EXPIRED


class Invalid(ApiError):
    """The request can never succeed as it is."""

    error_class_of_type = ErrorClass.INVALID


class Forbidden(ApiError):
    """Authenticated, but refused by RBAC, an admission plugin or a quota."""

    error_class_of_type = ErrorClass.DENIED


class Unauthorized(ApiError):
    """The credentials were not accepted."""

    error_class_of_type = ErrorClass.DENIED


class TooManyRequests(ApiError):
    """The server (priority and fairness) throttles the client."""

    error_class_of_type = ErrorClass.THROTTLED


class ServerError(ApiError):
    """5xx, an unreadable reply, or one that is not in the table."""


class ConnectionFailed(ApiError, Unreachable):
    """No reply, or an incomplete one. `code` is one of the constants below.

    A write may or may not have happened, unless the code is CONNECTION_REFUSED.
    """


CONNECTION_REFUSED: Final = "ConnectionRefused"
"""No connection was made (nothing listens, no route, no such host): the request was certainly not carried out."""
CONNECTION_BROKEN: Final = "ConnectionBroken"
"""The connection ended before the reply did."""
TIMEOUT: Final = "RequestTimeout"
"""No complete reply within the time-out."""
TLS_FAILED: Final = "TLSFailed"
"""The server's or the client's certificate was not accepted."""
CLIENT_CLOSED: Final = "ClientClosed"
"""`close()` ended the request."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table: the error type for a reason, and for a bare HTTP code."""

    error: type[ApiError]
    reasons: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()


_TABLE: Final = (
    _Row(NotFound, ("NotFound",)),
    _Row(NotServed, (), (404,)),
    _Row(AlreadyExists, ("AlreadyExists",)),
    _Row(Conflict, ("Conflict",), (409,)),
    _Row(Gone, ("Gone", "Expired"), (410,)),
    _Row(Unauthorized, ("Unauthorized",), (401,)),
    _Row(Forbidden, ("Forbidden",), (403,)),
    _Row(TooManyRequests, ("TooManyRequests",), (429,)),
    _Row(
        Invalid,
        ("Invalid", "BadRequest", "MethodNotAllowed", "NotAcceptable", "RequestEntityTooLarge", "UnsupportedMediaType"),
        (400, 405, 406, 413, 415, 422),
    ),
    _Row(ServerError, ("InternalError", "ServerTimeout", "Timeout", "ServiceUnavailable", "StoreReadError")),
)
_BY_REASON: Final = {reason: row.error for row in _TABLE for reason in row.reasons}
_BY_CODE: Final = {code: row.error for row in _TABLE for code in row.codes}

_TOO_LARGE_VERSION: Final = "ResourceVersionTooLarge"
"""Cause in a 504 for a version that the server has not reached yet; handled like 410 (R2)."""


_TOO_LARGE: Final = ("etcdserver: request is too large", "trying to send message larger than max")
"""Of an object that etcd does not take (1.5 MiB by default), as the API server passes it on: a 500 without a reason."""


def error_from_response(status: int, headers: Mapping[str, str], body: bytes, *, request: str) -> ApiError:
    """Return the error for an HTTP reply; `request` (verb and resource) starts the message if there is no Status.

    Never raises: a reply without a Status is classified by its code only.
    """
    document = _decode(body)
    if document.get("kind") == "Status":
        return error_from_status(document, http_status=status, retry_after_s=_retry_after(headers))
    text = body.decode("utf-8", "replace").strip().split("\n", 1)[0] or "no body"
    error = _BY_CODE.get(status, ServerError)
    if error is NotServed:
        text += " (are the CRDs installed?)"
    return error(f"HTTP{status}", f"{request}: {text}", status=status, retry_after_s=_retry_after(headers))


def error_from_status(
    document: Mapping[str, Any], *, http_status: int | None = None, retry_after_s: float | None = None
) -> ApiError:
    """Return the error for a `metav1.Status`: a reply's body, or the object of an ERROR event of a watch."""
    status = http_status if http_status is not None else _int(document.get("code"))
    reason = str(document.get("reason") or "")
    details = document.get("details")
    details = details if isinstance(details, Mapping) else {}
    causes = tuple(
        str(cause["reason"])
        for cause in details.get("causes") or ()
        if isinstance(cause, Mapping) and cause.get("reason")
    )
    error = _BY_REASON.get(reason) or _BY_CODE.get(status, ServerError)
    if _TOO_LARGE_VERSION in causes:
        error, reason = Gone, _TOO_LARGE_VERSION
    if retry_after_s is None and details.get("retryAfterSeconds"):
        retry_after_s = float(_int(details["retryAfterSeconds"]))
    message = str(document.get("message") or "no message")
    if not reason and any(text in message for text in _TOO_LARGE):
        error, reason = Invalid, "RequestEntityTooLarge"
    return error(reason or f"HTTP{status}", message, status=status, retry_after_s=retry_after_s, causes=causes)


def _decode(body: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, Mapping) else {}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header; Kubernetes sends whole seconds only, a proxy's date is ignored."""
    value = headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
