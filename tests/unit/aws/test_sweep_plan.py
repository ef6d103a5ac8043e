"""How many List pages a sweep is worth: what it costs, beside listing everything and describing everything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.aws.polling.sweep_plan import pages_worth_reading


@pytest.mark.parametrize(
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
