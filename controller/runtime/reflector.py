"""Keeps a target equal to what the API server holds: list, watch, relist.

The ports that an adapter implements (`ListerWatcher`, `WatchStream`) and the values they exchange.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from api.meta import JsonObject
from controller.runtime.errors import ClassifiedError


class Unreachable(ClassifiedError):  # noqa: N818 (a state of the world, as in ABSENT)
    """No usable answer came at all: connection refused, reset, cut off, or silent past the read time-out.

    A distinct type because the reflector treats it better than an answer of 5xx: nothing is wrong with the version it
    watches from, so it goes on from there without a list (R6, R9). Adapters derive their connection error from it.
    """


@dataclass(frozen=True, slots=True)
class ListPage:
    """One answer to a list request."""

    items: list[JsonObject]
    """Decoded objects, each with `apiVersion` and `kind`. Handed over: the receiver may change them and the list."""
    resource_version: str
    continue_token: str
    """Empty on the last page."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One line of a watch: `type` is ADDED, MODIFIED, DELETED, BOOKMARK, ERROR or something yet unknown.

    `object` is decoded once and handed over; for ERROR it is the `Status` that the server sent.
    """

    type: str
    object: JsonObject


class WatchStream(Protocol):
    """An open watch: an iterator of events that ends when the server closes it; leaving the context closes it.

    `__next__` raises `Unreachable` when the connection breaks or stays silent past its read time-out (K3), and another
    `ClassifiedError` for what cannot be read as an event. After `close` it ends as if the server had closed it.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

    def __iter__(self) -> Iterator[WatchEvent]: ...

    def __next__(self) -> WatchEvent: ...

    def close(self) -> None:
        """End the stream from any thread, waking a reader that is blocked in `__next__`. Idempotent."""
        ...


class ListerWatcher(Protocol):
    """How to list and watch one resource, everywhere or in one namespace. Used by one thread at a time."""

    def list(self, *, resource_version: str, limit: int | None, continue_token: str | None) -> ListPage:
        """Ask for one page; an empty `resource_version` is not sent, nor is a `limit` or `continue_token` of None.

        Raises `Unreachable`, or `ClassifiedError` of class EXPIRED for 410 (reason Expired or Gone) and for a "too
        large resource version" (R2), THROTTLED for 429, and whatever else the boundary's table says.
        """
        ...

    def watch(self, *, resource_version: str, timeout_s: int) -> WatchStream:
        """Open a watch with bookmarks, which the server shall end after `timeout_s`; blocks until the headers came.

        Raises as `list` does. Its read time-out is a little longer than `timeout_s` (K3).
        """
        ...
