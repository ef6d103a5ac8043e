"""The exceptions of the client. Each has the reason in one CamelCase word, as the API or the object gives it."""

import json
from http import HTTPStatus
from typing import Any

from api.client.models import Manifest


class ClientError(Exception):
    """Something that was wanted did not happen; the message is for people, and complete."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.reason = reason
        self.message = message


class UnreachableError(ClientError):
    """The API server does not answer, or not for now; the same may succeed later."""


class RequestError(ClientError):
    """The API server refused a request, such as for a field that there is not (`Invalid`, `BadRequest`)."""

    def __init__(self, reason: str, message: str, status: int) -> None:
        super().__init__(reason, message)
        self.status = status
        """The HTTP status."""


class NotFoundError(RequestError):
    """There is no object of that name."""


class AlreadyExistsError(RequestError):
    """There is an object of that name already. A job is never changed: give the new one another name."""


class ObjectError(ClientError):
    """What became of an object is not what was waited for."""

    def __init__(self, reason: str, message: str, obj: Manifest) -> None:
        super().__init__(reason, message)
        self.obj = obj
        """The object as it was seen last."""


class ObjectFailedError(ObjectError):
    """The object will not become ready by itself. `reason` is that of docs/status.md, such as `AccessDenied`."""


class ObjectDeletedError(ObjectError):
    """The object was deleted, or replaced by another of its name, while it was waited for."""


class WaitTimeoutError(ObjectError, TimeoutError):
    """The object did not become ready in time; `reason` says what it was waiting for."""


def of_response(status: int, reason: str, body: str | bytes | None) -> ClientError:
    """Return the exception for an answer of the API server, from the Status in its body if there is one."""
    try:
        said: Any = json.loads(body or "null")
    except ValueError:
        said = None  # not by the API server: a proxy's page
    if isinstance(said, dict) and said.get("kind") == "Status":
        reason, message = str(said.get("reason") or reason), str(said.get("message") or "")
    else:
        message = f"HTTP status {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnreachableError(reason, message)
    found = {404: NotFoundError, 409: AlreadyExistsError if reason == "AlreadyExists" else RequestError}
    return found.get(status, RequestError)(reason, message, status)
