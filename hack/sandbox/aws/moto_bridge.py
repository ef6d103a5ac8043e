"""Passes all other requests to moto: S3, IAM, STS, SQS, EventBridge, other log groups, other scaling.

moto takes about a second to import, so the first request that needs it loads it, or `load` before. Its state is global
to the process: two servers in one process share it, and `reset` empties it for both. Its times are the machine's, not
those of the sandbox's clock.
"""

import io
import json
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from hack.sandbox.aws.wire import ApiError, HttpRequest, HttpResponse, UnknownOperationError

DEFAULT_ACCOUNT = "123456789012"
_Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class MotoBridge:
    """Calls moto's WSGI application. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._app: _Wsgi | None = None  # written once, below _lock; what only reads it need not wait for a second

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return moto's response to a request.

        Raises UnknownOperationError for what moto does not serve, ApiError if it raises another exception.
        """
        app = self.load()
        status = 500
        headers: tuple[tuple[str, str], ...] = ()

        def start_response(line: str, fields: list[tuple[str, str]], *_exc_info: object) -> None:
            nonlocal status, headers
            status, headers = int(line.partition(" ")[0]), tuple(fields)

        try:
            chunks = app(_environ(request), start_response)
            try:
                body = b"".join(chunks)
            finally:
                getattr(chunks, "close", lambda: None)()
        except NotImplementedError as exc:
            raise UnknownOperationError(str(exc)) from exc
        except Exception as exc:  # moto raises arbitrary exceptions for some unusual requests
            raise ApiError("InternalFailure", f"the sandbox failed: {exc!r}", status=500) from exc
        if _is_unrouted(request, status, headers, body):
            raise UnknownOperationError(f"{request.method} {request.path}")
        dropped = {"date", "transfer-encoding", "connection"}
        if request.method != "HEAD":
            dropped.add("content-length")
        return HttpResponse(status, body, tuple(field for field in headers if field[0].lower() not in dropped))

    def account_of(self, access_key: str) -> str:
        """Return the account of an access key: that of the role, for keys from moto's STS."""
        if self._app is None:
            return DEFAULT_ACCOUNT
        from moto.iam.models import get_account_id_from  # noqa: PLC0415 - moto is loaded late, see above

        return str(get_account_id_from(access_key))

    def has_rules(self) -> bool:
        """Return whether anyone has made a rule in EventBridge."""
        if self._app is None:
            return False
        from moto.events.models import events_backends  # noqa: PLC0415 - moto is loaded late, see above

        backends = [backend for account in list(events_backends.values()) for backend in list(account.values())]
        return any(bus.rules for backend in backends for bus in list(backend.event_buses.values()))

    def put_event(
        self, *, account: str, region: str, detail_type: str, arns: Sequence[str], detail: Mapping[str, Any]
    ) -> None:
        """Send an event of SageMaker through EventBridge's rules; those to a queue that is gone have no effect."""
        from moto.events.models import events_backends  # noqa: PLC0415 - moto is loaded late, see above
        from moto.sqs.exceptions import QueueDoesNotExist  # noqa: PLC0415

        entry = {
            "Source": "aws.sagemaker",
            "DetailType": detail_type,
            "Resources": list(arns),
            "Detail": json.dumps(detail),
        }
        with suppress(QueueDoesNotExist):
            events_backends[account][region].put_events([entry])

    def reset(self) -> None:
        """Reset moto's state, if it was loaded."""
        if self._app is not None:
            self.answer(HttpRequest("POST", "/moto-api/reset", {}, b""))

    def load(self) -> _Wsgi:
        """Load moto, unless it is loaded; returns its application."""
        with self._lock:
            if self._app is None:
                from hack.sandbox.aws.moto_application import Application  # noqa: PLC0415 - moto is loaded late

                app: _Wsgi = Application()
                b"".join(app(_environ(HttpRequest("POST", "/moto-api/reset", {}, b"")), lambda *_: None))
                self._app = app
            return self._app


def _is_unrouted(request: HttpRequest, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> bool:
    """Return whether a response is that of moto's router for a path that none of its services has."""
    is_page = any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers)
    return status == 404 and is_page and not body and request.method != "HEAD"


def _environ(request: HttpRequest) -> dict[str, Any]:
    """Return the WSGI environment (PEP 3333) of a request."""
    host = request.headers.get("host", "localhost")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        # WSGI carries the undecoded bytes of the path in a latin-1 string.
        "PATH_INFO": unquote(request.path).encode().decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": host.partition(":")[0],
        "SERVER_PORT": host.partition(":")[2] or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    environ["CONTENT_LENGTH"] = str(len(request.body))
    return environ
