"""When Search is called and how far a round pages: decisions without calls."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf

import pytest

from controller.aws.errors import BUDGET_EXHAUSTED, AwsError
from controller.aws.polling.confidence import Confidence
from controller.aws.polling.disorder import SAMPLE
from controller.aws.polling.search_state import GRACE_S, MOST_PAGES, REST_S, SearchState, confidence_settings
from controller.runtime.errors import ErrorClass

T0 = datetime(2030, 1, 1, tzinfo=UTC)
POLL_S = 5.0
OVERLAP = timedelta(seconds=GRACE_S)


class Bench:
    """A state that wants to search, with a clock."""

    def __init__(self) -> None:
        self.now = 100.0
        self.confidence = Confidence(confidence_settings(POLL_S))
        self.state = SearchState(self.confidence, POLL_S, lambda: 0.5)
        self.state.want(True, now=self.now)

    def page(self, *offsets_s: float, token: str = "") -> bool:
        """Read the page that is due; its records were modified these seconds after T0."""
        assert self.state.begin(now=self.now) is not None
        return self.page_of_begun(*offsets_s, token=token)

    def page_of_begun(self, *offsets_s: float, token: str = "", news: Sequence[float] = ()) -> bool:
        """Read the page of the call that was made before; `news` are the times of records that show a change."""
        times, changed = ([T0 + timedelta(seconds=each) for each in some] for some in (offsets_s, news))
        return self.state.absorb(times, token, news=changed, interval_s=POLL_S, now=self.now)

    def learn(self, late_s: float = 0.0) -> None:
        """Let changes come up in order, or so much later than one after them."""
        for _ in range(2):
            self.page(0)
            self.now += POLL_S
        self.state.begin(now=self.now)
        self.page_of_begun(0, news=[-late_s] * SAMPLE)
        self.now += POLL_S

    def is_cut_off(self) -> bool:
        """Whether a round has ended without having read all changes."""
        self.earn()
        return not self.is_relied_on(swept_at=self.now - 1_000)

    def fail(self, error_class: ErrorClass, code: str = "", *, retry_after_s: float | None = None) -> float:
        """Let the call that is due fail; returns the delay."""
        assert self.state.begin(now=self.now) is not None
        return self.state.failed(AwsError(error_class, code, "", retry_after_s=retry_after_s), now=self.now)

    def earn(self) -> None:
        """Let changes be confirmed."""
        for number in range(confidence_settings(POLL_S).needed):
            self.confidence.announced(number, "Completed", now=self.now)
            self.confidence.observed(number, "Completed", is_change=True, now=self.now)

    def miss(self, what: str = "missed") -> None:
        """Let a change be found that is not announced, and its time run out."""
        self.confidence.observed(what, "Completed", is_change=True, now=self.now)
        self.now += GRACE_S + 1

    def is_relied_on(self, swept_at: float = 0.0) -> bool:
        """Whether it stands in for sweeps."""
        return self.state.is_relied_on(swept_at=swept_at, now=self.now)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_nothing_is_searched_before_that_is_wanted() -> None:
    """Where sweeps are cheap there is nothing to gain."""
    state = SearchState(Confidence(), POLL_S, lambda: 0.5)
    assert state.due_at == inf
    assert state.begin(now=1e9) is None
    assert not state.expects(T0)


def test_the_first_round_is_one_page(bench: Bench) -> None:
    """It shows from when on modifications must show; what was before is the sweeps' matter."""
    assert bench.page(30, 20, 10, token="more") is True
    assert bench.state.due_at == bench.now + POLL_S
    assert bench.state.expects(T0 + timedelta(seconds=31))
    assert not bench.state.expects(T0 + timedelta(seconds=30))
    assert not bench.state.expects(None)


@pytest.mark.parametrize(
    ("offsets_s", "token", "has_caught_up", "is_over"),
    [
        pytest.param((100, 100 - GRACE_S - 1), "more", True, True, id="down to what is known, and through the overlap"),
        pytest.param((100, 100 - GRACE_S), "more", True, False, id="equal times may go on on the next page"),
        pytest.param((130, 97), "more", True, False, id="down to what is known"),
        pytest.param((130, 98), "more", False, False, id="changes of that moment may stand on the next page"),
        pytest.param((200, 150), "more", False, False, id="newer records only"),
        pytest.param((), "more", False, False, id="an empty page"),
        pytest.param((200, 150), "", True, True, id="the last page"),
        pytest.param((), "", True, True, id="no records"),
    ],
)
def test_a_round_reads_down_to_what_the_last_one_has_read(
    bench: Bench, offsets_s: tuple[float, ...], token: str, *, has_caught_up: bool, is_over: bool
) -> None:
    """By what the records say, at once."""
    bench.learn()
    bench.page(100)
    bench.now += POLL_S
    assert bench.page(*offsets_s, token=token) is has_caught_up
    assert bench.state.due_at == (bench.now + POLL_S if is_over else bench.now)
    assert bench.state.begin(now=bench.state.due_at) == ("" if is_over else "more")


@pytest.mark.parametrize(
    ("late_s", "below_s"),
    [(None, GRACE_S), (0.0, 2.0), (1.0, 4.0), (3.0, 8.0), (60.0, GRACE_S)],
    ids=["nothing is known", "in order", "a second late", "three seconds late", "a minute late"],
)
def test_the_overlap_is_twice_the_disorder_that_was_seen(bench: Bench, late_s: float | None, below_s: float) -> None:
    """An index that takes in changes in their order needs none, and one that does not is read as far as ever."""
    if late_s is not None:
        bench.learn(late_s)
    bench.page(100)
    bench.now += POLL_S
    assert bench.page(130, 100 - below_s, token="more") is False
    assert bench.page(100 - below_s - 0.1, token="further") is True


@pytest.mark.parametrize(
    ("delay_s", "most_s"),
    [(0.0, 2 * POLL_S), (1.0, 3 * POLL_S), (4.0, 4 * POLL_S), (8.0, 4 * POLL_S)],
    ids=["in order", "a second", "four seconds", "eight seconds"],
)
def test_what_comes_late_into_an_index_is_read_in_a_burst_as_well(delay_s: float, most_s: float) -> None:
    """40 changes a second, every fifth of them late, and a page of 100 a second: none is lost."""
    bench, clock = Bench(), 0.0
    listed_at = {n / 40: n / 40 + (0.0 if n % 5 else delay_s) for n in range(-400, 2_400)}
    to_come = sorted(listed_at, key=listed_at.__getitem__, reverse=True)
    listed: list[float] = []
    shown: dict[float, float] = {}
    while clock < 90:
        while to_come and listed_at[to_come[-1]] <= clock:
            listed.append(to_come.pop())
        if bench.state.begin(now=bench.now) is not None:
            listed.sort(reverse=True)
            first = 100 * bench.state._pages
            page = listed[first : first + 100]
            news = [at for at in page if at not in shown]
            shown.update(dict.fromkeys(news, clock))
            bench.page_of_begun(*page, token="more" if len(listed) > first + 100 else "", news=news)
        clock += 1.0
        bench.now += 1.0
    # The first page shows from when on changes must show; half a minute later it is known what the index is like.
    assert [at for at in listed_at if at > 0 and at not in shown] == []
    assert max(shown[at] - listed_at[at] for at in listed_at if at > 30) <= most_s


def test_a_round_that_has_caught_up_reads_the_overlap_until_the_next_one_is_due(bench: Bench) -> None:
    """Where a page takes a second, as the budget has it, new changes are worth more than what was read before."""
    bench.learn()
    bench.page(100)
    bench.now += POLL_S
    began = bench.now
    assert bench.page(200, 97, token="more") is True
    bench.now += POLL_S - 1
    assert bench.state.begin(now=bench.now) == "more"
    assert bench.page(96, 95, token="further") is True
    assert bench.is_cut_off() is False
    bench.now = began + POLL_S
    assert bench.state.begin(now=bench.now) == "", "from the top"
    assert bench.page(205, 197, token="more") is True, "down to what the round before it began with"


def test_a_page_that_comes_when_the_next_round_is_due_is_the_last_one_of_the_overlap(bench: Bench) -> None:
    """The budget has delayed it."""
    bench.learn()
    bench.page(100)
    bench.now += POLL_S
    bench.page(200, 97, token="more")
    assert bench.state.begin(now=bench.now) == "more"
    bench.now += POLL_S
    bench.page_of_begun(96, 95, token="further")
    assert bench.state.begin(now=bench.now) == ""


def test_a_round_that_has_not_caught_up_goes_on_however_long_it_takes(bench: Bench) -> None:
    """What it has not read would be lost."""
    bench.learn()
    bench.page(100)
    bench.now += POLL_S
    bench.page(300, 200, token="more")
    bench.now += 3 * POLL_S
    assert bench.state.begin(now=bench.now) == "more"
    assert bench.page(200, 90, token="more") is True


def test_what_is_known_does_not_become_less_by_an_older_answer(bench: Bench) -> None:
    """A replica that lags must not make the next rounds longer."""
    bench.learn()
    bench.page(100)
    bench.now += POLL_S
    bench.page(50)
    bench.now += POLL_S
    assert bench.page(100, 98, token="more") is False
    assert bench.page(97, token="more") is True


def test_a_round_is_cut_off_and_not_relied_on_before_the_next_sweep(bench: Bench) -> None:
    """The changes that it did not read show there."""
    bench.page(0)
    bench.earn()
    assert bench.is_relied_on()
    bench.now += POLL_S
    for number in range(MOST_PAGES):
        assert bench.page(1_000 - number, token="more") is False
    assert bench.state.due_at == bench.now + POLL_S
    assert not bench.is_relied_on(swept_at=bench.now)
    assert bench.is_relied_on(swept_at=bench.now + 1)


def test_a_token_that_is_refused_cuts_the_round_off(bench: Bench) -> None:
    """Tokens expire; Search itself works, and is called again."""
    bench.page(0)
    bench.earn()
    bench.now += POLL_S
    bench.page(100, token="more")
    assert bench.fail(ErrorClass.INVALID, "ValidationException") <= 1.0
    bench.now += 1
    assert not bench.is_relied_on(swept_at=bench.now - 1)
    assert bench.is_relied_on(swept_at=bench.now)
    assert bench.state.begin(now=bench.now) == ""


@pytest.mark.parametrize(
    ("error_class", "code", "standing"),
    [
        pytest.param(ErrorClass.DENIED, "AccessDeniedException", "unavailable", id="denied"),
        pytest.param(ErrorClass.INVALID, "UnknownOperationException", "unavailable", id="unknown"),
        pytest.param(ErrorClass.RETRYABLE, "InternalFailure", "searching", id="broken"),
    ],
)
def test_a_search_that_fails_is_not_relied_on(bench: Bench, error_class: ErrorClass, code: str, standing: str) -> None:
    """And nothing is expected of it; what will not be over soon is tried again after a long pause."""
    bench.page(0)
    bench.earn()
    bench.now += POLL_S
    delay_s = bench.fail(error_class, code)
    assert not bench.is_relied_on()
    assert not bench.state.expects(T0 + timedelta(seconds=1))
    assert bench.state.standing == standing
    assert delay_s == (REST_S if standing == "unavailable" else pytest.approx(0.75))
    bench.now += delay_s
    bench.page(5)
    assert bench.is_relied_on(), "what it had earned counts when it is back"


def test_a_search_that_stays_broken_is_tried_ever_more_rarely(bench: Bench) -> None:
    """An endpoint that is not SageMaker may answer anything."""
    delays = []
    for _ in range(15):
        delays.append(bench.fail(ErrorClass.RETRYABLE, "InternalFailure"))
        bench.now += delays[-1]
    assert delays == sorted(delays)
    assert delays[-1] == 0.75 * REST_S
    assert bench.page(0) is True


@pytest.mark.parametrize(
    ("code", "retry_after_s", "delay_s"),
    [
        pytest.param(BUDGET_EXHAUSTED, 7.0, 7.0, id="the own budget"),
        pytest.param("ThrottlingException", None, 0.75, id="AWS"),
        pytest.param("ThrottlingException", 30.0, 30.0, id="AWS, with a time"),
    ],
)
def test_a_throttled_round_goes_on_where_it_was(
    bench: Bench, code: str, retry_after_s: float | None, delay_s: float
) -> None:
    """It is no failure while it lasts for a moment; being silent for long ends the trust."""
    bench.page(0)
    bench.earn()
    bench.now += POLL_S
    bench.page(100, token="more")
    assert bench.fail(ErrorClass.THROTTLED, code, retry_after_s=retry_after_s) == delay_s
    assert bench.is_relied_on()
    bench.now += delay_s
    assert bench.state.begin(now=bench.now) == "more"
    bench.now += 200
    assert not bench.is_relied_on()


def test_trust_that_is_lost_means_a_rest(bench: Bench) -> None:
    """One change that it missed is enough, and nothing is counted as missed meanwhile."""
    bench.page(0)
    bench.earn()
    bench.now += POLL_S
    bench.page(5)
    bench.miss()
    bench.page(5)
    assert bench.state.standing == "resting"
    assert bench.state.due_at == bench.now + REST_S
    assert not bench.state.expects(T0 + timedelta(days=1))
    bench.now += REST_S
    assert bench.page(9_000) is True
    assert bench.state.standing == "searching"


def test_what_is_pending_when_searches_end_is_no_miss(bench: Bench) -> None:
    """A change was found, and then sweeps became cheap: no search can show it any more."""
    bench.page(0)
    bench.earn()
    bench.confidence.observed("found", "Completed", is_change=True, now=bench.now)
    bench.state.want(False, now=bench.now)
    bench.now += GRACE_S + 1
    bench.state.want(True, now=bench.now)
    bench.page(50)
    assert bench.is_relied_on()


def test_a_search_without_trust_may_miss_some_changes_at_first(bench: Bench) -> None:
    """The operator's start is full of changes that happened before; but it does not go on for ever."""
    bench.page(0)
    for number, standing in enumerate(("searching", "searching", "resting")):
        bench.miss(f"missed-{number}")
        bench.page(5)
        assert bench.state.standing == standing


def test_a_rest_is_not_cut_short_by_jobs_that_come_and_go(bench: Bench) -> None:
    """What makes sweeps costly may change from minute to minute."""
    bench.fail(ErrorClass.DENIED)
    due_at = bench.state.due_at
    bench.state.want(False, now=bench.now)
    assert bench.state.due_at == inf
    bench.state.want(True, now=bench.now)
    assert bench.state.due_at == due_at


def test_an_expected_change_hastens_the_next_search_only_while_it_works(bench: Bench) -> None:
    """A user who stops a job does not undo a rest."""
    bench.page(0)
    bench.state.poll_soon(bench.now + 1)
    assert bench.state.due_at == bench.now + 1
    bench.now += 1
    bench.fail(ErrorClass.DENIED)
    bench.state.poll_soon(bench.now + 1)
    assert bench.state.due_at == bench.now + REST_S


def test_times_before_the_epoch_and_far_ahead_are_borne() -> None:
    """Whatever answers."""
    bench = Bench()
    bench.state.begin(now=bench.now)
    bench.state.absorb([datetime.min.replace(tzinfo=UTC)], "", interval_s=POLL_S, now=bench.now)
    bench.now += POLL_S
    bench.state.begin(now=bench.now)
    assert bench.state.absorb([datetime.max.replace(tzinfo=UTC)], "", interval_s=POLL_S, now=bench.now) is True
