"""A mute target costs one worker or two, and nobody else anything (DESIGN 5)."""

import heapq
from collections.abc import Callable, Hashable
from itertools import count

import pytest

from controller.aws.circuit_breaker import MOST_SILENT, TURN_CAP_S, TURN_S, CircuitBreaker
from controller.aws.errors import AwsError, CallError, LocalRefusal
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

MUTE = Target("us-east-1")
WELL = Target("eu-west-1")
READ_TIMEOUT_S = 30.0


def new_breaker() -> CircuitBreaker:
    """Without jitter."""
    return CircuitBreaker(rand=lambda: 0.0)


def call(
    breaker: CircuitBreaker, caller: Hashable = "a", operation: str = "CreateModel", target: Target = MUTE
) -> None:
    """One call that is answered at once."""
    with breaker.call(target, "sagemaker", operation, caller):
        pass


def fail(
    breaker: CircuitBreaker, code: str, caller: Hashable = "a", operation: str = "CreateModel", *, sent: bool = True
) -> None:
    """One call that ends with an error."""
    with pytest.raises(CallError), breaker.call(MUTE, "sagemaker", operation, caller):
        raise (AwsError if sent else LocalRefusal)(ErrorClass.RETRYABLE, code, "no more")


def refused(breaker: CircuitBreaker, caller: Hashable, operation: str = "CreateModel") -> CallError:
    """One call that is not let through."""
    with pytest.raises(CallError) as caught, breaker.call(MUTE, "sagemaker", operation, caller):
        pytest.fail("the call went out")
    return caught.value


@pytest.mark.parametrize("code", ["ReadTimeout", "ConnectTimeout"])
def test_while_one_call_tries_a_mute_target_others_wait_their_turn(code: str) -> None:
    """THROTTLED: no failure of the object, no word in its status."""
    breaker = new_breaker()
    fail(breaker, code, "a")
    with breaker.call(MUTE, "sagemaker", "CreateModel", "b"):
        error = refused(breaker, "c")
        assert (error.error_class, error.retry_after_s) == (ErrorClass.THROTTLED, TURN_S)
        call(breaker, "d", target=WELL)  # other targets are not concerned


def test_any_answer_clears_a_target() -> None:
    """A refusal is an answer, too."""
    breaker = new_breaker()
    fail(breaker, "ReadTimeout", "a")
    fail(breaker, "AccessDeniedException", "b")
    with breaker.call(MUTE, "sagemaker", "CreateModel", "c"):
        call(breaker, "d")


@pytest.mark.parametrize("code", ["BudgetExhausted", "ParamValidation"])
def test_a_call_that_was_not_sent_clears_nothing(code: str) -> None:
    """AWS was not asked, so it has not answered."""
    breaker = new_breaker()
    fail(breaker, "ReadTimeout", "a")
    fail(breaker, code, "b", sent=False)
    with breaker.call(MUTE, "sagemaker", "CreateModel", "c"):
        refused(breaker, "d")


def test_a_target_that_stays_mute_stays_a_suspect_and_is_tried_less_often() -> None:
    """Callers that are refused come back later and later, up to a minute: each pass costs something."""
    breaker, waits = new_breaker(), []
    for n in range(7):
        trial = breaker.call(MUTE, "sagemaker", "CreateModel", n)
        trial.__enter__()
        if n:
            waits.append(refused(breaker, "late").retry_after_s)
        error = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer")
        assert not trial.__exit__(type(error), error, None), "it raises on"
    assert waits == [TURN_S, 2 * TURN_S, 4 * TURN_S, 8 * TURN_S, TURN_CAP_S, TURN_CAP_S]


def test_a_healthy_target_takes_calls_side_by_side() -> None:
    """Nothing is limited before somebody got no answer."""
    breaker = new_breaker()
    with breaker.call(WELL, "sagemaker", "CreateModel", "a"), breaker.call(WELL, "sagemaker", "CreateModel", "b"):
        call(breaker, "c", target=WELL)


def test_who_got_no_answer_is_not_the_trial_of_the_others() -> None:
    """It may be the cause: its request may be what a firewall swallows. The trial goes to another caller."""
    breaker = new_breaker()
    fail(breaker, "ReadTimeout", "hanging")
    with breaker.call(MUTE, "sagemaker", "CreateModel", "hanging"):
        call(breaker, "good")
        call(breaker, "another")


def test_callers_without_an_answer_hold_one_worker_together() -> None:
    """Five objects with big requests would hold all workers."""
    breaker = new_breaker()
    for caller in ("x", "y"):
        fail(breaker, "ReadTimeout", caller)
    with breaker.call(MUTE, "sagemaker", "CreateModel", "x"):
        refused(breaker, "y")


def test_an_answer_to_a_silent_caller_ends_the_silence_of_all() -> None:
    """The region was down, and is back: nobody waits longer than that."""
    breaker = new_breaker()
    for caller in ("x", "y", "z"):
        fail(breaker, "ReadTimeout", caller)
    call(breaker, "x")
    with breaker.call(MUTE, "sagemaker", "CreateModel", "y"):
        call(breaker, "z")


@pytest.mark.parametrize("operation", ["ListTrainingJobs", "DescribeTrainingJob", "Search"])
def test_reads_go_on_while_a_create_hangs(operation: str) -> None:
    """What runs already is shown, whatever cannot be created."""
    breaker = new_breaker()
    for n in range(3):
        fail(breaker, "ReadTimeout", n)
    with breaker.call(MUTE, "sagemaker", "CreateModel", "trial"), breaker.call(MUTE, "sagemaker", operation, "a"):
        call(breaker, "b", operation)


def test_services_of_one_region_are_told_apart() -> None:
    """A queue that does not answer says nothing about SageMaker."""
    breaker = new_breaker()
    fail(breaker, "ReadTimeout")
    trial = breaker.call(MUTE, "sagemaker", "CreateModel", "b")
    with trial, breaker.call(MUTE, "application-autoscaling", "PutScalingPolicy", "c"):
        pass


def test_what_is_remembered_is_bounded() -> None:
    """Objects come and go while a region is down."""
    breaker = new_breaker()
    for n in range(MOST_SILENT + 10):
        fail(breaker, "ReadTimeout", n)
    (state,) = breaker._states.values()
    assert len(state.silent) == MOST_SILENT
    call(breaker, MOST_SILENT + 9)
    assert not breaker._states


class Course:
    """Callers that retry as the worker loop does, in simulated time; `is_hanging` calls end after the time-out."""

    def __init__(self, is_hanging: Callable[[str], bool]) -> None:
        self.breaker = CircuitBreaker(rand=lambda: 0.5)
        self.answered: dict[str, float] = {}
        self.under_way = 0
        self.most_under_way = 0
        self._is_hanging = is_hanging
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = count()

    def start(self, caller: str, at_s: float, operation: str = "CreateModel") -> None:
        """Have `caller` call at this time, and again until it is answered."""

        def come(now: float) -> None:
            context = self.breaker.call(MUTE, "sagemaker", operation, caller)
            try:
                context.__enter__()
            except CallError as error:
                self._at(now + (error.retry_after_s or 0.0), come)
                return
            if not self._is_hanging(caller):
                context.__exit__(None, None, None)
                self.answered[caller] = now
                return
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)

            def end(now: float) -> None:
                self.under_way -= 1
                error = AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer")
                assert not context.__exit__(type(error), error, None), "it raises on"
                self._at(now + 1.5, come)

            self._at(now + READ_TIMEOUT_S, end)

        self._at(at_s, come)

    def run(self, until_s: float) -> None:
        """Let time pass."""
        while self._events and self._events[0][0] < until_s:
            now, _, act = heapq.heappop(self._events)
            act(now)

    def _at(self, time: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), act))


def test_twelve_good_objects_and_the_lists_are_not_blocked_by_a_create_that_never_answers() -> None:
    """They came while it was hanging for the third time, and were held up for 201 s."""
    course = Course(lambda caller: caller == "hanging")
    course.start("hanging", 0.0)
    for n in range(12):
        course.start(f"good-{n}", 40.0 + n * 7)
    for n in range(20):
        course.start(f"list-{n}", n * 5.0, "ListTrainingJobs")
    course.run(300.0)
    assert {n: course.answered[f"good-{n}"] - 40.0 - n * 7 for n in range(12)} == dict.fromkeys(range(12), 0.0)
    assert {n: course.answered[f"list-{n}"] - n * 5.0 for n in range(20)} == dict.fromkeys(range(20), 0.0)


def test_a_mute_region_holds_two_workers_at_most_and_all_come_back_within_a_cap() -> None:
    """After the calls that were under way when it began: one trial, and one of those that know already."""
    is_down = True
    course = Course(lambda _: is_down)
    course.start("first", 0.0)
    for n in range(40):
        course.start(f"job-{n}", 31.0 + n)
    course.run(600.0)
    assert course.most_under_way <= 2
    is_down = False
    course.run(600.0 + READ_TIMEOUT_S + 1.5 * TURN_CAP_S)
    assert len(course.answered) == 41
