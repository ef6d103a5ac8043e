"""Keeps when each job is described next, and spaces these Describes by a budget: pure, it reads no clock."""

from heapq import heappop, heappush
from itertools import count
from math import inf

from api.meta import ObjectKey


class LookSchedule:
    """Times of Describes to come. Not thread-safe. All times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._heap: list[tuple[float, int, ObjectKey]] = []
        """An entry is obsolete unless `_at` has the same time."""
        self._at: dict[ObjectKey, float] = {}
        self._ticket = count()
        self._allowed_at = now
        """From when on the budget allows another Describe."""

    @property
    def due_at(self) -> float:
        """The time of the next Describe; infinite if there is none."""
        self._drop_obsolete()
        return max(self._heap[0][0], self._allowed_at) if self._heap else inf

    def at(self, key: ObjectKey) -> float:
        """Return the time of a job's Describe, regardless of the budget; infinite if there is none."""
        return self._at.get(key, inf)

    def set(self, key: ObjectKey, at: float) -> None:
        """Plan a job's Describe, in place of the one that was planned."""
        self._at[key] = at
        heappush(self._heap, (at, next(self._ticket), key))

    def forget(self, key: ObjectKey) -> None:
        """Cancel what is planned for a job. Idempotent."""
        self._at.pop(key, None)

    def pop(self, *, gap_s: float, saved_s: float, now: float) -> ObjectKey | None:
        """Return the next job to describe, and remove it; None if there is none yet, or the budget has to be awaited.

        The budget allows a Describe each `gap_s`; what was not used within the last `saved_s` may be used at once.
        """
        if self._allowed_at > now:
            return None
        self._drop_obsolete()
        if not self._heap or self._heap[0][0] > now:
            return None
        key = heappop(self._heap)[2]
        del self._at[key]
        self._allowed_at = max(self._allowed_at, now - saved_s) + gap_s
        return key

    def _drop_obsolete(self) -> None:
        while self._heap and self._at.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)
