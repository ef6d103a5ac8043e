"""The API server as an ASGI application: paths to resources, methods to verbs, results to responses.

uvicorn handles the HTTP protocol itself. One request is one call of `Application.__call__`; everything except reading
the body and writing a watch happens synchronously, so that writes are atomic for other requests.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qs

from hack.sandbox.kube.http.api import Api
from hack.sandbox.kube.http.faults import Faults, Verdict
from hack.sandbox.kube.http.messages import PLAIN, Request, Response, failure
from hack.sandbox.kube.verbs.watch import Watch
from hack.sandbox.kube.wire import errors
from hack.sandbox.kube.wire.causes import go_quote
from hack.sandbox.kube.wire.errors import NoRouteError, StatusError
from hack.sandbox.kube.wire.negotiation import JSON, of_errors

Json = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

BODY_MAX: Final = 3 * 1024 * 1024
log = logging.getLogger(__name__)


class Application:
    """The ASGI callable. Used from one event loop."""

    def __init__(self, api: Api, faults: Faults):
        self._api = api
        self._faults = faults

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        request = Request(
            scope["method"],
            scope["path"],
            parse_qs(scope["query_string"].decode(), keep_blank_values=True),
            {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        )
        try:
            request.data = await _read_body(receive)
            response = await self._respond(request)
        except StatusError as exc:
            response = failure(exc, media_type=of_errors(request.accept))
        except NoRouteError:
            response = Response(404, b"404 page not found\n", PLAIN)
        except Exception as exc:
            # The boundary to the client: a bug here is a 500 for it, and a traceback in the log.
            log.exception("request failed")
            response = failure(errors.internal(f"{type(exc).__name__}: {exc}"))
        if isinstance(response, Watch):
            await self._stream(response, request, receive, send)
        else:
            await _send(send, response, request.warnings)

    async def _respond(self, request: Request) -> Response | Watch:
        """Return the response, after applying injected faults."""
        if request.path.startswith("/sandbox/"):
            return self._faults.control(request.method, request.path, request.data)
        verdict: Verdict | None = self._faults.admit(request.method, request.path, request.user_agent)
        if verdict is not None:
            if verdict.delay_s:
                await asyncio.sleep(verdict.delay_s)
            if verdict.status:
                return failure(verdict.error(), verdict.retry_after_s)
        return self._api.respond(request)

    async def _stream(self, watch: Watch, request: Request, receive: Receive, send: Send) -> None:
        """Send a watch until it ends or the client disconnects. A dropped watch ends like a lost connection."""
        headers = [(b"content-type", JSON.encode()), (b"cache-control", b"no-cache, private")]
        headers += [(b"warning", _warning(text)) for text in request.warnings]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # The headers are sent at once: clients wait for them.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        gone = asyncio.create_task(_until_gone(receive, watch))
        try:
            with self._faults.watching(watch):
                async for lines in watch.events():
                    for part in await self._faults.disturb(lines):
                        await send({"type": "http.response.body", "body": part, "more_body": True})
        finally:
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone
        if watch.dropped:
            raise ConnectionAbortedError("the watch was dropped on request")
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_MAX:
            text = f"Request entity too large: limit is {BODY_MAX}"
            raise StatusError(413, "RequestEntityTooLarge", text)
        if not message.get("more_body"):
            return b"".join(parts)


async def _until_gone(receive: Receive, watch: Watch) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watch.stop()


def _warning(text: str) -> bytes:
    return f"299 - {go_quote(text)}".encode()


async def _send(send: Send, response: Response, warnings: list[str]) -> None:
    body = response.encoded()
    headers = [(b"content-length", str(len(body)).encode()), (b"cache-control", b"no-cache, private")]
    if response.content_type:
        headers.append((b"content-type", response.content_type.encode()))
    if response.retry_after_s is not None:
        headers.append((b"retry-after", str(response.retry_after_s).encode()))
    headers += [(b"warning", _warning(text)) for text in dict.fromkeys(warnings)]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
