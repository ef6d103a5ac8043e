"""The form of a line: the guide's, with Go's times, and a colour for each instance on a terminal."""

import json

from hypothesis import given
from hypothesis import strategies as st

from controller.smlogs.events import LogEvent
from controller.smlogs.printing.lines import JsonLines, Lines, go_time
from controller.smlogs.printing.output import wants_colours
from tests.tables import each_row
from tests.unit.smlogs.fakes import Terminal, event

GUIDE = LogEvent("xgboost-mnist/algo-1-1574293123", "1", 1574293524700, "Arguments: train")


@each_row(
    ("time_ms", "text"),
    [
        (1574293524700, "2019-11-20 23:45:24.7 +0000 UTC"),
        (1574293524070, "2019-11-20 23:45:24.07 +0000 UTC"),
        (1574293524007, "2019-11-20 23:45:24.007 +0000 UTC"),
        (1574293524000, "2019-11-20 23:45:24 +0000 UTC"),
        (1574293524123, "2019-11-20 23:45:24.123 +0000 UTC"),
        (0, "1970-01-01 00:00:00 +0000 UTC"),
    ],
)
def test_times_are_written_as_go_does(time_ms: int, text: str) -> None:
    """Go's `Time.String`: a fraction without trailing zeros, or none."""
    assert go_time(time_ms) == text


@each_row(
    ("lines", "text"),
    [
        (Lines(), "xgboost-mnist/algo-1-1574293123 2019-11-20 23:45:24.7 +0000 UTC Arguments: train\n"),
        (Lines(hide_stream=True), "2019-11-20 23:45:24.7 +0000 UTC Arguments: train\n"),
        (Lines(timestamps=False), "xgboost-mnist/algo-1-1574293123 Arguments: train\n"),
        (Lines(hide_stream=True, timestamps=False, is_coloured=True), "Arguments: train\n"),
        (
            Lines(timestamps=False, is_coloured=True),
            "\x1b[36mxgboost-mnist/algo-1-1574293123\x1b[0m Arguments: train\n",
        ),
    ],
)
def test_a_line_is_stream_time_and_message(lines: Lines, text: str) -> None:
    """Guide F-3e, B-28."""
    assert lines.text(GUIDE) == text


def test_a_message_ends_with_one_newline() -> None:
    """Some containers write it, some do not; newlines within a message stay."""
    lines = Lines(hide_stream=True, timestamps=False)
    assert [lines.text(event(1, text)) for text in ("a\n", "a", "a\nb", "a\n\n")] == ["a\n", "a\n", "a\nb\n", "a\n\n"]


def test_each_instance_keeps_its_colour() -> None:
    """So that the eye can follow one of them."""
    lines = Lines(timestamps=False, is_coloured=True)
    texts = [lines.text(event(1, "x", stream)) for stream in ("job/algo-1", "job/algo-2", "job/algo-1")]
    assert texts[0] == texts[2]
    assert texts[0].replace("algo-1", "algo-2") != texts[1]


@each_row(
    ("environment", "wanted"),
    [
        ({"TERM": "xterm"}, True),
        ({}, True),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_terminals_get_colours_unless_somebody_minds(environment: dict[str, str], wanted: bool) -> None:
    """no-color.org: NO_COLOR, when not empty, regardless of its value."""
    assert wants_colours(Terminal(), environment) is wanted


def test_programs_get_an_object_a_line() -> None:
    """`-o json`: always with stream and time, whatever the message holds; RFC 3339 with milliseconds."""
    text = JsonLines().text(LogEvent("job/algo-1", "1", 1_700_000_000_120, 'a "b"\nc ü\n'))
    assert text.count("\n") == 1
    assert json.loads(text) == {"stream": "job/algo-1", "time": "2023-11-14T22:13:20.120Z", "message": 'a "b"\nc ü'}


@given(message=st.text(), time_ms=st.integers(0, 4_000_000_000_000))
def test_any_message_is_one_line_of_json(message: str, time_ms: int) -> None:
    """So that a reader splits at line ends."""
    text = JsonLines().text(LogEvent("s", "1", time_ms, message))
    assert (text.count("\n"), json.loads(text)["message"]) == (1, message.removesuffix("\n"))
