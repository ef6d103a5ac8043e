"""The polling state of one target's jobs, and when to list them next: a state machine with the time as argument.

A sweep is a complete paging of List* with `LastModifiedTimeAfter`. It starts at the watermark: SageMaker's own clock
(HTTP Date) when the previous complete sweep began, less an overlap for its eventual consistency. Jobs that no sweep
has covered yet (after a start of the operator) move the start back to their creation, once. So a sweep costs one call
as long as few jobs change, however many run; and other jobs of the account take no memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.errors import BUDGET_EXHAUSTED, AwsError
from controller.aws.sagemaker import Page
from controller.runtime.errors import ErrorClass

OVERLAP: Final = timedelta(seconds=60)
"""How late a change may appear in List responses and still be noticed."""
UNDATED_OVERLAP: Final = timedelta(minutes=10)
"""The same for a response without Date: then the local clock is the watermark, which may be ahead of SageMaker's."""
CREATION_MARGIN: Final = timedelta(minutes=5)
"""Creation times are by the local clock: how far it may be ahead of SageMaker's."""
UNSEEN_S: Final = 60.0
"""Age at which a job that complete sweeps do not show is described by name."""

PROGRESS_LOOK_S: Final = 60.0
"""How often jobs in progress are listed whether or not SageMaker updates LastModifiedTime. AWS does not say that
counters update it; a sweep from the oldest modification on is one call for up to a hundred tuning jobs."""

_BACKOFF_BASE_S: Final = 1.0
_BACKOFF_CAP_S: Final = 60.0
_DENIED_CAP_S: Final = 300.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mark:
    """The fingerprint by which two observations of a job are compared."""

    modified: datetime | None
    value: str
    secondary: str
    progress: str = ""
    """For kinds with more than a status, e.g. the counters of a tuning job, in comparable form."""


@dataclass(slots=True)
class Watched:
    """One tracked job."""

    key: ObjectKey
    name: str
    covered_from: datetime | None
    """A complete sweep from this time (or earlier) is still needed; None: it has happened."""
    unseen_at: float
    """Monotonic seconds after which the job should have appeared in a List."""
    describe_at: float
    """Monotonic seconds of the next Describe by the safety net."""
    mark: Mark | None = None
    summary: Mapping[str, Any] | None = None
    """The newest observation: a List summary or a Describe response."""
    is_describe_due: bool = False


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """How often to poll; the same for all targets."""

    poll_s: float = 5.0
    resync_s: float = 36_000.0
    settled: frozenset[str] = frozenset()
    """AWS status values that change only on request, e.g. `InService`."""
    settled_poll_s: float = 60.0
    """Interval while all tracked jobs are settled."""


@dataclass(frozen=True, slots=True)
class Query:
    """One List call to make."""

    modified_after: datetime
    next_token: str


class Feed:
    """The jobs of one kind at one target. Not thread-safe: `Tracker` locks. Every method gets `now` (monotonic)."""

    def __init__(
        self, descriptor: KindDescriptor, settings: FeedSettings, rand: Callable[[], float], *, now: float
    ) -> None:
        self._descriptor = descriptor
        self._settings = settings
        self._rand = rand
        rule = descriptor.status
        members = (descriptor.name.member, rule.member, rule.secondary_member, rule.arn_member, rule.progress_member)
        self._kept = (*filter(None, members), "CreationTime", "LastModifiedTime", "FailureReason")
        self._jobs: dict[ObjectKey, Watched] = {}
        self._by_name: dict[str, set[ObjectKey]] = {}  # two objects may have the same job name
        self._watermark: datetime | None = None
        self._query: Query | None = None
        """The call under way or to be retried; None between sweeps."""
        self._began = now
        self._began_server: datetime | None = None
        self._covering: frozenset[ObjectKey] = frozenset()
        self._failures = 0
        self._progress_at = now + PROGRESS_LOOK_S
        self.last_complete = now
        """Monotonic seconds at which the last complete sweep began: the start of staleness."""
        # Half an interval at least: after a start of the operator most jobs are tracked by then.
        self.due_at = now + settings.poll_s * (0.5 + 0.5 * rand())

    def __len__(self) -> int:
        return len(self._jobs)

    # --- tracked jobs

    def follow(self, key: ObjectKey, name: str, created_at: datetime, *, now: float, age_s: float) -> None:
        """Track a job that is `age_s` seconds old; negative if the local clock was set back. Idempotent."""
        known = self._jobs.get(key)
        if known is not None:
            if known.name == name:
                return
            self.forget(key)
        self._jobs[key] = Watched(
            key=key,
            name=name,
            covered_from=created_at - CREATION_MARGIN,
            unseen_at=now + min(max(UNSEEN_S - age_s, 0.0), UNSEEN_S),
            describe_at=now + self._settings.resync_s * (0.5 + 0.5 * self._rand()),
        )
        self._by_name.setdefault(name, set()).add(key)
        self._soon(now)

    def forget(self, key: ObjectKey) -> None:
        """Stop tracking. Idempotent."""
        job = self._jobs.pop(key, None)
        if job is None:
            return
        keys = self._by_name[job.name]
        keys.discard(key)
        if not keys:
            del self._by_name[job.name]

    def hasten(self, key: ObjectKey, *, now: float) -> None:
        """Poll soon: a change of this job was requested, so its next observation counts as new."""
        job = self._jobs.get(key)
        if job is not None:
            job.mark = None
            self._soon(now)

    def get(self, key: ObjectKey) -> Watched | None:
        """Return the state of a tracked job."""
        return self._jobs.get(key)

    def described(self, key: ObjectKey, description: Mapping[str, Any], *, utcnow: datetime, now: float) -> None:
        """Record a Describe response: it counts like a summary, unless it is older than the known one."""
        job = self._jobs.get(key)
        if job is None:
            return
        # Thousands of jobs may be described in a resync period: keep a summary's members, not whole responses.
        self._take(job, {name: description[name] for name in self._kept if name in description})
        job.is_describe_due = False
        job.describe_at = now + self._settings.resync_s
        if job.covered_from is not None:
            job.covered_from = max(job.covered_from, utcnow - CREATION_MARGIN)

    # --- sweeps

    def begin(self, *, now: float, utcnow: datetime) -> Query:
        """Return the List call to make now: the next page of the sweep under way, or the first of a new one."""
        if self._query is None:
            wanted = [job.covered_from for job in self._jobs.values() if job.covered_from is not None]
            if self._watermark is not None:
                wanted.append(self._watermark)
            wanted += self._in_progress(now)
            self._covering = frozenset(key for key, job in self._jobs.items() if job.covered_from is not None)
            self._query = Query(max(min(wanted, default=utcnow - CREATION_MARGIN), _EPOCH), "")
            self._began, self._began_server = now, None
        return self._query

    def absorb(self, page: Page, *, now: float, utcnow: datetime) -> list[ObjectKey]:
        """Apply the page that `begin` requested; returns the keys to enqueue."""
        assert self._query is not None  # noqa: S101 (begin came before)
        self._failures = 0
        if not self._query.next_token:
            # The first response includes everything that happened up to its Date.
            self._began_server = page.server_time - OVERLAP if page.server_time else utcnow - UNDATED_OVERLAP
        woken = [job.key for item in page.items for job in self._named(item) if self._take(job, item)]
        if page.next_token:
            self._query = Query(self._query.modified_after, page.next_token)
            self.due_at = now
        else:
            woken += self._complete(now)
        return woken

    def failed(self, error: AwsError, *, now: float) -> float:
        """Record a failed call; returns the seconds until it is retried. Other feeds are not affected.

        The position in the sweep is kept unless the error concerns the request: a long sweep that is throttled
        occasionally must still complete.
        """
        if error.code == BUDGET_EXHAUSTED and error.retry_after_s is not None:
            delay_s = error.retry_after_s
        else:
            cap_s = _DENIED_CAP_S if error.error_class is ErrorClass.DENIED else _BACKOFF_CAP_S
            delay_s = min(_BACKOFF_BASE_S * 2**self._failures, cap_s) * (0.5 + 0.5 * self._rand())
            self._failures = min(self._failures + 1, 16)
        if error.error_class not in {ErrorClass.THROTTLED, ErrorClass.RETRYABLE}:
            self._query = None
        self.due_at = now + delay_s
        return delay_s

    def _is_settled(self) -> bool:
        settled = self._settings.settled
        return bool(settled) and all(job.mark and job.mark.value in settled for job in self._jobs.values())

    def _soon(self, now: float) -> None:
        """Shorten an interval that was chosen while all jobs were settled."""
        if self._settings.settled:
            self.due_at = min(self.due_at, now + self._settings.poll_s)

    def _complete(self, now: float) -> list[ObjectKey]:
        """Complete the sweep: move the watermark, mark missing jobs for a Describe."""
        self._query = None
        self._watermark = self._began_server
        self.last_complete = self._began
        jitter = 0.9 + 0.2 * self._rand()
        interval_s = self._settings.settled_poll_s if self._is_settled() else self._settings.poll_s
        self.due_at = max(now, self._began + interval_s * jitter)
        woken = []
        for key, job in self._jobs.items():
            if key in self._covering and job.covered_from is not None:
                if job.mark is not None:
                    job.covered_from = None
                elif now >= job.unseen_at:
                    job.covered_from, job.is_describe_due = None, True
                    woken.append(key)
            if now >= job.describe_at:
                job.describe_at = now + self._settings.resync_s
                job.is_describe_due = True
                woken.append(key)
        return woken

    def _in_progress(self, now: float) -> list[datetime]:
        """Return the times from which to list so that no progress is missed; empty if not needed, or not due."""
        if not self._descriptor.status.progress_member or now < self._progress_at:
            return []
        self._progress_at = now + PROGRESS_LOOK_S
        modified = [job.mark.modified for job in self._jobs.values() if job.mark and job.mark.modified]
        return [time - timedelta(seconds=1) for time in modified]  # "after" may be exclusive

    def _named(self, item: Mapping[str, Any]) -> list[Watched]:
        name = item.get(self._descriptor.name.member)
        return [self._jobs[key] for key in self._by_name.get(str(name), ())]

    def _take(self, job: Watched, answer: Mapping[str, Any]) -> bool:
        """Record the observation; returns whether it is new, not old or repeated (replicas may lag)."""
        mark = self._mark(answer)
        if mark == job.mark:
            return False
        if job.mark is not None and _is_older(mark, job.mark):
            return False
        job.mark, job.summary = mark, answer
        return True

    def _mark(self, answer: Mapping[str, Any]) -> Mark:
        rule = self._descriptor.status
        modified = answer.get("LastModifiedTime")
        return Mark(
            modified=modified if isinstance(modified, datetime) else None,
            value=str(answer.get(rule.member) or ""),
            secondary=str(answer.get(rule.secondary_member) or "") if rule.secondary_member else "",
            progress=_comparable(answer.get(rule.progress_member)) if rule.progress_member else "",
        )


def _comparable(counters: Any) -> str:
    return str(sorted(counters.items())) if isinstance(counters, Mapping) else ""


def _is_older(one: Mark, other: Mark) -> bool:
    return one.modified is not None and other.modified is not None and one.modified < other.modified
