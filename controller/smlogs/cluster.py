"""Looks up the Kubernetes object of the logs, once or repeatedly."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from api.meta import JsonObject, ObjectKey, Resource
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass
from controller.smlogs import subject
from controller.smlogs.kinds import LogKind
from controller.smlogs.kubectl import KubectlError
from controller.smlogs.subject import Subject

GIVE_UP_S: Final = 300.0
"""How long a cluster may be unreachable while a log is followed: the lines come from CloudWatch."""
_LOOK_TIMEOUT_S: Final = 5
"""For repeated look-ups: lines must not wait long for an API server that hangs."""


class Source(Protocol):
    """Gets objects; see `kubectl.Kubectl`."""

    def get(self, resource: Resource, name: str) -> JsonObject:
        """Return the object of that name, in the user's namespace."""
        ...

    def get_again(self, resource: Resource, key: ObjectKey, *, timeout_s: int) -> JsonObject:
        """Return the object of that key."""
        ...


class Lookup:
    """Looks up one object."""

    def __init__(self, source: Source, kind: LogKind, name: str, clock: Clock) -> None:
        self._source = source
        self._kind = kind
        self._name = name
        self._clock = clock
        self._key = ObjectKey("", name)
        self._last: Subject | None = None
        self._answered_s = clock.monotonic()

    def first(self) -> Subject:
        """Return the object. Raises `KubectlError`."""
        found = self._source.get(self._kind.resource, self._name)
        self._key = ObjectKey(found["metadata"]["namespace"], self._name)
        return self._note(found)

    def again(self) -> Subject | None:
        """Return the current object, None if deleted. While the cluster does not answer, the last one, for `GIVE_UP_S`.

        Raises `KubectlError` after that, and at once if the cluster refuses.
        """
        try:
            return self._note(self._source.get_again(self._kind.resource, self._key, timeout_s=_LOOK_TIMEOUT_S))
        except KubectlError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                return None
            is_over = self._clock.monotonic() - self._answered_s > GIVE_UP_S
            if error.error_class is not ErrorClass.RETRYABLE or self._last is None or is_over:
                raise
            return self._last

    def _note(self, found: Mapping[str, Any]) -> Subject:
        self._last, self._answered_s = subject.of(self._kind, found), self._clock.monotonic()
        return self._last
