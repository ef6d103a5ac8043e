"""Lists whose pages are shorter than what the caller asks for, as AWS's API allows."""

from typing import Any

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.test_faults import control
from tests.unit.sandbox_aws.test_hostile_account import pages


def test_a_page_holds_no_more_than_the_account_allows(aws: RunningServer, sagemaker: Any) -> None:
    """However many are asked for; where fewer are, the caller decides. All are listed, each once."""
    aws.past.add(25, until=aws.clock.now())
    aws.lists.set(longest_page=10)
    long, short, unspecified = (
        list(pages(sagemaker, **asked)) for asked in ({"MaxResults": 100}, {"MaxResults": 5}, {})
    )
    assert [len(page) for page in long] == [len(page) for page in unspecified] == [10, 10, 5]
    assert [len(page) for page in short] == [5] * 5
    assert len({name for page in long for name in page}) == 25


def test_a_page_of_nothing_is_refused(aws: RunningServer) -> None:
    """It could never be followed by another one."""
    assert control(aws, "POST", "lists", {"longest_page": 0})[0] == 400
