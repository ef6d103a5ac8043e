"""Keeps when something is due of each job, and spaces Describes by a budget: pure, it reads no clock."""

from heapq import heappop, heappush
from itertools import count
from math import inf

from api.meta import ObjectKey


class Schedule:
    """Times to come, one for each job at most. Not thread-safe. All times are monotonic seconds."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, ObjectKey]] = []
        """An entry is obsolete unless `_at` has the same time."""
        self._at: dict[ObjectKey, float] = {}
        self._ticket = count()

    @property
    def due_at(self) -> float:
        """The first of the times; infinite if there is none."""
        self._drop_obsolete()
        return self._heap[0][0] if self._heap else inf

    def at(self, key: ObjectKey) -> float:
        """Return the time of a job; infinite if there is none."""
        return self._at.get(key, inf)

    def set(self, key: ObjectKey, at: float) -> None:
        """Plan a time for a job, in place of the one that was planned."""
        self._at[key] = at
        heappush(self._heap, (at, next(self._ticket), key))

    def forget(self, key: ObjectKey) -> None:
        """Cancel what is planned for a job. Idempotent."""
        self._at.pop(key, None)

    def pop(self, *, now: float) -> ObjectKey | None:
        """Return the job that is due first, and remove it; None if none is due."""
        if self.due_at > now:
            return None
        key = heappop(self._heap)[2]
        del self._at[key]
        return key

    def _drop_obsolete(self) -> None:
        while self._heap and self._at.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)


class LookSchedule:
    """Times of Describes to come, within a budget. Not thread-safe. All times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self._schedule = Schedule()
        self._allowed_at = now
        """From when on the budget allows another Describe."""

    @property
    def due_at(self) -> float:
        """The time of the next Describe; infinite if there is none."""
        return max(self._schedule.due_at, self._allowed_at)

    def at(self, key: ObjectKey) -> float:
        """Return the time of a job's Describe, regardless of the budget; infinite if there is none."""
        return self._schedule.at(key)

    def set(self, key: ObjectKey, at: float) -> None:
        """Plan a job's Describe, in place of the one that was planned."""
        self._schedule.set(key, at)

    def forget(self, key: ObjectKey) -> None:
        """Cancel what is planned for a job. Idempotent."""
        self._schedule.forget(key)

    def pop(self, *, gap_s: float, saved_s: float, now: float) -> ObjectKey | None:
        """Return the next job to describe, and remove it; None if there is none yet, or the budget has to be awaited.

        The budget allows a Describe each `gap_s`; what was not used within the last `saved_s` may be used at once.
        """
        if self._allowed_at > now:
            return None
        key = self._schedule.pop(now=now)
        if key is not None:
            self._allowed_at = max(self._allowed_at, now - saved_s) + gap_s
        return key
