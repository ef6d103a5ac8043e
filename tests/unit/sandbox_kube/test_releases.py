"""The releases of Kubernetes that the server imitates, where recordings show no difference.

Source of 1.37: apimachinery pkg/api/validation/objectmeta.go, apiserver pkg/endpoints/handlers/patch.go,
apiextensions-apiserver pkg/registry/customresourcedefinition/strategy.go.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from hack.sandbox.kube.crd.definition_rules import crd_warnings
from hack.sandbox.kube.patch import server_side_apply
from hack.sandbox.kube.resources import object_meta
from hack.sandbox.kube.wire.release import NEWEST, RELEASES, V1_36, V1_37, Release, imitate, imitated
from tests.tables import each_row
from tests.unit.sandbox_kube.schemas import WIDGET

OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"}
LIST = "x-kubernetes-list-type"


@pytest.fixture(params=RELEASES.values(), ids=lambda each: each.name)
def release(request: pytest.FixtureRequest) -> Iterator[Release]:
    """Each release in turn, of this thread."""
    imitate(request.param)
    yield request.param
    imitate(NEWEST)


@each_row(
    ("changes", "of_1_36", "of_1_37"),
    [
        ({}, [], []),
        (
            {"apiVersion": ""},
            ['metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty'],
            ["metadata.ownerReferences[1].apiVersion: Required value: must not be empty"],
        ),
        (
            {"apiVersion": "a/b/c"},
            ['metadata.ownerReferences.apiVersion: Invalid value: "a/b/c": version must not be empty'],
            ['metadata.ownerReferences[1].apiVersion: Invalid value: "a/b/c": must be <group>/<version> or <version>'],
        ),
        (
            {"kind": "", "uid": ""},
            [f'metadata.ownerReferences.{each}: Invalid value: "": must not be empty' for each in ("kind", "uid")],
            [f"metadata.ownerReferences[1].{each}: Required value: must not be empty" for each in ("kind", "uid")],
        ),
    ],
)
def test_owner_references_have_their_fields(
    changes: dict[str, str], of_1_36: list[str], of_1_37: list[str], release: Release
) -> None:
    """1.37 says in which one a field lacks."""
    meta = {"name": "x", "ownerReferences": [OWNER, {**OWNER, **changes}]}
    causes = [f"{each.field}: {each.message}" for each in object_meta.validate_new(meta, namespaced=False)]

    assert causes == (of_1_36 if release is V1_36 else of_1_37)


@each_row(
    ("first", "then", "of_1_36", "of_1_37"),
    [
        ({"settings": {"mode": "a"}}, {"settings": {}}, {"settings": {}}, {"settings": None}),
        (
            {"settings": {"deep": {"a": 1}}},
            {"settings": {"deep": {}}},
            *[{"settings": {"deep": each}} for each in ({}, None)],
        ),
        ({"settings": {"mode": "a"}, "size": "s"}, {"size": "s"}, {"size": "s"}, {"size": "s"}),
        ({"tags": ["a", "b"]}, {"tags": ["b"]}, {"tags": ["b"]}, {"tags": ["b"]}),
    ],
)
def test_what_an_apply_empties_is_null_since_1_37(
    first: dict[str, Any], then: dict[str, Any], of_1_36: dict[str, Any], of_1_37: dict[str, Any], release: Release
) -> None:
    """So it may be refused, where the schema wants an object or a list (structured-merge-diff typed/remove.go)."""
    body = {"apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": "a"}}
    live = None
    for spec in (first, then):
        live = server_side_apply(
            live, {**body, "spec": spec}, "me", False, WIDGET, "example.dev/v1", "", "2024-01-02T03:04:05Z"
        )

    assert live is not None
    assert live["spec"] == (of_1_36 if release is V1_36 else of_1_37)


def test_sets_of_objects_are_warned_of_since_1_37(release: Release) -> None:
    """Once for each type, and for new ones only."""

    def crd(*types: str) -> dict[str, Any]:
        lists = {each: {"type": "array", LIST: "set", "items": {"type": each}} for each in types}
        schema = {"type": "object", "properties": {**lists, "again": {"type": "object", "properties": lists}}}
        return {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}

    why = "is not supported by server-side apply or CEL validation rules"
    told = [f'{LIST}: set for items of type "{each}" {why}' for each in ("array", "object")]
    expected = [] if release is V1_36 else told
    assert crd_warnings(crd("string", "object", "array")) == expected
    assert crd_warnings(crd("object", "array"), crd("object")) == expected[:1]


def test_a_release_is_of_one_thread() -> None:
    """Servers of different releases run side by side; the newest is the default."""
    assert imitated() is NEWEST is V1_37
    assert V1_36 < V1_37
    assert V1_37.document()["gitVersion"] == "v1.37.2"
