"""Polls SageMaker's List APIs for changes and enqueues the affected keys (DESIGN 4.5).

The decisions are in `poll_state`; here are the threads, the lock and the calls. One unit of work is one page of one
target, or the keys whose jobs are to be described, so that targets take turns, a slow region holds one thread and no
more, and the end of the process is prompt.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import random
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.errors import AwsError
from controller.aws.polling.confidence import Confidence, ConfidenceSettings
from controller.aws.polling.hints import EFFECTS, Effect, Hint
from controller.aws.polling.poll_state import Feed, FeedSettings, Query
from controller.aws.polling.search_state import SEARCH, confidence_settings
from controller.aws.sagemaker import Jobs, Page
from controller.aws.targets import Target
from controller.runtime.clock import Clock
from controller.runtime.errors import ErrorClass
from controller.runtime.threads import Stop

MOST_CONFIDENCES: Final = 1024
"""Targets for which trust in accelerators is kept: the least recently used beyond this are evicted."""
EARLY_MARGIN: Final = timedelta(minutes=1)
"""How far the operator's clock may be ahead where a hint came before its job was followed."""
MOST_UNFOLLOWED: Final = 1024
"""Hints kept of jobs that are not followed: a job may fail before its creation is recorded."""

_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sighting:
    """The last observation of a tracked job."""

    summary: Mapping[str, Any] | None
    """The newest List summary or Describe response; None before the first."""
    is_describe_due: bool
    """Lists do not show the job, or the slow safety net wants a look."""
    lost: AwsError | None = None
    """Why Lists do not come and jobs are described in turn; None while they do."""


class TrackerMetrics(Collector):
    """Metrics of all trackers of a process; create one and pass it to each.

    `sagemaker_operator_tracker_pages_total{kind,code}`, `sagemaker_operator_search_pages_total{kind,code}`, and at
    scrape time per kind and region: `…_tracker_followed_jobs`, `…_tracker_staleness_seconds` (age of the oldest
    complete look at a target's jobs); with accelerators also `…_accelerator_changes_total`, `…_accelerator_trusted` and
    `…_accelerator_lag_seconds`.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pages = Counter(
            "sagemaker_operator_tracker_pages",
            "List pages by outcome: `ok`, the error code, or `unknown`.",
            ["kind", "code"],
            registry=registry,
        )
        self.searches = Counter(
            "sagemaker_operator_search_pages",
            "Pages of SageMaker's Search by outcome: `ok`, the error code, or `unknown`.",
            ["kind", "code"],
            registry=registry,
        )
        self._lock = threading.Lock()
        self._trackers: list[Tracker] = []  # guarded by _lock
        registry.register(self)

    def add(self, tracker: "Tracker") -> None:
        """Report this tracker, too."""
        with self._lock:
            self._trackers.append(tracker)

    def describe(self) -> Iterable[Metric]:
        """Return the families without samples, so that registering does not collect."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Yield the current values of all trackers."""
        followed, staleness, changes, trusted, lag = families = self._families()
        with self._lock:
            trackers = tuple(self._trackers)
        for tracker in trackers:
            for region, (count, age_s) in tracker.state_by_region().items():
                followed.add_metric((tracker.kind, region), count)
                staleness.add_metric((tracker.kind, region), age_s)
            for (source, region), standing in tracker.standings().items():
                for outcome, count in standing.counts.items():
                    changes.add_metric((source, tracker.kind, region, outcome), count)
                trusted.add_metric((source, tracker.kind, region), standing.is_trusted)
                lag.add_metric((source, tracker.kind, region), standing.lag_s)
        return families

    @staticmethod
    def _families() -> tuple[
        GaugeMetricFamily, GaugeMetricFamily, CounterMetricFamily, GaugeMetricFamily, GaugeMetricFamily
    ]:
        labels = ("kind", "region")
        by_source = ("source", *labels)
        return (
            GaugeMetricFamily(
                "sagemaker_operator_tracker_followed_jobs", "Unfinished jobs that are followed.", labels=labels
            ),
            GaugeMetricFamily(
                "sagemaker_operator_tracker_staleness_seconds",
                "Age of the last complete look at the jobs of a region, the oldest of its targets.",
                labels=labels,
            ),
            CounterMetricFamily(
                "sagemaker_operator_accelerator_changes",
                "Changes by what became of them: `confirmed` and `late` were announced, `missed` were only found by"
                " polling, `refuted` were announced and not confirmed.",
                labels=(*by_source, "outcome"),
            ),
            GaugeMetricFamily(
                "sagemaker_operator_accelerator_trusted",
                "1 while sweeps are rare because the source announces changes, in all targets of the region.",
                labels=by_source,
            ),
            GaugeMetricFamily(
                "sagemaker_operator_accelerator_lag_seconds",
                "How much later than the API the source showed the last change; negative where it was earlier.",
                labels=by_source,
            ),
        )


@dataclass(slots=True)
class Standing:
    """What the confidences of a region add up to."""

    counts: dict[str, int]
    is_trusted: bool
    lag_s: float


@dataclass(slots=True)
class _Lane:
    """A feed, and whether a thread is making a call for it."""

    target: Target
    feed: Feed
    is_busy: bool = False


class Tracker:
    """Tracks the unfinished jobs of one kind. Thread-safe.

    Several threads may call `run`: that many targets can be slow before others wait. `wake` is called from these
    threads, without any lock held, and must not block.
    """

    def __init__(
        self,
        descriptor: KindDescriptor,
        jobs: Jobs,
        wake: Callable[[ObjectKey], None],
        clock: Clock,
        metrics: TrackerMetrics,
        settings: FeedSettings = FeedSettings(),  # noqa: B008 (frozen)
        rand: Callable[[], float] = random,
        accelerators: Iterable[str] = (),
    ) -> None:
        self._descriptor = descriptor
        self._jobs = jobs
        self._wake = wake
        self._clock = clock
        self._settings = settings
        self._rand = rand
        self._pages = metrics.pages
        self._searches = metrics.searches
        self._changed = threading.Condition()  # its lock guards the two mappings, the lanes and their feeds
        self._lanes: dict[Target, _Lane] = {}
        self._where: dict[ObjectKey, _Lane] = {}
        self._accelerators = tuple(accelerators)
        self._confidences: OrderedDict[tuple[str, Target], Confidence] = OrderedDict()
        """Least recently used first. Kept without a lane, or trust would have to be earned again by each lone job."""
        self._was_trusted: dict[tuple[str, Target], bool] = {}
        """Whether an accelerator was trusted when that was logged last."""
        self._unfollowed: OrderedDict[tuple[str, str], tuple[str, Hint]] = OrderedDict()
        """The last hints of what is not followed, with their source, by region and name; the oldest first."""
        metrics.add(self)

    @property
    def kind(self) -> str:
        """Return the label value of this tracker's metrics."""
        return self._descriptor.controller_name

    # --- for reconcilers

    def follow(self, key: ObjectKey, target: Target, name: str, created_at: datetime) -> None:
        """Track job `name` for the object `key`, created at `created_at` (UTC) or a little later. Idempotent."""
        now, utcnow = self._clock.monotonic(), self._clock.utcnow()
        with self._changed:
            lane = self._lanes.get(target)
            if lane is None:
                confidences = {source: self._confidence_locked(source, target) for source in self._accelerators}
                feed = Feed(self._descriptor, self._settings, self._rand, now=now, accelerators=confidences)
                lane = self._lanes[target] = _Lane(target, feed)
                self._changed.notify_all()
            is_new = self._where.get(key) is not lane
            if is_new:
                self._forget_locked(key)
                self._where[key] = lane
                self._changed.notify_all()
            lane.feed.follow(key, name, created_at, now=now, age_s=(utcnow - created_at).total_seconds())
            early = self._unfollowed.pop((target.region, name), None) if is_new else None
            woken: list[ObjectKey] = []
            if early is not None and early[1].modified >= created_at - EARLY_MARGIN:
                _, woken = lane.feed.hint(early[0], early[1], now=now)
                self._changed.notify_all()
        for each in woken:
            self._wake(each)

    def forget(self, key: ObjectKey) -> None:
        """Stop tracking. Idempotent."""
        with self._changed:
            self._forget_locked(key)

    def last(self, key: ObjectKey) -> Sighting | None:
        """Return the last observation; None if the key is not tracked."""
        with self._changed:
            lane = self._where.get(key)
            job = lane.feed.get(key) if lane else None
            if lane is None or job is None:
                return None
            # The newest observation, hints included: what ends or fails is described before it counts.
            return Sighting(job.hinted or job.summary, job.is_describe_due, lane.feed.lost)

    def hasten(self, key: ObjectKey) -> None:
        """Poll soon, even if all jobs are settled: a change of `key`'s job was requested."""
        now = self._clock.monotonic()
        with self._changed:
            lane = self._where.get(key)
            if lane is not None:
                lane.feed.hasten(key, now=now)
                self._changed.notify_all()

    def described(self, key: ObjectKey, description: Mapping[str, Any]) -> None:
        """A Describe answer has come in by another way: later changes are told relative to it."""
        now = self._clock.monotonic()
        with self._changed:
            lane = self._where.get(key)
            if lane is not None:
                lane.feed.described(key, description, now=now)

    # --- for accelerators

    def hint(self, source: str, region: str, account: str, hint: Hint) -> Effect:
        """Take in what `source` reports of a job of this region and account, and wake the keys that it concerns.

        A hint costs a call of AWS only if it reports another state than is known, and not an older one.
        """
        now = self._clock.monotonic()
        found: list[ObjectKey] = []
        effects = []
        with self._changed:
            for lane in self._at_locked(region, account):
                effect, woken = lane.feed.hint(source, hint, now=now)
                effects.append(effect)
                found += woken
            for effect in EFFECTS:
                if effect in effects:
                    break
            else:
                effect = "unfollowed"
                self._note_unfollowed_locked(region, source, hint, now)
            if effect == "change":
                self._changed.notify_all()
        for key in found:
            self._wake(key)
        return effect

    def heard(self, source: str, region: str, account: str) -> None:
        """Record that an accelerator works for the targets of this region and account."""
        now = self._clock.monotonic()
        with self._changed:
            for lane in self._at_locked(region, account):
                self._confidence_locked(source, lane.target).heard(now=now)

    def failed(self, source: str, region: str, account: str) -> None:
        """Record that an accelerator does not work for the targets of this region and account: sweep as without it."""
        with self._changed:
            for lane in self._at_locked(region, account):
                self._confidence_locked(source, lane.target).failed()
            self._changed.notify_all()

    def standings(self) -> dict[tuple[str, str], Standing]:
        """Return what the API says of each accelerator, by source and region."""
        now = self._clock.monotonic()
        standings: dict[tuple[str, str], Standing] = {}
        with self._changed:
            for (source, target), confidence in self._confidences.items():
                standing = standings.setdefault((source, target.region), Standing({}, True, 0.0))
                standing.is_trusted &= confidence.is_trusted(now=now)
                standing.lag_s = max(standing.lag_s, confidence.lag_s, key=abs)
                for outcome, count in confidence.counts.items():
                    standing.counts[outcome] = standing.counts.get(outcome, 0) + count
        return standings

    def _at_locked(self, region: str, account: str) -> list[_Lane]:
        """Return the lanes of a region and account. An account that is not known may be any."""
        lanes = [lane for lane in self._lanes.values() if lane.target.region == region]
        accounts = {"", account}
        return [
            lane for lane in lanes if not account or (lane.target.identity.account or lane.feed.account) in accounts
        ]

    def _confidence_locked(self, source: str, target: Target) -> Confidence:
        key = (source, target)
        confidence = self._confidences.get(key)
        if confidence is None:
            settings = confidence_settings(self._settings.poll_s) if source == SEARCH else ConfidenceSettings()
            confidence = self._confidences[key] = Confidence(settings)
            if len(self._confidences) > MOST_CONFIDENCES:
                old, _ = self._confidences.popitem(last=False)
                self._was_trusted.pop(old, None)
        self._confidences.move_to_end(key)
        return confidence

    def _note_unfollowed_locked(self, region: str, source: str, hint: Hint, now: float) -> None:
        """Keep the hint for a job that is about to be followed; it may also excuse an end that a sweep found first."""
        for (each, target), confidence in self._confidences.items():
            if (each, target.region) == (source, region) and confidence.is_awaited(hint.name):
                confidence.announced(hint.name, hint.status, now=now)
        self._unfollowed.pop((region, hint.name), None)
        self._unfollowed[region, hint.name] = (source, hint)
        if len(self._unfollowed) > MOST_UNFOLLOWED:
            self._unfollowed.popitem(last=False)

    # --- for threads

    def run(self, stop: Stop) -> None:
        """Poll until `stop`. Returns within a call's time-outs."""
        cancel = stop.on_set(self._notify)
        try:
            while not stop.is_set():
                lane = self._take_due(stop)
                if lane is not None:
                    self._page(lane)
        finally:
            cancel()

    def step(self) -> bool:
        """Do one due unit of work, if any; returns whether there was one. For tests and single-threaded use."""
        with self._changed:
            lane = self._due_locked()
        if lane is None:
            return False
        self._page(lane)
        return True

    def state_by_region(self) -> dict[str, tuple[int, float]]:
        """Return the number of tracked jobs and the seconds since the oldest complete sweep, by region."""
        now = self._clock.monotonic()
        state: dict[str, tuple[int, float]] = {}
        with self._changed:
            for lane in self._lanes.values():
                count, age_s = state.get(lane.target.region, (0, 0.0))
                age_s = max(age_s, now - lane.feed.last_complete)
                state[lane.target.region] = (count + len(lane.feed), age_s)
        return state

    def lost_lists(self) -> list[str]:
        """Return which List operations fail where, and why, so that jobs are described in turn."""
        operation = self._descriptor.operations.list
        with self._changed:
            lost = [(lane.target.region, lane.feed.lost) for lane in self._lanes.values() if lane.feed.lost]
        return [f"{operation} in {region}: {error.label}" for region, error in lost]

    def _take_due(self, stop: Stop) -> _Lane | None:
        """Wait for a lane that is due and mark it busy; None when `stop` is set."""
        with self._changed:
            while not stop.is_set():
                lane = self._due_locked()
                if lane is not None:
                    return lane
                idle = [lane.feed.due_at for lane in self._lanes.values() if not lane.is_busy]
                timeout_s = max(min(idle) - self._clock.monotonic(), 0.01) if idle else None
                self._changed.wait(timeout_s)
        return None

    def _due_locked(self) -> _Lane | None:
        now = self._clock.monotonic()
        for target in [target for target, lane in self._lanes.items() if not lane.is_busy and not len(lane.feed)]:
            del self._lanes[target]  # no job is tracked there any more
        due = [lane for lane in self._lanes.values() if not lane.is_busy and lane.feed.due_at <= now]
        if not due:
            return None
        lane = min(due, key=lambda each: each.feed.due_at)
        lane.is_busy = True
        return lane

    def _page(self, lane: _Lane) -> None:
        """Wake the keys to describe, and fetch a page if one is due, for a lane that is marked busy."""
        now = self._clock.monotonic()
        with self._changed:
            woken = lane.feed.looks(now=now)
            query = lane.feed.begin(now=now)
        outcome: Page | AwsError | None = None
        try:
            for key in woken:  # before the call: it may take long
                self._wake(key)
            if query is not None:
                outcome = self._fetch(lane, query)
        finally:
            # Whatever happens, the lane comes back: an exception that ends this thread must not blind the others.
            woken = self._give_back(lane, query, outcome)
        for key in woken:
            self._wake(key)

    def _fetch(self, lane: _Lane, query: Query) -> Page | AwsError:
        pages = self._searches if query.is_search else self._pages
        read = self._jobs.search_page if query.is_search else self._jobs.list_page
        try:
            page = read(self._descriptor, lane.target, next_token=query.next_token)
        except AwsError as error:
            pages.labels(self.kind, error.label).inc()
            return error
        pages.labels(self.kind, "ok").inc()
        return page

    def _give_back(self, lane: _Lane, query: Query | None, outcome: Page | AwsError | None) -> list[ObjectKey]:
        """Put the outcome of a call into the feed and let others take the lane; returns the keys to wake."""
        now = self._clock.monotonic()
        woken: list[ObjectKey] = []
        delay_s = 0.0
        judged: list[tuple[str, bool, str]] = []
        is_search = query is not None and query.is_search
        with self._changed:
            if isinstance(outcome, Page):
                woken = (lane.feed.searched if is_search else lane.feed.absorb)(outcome, now=now)
            elif outcome is not None:
                delay_s = (lane.feed.search_failed if is_search else lane.feed.failed)(outcome, now=now)
            lane.is_busy = False
            judged = self._judge_locked(lane.target, now)
            self._changed.notify_all()
        if isinstance(outcome, AwsError):
            self._log_failure(SEARCH if is_search else "list", lane, outcome, delay_s)
        for source, is_trusted, reason in judged:
            where = {"kind": self.kind, "region": lane.target.region, "source": source}
            if is_trusted:
                _log.info("sweeps are rare: changes are announced", **where)
            else:
                _log.warning(
                    "sweeps are frequent again: announcements of changes are not relied on", reason=reason, **where
                )
        return woken

    def _judge_locked(self, target: Target, now: float) -> list[tuple[str, bool, str]]:
        """Return the accelerators that won or lost trust since the last call, whether they have it and why."""
        changed: list[tuple[str, bool, str]] = []
        for source in self._accelerators:
            confidence = self._confidence_locked(source, target)
            is_trusted = confidence.is_trusted(now=now)
            if is_trusted != self._was_trusted.get((source, target), False):
                self._was_trusted[source, target] = is_trusted
                changed.append((source, is_trusted, confidence.reason(now=now)))
        return changed

    def _log_failure(self, call: str, lane: _Lane, error: AwsError, delay_s: float) -> None:
        where = {"kind": self.kind, "region": lane.target.region}
        if error.error_class is ErrorClass.THROTTLED:
            _log.debug(f"{call} waits", delay_s=delay_s, **where)
        elif call == SEARCH:  # optional: List shows the same, at a higher cost
            _log.info("search is left alone for a while", code=error.code, delay_s=round(delay_s, 1), **where)
        else:
            _log.warning(f"{call} failed", code=error.code, delay_s=round(delay_s, 1), **where)

    def _forget_locked(self, key: ObjectKey) -> None:
        lane = self._where.pop(key, None)
        if lane is not None:
            lane.feed.forget(key)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
