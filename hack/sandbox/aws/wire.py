"""Requests and responses as values, for the HTTP layer, and AWS's JSON 1.1 errors.

SageMaker answers every client error with HTTP 400, throttling and denied access included; the class of the error is
`__type` in the body. Exceptions in the service model have their text in `Message`, the common ones in `message`.
"""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from enum import Enum
from typing import Any, Final

READS: Final = ("Describe", "List", "Search", "Get", "Filter", "Receive")
"""How the operations begin that change nothing."""
JSON_1_1 = "application/x-amz-json-1.1"
_MODELLED = frozenset({"ResourceInUse", "ResourceNotFound", "ResourceLimitExceeded", "ConflictException"})


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request as received; header names are lower-case, `target` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Return the path without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Return the query string, undecoded, without the question mark."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response; the HTTP layer adds Date and Content-Length."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", JSON_1_1),)


class ApiError(Exception):
    """An error that the service reports: `code` as in boto3's `response["Error"]["Code"]`."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        details: Mapping[str, Any] | None = None,
        retry_after_s: int | None = None,
        retry_after_is_date: bool = False,
        is_html: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.details = details or {}  # further members of the error's shape
        self.retry_after_s = retry_after_s  # the header Retry-After
        self.retry_after_is_date = retry_after_is_date  # in its other form: a date, by the server's clock
        self.is_html = is_html  # not AWS's own, but of something before it


class UnknownOperationError(Exception):
    """The sandbox serves no such operation, or no such service; the text says which."""


def invalid(message: str) -> ApiError:
    """Return a ValidationException, SageMaker's error for most invalid requests."""
    return ApiError("ValidationException", message)


def json_answer(value: Any, *, status: int = 200) -> HttpResponse:
    """Return `value` as JSON 1.1; None is the empty body of operations without output. Times are epoch seconds."""
    return HttpResponse(status, b"" if value is None else json.dumps(value, separators=(",", ":")).encode())


class Protocol(Enum):
    """How a service formats its errors."""

    JSON = "json"  # SageMaker, CloudWatch Logs, Application Auto Scaling
    QUERY = "query"  # STS, IAM; S3 is similar enough
    REST_JSON = "rest-json"  # SageMaker Runtime, and most services that the sandbox does not have


_UNKNOWN: Mapping[Protocol, tuple[str, int]] = {
    Protocol.JSON: ("UnknownOperationException", 400),
    Protocol.QUERY: ("InvalidAction", 400),
    Protocol.REST_JSON: ("UnknownOperationException", 404),
}


def unknown_operation(error: UnknownOperationError, protocol: Protocol) -> ApiError:
    """Return the error with which a service of this protocol answers a call that it does not have."""
    code, status = _UNKNOWN[protocol]
    return ApiError(code, f"the sandbox does not know this operation: {error}", status=status)


def error_answer(error: ApiError, protocol: Protocol = Protocol.JSON, *, now: float = 0.0) -> HttpResponse:
    """Return `error` in the protocol's format, with the header Retry-After if it has one.

    `now` is the time of the header Date, which a date in Retry-After refers to.
    """
    response = _page(error) if error.is_html else _error_answer(error, protocol)
    if error.retry_after_s is None:
        return response
    wait = formatdate(now + error.retry_after_s, usegmt=True) if error.retry_after_is_date else str(error.retry_after_s)
    return replace(response, headers=(*response.headers, ("Retry-After", wait)))


def _page(error: ApiError) -> HttpResponse:
    """Return what proxies and firewalls answer: no code, a page for humans, a redirection to where they log in."""
    title = html.escape(error.message)
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)
    if 300 <= error.status < 400:
        headers += (("Location", "https://login.invalid/"),)
    return HttpResponse(error.status, page.encode(), headers)


def _error_answer(error: ApiError, protocol: Protocol) -> HttpResponse:
    if protocol is Protocol.REST_JSON:
        text = json.dumps({"Message": error.message, **error.details})
        headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error.code))
        return HttpResponse(error.status, text.encode(), headers)
    if protocol is Protocol.QUERY:
        sender = "Sender" if error.status < 500 else "Receiver"
        text = error.message.replace("&", "&amp;").replace("<", "&lt;")
        body = (
            f"<ErrorResponse><Error><Type>{sender}</Type><Code>{error.code}</Code><Message>{text}</Message></Error>"
            "</ErrorResponse>"
        )
        return HttpResponse(error.status, body.encode(), (("Content-Type", "text/xml"),))
    member = "Message" if error.code in _MODELLED else "message"
    return json_answer({"__type": error.code, member: error.message}, status=error.status)


@dataclass(frozen=True, slots=True)
class Call:
    """One decoded API call: its caller (account, region), `operation` and `params`, and time (epoch seconds)."""

    service: str
    operation: str
    account: str
    region: str
    now: float
    params: Mapping[str, Any] = field(default_factory=dict)
