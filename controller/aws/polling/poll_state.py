"""Holds what is known of one target's jobs, and when List or Describe has to be called again: a pure state machine.

A sweep pages List* newest creation first, without filters, and ends where paging on costs more than a Describe for
each followed job further down (`sweep_plan`). It stops by what the items say, never by what was asked for: AWS applies
filters after it has cut a page, or late, or not at all. So a sweep's cost depends on what is followed, not on the
account's past. What sweeps cannot show is described in turn, within a budget: jobs further down, jobs that are missing
where they should stand (deleted, or not shown yet), jobs that were silent for long, and all of them while List fails.

Where a List shows the resources of one parent only (`Operations.list_of`), there are no sweeps, and all are described
in turn.

Accelerators (`confidence`) give hints of changes. While one of them is trusted, sweeps become a safety net, and hints
are followed as fast as they come.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from types import MappingProxyType
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.meta import ObjectKey
from controller.aws.errors import BUDGET_EXHAUSTED, CallError
from controller.aws.polling.burst import Burst
from controller.aws.polling.confidence import Confidence
from controller.aws.polling.hints import EFFECTS, Effect, Hint, effect_of
from controller.aws.polling.look_schedule import LookSchedule, Schedule
from controller.aws.polling.search_state import SEARCH, SearchState
from controller.aws.polling.sweep_plan import pages_worth_reading
from controller.aws.polling.tracked_job import FIRST_PAGE, Fingerprint, TrackedJob, fingerprint_of
from controller.aws.sagemaker import Page
from controller.runtime.errors import ErrorClass

CREATION_MARGIN: Final = timedelta(minutes=5)
"""Until an answer shows a job, its creation time is of our clock: how far that may be ahead of SageMaker's."""
UNSEEN_S: Final = 60.0
"""Age below which a job that no List shows is not described: Lists are eventually consistent."""
MISSING_S: Final = 60.0
"""Pause between two Describes of a job that Lists should show and do not."""
LOOKS_PER_S: Final = 2.0
"""Describes a second, at most, that one target's polling asks for. AWS allows about ten a second an account."""
HINTED_LOOKS_PER_S: Final = 200.0
"""The same while an accelerator is trusted: sweeps are rare then, and a burst of ends must show. AWS's own limit holds
further down, in the budgets of calls."""
PROOFS: Final = 10
"""Describes of hinted jobs under way at once beyond the budget, less those that have not shown what the hint says or
something newer: an end has to be described in any case, and that earns the trust which a budget of two a second would
put off by seconds."""
RECHECK_S: Final = 5.0
"""Pause before a hinted job is described once more that Describe showed unchanged: answers may lag behind events."""
_RECHECKS: Final = 2
STALE_RECHECKS: Final = 6
"""Describes in a row, at most, that follow one which is older than what a List has shown: `RECHECK_S` after it, and
twice as long after each further one. A replica catches up within seconds; where the two operations never agree on the
time of a change, that is not to cost calls for ever."""
SILENT_S: Final = 600.0
"""Age of the newest news of a job from which on it may be described although Lists show it unchanged."""
SILENT_LOOK_S: Final = 60.0
"""Pause between two such Describes of one target: a safety net against Lists that are stale, not a poll."""
QUICK_PAGES: Final = 5
"""Sweeps of more pages take longer than the default poll interval, at a page a second: then ends are guessed."""
SEARCHES_PER_INTERVAL: Final = 3.0
"""Searches in a poll interval while they stand in for such sweeps: fewer calls than these, and a burst of ends shows
seconds earlier."""
EXPLORE_S: Final = 3600.0
"""How often sweeps look again how far down jobs stand: others' jobs above them may have been deleted."""
AWAITED_S: Final = 180.0
"""How long polling stays quick after a change was requested: Lists may show it late, or it was over between two."""
LOST_S: Final = 60.0
"""How long List may fail before jobs are described instead, or so many polls if that is shorter; at once where it is
denied."""
_LOST_POLLS: Final = 12
SETTLE_POLLS: Final = 1.5
"""Poll intervals from the first change of a secondary status until it is news, in whatever state it is then, or until
the next sweep shows the same, if that is earlier. A state that was over by then costs no write. Where a sweep takes
longer than the interval, that counts."""
SETTLE_MOST_S: Final = 20.0
"""The same in seconds at most, or `SETTLE_POLLS` if that is longer."""
SETTLE_EVENT_S: Final = 1.5
"""The same after an event: those of states that follow each other at once come together."""
UNSWEPT_POLLS: Final = 3
"""Poll intervals between two Describes of what no sweep shows: each costs a call for one job, not for all."""

SEARCHED_SAFETY_S: Final = 60.0
"""Least interval of sweeps while Search is relied on: it does not show deletions, sweeps do."""
SAFETY_PAGES_PER_S: Final = 0.25
"""List calls a second, at most, of sweeps that are a safety net: long ones are rarer."""
_SAME_CREATION: Final = timedelta(seconds=1)
"""How far the creation times may differ that two operations show of one job."""

_BACKOFF_BASE_S: Final = 1.0
_BACKOFF_CAP_S: Final = 60.0
_DENIED_CAP_S: Final = 300.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PollSettings:
    """How often to poll; the same for all targets."""

    poll_s: float = 5.0
    resync_s: float = 36_000.0
    settled: frozenset[str] = frozenset()
    """AWS values of what changes only when a user asks for it, e.g. `InService`."""
    settled_poll_s: float = 60.0
    """Interval while all tracked jobs are settled."""
    safety_s: float = 180.0
    """Least interval of sweeps while events are trusted."""


@dataclass(frozen=True, slots=True)
class Query:
    """One List or Search call to make."""

    next_token: str
    is_search: bool = False


class PollState:
    """The jobs of one kind at one target. Not thread-safe: `Tracker` locks. Every method gets `now` (monotonic)."""

    def __init__(
        self,
        descriptor: KindDescriptor,
        settings: PollSettings,
        rand: Callable[[], float],
        *,
        now: float,
        accelerators: Mapping[str, Confidence] = MappingProxyType({}),
    ) -> None:
        self._descriptor = descriptor
        self._settings = settings
        self._rand = rand
        self._accelerators = accelerators
        self._by_arn: dict[str, str] = {}
        """Names by ARN in lower case, as far as answers have shown them: SageMaker spells names there as it likes."""
        self.account = ""
        """The account of the jobs, as their ARNs say; empty until one is known."""
        self._is_swept = not descriptor.operations.list_of
        rule = descriptor.status
        members = (descriptor.name.member, rule.member, rule.secondary_member, rule.arn_member, rule.progress_member)
        self._kept = (*filter(None, members), "CreationTime", "LastModifiedTime", "FailureReason")
        self._jobs: dict[ObjectKey, TrackedJob] = {}
        self._by_name: dict[str, set[ObjectKey]] = {}  # two objects may name one job
        self._looks = LookSchedule(now)
        self._proofs = PROOFS
        """Describes of hinted jobs that may be made beyond the budget; each gives one back when its hint proves right,
        or the job is followed no more."""
        self._settling = Schedule()
        """When jobs with another secondary status are news."""
        self._silent_look_at = now + SILENT_LOOK_S
        self._explore_at = now + EXPLORE_S
        self._burst = Burst()
        self._sweep = 0
        self._pages = 0
        """Pages that the sweep under way has read."""
        self._token = ""
        self._oldest = datetime.max.replace(tzinfo=UTC)
        """Creation time of the last item that the sweep under way has read."""
        self._began = now
        self._sweep_s = 0.0
        """Seconds that the last complete sweep took."""
        self._depth = 0
        """Pages that the last complete sweep has read."""
        self._failures = 0
        self._asked_at = now
        """Monotonic seconds of the last List call: one that is never answered has failed for long when it fails."""
        self._failing_since = now
        """`_asked_at` of the first of the failures in a row."""
        self._lost_s = min(LOST_S, _LOST_POLLS * settings.poll_s)
        self.lost: CallError | None = None
        """Why Lists do not come; None while they do."""
        self.last_complete = now
        """Monotonic seconds at which the last complete sweep began: what staleness is counted from."""
        self._swept_at = -inf
        """Monotonic seconds at which the last complete sweep began."""
        # Half an interval at least: after a start of the operator most jobs are followed by then.
        self._sweep_at = now + settings.poll_s * (0.5 + 0.5 * rand()) if self._is_swept else inf
        self.search: SearchState | None = None
        """Where Search is one of the accelerators."""
        if SEARCH in accelerators:
            self.search = SearchState(accelerators[SEARCH], settings.poll_s, rand)

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def due_at(self) -> float:
        """Monotonic seconds of the next List call, Search, Describe or settled change."""
        return min(self._sweep_at, self.looks_due_at, self.search.due_at if self.search else inf)

    @property
    def looks_due_at(self) -> float:
        """Monotonic seconds of the next Describe or settled change."""
        return min(self._looks.due_at, self._settling.due_at)

    @property
    def is_failing(self) -> bool:
        """Whether the last List call failed: the next one may take as long as its time-outs."""
        return self._failures > 0

    # --- who is followed

    def follow(self, key: ObjectKey, name: str, created_at: datetime, *, now: float, age_s: float) -> TrackedJob:
        """Follow a job that is `age_s` seconds old; negative where our clock was set back. Idempotent.

        Returns what is known of it, which changes until it is forgotten.
        """
        known = self._jobs.get(key)
        if known is not None:
            if known.name == name:
                return known
            self.forget(key)
        job = TrackedJob(
            key=key,
            name=name,
            created=max(created_at, _EPOCH + CREATION_MARGIN) - CREATION_MARGIN,
            unseen_at=now + min(max(UNSEEN_S - age_s, 0.0), UNSEEN_S),
            news_at=now,
            is_within_reach=self._is_swept and self.lost is None,
        )
        self._jobs[key] = job
        self._by_name.setdefault(name, set()).add(key)
        jittered_s = self._settings.resync_s * (0.5 + 0.5 * self._rand())
        self._schedule(job, now, jittered_s if job.is_within_reach else None)
        self._soon(now)
        return job

    def forget(self, key: ObjectKey) -> None:
        """Stop following. Idempotent."""
        job = self._jobs.pop(key, None)
        if job is None:
            return
        self._looks.forget(key)
        self._settling.forget(key)
        self._proofs += job.is_proof  # it shows nothing any more
        keys = self._by_name[job.name]
        keys.discard(key)
        if not keys:
            del self._by_name[job.name]
            self._by_arn.pop(job.arn, None)
            for accelerator in self._accelerators.values():
                accelerator.forget(job.name)

    def poll_soon(self, key: ObjectKey, *, now: float) -> None:
        """Poll soon, until a change shows: one was requested of a followed job."""
        job = self._jobs.get(key)
        if job is not None:
            job.awaited_until = now + AWAITED_S
            self._soon(now)
            if not self._is_swept:
                self._schedule(job, now)

    def described(self, key: ObjectKey, description: Mapping[str, Any], *, now: float) -> list[ObjectKey]:
        """Take in a Describe answer: it counts like a summary, unless it is older than what is known.

        Returns the keys to wake: of other jobs to describe, where this one has ended as was guessed.
        """
        job = self._jobs.get(key)
        if job is None:
            return []
        known = job.fingerprint.value if job.fingerprint else None
        is_stale = job.fingerprint is not None and fingerprint_of(description, self._descriptor.status).is_older_than(
            job.fingerprint
        )
        # Thousands of jobs may be described in a resync period: keep what a summary would say, not whole answers.
        self._take(job, {name: description[name] for name in self._kept if name in description}, now)
        job.is_describe_due = False
        job.news_at = now
        job.hinted = None
        is_confirmed = job.hint is None or (job.fingerprint is not None and job.fingerprint.value == job.hint.status)
        job.rechecks = 0 if is_confirmed else max(job.rechecks - 1, 0)
        # A state that is past by now may have been hinted rightly.
        is_past = known is not None and job.fingerprint is not None and job.fingerprint.value != known
        if job.is_proof and (is_confirmed or is_past):
            self._proofs += 1
            job.is_proof = False
        self._schedule(job, now, self._recheck_s(job, is_stale=is_stale))
        if not job.is_settled(self._settings.settled, now):
            self._soon(now)  # a change that others have made, or that an unanswered call of ours has
        is_guess, job.is_end_expected = job.is_end_expected, False
        if is_guess and self._has_ended(job):
            return self._expect_ends(self._burst.hit())
        if is_guess:
            self._burst.miss()
        return []

    def _recheck_s(self, job: TrackedJob, *, is_stale: bool) -> float | None:
        """Return the pause before a job is described again that Describe has just shown; None if nothing is in doubt.

        The List that has shown more will show the same from now on, which is no news: nothing else would look again.
        """
        job.stale_answers = job.stale_answers + 1 if is_stale else 0
        if 0 < job.stale_answers <= STALE_RECHECKS:
            return RECHECK_S * 2.0 ** (job.stale_answers - 1)
        return RECHECK_S if job.rechecks else None

    # --- hints

    def hint(self, source: str, hint: Hint, *, now: float) -> tuple[Effect, list[ObjectKey]]:
        """Take in what an accelerator reports; returns its effect and the keys to wake now. More come from `looks`."""
        accelerator = self._accelerators[source]
        name = self._name_of(hint)
        keys = self._by_name.get(name, ())
        effects: set[Effect] = set()
        proven: list[ObjectKey] = []
        for job in [self._jobs[key] for key in keys]:
            effect = self._effect(job, hint)
            effects.add(effect)
            if effect == "change":
                accelerator.announced(name, hint.status, now=now)
                job.rechecks = 1 + _RECHECKS
                proven += self._confirm(job, now, is_forgeable=source != SEARCH)
            elif effect == "progress" and self._descriptor.operations.reads:
                self._schedule(job, now, 0.0)  # a part of it has changed, which the hint does not show
            elif effect == "progress":
                self._settle(job, now, self._settle_s if source == SEARCH else SETTLE_EVENT_S)
            elif effect == "known" and accelerator.is_awaited(name):
                accelerator.announced(name, hint.status, now=now)
        return next((each for each in EFFECTS if each in effects), "unfollowed"), proven + self.looks(now=now)

    def _confirm(self, job: TrackedJob, now: float, *, is_forgeable: bool) -> list[ObjectKey]:
        """Have a hinted job described: at once where that may earn trust, else within the budget."""
        if is_forgeable or not self._proofs or job.is_proof or self._is_accelerated(now):
            self._schedule(job, now, 0.0)
            return []
        self._proofs -= 1
        job.is_proof = job.is_describe_due = True
        self._schedule(job, now)
        return [job.key]

    def _name_of(self, hint: Hint) -> str:
        """Return the name of the job that is meant: the ARN decides, where it is known."""
        of_arn = hint.arn.rpartition("/")[2]
        known = self._by_arn.get(hint.arn.lower())
        return known or (of_arn if of_arn in self._by_name and hint.name not in self._by_name else hint.name)

    def _effect(self, job: TrackedJob, hint: Hint) -> Effect:
        fingerprint, rule = job.fingerprint, self._descriptor.status
        effect = effect_of(
            hint,
            status=fingerprint.value if fingerprint else None,
            secondary=fingerprint.secondary if fingerprint else "",
            modified=fingerprint.modified if fingerprint else None,
            earlier=job.hint,
        )
        if effect in {"change", "progress"}:
            name_member = self._descriptor.name.member
            job.hint = hint
            job.hinted = hint.summary(job.summary, name=job.name, name_member=name_member, rule=rule)
        return effect

    def _is_announced(self, now: float) -> bool:
        """Return whether events will announce changes: they are trusted, and nothing is in doubt."""
        return any(
            each.is_trusted(now=now) and not each.is_in_doubt
            for source, each in self._accelerators.items()
            if source != SEARCH
        )

    def _is_searched(self, now: float) -> bool:
        # Changes that a sweep finds first are no cause for doubt: the next search is seconds away.
        return self.search is not None and self.search.is_relied_on(swept_at=self._swept_at, now=now)

    def _is_accelerated(self, now: float) -> bool:
        """Return whether sweeps are a safety net."""
        return self._is_announced(now) or self._is_searched(now)

    def _pace_s(self, interval_s: float, now: float) -> float:
        """Return the interval of sweeps, which is longer while they are a safety net."""
        if self._is_announced(now):
            least_s = self._settings.safety_s
        elif self._is_searched(now):
            least_s = SEARCHED_SAFETY_S
        else:
            return interval_s
        return max(interval_s, least_s, self._depth / SAFETY_PAGES_PER_S)

    # --- searches

    def searched(self, page: Page, *, now: float) -> list[ObjectKey]:
        """Take in the page of a search; returns the keys to wake. A record is a hint, and never the truth."""
        assert self.search is not None  # noqa: S101 (begin)
        confidence = self._accelerators[SEARCH]
        woken: list[ObjectKey] = []
        times: list[datetime] = []
        news: list[datetime] = []
        for record in page.items:
            modified = record.get("LastModifiedTime")
            if not isinstance(modified, datetime):
                continue
            times.append(modified)
            hint = self._hint_of(record, modified)
            if hint.name not in self._by_name:
                if confidence.is_awaited(hint.name):  # a sweep was first, and it is not followed any more
                    confidence.announced(hint.name, hint.status, now=now)
            elif not self._is_foreign(record):
                effect, keys = self.hint(SEARCH, hint, now=now)
                woken += keys
                if effect in {"change", "progress"}:
                    news.append(modified)
        interval_s = self._search_interval_s(now)
        is_complete = self.search.absorb(times, page.next_token, news=news, interval_s=interval_s, now=now)
        if is_complete and self._is_searched(now):
            self.last_complete = now
        return woken

    def search_failed(self, error: CallError, *, now: float) -> float:
        """Record that the search failed; returns the seconds until it is repeated. Sweeps go on without it."""
        assert self.search is not None  # noqa: S101 (begin)
        return self.search.failed(error, now=now)

    def _hint_of(self, record: Mapping[str, Any], modified: datetime) -> Hint:
        rule = self._descriptor.status
        fingerprint = fingerprint_of(record, rule)
        return Hint(
            name=str(record.get(self._descriptor.name.member) or ""),
            status=fingerprint.value,
            secondary=fingerprint.secondary,
            modified=modified,
            arn=str(record.get(rule.arn_member) or ""),
        )

    def _is_foreign(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record is of another job that has the name of a followed one: names are used again."""
        created = record.get("CreationTime")
        return not isinstance(created, datetime) or not any(
            abs(created - job.created) <= _SAME_CREATION if job.is_dated else created >= job.created
            for job in self._named(record)
        )

    def _search_interval_s(self, now: float) -> float:
        """Return the pause between two searches, shorter where they save long sweeps."""
        is_short = self._depth > QUICK_PAGES and self._is_searched(now)
        return self._interval_s(now) / (SEARCHES_PER_INTERVAL if is_short else 1.0)

    def _interval_s(self, now: float) -> float:
        return self._settings.settled_poll_s if self._is_settled(now) else self._settings.poll_s

    # --- Describes

    def looks(self, *, now: float) -> list[ObjectKey]:
        """Return the keys of the jobs to describe now, as many as the budget allows, and of those that have settled."""
        woken: list[ObjectKey] = []
        while (settled := self._settling.pop(now=now)) is not None:
            self._jobs[settled].is_settling = False
            woken.append(settled)
        gap_s, saved_s = 1 / LOOKS_PER_S, 1 / LOOKS_PER_S
        if self._is_accelerated(now):
            gap_s, saved_s = 1 / HINTED_LOOKS_PER_S, 1.0
        while (key := self._looks.pop(gap_s=gap_s, saved_s=saved_s, now=now)) is not None:
            job = self._jobs[key]
            job.is_describe_due = True
            self._schedule(job, now)
            woken.append(key)
        if not self._is_swept and self._looks.due_at > now:
            self.last_complete = now
        return woken

    def _settle(self, job: TrackedJob, now: float, after_s: float) -> None:
        """Have a job be news after so many seconds, or when a change before this one is."""
        if not now < self._settling.at(job.key) <= now + after_s:
            self._settling.set(job.key, now + after_s)
            job.is_settling = True

    def _end_settling(self, job: TrackedJob) -> None:
        self._settling.forget(job.key)
        job.is_settling = False

    @property
    def _settle_s(self) -> float:
        """The time until the next sweep has shown a job once more."""
        return max(SETTLE_POLLS * self._settings.poll_s, min(SETTLE_POLLS * self._sweep_s, SETTLE_MOST_S))

    def _schedule(self, job: TrackedJob, now: float, delay_s: float | None = None) -> None:
        """Set the time of a job's next Describe; by default a round where sweeps do not show it, else a slow resync."""
        if delay_s is None and now < job.awaited_until and not self._is_swept:
            delay_s = self._settings.poll_s
        if delay_s is None:
            delay_s = self._settings.resync_s if job.is_within_reach else self._round_s(now)
        self._looks.set(job.key, now + delay_s)

    def _round_s(self, now: float) -> float:
        """The pause between two Describes of each job that sweeps do not reach, so that the budget serves all."""
        beyond = sum(not job.is_within_reach for job in self._jobs.values())
        poll_s = self._settings.poll_s * (1 if self._is_swept else UNSWEPT_POLLS)
        return max(self._pace_s(poll_s, now), beyond / LOOKS_PER_S)

    # --- sweeps

    def begin(self, *, now: float) -> Query | None:
        """Return the call to make now: a search, the next page of the sweep under way, or the first of a new one."""
        token = self.search.begin(now=now) if self.search else None
        if token is not None:
            return Query(token, is_search=True)
        if now < self._sweep_at:
            return None
        if not self._token:
            if not self._failures and now < (put_off := self._put_off(now)):
                self._sweep_at = put_off
                return None
            self._sweep += 1
            self._burst.sweep()
            self._pages, self._oldest, self._began = 0, datetime.max.replace(tzinfo=UTC), now
            if now >= self._explore_at:
                self._explore_at = now + EXPLORE_S
                for job in self._jobs.values():
                    job.page = FIRST_PAGE
        self._asked_at = now
        return Query(self._token)

    def _put_off(self, now: float) -> float:
        """Return when to sweep while that is a safety net, or to look again whether it still is: whatever is first."""
        if not self._is_accelerated(now):
            return now
        return min(self._began + self._pace_s(self._settings.poll_s, now), now + self._settings.poll_s)

    def absorb(self, page: Page, *, now: float) -> list[ObjectKey]:
        """Take in the page that `begin` asked for; returns the keys to wake."""
        is_regained = self.lost is not None
        self._failures, self.lost = 0, None
        self._pages += 1
        changed = [job for item in page.items for job in self._named(item) if self._saw(job, item, now)]
        woken = [job.key for job in changed]
        if max((job.page for job in self._jobs.values()), default=0) > QUICK_PAGES:
            ends = sum(map(self._has_ended, changed))
            woken += self._expect_ends(self._burst.page(ends, self._may_have_ended))
        if is_regained:
            woken = list(self._jobs)  # each object shows that its status is late, and no longer has to
            for job in self._jobs.values():
                self._end_settling(job)
        times = [time for item in page.items if isinstance(time := item.get("CreationTime"), datetime)]
        self._oldest = min(times, default=self._oldest)
        self._note_depths()
        if page.next_token and pages_worth_reading([job.page for job in self._jobs.values()]) > self._pages:
            self._token = page.next_token
            self._sweep_at = now
            return woken
        if not page.next_token:
            self._oldest = _EPOCH
        return woken + self._complete(now)

    def _has_ended(self, job: TrackedJob) -> bool:
        return job.fingerprint is not None and job.fingerprint.value in self._descriptor.status.terminal

    def _may_have_ended(self) -> Iterator[ObjectKey]:
        """Yield the jobs of other pages than the last one, the one first that sweeps reach last.

        Seconds may pass until the next one is wanted: what is known by then is no guess, and must not count as one.
        """
        read, unread = [], []
        for job in self._jobs.values():
            if job.swept != self._sweep:
                unread.append(job)
            elif job.page < self._pages:
                read.append(job)
        read.sort(key=lambda job: job.page, reverse=True)
        unread.sort(key=lambda job: job.created)
        for job in (*read, *unread):
            is_open = job.fingerprint is not None and not self._has_ended(job) and not job.is_end_expected
            if is_open and self._jobs.get(job.key) is job:
                yield job.key

    def _expect_ends(self, keys: Iterable[ObjectKey]) -> list[ObjectKey]:
        """Have these jobs described, but for those of which the end is known by now; returns their keys."""
        jobs = [job for key in keys if (job := self._jobs.get(key)) is not None and not self._has_ended(job)]
        for job in jobs:
            job.is_describe_due = job.is_end_expected = True
        return [job.key for job in jobs]

    def failed(self, error: CallError, *, now: float) -> float:
        """Record that the call failed; returns the seconds until it is repeated. Other targets are not concerned.

        The place in the sweep is kept as long as the error says nothing about the request: a long sweep that is
        throttled now and then must come to its end. A token that is refused (they expire) ends the sweep where it is.
        """
        if error.code == BUDGET_EXHAUSTED and error.retry_after_s is not None:
            self._sweep_at = now + error.retry_after_s
            return error.retry_after_s
        if not self._failures:
            self._failing_since = self._asked_at
        cap_s = _DENIED_CAP_S if error.error_class is ErrorClass.DENIED else _BACKOFF_CAP_S
        delay_s: float = min(_BACKOFF_BASE_S * 2**self._failures, cap_s) * (0.5 + 0.5 * self._rand())
        self._failures = min(self._failures + 1, 16)
        if error.error_class not in {ErrorClass.THROTTLED, ErrorClass.RETRYABLE}:
            if self._token and error.error_class is ErrorClass.INVALID:
                self._complete(now)
            self._token = ""
        if error.error_class is ErrorClass.DENIED or now - self._failing_since >= self._lost_s:
            self._lose(error, now)
        self._sweep_at = now + delay_s
        return delay_s

    def _lose(self, error: CallError, now: float) -> None:
        """Have every job described in turn until Lists come again."""
        if self.lost is None:
            for job in self._jobs.values():
                job.is_within_reach = False
            round_s = self._round_s(now)
            for number, job in enumerate(self._jobs.values(), start=1):
                self._schedule(job, now, round_s * number / len(self._jobs))
        self.lost = error

    def _is_settled(self, now: float) -> bool:
        settled = self._settings.settled
        return bool(settled) and all(job.is_settled(settled, now) for job in self._jobs.values())

    def _soon(self, now: float) -> None:
        """Do not wait out an interval that was meant for settled times."""
        if self._settings.settled and self._is_swept and not self._failures:
            self._sweep_at = min(self._sweep_at, now + self._settings.poll_s)
            if self.search is not None:
                self.search.poll_soon(now + self._settings.poll_s)

    def _complete(self, now: float) -> list[ObjectKey]:
        """End the sweep: decide who stands further down than it read, and who is missing where it did."""
        self._token = ""
        self._sweep_s, self._depth = now - self._began, self._pages
        self.last_complete = self._swept_at = self._began
        jitter = 0.9 + 0.2 * self._rand()
        self._sweep_at = max(now, self._began + self._interval_s(now) * jitter)
        out_of_reach: list[TrackedJob] = []
        for job in self._jobs.values():
            is_within = job.swept == self._sweep or job.created >= self._oldest
            if is_within and job.swept != self._sweep and now >= job.unseen_at:
                job.unseen_at = now + MISSING_S
                self._schedule(job, now, 0.0)
            if is_within != job.is_within_reach:
                job.is_within_reach = is_within
                if is_within:
                    self._schedule(job, now)
                else:
                    out_of_reach.append(job)
        # This sweep owed them a look: they do not wait for a round that is longer while sweeps are a safety net.
        round_s = max(self._settings.poll_s, len(out_of_reach) / LOOKS_PER_S)
        for number, job in enumerate(out_of_reach, start=1):
            self._schedule(job, now, round_s * number / len(out_of_reach))
        if self.search is not None:
            is_costly = self._pages > 1 or any(not job.is_within_reach for job in self._jobs.values())
            self.search.want(is_costly and not self._is_announced(now), now=now)
        self._look_at_a_silent_one(now)
        return self.looks(now=now)

    def _look_at_a_silent_one(self, now: float) -> None:
        """Have the job described that was silent for longest: Lists might be stale. Settled ones may well be silent."""
        if now < self._silent_look_at:
            return
        self._silent_look_at = now + SILENT_LOOK_S
        lively = (job for job in self._jobs.values() if not job.is_settled(self._settings.settled, now))
        job = min(lively, key=lambda job: job.news_at, default=None)
        if job is not None and now - job.news_at >= SILENT_S and self._looks.at(job.key) > now:
            job.news_at = now
            self._schedule(job, now, 0.0)

    def _note_depths(self) -> None:
        """Record the least page on which jobs can stand that are older than everything read so far."""
        sweep, oldest, page = self._sweep, self._oldest, self._pages + 1
        for job in self._jobs.values():
            if job.page < page and job.swept != sweep and job.created < oldest:
                job.page = page

    def _saw(self, job: TrackedJob, item: Mapping[str, Any], now: float) -> bool:
        """Record where a job stands; returns whether its summary is news."""
        job.swept, job.page = self._sweep, self._pages
        job.unseen_at = now
        return self._take(job, item, now, is_swept=True)

    def _named(self, item: Mapping[str, Any]) -> list[TrackedJob]:
        name = item.get(self._descriptor.name.member)
        return [self._jobs[key] for key in self._by_name.get(str(name), ())]

    def _take(self, job: TrackedJob, answer: Mapping[str, Any], now: float, *, is_swept: bool = False) -> bool:
        """Return whether the answer is news; old and repeated ones are not (answers may come from lagging replicas).

        Nor is another secondary status, before it has settled: a sweep that shows the same once more proves that.
        """
        created = answer.get("CreationTime")
        if isinstance(created, datetime):
            job.created, job.is_dated = created, True
        fingerprint = fingerprint_of(answer, self._descriptor.status)
        if job.fingerprint is not None and fingerprint.is_older_than(job.fingerprint):
            return False
        self._note_arn(job, answer)
        for source, accelerator in self._accelerators.items():
            is_change = self._is_change(job.fingerprint, fingerprint)
            if source == SEARCH and self.search is not None:
                is_change = is_change and self.search.expects(fingerprint.modified)
            accelerator.observed(job.name, fingerprint.value, is_change=is_change, now=now)
        if fingerprint == job.fingerprint:
            has_settled = is_swept and now < self._settling.at(job.key) < inf
            if has_settled:
                self._end_settling(job)
            return has_settled
        before = job.fingerprint
        job.fingerprint, job.summary, job.news_at, job.awaited_until = fingerprint, answer, now, now
        job.hinted, job.stale_answers = None, 0
        if self._is_progress(before, fingerprint):
            self._settle(job, now, self._settle_s)
            return False
        self._end_settling(job)
        return True

    def _is_progress(self, before: Fingerprint | None, fingerprint: Fingerprint) -> bool:
        """Return whether no more than the secondary status is new; at first, every job is in `StatusRule.running`."""
        rule = self._descriptor.status
        return bool(rule.secondary_member) and fingerprint.value == (rule.running if before is None else before.value)

    def _is_change(self, before: Fingerprint | None, fingerprint: Fingerprint) -> bool:
        """Return whether an accelerator has to announce this: a change of state, or an end that is the first sight."""
        return (
            fingerprint.value in self._descriptor.status.terminal
            if before is None
            else fingerprint.value != before.value
        )

    def _note_arn(self, job: TrackedJob, answer: Mapping[str, Any]) -> None:
        arn = str(answer.get(self._descriptor.status.arn_member) or "").lower()
        if arn and arn != job.arn:
            self._by_arn.pop(job.arn, None)
            self._by_arn[arn] = job.name
            job.arn, self.account = arn, _account_of(arn) or self.account


def _account_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""
