"""Kubernetes Events as values, and the port that writes them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias

EventType: TypeAlias = Literal["Normal", "Warning"]

LEADER_ELECTION: Final = "LeaderElection"
"""Reason of Events about a Lease, as client-go writes it."""


@dataclass(frozen=True, slots=True)
class Regarding:
    """The object of an Event, as an object reference; `namespace` is empty for cluster-scoped ones."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """The content of one Event object; times are UTC."""

    regarding: Regarding
    type: EventType
    reason: str
    message: str
    count: int
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class EventRef:
    """The name and namespace of a written Event."""

    namespace: str
    name: str


class EventSink(Protocol):
    """Writes Events. Called from the recorder's thread only; may block for a request's time-out."""

    def create(self, event: EventRecord) -> EventRef:
        """Write a new Event object. Raises `ClassifiedError`."""
        ...

    def update(self, ref: EventRef, event: EventRecord) -> None:
        """Raise count and last time of an Event, and replace its message.

        Raises `ClassifiedError`: NOT_FOUND when the Event has expired.
        """
        ...


class Recorder(Protocol):
    """Records Events; the port that reconcilers use."""

    def event(self, regarding: Regarding, type: EventType, reason: str, message: str) -> None:  # noqa: A002
        """Record an Event about an object. Never blocks, and never raises when the API server refuses it (V1)."""
        ...
