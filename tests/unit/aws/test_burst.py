"""Many jobs that end together: the sweep that has found some of them need not reach the others first."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.polling.burst import BURST, MOST_OPEN, PER_HIT, SAMPLE, Burst
from controller.aws.polling.poll_state import PollSettings
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.sagemaker import PAGE_SIZE
from controller.aws.targets import Target
from tests.fakes import FakeClock
from tests.fakes.calls import CallLog
from tests.fakes.sagemaker.jobs import FakeJobs
from tests.unit.aws.following import ended

HERE = Target("us-east-2")
JOBS = 1000
PAGES = 10


class Bench:
    """A tracker of a thousand jobs whose sweeps read a page a second, and a reconciler with a queue."""

    def __init__(self, jobs: int = JOBS) -> None:
        self.clock = FakeClock()
        self.log: CallLog = []
        self.aws = FakeJobs(TRAINING_JOB, self.clock, self.log)
        self.shown: dict[str, float] = {}
        self._queue: deque[ObjectKey] = deque()
        self.tracker = Tracker(
            TRAINING_JOB,
            self.aws,
            self._queue.append,
            self.clock,
            TrackerMetrics(CollectorRegistry()),
            PollSettings(poll_s=5.0, resync_s=36_000.0),
            rand=lambda: 0.5,
        )
        self.names = [f"job-{number}" for number in range(jobs)]
        for name in self.names:
            self.clock.advance(0.01)
            self.aws.existing(name)
            self.tracker.follow(ObjectKey("ns", name), HERE, name, self.clock.utcnow())
        self.run(60)
        while self.aws.count("list") % -(-jobs // PAGE_SIZE):  # until a sweep is complete, and the next one is due
            self.run(1)
        self.log.clear()

    def run(self, seconds: int, describes: int = 10 * JOBS) -> None:
        """Let time pass: each second has one unit of polling, and time for so many Describes."""
        for _ in range(seconds):
            self.clock.advance(1.0)
            self.tracker.step()
            until = self.aws.count("describe") + describes
            while self._queue and self.aws.count("describe") < until:
                self._reconcile(self._queue.popleft())

    def _reconcile(self, key: ObjectKey) -> None:
        if ended(self.tracker, self.aws, HERE, key) is not None:
            self.shown[key.name] = self.clock.monotonic()


def test_the_ends_of_all_are_shown_before_the_sweep_has_reached_them() -> None:
    """The first page tells; each end costs the one Describe that it needs in any case."""
    bench = Bench()
    for name in bench.names:
        bench.aws.move(name, "Completed")
    ended_at = bench.clock.monotonic()
    bench.run(8)
    assert len(bench.shown) == JOBS
    assert max(bench.shown.values()) - ended_at <= 7
    assert bench.aws.count("list") < PAGES
    assert bench.aws.count("describe") == JOBS


def test_jobs_that_go_on_while_those_of_one_page_have_ended_cost_a_sample() -> None:
    """What is not confirmed is not followed up, and the sweep goes on as it would have."""
    bench = Bench()
    newest = bench.names[-100:]
    for name in newest:
        bench.aws.move(name, "Completed")
    bench.run(2 * PAGES + 5)
    assert set(bench.shown) == set(newest)
    assert bench.aws.count("describe") <= len(newest) + SAMPLE


@pytest.mark.parametrize(("jobs", "wasted"), [(JOBS, SAMPLE), (400, 0)])
@pytest.mark.parametrize("a_second", [20, 50])
def test_jobs_that_end_one_after_the_other_cost_one_sample_at_most(jobs: int, wasted: int, a_second: int) -> None:
    """As they were started: each page of each sweep shows many ends, and the others have not ended yet. Where a sweep
    takes no longer than the poll interval, there is nothing to gain from a guess."""
    bench = Bench(jobs)
    for first in range(0, jobs, a_second):
        for name in bench.names[first : first + a_second]:
            bench.aws.move(name, "Completed")
        bench.run(1)
    bench.run(2 * PAGES + 5)
    assert len(bench.shown) == jobs
    assert jobs <= bench.aws.count("describe") <= jobs + wasted


def test_a_secondary_status_settles_for_longer_than_a_sweep_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand jobs are ten pages, one a second: the end of one that uploads is seen before that would be shown."""
    bench, woken = Bench(), []
    monkeypatch.setattr(bench.tracker, "_wake", lambda key: woken.append((key.name, bench.clock.monotonic())))
    for name in bench.names[:BURST]:
        bench.aws.move(name, "InProgress", "Uploading")
    bench.run(PAGES)
    began = bench.clock.monotonic()
    assert woken == []
    bench.aws.move(bench.names[0], "Completed")
    bench.run(PAGES + 1)
    assert [at - began for name, at in woken if name == bench.names[0]] == [PAGES]
    assert sorted(name for name, _ in woken) == sorted(bench.names[:BURST]), "the others are seen once more"


def test_another_burst_is_guessed_again() -> None:
    """Guesses that were wrong count until a sweep has shown that the burst is over."""
    bench = Bench()
    early, late = bench.names[:300], bench.names[300:]
    for first in range(0, len(early), 20):
        for name in early[first : first + 20]:
            bench.aws.move(name, "Completed")
        bench.run(1)
    bench.run(3 * PAGES)
    for name in late:
        bench.aws.move(name, "Completed")
    ended_at = bench.clock.monotonic()
    bench.run(8)
    assert len(bench.shown) == JOBS
    assert max(bench.shown.values()) - ended_at <= 7


@pytest.mark.parametrize("ends", [1, BURST - 1])
def test_a_few_ends_are_no_burst(ends: int) -> None:
    """Where jobs end one by one, each costs one Describe and no more."""
    bench = Bench()
    for name in bench.names[-ends:]:
        bench.aws.move(name, "Completed")
    bench.run(2 * PAGES + 5)
    assert bench.aws.count("describe") == ends


def test_a_guess_is_as_urgent_as_an_end_that_a_list_shows() -> None:
    """It takes a user's place in the budget: behind the background's, a thousand of them would take minutes."""
    bench = Bench()
    for name in bench.names:
        bench.aws.move(name, "Completed")
    while not bench.aws.count("list"):
        bench.clock.advance(1.0)
        bench.tracker.step()
    seen = [bench.tracker.last(ObjectKey("ns", name)) for name in bench.names]
    guessed = [each for each in seen if each is not None and each.is_end_expected]
    assert len(guessed) == SAMPLE
    assert all(each.is_describe_due for each in guessed)


KEYS = [ObjectKey("ns", f"job-{number}") for number in range(200)]


@given(
    pages=st.lists(st.integers(0, 100), min_size=1, max_size=5), ended_keys=st.sets(st.sampled_from(KEYS), max_size=200)
)
def test_guesses_that_are_wrong_are_few(pages: list[int], ended_keys: set[ObjectKey]) -> None:
    """A sample for each page with many ends, and at most two for each guess that was right; nobody is guessed twice."""
    burst, guessed, hits = Burst(), [], 0
    for ends in pages:
        open_guesses = deque(burst.page(ends, lambda: [key for key in KEYS if key not in guessed]))
        while open_guesses:
            key = open_guesses.popleft()
            guessed.append(key)
            if key in ended_keys:
                hits += 1
                open_guesses.extend(burst.hit())
            else:
                burst.miss()
    assert len(guessed) == len(set(guessed))
    assert len(guessed) <= SAMPLE * sum(ends >= BURST for ends in pages) + PER_HIT * hits


def test_guesses_that_overtake_the_ends_do_not_multiply() -> None:
    """Jobs end one after the other, and are described somewhat faster: each guess that was right made two more, and
    when these caught up with the ends, all that waited were wrong."""
    burst, jobs, ended, right, wrong = Burst(), iter(range(1000)), 30, 0, 0
    keys = (ObjectKey("ns", str(number)) for number in jobs)
    guesses = deque(burst.page(100, lambda: keys))
    for _ in range(20):
        for _ in range(min(60, len(guesses))):
            if int(guesses.popleft().name) < ended:
                right += 1
                guesses.extend(burst.hit())
            else:
                wrong += 1
                burst.miss()
        ended += 40
        guesses.extend(burst.page(40, lambda: keys))

    assert right > 100
    assert wrong <= MOST_OPEN, (right, wrong)


def test_ends_that_come_after_a_sweep_has_passed_are_guessed_too() -> None:
    """The last page shows them; those on the pages before it were read when they had not ended yet."""
    bench = Bench()
    bench.run(PAGES - 1)
    for name in bench.names:
        bench.aws.move(name, "Completed")
    ended_at = bench.clock.monotonic()
    bench.run(8)
    assert len(bench.shown) == JOBS
    assert max(bench.shown.values()) - ended_at <= 7
    assert bench.aws.count("describe") == JOBS


def test_ends_that_are_known_are_not_guessed_while_they_wait_for_their_describe() -> None:
    """Where AWS allows few of them, hundreds wait; a guess is for those that no sweep has shown."""
    bench = Bench()
    oldest, others = bench.names[:100], bench.names[100:]
    for name in oldest:
        bench.aws.move(name, "Completed")
    bench.run(3 * PAGES, describes=0)
    for name in others:
        bench.aws.move(name, "Completed")
    bench.run(2, describes=0)
    seen = {name: bench.tracker.last(ObjectKey("ns", name)) for name in bench.names}
    guessed = [name for name, each in seen.items() if each is not None and each.is_end_expected]
    assert set(guessed) <= set(others)
    assert len(guessed) == 2 * SAMPLE, "those of the first page with ends, which were wrong, and a sample of these"
