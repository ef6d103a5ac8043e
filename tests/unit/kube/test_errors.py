"""The table from Status to error types: reason first, code where there is none, and never "not found" in doubt."""

import json

import pytest

from controller.kube import errors
from controller.kube.errors import error_from_response, error_from_status
from controller.runtime.cache.reflector import Unreachable
from controller.runtime.errors import ErrorClass
from tests.tables import each_row
from tests.unit.kube.scripted import status_object


@each_row(
    ("code", "reason", "error", "error_class"),
    [
        (404, "NotFound", errors.NotFound, ErrorClass.NOT_FOUND),
        (409, "AlreadyExists", errors.AlreadyExists, ErrorClass.EXISTS),
        (409, "Conflict", errors.Conflict, ErrorClass.CONFLICT),
        (410, "Expired", errors.Gone, ErrorClass.EXPIRED),
        (410, "Gone", errors.Gone, ErrorClass.EXPIRED),
        (401, "Unauthorized", errors.Unauthorized, ErrorClass.DENIED),
        (403, "Forbidden", errors.Forbidden, ErrorClass.DENIED),
        (429, "TooManyRequests", errors.TooManyRequests, ErrorClass.THROTTLED),
        (422, "Invalid", errors.Invalid, ErrorClass.INVALID),
        (400, "BadRequest", errors.Invalid, ErrorClass.INVALID),
        (405, "MethodNotAllowed", errors.Invalid, ErrorClass.INVALID),
        (406, "NotAcceptable", errors.Invalid, ErrorClass.INVALID),
        (413, "RequestEntityTooLarge", errors.Invalid, ErrorClass.INVALID),
        (415, "UnsupportedMediaType", errors.Invalid, ErrorClass.INVALID),
        (500, "InternalError", errors.ServerError, ErrorClass.RETRYABLE),
        (500, "ServerTimeout", errors.ServerError, ErrorClass.RETRYABLE),
        (504, "Timeout", errors.ServerError, ErrorClass.RETRYABLE),
        (503, "ServiceUnavailable", errors.ServerError, ErrorClass.RETRYABLE),
        (418, "Teapot", errors.ServerError, ErrorClass.RETRYABLE),
    ],
)
def test_each_reason_has_one_type_and_class(
    code: int, reason: str, error: type[errors.ApiError], error_class: ErrorClass
) -> None:
    """DESIGN 4.7: one table; what it does not know is retryable."""
    seen = error_from_status(status_object(code, reason, "why"))

    assert type(seen) is error
    assert (seen.error_class, seen.code, seen.status, seen.message) == (error_class, reason, code, "why")


@pytest.mark.parametrize(
    "message",
    [
        "etcdserver: request is too large",
        "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2900000 vs. 2097152)",
    ],
)
def test_an_object_that_etcd_does_not_take_is_not_tried_again(message: str) -> None:
    """The API server answers 500 without a reason; the object does not become smaller by waiting."""
    document = status_object(500, "", message)
    seen = error_from_status(document)

    assert (type(seen), seen.code, seen.status) == (errors.Invalid, "RequestEntityTooLarge", 500)
    assert type(error_from_status({**document, "reason": "InternalError"})) is errors.ServerError


@each_row(
    ("code", "error"),
    [
        (400, errors.Invalid),
        (401, errors.Unauthorized),
        (403, errors.Forbidden),
        (409, errors.Conflict),
        (410, errors.Gone),
        (422, errors.Invalid),
        (429, errors.TooManyRequests),
        (302, errors.ServerError),
        (502, errors.ServerError),
    ],
)
def test_a_reply_without_a_status_object_is_judged_by_its_code(code: int, error: type[errors.ApiError]) -> None:
    """A proxy between us and the API server answers in words of its own."""
    seen = error_from_response(code, {}, b"<html>\nsorry", request="get trainingjobs")

    assert type(seen) is error
    assert str(seen) == f"HTTP{code}: get trainingjobs: <html>"


def test_a_404_that_is_no_status_does_not_say_that_the_object_is_missing() -> None:
    """The path is not served, e.g. without the CRDs: dropping a finalizer on this would be a guess."""
    seen = error_from_response(404, {}, b"404 page not found\n", request="get trainingjobs")

    assert isinstance(seen, errors.NotServed)
    assert seen.error_class is ErrorClass.RETRYABLE
    assert "are the CRDs installed?" in seen.message


def test_a_version_that_the_server_has_not_reached_counts_as_expired() -> None:
    """R2: "too large resource version" is handled like 410; it comes as a 504 with a cause."""
    details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}

    seen = error_from_status(status_object(504, "Timeout", details=details))

    assert seen.error_class is ErrorClass.EXPIRED
    assert seen.causes == ("ResourceVersionTooLarge",)


@each_row(
    ("headers", "details", "seconds"),
    [
        ({"Retry-After": "7"}, None, 7.0),
        ({}, {"retryAfterSeconds": 3}, 3.0),
        ({"Retry-After": "7"}, {"retryAfterSeconds": 3}, 7.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None, None),
        ({}, None, None),
    ],
)
def test_how_long_to_wait_comes_from_the_header_or_the_details(
    headers: dict[str, str], details: object, seconds: float | None
) -> None:
    """429 and 503 say how long to wait; a date, which only proxies send, is ignored."""
    body = json.dumps(status_object(429, "TooManyRequests", details=details)).encode()

    assert error_from_response(429, headers, body, request="list").retry_after_s == seconds


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"kind":"Status","details":7}', b'{"kind":"Status","code":"x"}'])
def test_odd_bodies_still_give_an_error(body: bytes) -> None:
    """Whatever an intermediary sends, the caller gets a classified error."""
    assert error_from_response(500, {}, body, request="list").error_class is ErrorClass.RETRYABLE


def test_long_messages_are_cut() -> None:
    """A webhook may answer with pages, which would end up in a status."""
    assert len(error_from_status(status_object(400, "BadRequest", "x" * 5000)).message) == 1024


def test_a_lost_connection_is_unreachable_for_the_reflector() -> None:
    """R9: no answer is treated better than a bad answer."""
    assert issubclass(errors.ConnectionFailed, Unreachable)
    assert errors.ConnectionFailed(errors.TIMEOUT, "no").error_class is ErrorClass.RETRYABLE
