"""JSON patch: RFC 6902 in the dialect of evanphx/json-patch v4."""

import copy
from typing import Any

import pytest

from hack.sandbox.kube.patch import PatchError, json_patch
from hack.sandbox.kube.patch.json_patch import MAX_OPERATIONS
from tests.tables import each_row

DOCUMENT: dict[str, Any] = {
    "metadata": {"labels": {"a/b": "1", "t~": "2"}},
    "spec": {"tags": ["x", "y"], "n": 1, "z": None},
}


@each_row(
    ("operation", "path", "expected"),
    [
        pytest.param({"op": "add", "path": "/spec/m", "value": 2}, ("spec", "m"), 2, id="add a member"),
        pytest.param({"op": "add", "path": "/spec/n", "value": 2}, ("spec", "n"), 2, id="add replaces a member"),
        pytest.param(
            {"op": "replace", "path": "/spec/new", "value": 2}, ("spec", "new"), 2, id="replace adds a member"
        ),
        pytest.param(
            {"op": "add", "path": "/spec/tags/-", "value": "z"}, ("spec", "tags"), ["x", "y", "z"], id="append"
        ),
        pytest.param(
            {"op": "add", "path": "/spec/tags/1", "value": "z"}, ("spec", "tags"), ["x", "z", "y"], id="insert"
        ),
        pytest.param(
            {"op": "add", "path": "/spec/tags/-1", "value": "z"}, ("spec", "tags"), ["x", "y", "z"], id="from the end"
        ),
        pytest.param({"op": "remove", "path": "/spec/tags/-1"}, ("spec", "tags"), ["x"], id="remove the last"),
        pytest.param(
            {"op": "replace", "path": "/spec/tags/0", "value": "z"}, ("spec", "tags"), ["z", "y"], id="replace"
        ),
        pytest.param(
            {"op": "replace", "path": "/metadata/labels/a~1b", "value": "3"},
            ("metadata", "labels"),
            {"a/b": "3", "t~": "2"},
            id="an escaped slash",
        ),
        pytest.param(
            {"op": "remove", "path": "/metadata/labels/t~0"},
            ("metadata", "labels"),
            {"a/b": "1"},
            id="an escaped tilde",
        ),
        pytest.param({"op": "move", "from": "/spec/n", "path": "/spec/m"}, ("spec", "m"), 1, id="move"),
        pytest.param({"op": "copy", "from": "/spec/tags", "path": "/spec/m"}, ("spec", "m"), ["x", "y"], id="copy"),
        pytest.param({"op": "test", "path": "/spec/n", "value": 1}, ("spec", "n"), 1, id="test"),
        pytest.param({"op": "test", "path": "/spec/z"}, ("spec", "z"), None, id="a null equals no value"),
    ],
)
def test_an_operation_that_applies(operation: dict[str, Any], path: tuple[str, ...], expected: Any) -> None:
    """The document that was passed in stays as it was."""
    before = copy.deepcopy(DOCUMENT)

    value: Any = json_patch(DOCUMENT, [operation])
    for name in path:
        value = value[name]

    assert value == expected
    assert before == DOCUMENT


@each_row(
    "operation",
    [
        pytest.param({"op": "test", "path": "/spec/n", "value": 2}, id="a failed test"),
        pytest.param({"op": "test", "path": "/spec/n", "value": True}, id="1 is not true"),
        pytest.param({"op": "test", "path": "/spec/nothing", "value": 1}, id="a test of a missing member"),
        pytest.param({"op": "remove", "path": "/spec/nothing"}, id="remove what is not there"),
        pytest.param({"op": "replace", "path": "/nothing/a", "value": 1}, id="replace below what is not there"),
        pytest.param({"op": "add", "path": "/nothing/a", "value": 1}, id="a missing parent"),
        pytest.param({"op": "add", "path": "/spec/tags/9", "value": 1}, id="an index out of range"),
        pytest.param({"op": "add", "path": "/spec/tags/x", "value": 1}, id="no index"),
        pytest.param({"op": "add", "path": "/spec/n/x", "value": 1}, id="a scalar has no members"),
        pytest.param({"op": "frobnicate", "path": "/spec"}, id="an unknown operation"),
        pytest.param({"op": "add", "path": "spec", "value": 1}, id="a path without a slash"),
        pytest.param({"op": "move", "path": "/spec/m"}, id="a move from nowhere"),
        pytest.param({"op": "replace", "path": "", "value": [1]}, id="a document that is no object"),
    ],
)
def test_an_operation_that_does_not_apply_is_unprocessable(operation: dict[str, Any]) -> None:
    """The server does not say why: every failure has the same text."""
    with pytest.raises(PatchError) as caught:
        json_patch(DOCUMENT, [operation])

    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert caught.value.message == "the server rejected our request due to an error in our request"


def test_operations_apply_in_order_or_not_at_all() -> None:
    """A guard at the end undoes everything before it."""
    grow = {"op": "add", "path": "/spec/tags/-", "value": "z"}

    assert json_patch(DOCUMENT, [grow, grow])["spec"]["tags"] == ["x", "y", "z", "z"]
    with pytest.raises(PatchError):
        json_patch(DOCUMENT, [grow, {"op": "test", "path": "/spec/n", "value": 9}])
    assert DOCUMENT["spec"]["tags"] == ["x", "y"]


@pytest.mark.parametrize(
    ("operations", "code"), [({}, 400), ("x", 400), ([1], 400), ([{"op": "test"}] * (MAX_OPERATIONS + 1), 413)]
)
def test_malformed_patches(operations: Any, code: int) -> None:
    """A patch is a list of objects, and not too long."""
    with pytest.raises(PatchError) as caught:
        json_patch(DOCUMENT, operations)

    assert caught.value.code == code
