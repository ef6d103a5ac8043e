"""Errors of the API server: an exception that renders itself as a `Status` object.

Source: k8s.io/apimachinery pkg/api/errors; the wording is part of the API, because clients and users read it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hack.sandbox.kube.wire.causes import Cause, invalid_message

Json = dict[str, Any]


class StatusError(Exception):
    """A request that fails with `code`. `reason` and `details` are omitted from the Status if they are None."""

    def __init__(self, code: int, reason: str | None, message: str, details: Mapping[str, Any] | None = None):
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details) if details is not None else None
        self.metadata: Json = {}

    def status(self) -> Json:
        """Return the Status object for the response's body."""
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata,
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        return {**body, "code": self.code}


class NoRouteError(Exception):
    """No handler is registered for the path: a plain text 404, as Go's HTTP server writes it."""


def qualified(resource: str, group: str) -> str:
    """Return `widgets.example.dev`, or the bare name in the core group."""
    return f"{resource}.{group}" if group else resource


def about(group: str, kind: str, name: str = "") -> Json:
    """Return the `details` with the object of a failure; empty members are omitted, as in Go."""
    return {k: v for k, v in (("name", name), ("group", group), ("kind", kind)) if v}


def not_found(group: str, resource: str, name: str) -> StatusError:
    """Return 404: the object does not exist."""
    return StatusError(
        404, "NotFound", f'{qualified(resource, group)} "{name}" not found', about(group, resource, name)
    )


def already_exists(group: str, resource: str, name: str, *, deleting: bool = False) -> StatusError:
    """Return 409: the name is taken, perhaps by an object that is being deleted."""
    prefix = "object is being deleted: " if deleting else ""
    message = f'{prefix}{qualified(resource, group)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, about(group, resource, name))


def conflict(group: str, resource: str, name: str, why: str) -> StatusError:
    """Return 409: the write is based on another state than the current one."""
    message = f'Operation cannot be fulfilled on {qualified(resource, group)} "{name}": {why}'
    return StatusError(409, "Conflict", message, about(group, resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def forbidden(group: str, resource: str, name: str, why: str, causes: Iterable[Cause] = ()) -> StatusError:
    """Return 403: refused by authorization or admission."""
    subject = qualified(resource, group)
    message = f'{subject} "{name}" is forbidden: {why}' if name else f"{subject} is forbidden: {why}"
    details = about(group, resource, name)
    found = [cause.as_dict() for cause in causes]
    return StatusError(403, "Forbidden", message, {**details, "causes": found} if found else details)


def invalid(group: str, kind: str, name: str, causes: Iterable[Cause]) -> StatusError:
    """Return 422: the object, or an option of the request, breaks validation rules."""
    found = list(causes)
    details = {**about(group, kind, name), "causes": [cause.as_dict() for cause in found]}
    return StatusError(422, "Invalid", invalid_message(qualified(kind, group), name, found), details)


def invalid_options(kind: str, causes: Iterable[Cause]) -> StatusError:
    """Return 422: invalid query parameters or DeleteOptions."""
    return invalid("meta.k8s.io", kind, "", causes)


def bad_request(message: str) -> StatusError:
    """Return 400: the request is malformed."""
    return StatusError(400, "BadRequest", message)


def internal(message: str) -> StatusError:
    """Return 500 without reason: an error that the server itself does not classify."""
    return StatusError(500, None, message)


def no_such_resource() -> StatusError:
    """Return 404 of a built-in group: the version or the resource is not served."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed() -> StatusError:
    """Return 405 of a built-in group: the path exists, the method does not."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, {})


def method_not_supported(group: str, resource: str, verb: str) -> StatusError:
    """Return 405 of a custom resource."""
    message = f'{verb} is not supported on resources of kind "{qualified(resource, group)}"'
    return StatusError(405, "MethodNotAllowed", message, about(group, resource))


def unsupported_media_type(accepted: Iterable[str]) -> StatusError:
    """Return 415: the server does not read the body's type."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return StatusError(415, "UnsupportedMediaType", message)


def not_acceptable(accepted: Iterable[str]) -> StatusError:
    """Return 406: the server writes none of the accepted types."""
    return StatusError(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(accepted)}")


def expired(message: str) -> StatusError:
    """Return 410: that part of the history is compacted."""
    return StatusError(410, "Expired", message)


def too_large_resource_version(wanted: int, current: int) -> StatusError:
    """Return 504: the client requests a future state."""
    details = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    message = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return StatusError(504, "Timeout", message, details)
