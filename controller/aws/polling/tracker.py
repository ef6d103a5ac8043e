"""Polls SageMaker's List APIs for changes and enqueues the affected keys (DESIGN 4.5).

The decisions are in `poll_state`; here are the threads, the lock and the calls. One unit of work is one page of one
target, or the keys whose jobs are to be described, so that targets take turns, a slow region holds one thread and no
more, and the end of the process is prompt.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from operator import itemgetter
from random import random
from typing import Any, Final

import structlog

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.errors import CallError
from controller.aws.polling.confidence import Confidence, ConfidenceSettings, Reason
from controller.aws.polling.hints import EFFECTS, Effect, Hint
from controller.aws.polling.poll_state import PollSettings, PollState, Query
from controller.aws.polling.search_state import SEARCH, confidence_settings
from controller.aws.polling.tracked_job import TrackedJob
from controller.aws.polling.tracker_metrics import Standing, TrackerMetrics
from controller.aws.sagemaker import Jobs, Page
from controller.aws.targets import Identity, Target
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
class TrackedState:
    """The last observation of a tracked job."""

    summary: Mapping[str, Any] | None
    """The newest List summary or Describe response; None before the first."""
    is_describe_due: bool
    """Lists do not show the job, or the slow safety net wants a look."""
    lost: CallError | None = None
    """Why Lists do not come and jobs are described in turn; None while they do."""
    is_end_expected: bool = False
    """The Describe that is due will probably show the end, since many others have ended."""
    is_settling: bool = False
    """The secondary status has changed a moment ago: the key is woken once more when it has settled."""


@dataclass(slots=True)
class _Poller:
    """A state, and whether a thread is making a call for it."""

    target: Target
    state: PollState
    is_busy: bool = False
    is_slow: bool = False
    """The call under way repeats one that has failed."""


@dataclass(frozen=True, slots=True)
class _Followed:
    """A job that is followed, and the poller that polls it."""

    poller: _Poller
    job: TrackedJob


@dataclass(frozen=True, slots=True)
class _Early:
    """A hint of a job that is not followed, and where that must be for the hint to concern it."""

    source: str
    account: str
    identities: Collection[Identity]
    hint: Hint


@dataclass(frozen=True, slots=True)
class _Judgement:
    """Whether an accelerator is trusted from now on, and why."""

    source: str
    region: str
    is_trusted: bool
    reason: Reason


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
        settings: PollSettings = PollSettings(),  # noqa: B008 (frozen)
        rand: Callable[[], float] = random,
        accelerators: Iterable[str] = (),
        optional: Iterable[str] = (),
        on_distrust: Callable[[str, str, Reason], None] | None = None,
    ) -> None:
        """`accelerators` announce changes at all targets; those of `optional` only where they are heard.

        `on_distrust` is called with source, region and reason where an accelerator has lost the trust it had.
        """
        self._descriptor = descriptor
        self._jobs = jobs
        self._wake = wake
        self._clock = clock
        self._settings = settings
        self._rand = rand
        self._pages = metrics.pages
        self._searches = metrics.searches
        self._changed = threading.Condition()  # its lock guards the two mappings, the pollers and their states
        self._threads = 0
        """Number of threads in `run`; guarded by _changed."""
        self._waits: dict[int, float] = {}
        """For each thread that waits, until when (monotonic); guarded by _changed."""
        self._pollers: dict[Target, _Poller] = {}
        self._followed: dict[ObjectKey, _Followed] = {}
        self._everywhere = frozenset(accelerators)
        self._accelerators = (*self._everywhere, *(each for each in optional if each not in self._everywhere))
        self._on_distrust = on_distrust
        self._confidences: OrderedDict[tuple[str, Target], Confidence] = OrderedDict()
        """Least recently used first. Kept without a poller, or trust would have to be earned again by each lone job."""
        self._was_trusted: dict[tuple[str, Target], bool] = {}
        """Whether an accelerator was trusted when that was logged last."""
        self._unfollowed: OrderedDict[tuple[str, str], _Early] = OrderedDict()
        """The last hints of what is not followed, by region and name; the oldest first."""
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
            followed = self._followed.get(key)
            if followed is not None and followed.job.name == name and followed.poller.target == target:
                return  # as after most passes
            poller = self._pollers.get(target)
            if poller is None:
                confidences = {source: self._confidence_locked(source, target) for source in self._accelerators}
                state = PollState(self._descriptor, self._settings, self._rand, now=now, accelerators=confidences)
                poller = self._pollers[target] = _Poller(target, state)
            is_new = followed is None or followed.poller is not poller
            if is_new:
                self._forget_locked(key)
            age_s = (utcnow - created_at).total_seconds()
            job = poller.state.follow(key, name, created_at, now=now, age_s=age_s)
            self._followed[key] = _Followed(poller, job)
            early = self._unfollowed.get((target.region, name)) if is_new else None
            woken: list[ObjectKey] = []
            if early is not None and _is_about(poller, early.account, early.identities):
                del self._unfollowed[target.region, name]
                if early.hint.modified >= created_at - EARLY_MARGIN:
                    _, woken = poller.state.hint(early.source, early.hint, now=now)
            if is_new:
                self._wake_threads_locked()
        for each in woken:
            self._wake(each)

    def forget(self, key: ObjectKey) -> None:
        """Stop tracking. Idempotent."""
        with self._changed:
            self._forget_locked(key)

    def last(self, key: ObjectKey) -> TrackedState | None:
        """Return the last observation; None if the key is not tracked."""
        with self._changed:
            followed = self._followed.get(key)
            if followed is None:
                return None
            job, lost = followed.job, followed.poller.state.lost
            # The newest observation, hints included: what ends or fails is described before it counts.
            summary = job.hinted or job.summary
            return TrackedState(summary, job.is_describe_due, lost, job.is_end_expected, job.is_settling)

    def poll_soon(self, key: ObjectKey) -> None:
        """Poll soon, even if all jobs are settled: a change of `key`'s job was requested."""
        now = self._clock.monotonic()
        with self._changed:
            followed = self._followed.get(key)
            if followed is not None:
                followed.poller.state.poll_soon(key, now=now)
                self._wake_threads_locked()

    def described(self, key: ObjectKey, description: Mapping[str, Any]) -> None:
        """Take in a Describe answer: later changes are relative to it."""
        now = self._clock.monotonic()
        woken: list[ObjectKey] = []
        judged: list[_Judgement] = []
        with self._changed:
            followed = self._followed.get(key)
            if followed is not None:
                woken = followed.poller.state.described(key, description, now=now)
                judged = self._judge_locked(followed.poller.target, now)
                self._wake_threads_locked()  # what it shows may have to settle
        self._report(judged)
        for each in woken:
            self._wake(each)

    # --- for accelerators

    def hint(
        self, source: str, region: str, account: str, hint: Hint, *, identities: Collection[Identity] = ()
    ) -> Effect:
        """Take in what `source` reports of a job of this region and account, and wake the keys that it concerns.

        `identities` limits what it concerns to their targets; empty: those of all. A hint costs a call of AWS only if
        it reports another state than is known, and not an older one.
        """
        now = self._clock.monotonic()
        found: list[ObjectKey] = []
        judged: list[_Judgement] = []
        effects = []
        with self._changed:
            for poller in self._at_locked(region, account, identities):
                effect, woken = poller.state.hint(source, hint, now=now)
                effects.append(effect)
                found += woken
                judged += self._judge_locked(poller.target, now)
            for effect in EFFECTS:
                if effect in effects:
                    break
            else:
                effect = "unfollowed"
                judged += self._note_unfollowed_locked(region, _Early(source, account, identities, hint), now)
            if effect in {"change", "progress"}:
                self._wake_threads_locked()
        self._report(judged)
        for key in found:
            self._wake(key)
        return effect

    def heard(self, source: str, region: str, account: str, *, identities: Collection[Identity] = ()) -> None:
        """Record that an accelerator works for the targets of this region and account, see `hint`."""
        now = self._clock.monotonic()
        judged: list[_Judgement] = []
        with self._changed:
            for poller in self._at_locked(region, account, identities):
                self._confidence_locked(source, poller.target).heard(now=now)
                judged += self._judge_locked(poller.target, now)
        self._report(judged)

    def withdraw(self, source: str, identities: Collection[Identity]) -> None:
        """Record that an accelerator was taken away from the targets of `identities`: sweep as without it."""
        with self._changed:
            for (each, target), confidence in self._confidences.items():
                if each == source and target.identity in identities:
                    confidence.withdraw()
                    confidence.is_engaged = source in self._everywhere
                    self._was_trusted.pop((source, target), None)
            self._wake_threads_locked()

    def failed(self, source: str, region: str, account: str, *, identities: Collection[Identity] = ()) -> None:
        """Record that an accelerator does not work for the targets of this region and account: sweep as without it."""
        now = self._clock.monotonic()
        judged: list[_Judgement] = []
        with self._changed:
            for target in self._targets_locked(source, region, account, identities):
                self._confidence_locked(source, target).failed()
                judged += self._judge_locked(target, now)
            self._wake_threads_locked()
        self._report(judged)

    def standings(self) -> dict[tuple[str, str], Standing]:
        """Return what the API says of each accelerator, by source and region."""
        now = self._clock.monotonic()
        standings: dict[tuple[str, str], Standing] = {}
        with self._changed:
            for (source, target), confidence in self._confidences.items():
                if not confidence.is_engaged:
                    continue
                standing = standings.setdefault((source, target.region), Standing({}, True, 0.0))
                standing.is_trusted &= confidence.is_trusted(now=now)
                standing.lag_s = max(standing.lag_s, confidence.lag_s, key=abs)
                for outcome, count in confidence.counts.items():
                    standing.counts[outcome] = standing.counts.get(outcome, 0) + count
        return standings

    def _at_locked(self, region: str, account: str, identities: Collection[Identity]) -> list[_Poller]:
        """Return the pollers of a region and account, and of `identities` if there are some."""
        pollers = [poller for poller in self._pollers.values() if poller.target.region == region]
        return [poller for poller in pollers if _is_about(poller, account, identities)]

    def _targets_locked(self, source: str, region: str, account: str, identities: Collection[Identity]) -> list[Target]:
        """Return the targets of a region and account, also those where no job is followed at the moment."""
        resting = [
            target
            for each, target in self._confidences
            if each == source and target not in self._pollers and target.region == region
            if not identities or target.identity in identities
        ]
        followed = [poller.target for poller in self._at_locked(region, account, identities)]
        return followed + [target for target in resting if not account or target.identity.account in ("", account)]

    def _confidence_locked(self, source: str, target: Target) -> Confidence:
        key = (source, target)
        confidence = self._confidences.get(key)
        if confidence is None:
            settings = confidence_settings(self._settings.poll_s) if source == SEARCH else ConfidenceSettings()
            confidence = self._confidences[key] = Confidence(settings, is_engaged=source in self._everywhere)
            if len(self._confidences) > MOST_CONFIDENCES:
                old, _ = self._confidences.popitem(last=False)
                self._was_trusted.pop(old, None)
        self._confidences.move_to_end(key)
        return confidence

    def _note_unfollowed_locked(self, region: str, early: _Early, now: float) -> list[_Judgement]:
        """Keep the hint for a job that is about to be followed; it may also excuse an end that a sweep found first.

        Returns which accelerators won or lost trust by that.
        """
        hint, identities = early.hint, early.identities
        awaiting = [
            target
            for (each, target), confidence in self._confidences.items()
            if (each, target.region) == (early.source, region) and confidence.is_awaited(hint.name)
            if not identities or target.identity in identities
        ]
        for target in awaiting:
            self._confidence_locked(early.source, target).announced(hint.name, hint.status, now=now)
        self._unfollowed.pop((region, hint.name), None)
        self._unfollowed[region, hint.name] = early
        if len(self._unfollowed) > MOST_UNFOLLOWED:
            self._unfollowed.popitem(last=False)
        return [judgement for target in awaiting for judgement in self._judge_locked(target, now)]

    # --- for threads

    def run(self, stop: Stop) -> None:
        """Poll until `stop`. Returns within a call's time-outs."""
        cancel = stop.on_set(self._notify)
        with self._changed:
            self._threads += 1
        try:
            while not stop.is_set():
                due = self._take_due(stop)
                if due is not None:
                    self._page(*due)
        finally:
            with self._changed:
                self._threads -= 1
            cancel()

    def step(self) -> bool:
        """Do one due unit of work, if any; returns whether there was one. For tests and single-threaded use."""
        with self._changed:
            due = self._due_locked()
        if due is None:
            return False
        self._page(*due)
        return True

    @property
    def due_at(self) -> float:
        """Monotonic seconds at which the next unit of work is due; infinite if there is none."""
        with self._changed:
            return self._due_at_locked()

    def state_by_region(self) -> dict[str, tuple[int, float]]:
        """Return the number of tracked jobs and the seconds since the oldest complete sweep, by region."""
        now = self._clock.monotonic()
        state: dict[str, tuple[int, float]] = {}
        with self._changed:
            for poller in self._pollers.values():
                count, age_s = state.get(poller.target.region, (0, 0.0))
                age_s = max(age_s, now - poller.state.last_complete)
                state[poller.target.region] = (count + len(poller.state), age_s)
        return state

    def lost_lists(self) -> list[str]:
        """Return which List operations fail where, and why, so that jobs are described in turn."""
        operation = self._descriptor.operations.list
        with self._changed:
            lost = [(poller.target.region, poller.state.lost) for poller in self._pollers.values() if poller.state.lost]
        return [f"{operation} in {region}: {error.label}" for region, error in lost]

    def _take_due(self, stop: Stop) -> tuple[_Poller, bool] | None:
        """Wait for a poller that is due, see `_due_locked`; None when `stop` is set."""
        me = threading.get_ident()
        with self._changed:
            while not stop.is_set():
                due = self._due_locked()
                if due is not None:
                    self._wake_threads_locked()  # some may wait longer than what is due next: they relied on this one
                    return due
                due_at = self._waits[me] = self._due_at_locked()
                timeout_s = None if due_at == inf else max(due_at - self._clock.monotonic(), 0.01)
                try:
                    self._changed.wait(timeout_s)
                finally:
                    del self._waits[me]
        return None

    def _wake_threads_locked(self) -> None:
        """Wake the threads that wait if work is due sooner than any of them expects: a wake for each job is dear."""
        if self._waits and self._due_at_locked() < min(self._waits.values()):
            self._changed.notify_all()

    def _due_at_locked(self) -> float:
        is_spare = self._is_spare_locked()
        return min((self._work_at(poller, is_spare)[0] for poller in self._pollers.values()), default=inf)

    def _is_spare_locked(self) -> bool:
        """Return whether a thread may repeat a call that failed: it may hang, and one is kept for all others."""
        return sum(poller.is_slow for poller in self._pollers.values()) < max(self._threads - 1, 1)

    @staticmethod
    def _work_at(poller: _Poller, is_spare: bool) -> tuple[float, bool]:
        """Return when there is work for a poller, and whether that may be a call: Describes do not wait for Lists."""
        may_call = not poller.is_busy and (is_spare or not poller.state.is_failing)
        return (poller.state.due_at if may_call else poller.state.looks_due_at), may_call

    def _due_locked(self) -> tuple[_Poller, bool] | None:
        """Return a poller that is due, and whether a call may be made for it, for which it is marked busy."""
        now = self._clock.monotonic()
        for target in [
            target for target, poller in self._pollers.items() if not poller.is_busy and not len(poller.state)
        ]:
            del self._pollers[target]  # no job is tracked there any more
        is_spare = self._is_spare_locked()
        work = [(*self._work_at(poller, is_spare), poller) for poller in self._pollers.values()]
        due = [each for each in work if each[0] <= now]
        if not due:
            return None
        _, may_call, poller = min(due, key=itemgetter(0))
        if may_call:
            poller.is_busy, poller.is_slow = True, poller.state.is_failing
        return poller, may_call

    def _page(self, poller: _Poller, may_call: bool) -> None:
        """Wake the keys to describe, and fetch a page if one is due, for a poller that is marked busy for that."""
        now = self._clock.monotonic()
        with self._changed:
            woken = poller.state.looks(now=now)
            query = poller.state.begin(now=now) if may_call else None
        if not may_call:
            for key in woken:
                self._wake(key)
            return
        outcome: Page | CallError | None = None
        try:
            for key in woken:  # before the call: it may take long
                self._wake(key)
            if query is not None:
                outcome = self._fetch(poller, query)
        finally:
            # Whatever happens, the poller comes back: an exception that ends this thread must not blind the others.
            woken = self._give_back(poller, query, outcome)
        for key in woken:
            self._wake(key)

    def _fetch(self, poller: _Poller, query: Query) -> Page | CallError:
        pages = self._searches if query.is_search else self._pages
        read = self._jobs.search_page if query.is_search else self._jobs.list_page
        try:
            page = read(self._descriptor, poller.target, next_token=query.next_token)
        except CallError as error:
            pages.labels(self.kind, error.label).inc()
            return error
        pages.labels(self.kind, "ok").inc()
        return page

    def _give_back(self, poller: _Poller, query: Query | None, outcome: Page | CallError | None) -> list[ObjectKey]:
        """Put the outcome of a call into the state and let others take the poller; returns the keys to wake."""
        now = self._clock.monotonic()
        woken: list[ObjectKey] = []
        delay_s = 0.0
        judged: list[_Judgement] = []
        is_search = query is not None and query.is_search
        with self._changed:
            if isinstance(outcome, Page):
                woken = (poller.state.searched if is_search else poller.state.absorb)(outcome, now=now)
            elif outcome is not None:
                delay_s = (poller.state.search_failed if is_search else poller.state.failed)(outcome, now=now)
            poller.is_busy = poller.is_slow = False
            judged = self._judge_locked(poller.target, now)
            self._wake_threads_locked()
        if isinstance(outcome, CallError):
            self._log_failure(SEARCH if is_search else "list", poller, outcome, delay_s)
        self._report(judged)
        return woken

    def _judge_locked(self, target: Target, now: float) -> list[_Judgement]:
        """Return the accelerators that won or lost trust since the last call."""
        changed: list[_Judgement] = []
        for source in self._accelerators:
            confidence = self._confidence_locked(source, target)
            is_trusted = confidence.is_trusted(now=now)
            if is_trusted != self._was_trusted.get((source, target), False):
                self._was_trusted[source, target] = is_trusted
                changed.append(_Judgement(source, target.region, is_trusted, confidence.reason(now=now)))
        return changed

    def _report(self, judged: Iterable[_Judgement]) -> None:
        for each in judged:
            where = {"kind": self.kind, "region": each.region, "source": each.source}
            if each.is_trusted:
                _log.info("sweeps are rare: changes are announced", **where)
                continue
            _log.warning(
                "sweeps are frequent again: announcements of changes are not relied on", reason=each.reason, **where
            )
            if self._on_distrust is not None:
                self._on_distrust(each.source, each.region, each.reason)

    def _log_failure(self, call: str, poller: _Poller, error: CallError, delay_s: float) -> None:
        where = {"kind": self.kind, "region": poller.target.region}
        if error.error_class is ErrorClass.THROTTLED:
            _log.debug(f"{call} waits", delay_s=delay_s, **where)
        elif call == SEARCH:  # optional: List shows the same, at a higher cost
            _log.info("search is left alone for a while", code=error.code, delay_s=round(delay_s, 1), **where)
        else:
            _log.warning(f"{call} failed", code=error.code, delay_s=round(delay_s, 1), **where)

    def _forget_locked(self, key: ObjectKey) -> None:
        followed = self._followed.pop(key, None)
        if followed is not None:
            followed.poller.state.forget(key)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _is_about(poller: _Poller, account: str, identities: Collection[Identity]) -> bool:
    """Return whether news of an account concern a target. An account that is not known may be any."""
    known = poller.target.identity.account or poller.state.account
    return (not account or known in ("", account)) and (not identities or poller.target.identity in identities)
