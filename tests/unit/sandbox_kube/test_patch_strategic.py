"""Strategic merge patch on built-in kinds. Orders were compared with those of kube-apiserver 1.36.2."""

import copy
from typing import Any

import pytest

from hack.sandbox.kube.patch import PatchError, strategic
from tests.tables import each_row

CONTAINERS = {
    "type": "array",
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "name",
    "items": {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "image": {"type": "string"},
            "args": {"type": "array", "items": {"type": "string"}},
            "env": {
                "type": "array",
                "x-kubernetes-patch-strategy": "merge",
                "x-kubernetes-patch-merge-key": "name",
                "items": {"type": "object"},
            },
        },
    },
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "finalizers": {"type": "array", "x-kubernetes-patch-strategy": "merge", "items": {"type": "string"}},
        "containers": CONTAINERS,
        "volumes": {
            **CONTAINERS,
            "x-kubernetes-patch-strategy": "merge,retainKeys",
        },
        "plain": {"type": "array", "items": {"type": "object"}},
    },
}
A, B, C = ({"name": name, "image": "1"} for name in "abc")


@each_row(
    ("live", "patch", "result"),
    [
        pytest.param({"labels": {"a": "1"}}, {"labels": {"a": None, "b": "2"}}, {"labels": {"b": "2"}}, id="a map"),
        pytest.param(
            {"labels": {"a": "1"}},
            {"labels": {"$patch": "replace", "b": "2"}},
            {"labels": {"b": "2"}},
            id="replace a map",
        ),
        pytest.param({"labels": {"a": "1"}}, {"labels": {"$patch": "delete"}}, {"labels": {}}, id="delete a map"),
        pytest.param({"plain": [{"a": 1}]}, {"plain": [{"b": 2}]}, {"plain": [{"b": 2}]}, id="a list without strategy"),
        pytest.param(
            {"containers": [A, B]},
            {"containers": [{"name": "b", "image": "2"}]},
            {"containers": [A, {"name": "b", "image": "2"}]},
            id="an item by its key",
        ),
        pytest.param({"containers": [A]}, {"containers": [B]}, {"containers": [B, A]}, id="a new item comes first"),
        pytest.param(
            {"containers": [A, B]},
            {"containers": [{"name": "a", "$patch": "delete"}]},
            {"containers": [B]},
            id="delete",
        ),
        pytest.param(
            {"containers": [A, B]}, {"containers": [C, {"$patch": "replace"}]}, {"containers": [C]}, id="replace a list"
        ),
        pytest.param(
            {"containers": [{**A, "args": ["x"], "env": [{"name": "E", "value": "1"}]}]},
            {"containers": [{"name": "a", "args": ["y"], "env": [{"name": "F", "value": "2"}]}]},
            {
                "containers": [
                    {**A, "args": ["y"], "env": [{"name": "F", "value": "2"}, {"name": "E", "value": "1"}]},
                ]
            },
            id="lists in items have strategies of their own",
        ),
        pytest.param(
            {"containers": [A, B]},
            {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}], "containers": [C]},
            {"containers": [C, A, B]},
            id="the order of the author",
        ),
        pytest.param(
            {"containers": [A, B]},
            {
                "$setElementOrder/containers": [{"name": "c"}, {"name": "b"}],
                "containers": [C, {"name": "b", "$patch": "delete"}],
            },
            {"containers": [A, C]},
            id="a new item takes the place of a deleted one",
        ),
        pytest.param({"finalizers": ["a"]}, {"finalizers": ["b"]}, {"finalizers": ["b", "a"]}, id="a list of scalars"),
        pytest.param({"finalizers": ["a"]}, {"finalizers": ["a"]}, {"finalizers": ["a"]}, id="scalars once"),
        pytest.param(
            {"finalizers": ["a", "b"]},
            {"$deleteFromPrimitiveList/finalizers": ["a"]},
            {"finalizers": ["b"]},
            id="take out",
        ),
        pytest.param(
            {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]},
            {"volumes": [{"name": "v", "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}]},
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            id="retainKeys changes the member of a union",
        ),
        pytest.param({}, {"labels": {"a": None, "b": "1"}}, {"labels": {"b": "1"}}, id="nulls of what is not there"),
        pytest.param(
            {}, {"containers": [A, {"name": "b", "$patch": "delete"}]}, {"containers": [A]}, id="directives go"
        ),
    ],
)
def test_merge(live: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]) -> None:
    """Neither argument is changed."""
    before = copy.deepcopy((live, patch))

    assert strategic(live, patch, SCHEMA) == result
    assert (live, patch) == before


@each_row(
    ("patch", "code", "message"),
    [
        ([1], 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ({"labels": {"$patch": "explode"}}, 500, "unknown patch type: explode in map: map[$patch:explode]"),
        ({"containers": [{"image": "2"}]}, 500, "map: map[image:2] does not contain declared merge key: name"),
        (
            {"containers": [{"name": "a", "$retainKeys": ["name"], "image": "2"}]},
            400,
            "invalid patch format of retainKeys",
        ),
        (
            {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [A, B]},
            500,
            (
                "The order in patch list:\n[map[image:1 name:a] map[image:1 name:b]]\n"
                " doesn't match $setElementOrder list:\n[map[name:b] map[name:a]]\n"
            ),
        ),
    ],
)
def test_patches_that_do_not_fit(patch: Any, code: int, message: str) -> None:
    """With the status and the text of the API server."""
    with pytest.raises(PatchError) as caught:
        strategic({"labels": {"a": "1"}, "containers": [A]}, patch, SCHEMA)

    assert (caught.value.code, caught.value.message) == (code, message)
