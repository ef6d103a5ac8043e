"""HTTP requests and responses as values, between the protocol and the API."""

from dataclasses import dataclass, field
from typing import Any, Final

from hack.sandbox.kube.auth.authorization import ADMIN, User
from hack.sandbox.kube.http.protobuf import MEDIA_TYPE, parse_protobuf
from hack.sandbox.kube.verbs.calls import Body
from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.codec import ParseError, dump_json, dump_yaml, parse_json, parse_yaml
from hack.sandbox.kube.wire.errors import StatusError
from hack.sandbox.kube.wire.negotiation import JSON, OFFERED, YAML
from hack.sandbox.kube.wire.options import Query

PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    query: Query
    headers: dict[str, str]
    data: bytes = b""
    user: User = ADMIN
    warnings: list[str] = field(default_factory=list)

    @property
    def accept(self) -> str:
        """Return the Accept header; without one, everything is accepted."""
        return self.headers.get("accept", "*/*")

    @property
    def user_agent(self) -> str:
        """Return the User-Agent header."""
        return self.headers.get("user-agent", "")

    @property
    def content_type(self) -> str:
        """Return the media type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    def body(self) -> Body:
        """Return the body, decoded by its content type. Raises 415."""
        media_type = self.content_type or JSON
        if media_type not in OFFERED and not media_type.endswith(("+json", "+yaml")):
            raise errors.unsupported_media_type(OFFERED)
        try:
            if media_type == MEDIA_TYPE:
                return Body(self.data, parse_protobuf(self.data))
            if media_type.endswith("yaml"):
                return Body(self.data, parse_yaml(self.data))
            value, duplicates = parse_json(self.data)
        except ParseError as exc:
            return Body(self.data, None, error=str(exc))
        return Body(self.data, value, tuple(duplicates))


@dataclass(frozen=True, slots=True)
class Response:
    """One response: `body` is JSON to encode, or raw bytes."""

    status: int
    body: Any
    content_type: str | None = JSON
    retry_after_s: int | None = None

    def encoded(self) -> bytes:
        """Return the bytes to send."""
        if isinstance(self.body, bytes):
            return self.body
        return dump_yaml(self.body) if self.content_type == YAML else dump_json(self.body)


def failure(error: StatusError, retry_after_s: int | None = None, media_type: str = JSON) -> Response:
    """Return a Status as a response."""
    return Response(error.code, error.status(), media_type, retry_after_s)
