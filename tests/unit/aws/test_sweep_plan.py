"""How many List pages a sweep is worth: what it costs, beside listing everything and describing everything."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.polling.poll_state import LOOKS_PER_S, SILENT_LOOK_S, PollSettings
from controller.aws.polling.sweep_plan import pages_worth_reading
from controller.aws.polling.tracker import Tracker
from controller.aws.polling.tracker_metrics import TrackerMetrics
from controller.aws.targets import Target
from tests.fakes import FakeClock
from tests.fakes.calls import CallLog
from tests.fakes.sagemaker.jobs import FakeJobs
from tests.tables import each_row


@each_row(
    ("depths", "pages"),
    [
        pytest.param([], 1, id="nothing followed: the first page"),
        pytest.param([1], 1, id="one new job"),
        pytest.param([500], 1, id="one old job: described"),
        pytest.param([1] * 5 + [500], 1, id="five new jobs and one old: the old one is described"),
        pytest.param([1] * 5 + [2] * 5, 2, id="ten on two pages"),
        pytest.param([1, 2], 1, id="one on the second page: a Describe costs the same"),
        pytest.param([3, 3], 1, id="two on the third page: two Describes cost the same"),
        pytest.param([3, 3, 3], 3, id="three on the third page: two more pages cost less"),
        pytest.param([page for page in range(1, 51) for _ in range(100)], 50, id="five thousand on fifty pages"),
        pytest.param([1] * 100 + [40] * 10, 1, id="ten below the ranks of others"),
        pytest.param([1] * 100 + [9] * 10 + [200] * 10, 9, id="some within reach, some not"),
        pytest.param([2] * 9 + [3] * 2, 3, id="each page is weighed against what it saves in all"),
    ],
)
def test_a_sweep_reads_as_many_pages_as_save_describes(depths: list[int], pages: int) -> None:
    """A page more is worth it where it saves more than one Describe."""
    assert pages_worth_reading(depths) == pages
    assert pages_worth_reading(depths[::-1]) == pages


@given(depths=st.lists(st.integers(1, 60), max_size=80))
def test_a_sweep_costs_at_most_one_call_more_than_the_better_simple_strategy(depths: list[int]) -> None:
    """List down to the oldest, or describe each; and no number of pages is cheaper than the chosen one."""
    pages = pages_worth_reading(depths)
    cost = pages + sum(depth > pages for depth in depths)
    assert cost <= min(max(depths, default=1), len(depths)) + 1
    assert all(cost <= other + sum(depth > other for depth in depths) for other in range(1, 61))


# --- what the tracker really sends

HERE = Target("us-east-2")
PAGE = 10
SETTINGS = PollSettings(poll_s=30.0, resync_s=36_000.0)
"""An interval that is long enough for a sweep of all pages: so every interval has one sweep."""
INTERVALS = 6
SETTLING_S = 4 * SETTINGS.poll_s


class Account:
    """An account whose List has our jobs at some ranks among those of others, and a tracker that follows ours."""

    def __init__(self, ranks: Sequence[int]) -> None:
        self.clock = FakeClock()
        self.log: CallLog = []
        self.aws = FakeJobs(TRAINING_JOB, self.clock, self.log)
        self.aws.page_size = PAGE
        self.seen_at: dict[str, float] = {}
        self.longest_s = 0.0
        """The longest time for which a job was neither on a page that was read nor described."""
        self.ours = {rank: f"job-{rank}" for rank in ranks}
        self.tracker = Tracker(
            TRAINING_JOB,
            self,  # type: ignore[arg-type]
            self._reconcile,
            self.clock,
            TrackerMetrics(CollectorRegistry()),
            SETTINGS,
            rand=lambda: 0.5,
        )
        for rank in range(max(ranks), -1, -1):  # the last one created is the first one listed
            self.clock.advance(1.0)
            name = self.ours.get(rank, f"theirs-{rank}")
            self.aws.existing(name)
            if rank in self.ours:
                self.tracker.follow(ObjectKey("ns", name), HERE, name, self.clock.utcnow())
        self.clock.advance(600.0)

    def list_page(self, *args: object, next_token: str) -> object:
        """See `Jobs.list_page`."""
        page = self.aws.list_page(*args, next_token=next_token)  # type: ignore[arg-type]
        for item in page.items:
            self._saw(item["TrainingJobName"])
        return page

    def _reconcile(self, key: ObjectKey) -> None:
        """Describe what is due, as a pass does."""
        seen = self.tracker.last(key)
        if seen is not None and seen.is_describe_due:
            answer = self.aws.describe(TRAINING_JOB, HERE, key.name, caller=key, background=True)
            assert isinstance(answer, dict)
            self._saw(key.name)
            self.tracker.described(key, answer)

    def _saw(self, name: str) -> None:
        now = self.clock.monotonic()
        self.longest_s = max(self.longest_s, now - self.seen_at.get(name, now))
        self.seen_at[name] = now

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(int(2 * seconds)):
            while self.tracker.step():
                pass
            self.clock.advance(0.5)

    def unseen_s(self) -> float:
        """The longest time so far for which one of our jobs was not seen."""
        now = self.clock.monotonic()
        return max(self.longest_s, *(now - self.seen_at.get(name, 0.0) for name in self.ours.values()))


@settings(max_examples=25)
@given(ranks=st.sets(st.integers(0, 20 * PAGE - 1), min_size=1, max_size=30))
def test_the_tracker_sends_the_calls_that_the_plan_counts(ranks: set[int]) -> None:
    """The model's cost is what is sent: at most one call more than the better simple strategy in each interval, but
    for the look a minute at a silent job; and no job is unseen for longer than an interval and a round of Describes.
    """
    account = Account(sorted(ranks))
    account.run(SETTLING_S)
    account.longest_s, account.seen_at = 0.0, {}
    account.run(1.5 * SETTINGS.poll_s)
    account.log.clear()
    account.run(INTERVALS * SETTINGS.poll_s)
    depths = [rank // PAGE + 1 for rank in ranks]
    pages = pages_worth_reading(depths)
    below = sum(depth > pages for depth in depths)
    looks = INTERVALS * SETTINGS.poll_s / SILENT_LOOK_S + 1
    sent, planned = account.aws.count("list"), INTERVALS * pages
    assert abs(sent - planned) <= pages, "a sweep each interval, of as many pages as are worth it"
    described = account.aws.count("describe")
    assert INTERVALS * below - below <= described <= INTERVALS * below + below + looks
    best = min(max(depths), len(depths))
    assert sent + described <= INTERVALS * (best + 1) + pages + below + looks
    assert account.unseen_s() <= 2 * SETTINGS.poll_s + len(ranks) / LOOKS_PER_S
