"""Thousands of jobs with quotas, in simulated time: the operator's own tracker and call budgets, and a modelled rest.

Real are `Tracker` (sweeps, Search, events, looks) and `Budgets`, with the limits and intervals that the operator has.
Modelled are an account (Lists, Search and Describe with latency and hidden quotas), the queue of keys with its
workers, what a pass takes of the one core that Python uses, and the write of the status. So the result does not depend
on the machine, and an hour of 10,000 jobs takes seconds.
"""

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from math import inf
from typing import Any, Final, cast

from prometheus_client import CollectorRegistry

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.errors import AwsError, CallError
from controller.aws.events.receiver import EVENTS
from controller.aws.limits.budgets import Budgets
from controller.aws.polling.hints import Hint
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.search_state import SEARCH
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.sagemaker import Jobs, Page
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from controller.settings import Settings
from hack.bench.budgets import HiddenBucket

TARGET: Final = Target("us-east-2")
ACCOUNT: Final = "123456789012"
PAGE: Final = 100
TICK_S: Final = 0.05
LIST_S: Final = 0.3
"""Time that a page takes."""
DESCRIBE_S: Final = (0.05, 0.2)
"""Bounds of the time that a Describe takes."""
WRITE_S: Final = 0.02
"""Time that a write of the status takes."""
PASS_CPU_S: Final = 0.006
"""What showing an end takes of the one core that Python uses; measured by `hack.bench.status`."""
WAIT_CPU_S: Final = 0.0005
"""The same of a pass that finds no budget left."""
EVENT_S: Final = (0.5, 1.5)
"""Bounds of the time from a change to the delivery of its event."""
_DESCRIBE: Final = "DescribeTrainingJob"
_START: Final = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


class SimulatedClock:
    """A `Clock` that the simulation moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the simulated seconds."""
        return self.now

    def utcnow(self) -> datetime:
        """Return the same as a date."""
        return _START + timedelta(seconds=self.now)


@dataclass(frozen=True, slots=True)
class Account:
    """What AWS does: quotas (calls a second, and at once), and how late Search shows a change."""

    lists_per_s: float = inf
    describes_per_s: float = inf
    describes_at_once: float = 20.0
    search_lag_s: float | None = 1.0
    """None: Search is denied."""
    has_events: bool = False


@dataclass(slots=True)
class _Job:
    name: str
    created: datetime
    modified: datetime
    status: str = "InProgress"
    secondary: str = "Training"

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:us-east-2:{ACCOUNT}:training-job/{self.name}"

    def answer(self) -> dict[str, Any]:
        return {
            "TrainingJobName": self.name,
            "TrainingJobArn": self.arn,
            "TrainingJobStatus": self.status,
            "SecondaryStatus": self.secondary,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
        }


@dataclass(slots=True)
class Course:
    """What happened."""

    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    ended: dict[str, float] = field(default_factory=dict)
    delivered: dict[str, float] = field(default_factory=dict)
    shown: dict[str, float] = field(default_factory=dict)

    def delays(self, names: Sequence[str], since: Mapping[str, float]) -> list[float]:
        """Return after how long each end was shown; infinite where it was not."""
        return [self.shown.get(name, inf) - since[name] for name in names]


class StatusModel:
    """An operator that follows `jobs` training jobs of one account."""

    def __init__(self, jobs: int, account: Account, *, seed: int = 11) -> None:
        self.clock = SimulatedClock()
        self.course = Course()
        self._account = account
        self._rng = random.Random(seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        settings = Settings()
        self._idle_workers = settings.workers
        self._core_free_at = 0.0
        """When the passes that have the core are done with it."""
        self._ready: deque[ObjectKey] = deque()
        self._queued: set[ObjectKey] = set()
        self._running: set[ObjectKey] = set()
        self._dirty: set[ObjectKey] = set()
        registry = CollectorRegistry()
        self._budgets = Budgets(self.clock, registry, rand=self._rng.random)
        self._quotas = {
            "ListTrainingJobs": HiddenBucket(account.lists_per_s, max(account.lists_per_s, 2.0)),
            "DescribeTrainingJob": HiddenBucket(account.describes_per_s, account.describes_at_once),
            "Search": HiddenBucket(inf, inf),
        }
        self._jobs = {
            name: _Job(name, self._at(-jobs + number), self._at(0)) for number, name in enumerate(self._names(jobs))
        }
        self._by_creation = sorted(self._jobs.values(), key=lambda job: job.created, reverse=True)
        self.tracker = Tracker(
            TRAINING_JOB,
            cast("Jobs", self),
            self._wake,
            self.clock,
            TrackerMetrics(registry),
            PollSettings(poll_s=settings.poll_interval_s, resync_s=settings.resync_period_s),
            rand=self._rng.random,
            accelerators=[EVENTS] * account.has_events + [SEARCH] * settings.status_search,
        )
        for name, job in self._jobs.items():
            self.tracker.follow(ObjectKey("default", name), TARGET, name, job.created)
        for _ in range(2):  # threads of a tracker
            self._schedule(0.0, self._poll)

    @staticmethod
    def _names(jobs: int) -> list[str]:
        return [f"job-{number:05}" for number in range(jobs)]

    def _at(self, seconds: float) -> datetime:
        return self.clock.utcnow() + timedelta(seconds=seconds)

    @property
    def running(self) -> list[str]:
        """Return the names of the jobs that run."""
        return [name for name, job in self._jobs.items() if job.status == "InProgress"]

    # --- time

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.clock.now + seconds
        while self._events and self._events[0][0] <= until:
            self.clock.now, _, act = heapq.heappop(self._events)
            act()
        self.clock.now = until

    def until_shown(self, names: Sequence[str], within_s: float) -> None:
        """Let time pass until the ends of these jobs are shown."""
        until = self.clock.now + within_s
        while self.clock.now < until and any(name not in self.course.shown for name in names):
            self.run(1.0)

    def _schedule(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.clock.now + delay_s, next(self._numbers), act))

    # --- what happens at AWS

    def end(self, name: str) -> None:
        """Let a job end now."""
        job = self._jobs[name]
        job.status, job.secondary, job.modified = "Completed", "Completed", self.clock.utcnow()
        self.course.ended[name] = self.clock.now
        if self._account.has_events:
            hint = Hint(name, job.status, job.secondary, job.modified, job.arn)
            self._schedule(self._rng.uniform(*EVENT_S), partial(self._deliver, hint))

    def _deliver(self, hint: Hint) -> None:
        self.course.delivered[hint.name] = self.clock.now
        self.tracker.heard(EVENTS, TARGET.region, ACCOUNT)
        self.tracker.hint(EVENTS, TARGET.region, ACCOUNT, hint)

    def _read_page(self, operation: str) -> None:
        """Charge a page as `AwsApi` does. Raises `CallError` THROTTLED where budget or quota refuse it."""
        background = operation != "Search"  # as `SageMaker` calls it
        self._budgets.admit(TARGET, operation, "tracker", background=background)
        self.course.calls[operation] += 1
        if not self._quotas[operation].takes(self.clock.now):
            self.course.refused[operation] += 1
            sent_at = self.clock.now - LIST_S
            again_s = self._budgets.refused(TARGET, operation, "tracker", background=background, sent_at=sent_at)
            raise AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded", retry_after_s=again_s)
        self._budgets.accepted(TARGET, operation, "tracker")

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        del descriptor, target
        self._read_page("ListTrainingJobs")
        return self._page(self._by_creation, next_token)

    def search_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.search_page`."""
        del descriptor, target
        self._read_page("Search")
        if self._account.search_lag_s is None:
            raise AwsError(ErrorClass.DENIED, "AccessDeniedException", "no")
        indexed = self._at(-self._account.search_lag_s)
        seen = [job for job in self._jobs.values() if job.modified <= indexed]
        return self._page(sorted(seen, key=lambda job: job.modified, reverse=True), next_token)

    @staticmethod
    def _page(jobs: Sequence[_Job], next_token: str) -> Page:
        first = int(next_token or 0)
        has_more = first + PAGE < len(jobs)
        return Page(tuple(job.answer() for job in jobs[first : first + PAGE]), str(first + PAGE) if has_more else "")

    # --- the operator

    def _poll(self) -> None:
        before = self.course.calls["ListTrainingJobs"] + self.course.calls["Search"]
        self.tracker.step()
        has_called = self.course.calls["ListTrainingJobs"] + self.course.calls["Search"] > before
        self._schedule(LIST_S if has_called else TICK_S, self._poll)

    def _wake(self, key: ObjectKey) -> None:
        if key in self._running:
            self._dirty.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.append(key)
            self._schedule(0.0, self._work)

    def _work(self) -> None:
        while self._ready and self._idle_workers:
            key = self._ready.popleft()
            self._queued.discard(key)
            self._running.add(key)
            self._idle_workers -= 1
            self._reconcile(key)

    def _done(self, key: ObjectKey) -> None:
        self._idle_workers += 1
        self._running.discard(key)
        if key in self._dirty:
            self._dirty.discard(key)
            self._wake(key)
        self._work()

    def _compute_s(self, cpu_s: float) -> float:
        """Return the time until a pass has had so much of the core: it waits for the passes before it."""
        self._core_free_at = max(self._core_free_at, self.clock.now) + cpu_s
        return self._core_free_at - self.clock.now

    def _reconcile(self, key: ObjectKey) -> None:
        state = self.tracker.last(key)
        has_ended = state is not None and (state.summary or {}).get("TrainingJobStatus") == "Completed"
        if state is None or not (has_ended or state.is_describe_due):
            self._schedule(self._compute_s(WAIT_CPU_S), partial(self._done, key))
            return
        background = not (has_ended or state.is_end_expected)
        try:
            self._budgets.admit(TARGET, _DESCRIBE, key, background=background)
        except CallError as error:
            self._wait(key, error.retry_after_s or 1.0)
            return
        half_s = self._rng.uniform(*DESCRIBE_S) / 2
        self._schedule(half_s, partial(self._judge, key, self.clock.now, half_s, background=background))

    def _wait(self, key: ObjectKey, seconds: float) -> None:
        self._schedule(seconds, partial(self._wake, key))
        self._schedule(self._compute_s(WAIT_CPU_S), partial(self._done, key))

    def _judge(self, key: ObjectKey, sent_at: float, half_s: float, *, background: bool) -> None:
        """Let AWS accept or refuse a Describe that has reached it."""
        self.course.calls[_DESCRIBE] += 1
        is_accepted = self._quotas[_DESCRIBE].takes(self.clock.now)
        answer = self._jobs[key.name].answer()
        if is_accepted:
            self._schedule(half_s, partial(self._described, key, answer))
        else:
            self.course.refused[_DESCRIBE] += 1
            self._schedule(half_s, partial(self._refused, key, sent_at, background=background))

    def _refused(self, key: ObjectKey, sent_at: float, *, background: bool) -> None:
        self._wait(key, self._budgets.refused(TARGET, _DESCRIBE, key, background=background, sent_at=sent_at))

    def _described(self, key: ObjectKey, answer: Mapping[str, Any]) -> None:
        self._budgets.accepted(TARGET, _DESCRIBE, key)
        self.tracker.described(key, answer)
        has_ended = answer["TrainingJobStatus"] == "Completed"
        if has_ended:
            self.tracker.forget(key)
        self._schedule(self._compute_s(PASS_CPU_S) + WRITE_S, partial(self._written, key, has_ended=has_ended))

    def _written(self, key: ObjectKey, *, has_ended: bool) -> None:
        if has_ended:
            self.course.shown.setdefault(key.name, self.clock.now)
        self._done(key)
