"""JSON merge patch: RFC 7386, as evanphx/json-patch applies it."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hack.sandbox.kube.patch import PatchError, merge
from tests.tables import each_row

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@each_row(
    ("target", "patch", "result"),
    [
        pytest.param({"a": "b"}, {"a": "c"}, {"a": "c"}, id="replace"),
        pytest.param({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}, id="add"),
        pytest.param({"a": "b"}, {"a": None}, {}, id="remove"),
        pytest.param({"a": [1]}, {"a": [2]}, {"a": [2]}, id="a list is replaced"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": 3}}, {"a": {"c": 2, "d": 3}}, id="nested"),
        pytest.param(
            {"a": "b"}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}, id="an object for a scalar, without nulls"
        ),
        pytest.param({}, {"a": [{"b": None}, None]}, {"a": [{}, None]}, id="nulls in lists stay, in their objects not"),
    ],
)
def test_merge(target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    """The appendix of the RFC, and how the API server's library treats nulls."""
    assert merge(target, patch) == result


@given(OBJECTS, OBJECTS)
def test_a_merge_changes_neither_argument_and_is_idempotent(target: dict[str, Any], patch: dict[str, Any]) -> None:
    """Applying a patch twice is applying it once."""
    before = copy.deepcopy((target, patch))

    once = merge(target, patch)

    assert (target, patch) == before
    assert merge(once, patch) == once


@pytest.mark.parametrize(("patch", "kind"), [([1], "array"), ("x", "string"), (True, "bool"), (1, "number")])
def test_a_patch_that_is_no_object_is_a_bad_request(patch: Any, kind: str) -> None:
    """The text is that of Go's decoder."""
    with pytest.raises(PatchError) as caught:
        merge({}, patch)

    assert (caught.value.code, caught.value.reason) == (400, "BadRequest")
    assert caught.value.message == (
        f"error decoding patch: json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    )
