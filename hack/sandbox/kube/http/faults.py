"""Injects faults and counts requests: what tests of a client need and a real API server lacks.

POST   /sandbox/faults     {"fail": {"status": 503, "count": 2, "method": "PATCH", "path": "/status$"}}
                           {"drop_watches": true}   {"compact": true | revision}   {"restart": true}
                           {"watch": {"delay_s": 0.5, "repeat": 1, "count": 3}}
DELETE /sandbox/faults     forget all of them
GET    /sandbox/requests   how many requests there were, by verb, resource and User-Agent
DELETE /sandbox/requests   count from zero
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.http.messages import Response
from hack.sandbox.kube.store.storage import Storage
from hack.sandbox.kube.verbs.watch import Watch
from hack.sandbox.kube.wire.codec import ParseError, parse_json
from hack.sandbox.kube.wire.errors import StatusError, bad_request

Json = dict[str, Any]

_REASONS: Final = {
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "forbidden on request of a test"),
    409: ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
    429: ("TooManyRequests", "too many requests, please try again later"),
    500: ("InternalError", "Internal error occurred: on request of a test"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "request did not complete within the allowed time"),
}
_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get"}


@dataclass(slots=True)
class Verdict:
    """The fault for matching requests; `count` is the remaining number."""

    status: int = 0
    count: int = 1
    method: str = ""
    path: str = ""
    user_agent: str = ""
    delay_s: float = 0.0
    retry_after_s: int | None = None

    def matches(self, method: str, path: str, user_agent: str) -> bool:
        """Return whether this verdict matches a request."""
        if self.method and self.method != method:
            return False
        return bool(re.search(self.path, path)) and bool(re.search(self.user_agent, user_agent))

    def error(self) -> StatusError:
        """Return the error that the client gets."""
        reason, message = _REASONS.get(self.status, ("InternalError", "failed on request of a test"))
        details = {"retryAfterSeconds": self.retry_after_s} if self.retry_after_s is not None else None
        return StatusError(self.status, reason, message, details)


@dataclass(slots=True)
class _WatchFault:
    """The fault for the next `count` batches of watch events."""

    count: int = 0
    delay_s: float = 0.0
    repeat: int = 0


class Faults:
    """The control endpoint and its state. Used from one event loop."""

    def __init__(self, storage: Storage, resource_of: Callable[[str], tuple[str, bool]]):
        self._storage = storage
        self._resource_of = resource_of
        self._verdicts: list[Verdict] = []
        self._watch_fault = _WatchFault()
        self._watches: set[Watch] = set()
        self.requests: Counter[tuple[str, str, str]] = Counter()

    def admit(self, method: str, path: str, user_agent: str) -> Verdict | None:
        """Count a request, and return its fault."""
        resource, named = self._resource_of(path)
        verb = _VERBS.get(method, method.lower())
        if not named:
            verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
        self.requests[verb, resource or path, user_agent] += 1
        for verdict in self._verdicts:
            if verdict.matches(method, path, user_agent):
                verdict.count -= 1
                if verdict.count <= 0:
                    self._verdicts.remove(verdict)
                return verdict
        return None

    @contextmanager
    def watching(self, watch: Watch) -> Iterator[None]:
        """Register a watch while it runs, so that it can be dropped."""
        self._watches.add(watch)
        try:
            yield
        finally:
            self._watches.discard(watch)

    async def disturb(self, lines: list[bytes]) -> list[bytes]:
        """Return the lines to send for a batch of watch events: delayed or repeated by a fault."""
        fault = self._watch_fault
        batch = b"".join(lines)
        if fault.count <= 0:
            return [batch]
        fault.count -= 1
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        return [batch] * (1 + fault.repeat)

    def end_watches(self) -> None:
        """End all watches as if they had timed out."""
        for watch in self._watches:
            watch.stop()

    def drop_watches(self) -> int:
        """Cut all watch connections; returns how many there were."""
        for watch in self._watches:
            watch.dropped = True
            watch.stop()
        return len(self._watches)

    def control(self, method: str, path: str, data: bytes) -> Response:
        """Serve `/sandbox/…`. Raises 400 for an invalid request."""
        match method, path.strip("/"):
            case "GET", "sandbox/requests":
                return Response(200, {"requests": self._counted()})
            case "DELETE", "sandbox/requests":
                self.requests.clear()
                return Response(200, {})
            case "DELETE", "sandbox/faults":
                self._verdicts.clear()
                self._watch_fault = _WatchFault()
                return Response(200, {})
            case "POST", "sandbox/faults":
                return Response(200, self._order(data))
        raise StatusError(404, "NotFound", f"the sandbox knows no {method} {path}")

    def _counted(self) -> list[Json]:
        return [
            {"verb": verb, "resource": resource, "userAgent": agent, "count": count}
            for (verb, resource, agent), count in sorted(self.requests.items())
        ]

    def _order(self, data: bytes) -> Json:
        try:
            order, _ = parse_json(data)
            done: Json = {}
            for name, value in order.items():
                match name:
                    case "fail":
                        self._verdicts += [Verdict(**each) for each in (value if isinstance(value, list) else [value])]
                    case "watch":
                        self._watch_fault = _WatchFault(**{"count": 1, **value})
                    case "drop_watches":
                        done["dropped"] = self.drop_watches() if value else 0
                    case "restart":
                        # The effects of a restart for clients: connections break, and the watch cache is empty.
                        done["dropped"] = self.drop_watches() if value else 0
                        self._storage.compact(self._storage.revision)
                    case "compact":
                        revision = self._storage.revision if value is True else int(value)
                        self._storage.compact(revision)
                        done["compacted"] = self._storage.compacted
                    case _:
                        raise bad_request(f"unknown fault {name!r}")
            return done
        except (ParseError, TypeError, AttributeError, ValueError) as exc:
            raise bad_request(f"cannot understand the faults: {exc}") from exc
