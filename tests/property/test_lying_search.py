"""Whatever Search answers, no change is lost: what it hides shows with the next sweep, what it makes up never shows."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.descriptor import KindDescriptor
from controller.aws.errors import BUDGET_EXHAUSTED, AwsError
from controller.aws.polling.poll_state import SEARCHED_SAFETY_S
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from tests.unit.aws.test_search import POLL_S, Bench

pytestmark = pytest.mark.long

LIVE = 14
BOUND_S = SEARCHED_SAFETY_S + 2 * POLL_S
"""The interval of the safety net, and one poll after it."""
Lie = Callable[[Bench, Page], Page]


def _fails(error_class: ErrorClass, code: str, retry_after_s: float | None = None) -> Lie:
    def fail(bench: Bench, honest: Page) -> Page:
        raise AwsError(error_class, code, "no", retry_after_s=retry_after_s)

    return fail


def _changed(**members: object) -> Lie:
    def change(bench: Bench, honest: Page) -> Page:
        return Page(tuple({**item, **members} for item in honest.items), honest.next_token)

    return change


def _ahead(bench: Bench, honest: Page) -> Page:
    at = bench.clock.utcnow() + timedelta(days=900)
    return _changed(LastModifiedTime=at, TrainingJobStatus="Failed")(bench, honest)


def _foreign(bench: Bench, honest: Page) -> Page:
    created = bench.clock.utcnow() - timedelta(days=9)
    return _changed(LastModifiedTime=bench.clock.utcnow(), CreationTime=created, TrainingJobStatus="Stopped")(
        bench, honest
    )


def _stale(bench: Bench, honest: Page) -> Page:
    items = tuple({**item, "LastModifiedTime": item["CreationTime"]} for item in honest.items)
    return _changed(TrainingJobStatus="InProgress", SecondaryStatus="Starting")(bench, Page(items, honest.next_token))


LIES: dict[str, Lie] = {
    "honest": lambda bench, honest: honest,
    "nothing": lambda bench, honest: Page((), ""),
    "nothing yet": lambda bench, honest: Page((), "more"),
    "every other record": lambda bench, honest: Page(honest.items[::2], honest.next_token),
    "backwards": lambda bench, honest: Page(honest.items[::-1], honest.next_token),
    "in circles": lambda bench, honest: Page(honest.items[:1], "again"),
    "stale": _stale,
    "foreign": _foreign,
    "far ahead": _ahead,
    "ended": _changed(TrainingJobStatus="Completed"),
    "no times": _changed(LastModifiedTime=None, CreationTime="yesterday"),
    "denied": _fails(ErrorClass.DENIED, "AccessDeniedException"),
    "throttled": _fails(ErrorClass.THROTTLED, "ThrottlingException"),
    "no budget": _fails(ErrorClass.THROTTLED, BUDGET_EXHAUSTED, 5.0),
    "refused": _fails(ErrorClass.INVALID, "ValidationException"),
    "broken": _fails(ErrorClass.RETRYABLE, "InternalFailure"),
}


@given(
    lies=st.lists(st.sampled_from(sorted(LIES)), min_size=1, max_size=12),
    waits=st.lists(st.integers(1, 40), min_size=6, max_size=6),
    is_trusted=st.booleans(),
)
def test_no_end_is_lost_and_none_is_made_up(lies: list[str], waits: list[int], is_trusted: bool) -> None:
    """Search lies in turn while jobs end: each end shows within the bound of the safety net, and no other one does."""
    bench = Bench(page_size=5)
    bench.jobs(LIVE)
    bench.run(20)
    if is_trusted:
        bench.earn()
    bench.shown.clear()
    honest, turn = bench.aws.search_page, iter(lies * 1_000)

    def lying(descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        token = next_token if next_token.isdecimal() else ""
        return LIES[next(turn)](bench, honest(descriptor, target, next_token=token))

    bench.aws.search_page = lying  # type: ignore[method-assign]
    ended = {}
    for number, wait_s in enumerate(waits):
        bench.run(wait_s)
        ended[f"job-{number}"] = bench.end(f"job-{number}")
    bench.run(BOUND_S + 1)
    assert bench.shown.keys() == ended.keys()
    late = {name: bench.shown[name] - at for name, at in ended.items() if bench.shown[name] - at > BOUND_S}
    assert late == {}
