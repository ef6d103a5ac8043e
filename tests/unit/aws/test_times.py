"""Times in AWS's answers: read as botocore reads them, without a look-up of the machine's time zone for each."""

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given
from hypothesis import strategies as st

from controller.aws.clients import new_session, time_of


@given(st.one_of(st.integers(-(10**9), 10**11), st.floats(-1e9, 1e11)))
def test_epoch_seconds_are_what_botocore_makes_of_them(value: float) -> None:
    """To the microsecond, with a time zone."""
    assert abs(time_of(value) - parse_timestamp(value)).total_seconds() < 1e-5
    assert time_of(value).tzinfo is not None


@pytest.mark.parametrize("value", ["2026-08-01T10:00:00Z", "Sat, 01 Aug 2026 10:00:00 GMT", "1785578400"])
def test_texts_are_left_to_botocore(value: str) -> None:
    """Query and REST protocols have them."""
    assert time_of(value) == parse_timestamp(value) == datetime(2026, 8, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", ["yesterday", None, [], {}])
def test_what_is_no_time_is_an_error(value: Any) -> None:
    """As before: the call has no readable answer."""
    with pytest.raises(ValueError, match="Invalid timestamp"):
        time_of(value)


def test_sessions_use_it() -> None:
    """The clients of a session parse with it."""
    parser: Any = new_session().get_component("response_parser_factory").create_parser("json")
    assert parser._timestamp_parser is time_of
