"""IAM is eventually consistent: a role that was just made cannot be assumed for some seconds.

The sandbox takes a role for new when a request names it for the first time since the lag was set.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from hack.sandbox.aws.hostile.refusals import of_a_new_role
from hack.sandbox.aws.wire import ApiError, Call

_MEMBERS: Final = ("RoleArn", "ExecutionRoleArn")


class NewRoles:
    """The roles that requests have named, and for how long a new one is refused. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lag_s = 0.0  # all guarded by _lock
        self._named_at: dict[str, float] = {}
        self._refused: Counter[str] = Counter()

    def set(self, *, lag_s: float = 0.0) -> dict[str, float]:
        """Take every role for new, for so many seconds; 0 ends that. Raises ValueError for a negative time."""
        if lag_s < 0:
            raise ValueError("the lag must be at least 0")
        with self._lock:
            self._lag_s = lag_s
            self._named_at.clear()
            self._refused.clear()
        return {"lag_s": lag_s}

    @property
    def lag_s(self) -> float:
        """Return the seconds for which a new role is refused."""
        with self._lock:
            return self._lag_s

    def refused(self) -> int:
        """Return how many calls were refused since the lag was set."""
        with self._lock:
            return self._refused.total()

    def check(self, call: Call) -> None:
        """Raise a refusal if the call creates something with a role that is new."""
        if not call.operation.startswith("Create"):
            return
        with self._lock:
            if not self._lag_s:
                return
            for role in _roles(call.params):
                if call.now - self._named_at.setdefault(role, call.now) < self._lag_s:
                    number = self._refused[role]
                    self._refused[role] += 1
                    raise ApiError(*of_a_new_role(role, number))


def _roles(params: Mapping[str, Any]) -> Iterator[str]:
    definitions = (params.get("TrainingJobDefinition"), *(params.get("TrainingJobDefinitions") or ()))
    for part in (params, *definitions):
        for member in _MEMBERS:
            if isinstance(part, dict) and isinstance(part.get(member), str):
                yield part[member]
