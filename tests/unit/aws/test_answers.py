"""Bodies of AWS's answers are decoded quickly, and into what botocore makes of them."""

import json
from functools import cache
from typing import Any

import orjson
import pytest
from botocore.parsers import JSONParser, create_parser
from hypothesis import given
from hypothesis import strategies as st

from controller.aws.clients import new_session
from tests.tables import each_row

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@cache
def parsers() -> Any:
    """The parsers of the operator's sessions, by protocol."""
    return new_session(orjson.loads).get_component("response_parser_factory")


@cache
def parser() -> Any:
    """That of SageMaker."""
    return parsers().create_parser("json")


@given(VALUES, st.booleans())
def test_json_is_decoded_as_by_botocore(value: Any, is_ascii: bool) -> None:
    """Numbers and texts of any kind."""
    body = json.dumps(value, ensure_ascii=is_ascii).encode()
    assert parser()._parse_body_as_json(body) == JSONParser()._parse_body_as_json(body)


@each_row("body", [b"", b"<html>", b'{"a": 1', b'{"a": "\\ud800"}', b'{"a": 1, "a": 2}', b'{"a": Infinity}'])
def test_what_is_no_json_is_left_to_botocore(body: bytes) -> None:
    """Its error messages quote what came instead."""
    assert parser()._parse_body_as_json(body) == JSONParser()._parse_body_as_json(body)


@pytest.mark.parametrize("protocol", ["query", "rest-json", "rest-xml"])
def test_other_protocols_have_the_parsers_of_botocore(protocol: str) -> None:
    """STS answers in XML."""
    assert type(parsers().create_parser(protocol)) is type(create_parser(protocol))


def test_one_parser_reads_all_answers() -> None:
    """Each refers to itself: one for each answer would be garbage for the collector."""
    factory = new_session(orjson.loads).get_component("response_parser_factory")
    first = factory.create_parser("json")
    assert factory.create_parser("json") is first
    factory.set_parser_defaults(blob_parser=str)
    assert factory.create_parser("json") is not first
