"""Pruning, null handling and defaults follow pkg/apiserver/schema/{pruning,defaulting} of apiextensions-apiserver."""

import copy
from typing import Any

import pytest

from hack.sandbox.kube.schema.defaulting import apply_defaults, prune
from tests.unit.sandbox_kube.schemas import WIDGET, object_with, widget


class TestPrune:
    """Fields that the schema does not know go, and are named."""

    @pytest.mark.parametrize(
        ("spec", "unknown"),
        [
            pytest.param({}, [], id="nothing unknown"),
            pytest.param({"colour": "red"}, ["spec.colour"], id="a field"),
            pytest.param({"template": {"tag": "b"}, "aaa": 1}, ["spec.aaa", "spec.template.tag"], id="two, sorted"),
            pytest.param({"parts": [{"name": "a", "weight": 1}]}, ["spec.parts[0].weight"], id="in a list"),
            pytest.param({"tags": {"a": "b"}}, ["spec.tags.a"], id="in an object where a list belongs"),
            pytest.param({"settings": {"any": {"thing": [1]}}}, [], id="below preserve-unknown-fields"),
            pytest.param({"labels": {"any": "key"}}, [], id="additionalProperties"),
        ],
    )
    def test_unknown_fields_are_removed_and_named(self, spec: dict[str, Any], unknown: list[str]) -> None:
        """The paths are those of strict validation and of warnings."""
        obj = widget(**spec)

        assert prune(WIDGET, obj) == unknown
        assert prune(WIDGET, obj) == []

    def test_metadata_of_the_resource_is_left_alone(self) -> None:
        """apiVersion, kind and metadata are implied; at other places they are fields like any other."""
        obj = {**widget(), "extra": 1, "spec": {"size": "small", "kind": "x"}}
        obj["metadata"]["anything"] = 1

        assert prune(WIDGET, obj) == ["extra", "spec.kind"]
        assert obj["metadata"] == {"name": "w", "anything": 1}

    def test_specified_fields_below_preserve_unknown_fields_are_pruned(self) -> None:
        """x-kubernetes-preserve-unknown-fields holds for one level; known fields have rules of their own."""
        inner = object_with("known", {"type": "string"})
        schema = object_with("free", {**object_with("fixed", inner), "x-kubernetes-preserve-unknown-fields": True})
        obj = {"free": {"other": {"a": 1}, "fixed": {"known": "x", "unknown": 1}}}

        assert prune(schema, obj) == ["free.fixed.unknown"]
        assert obj == {"free": {"other": {"a": 1}, "fixed": {"known": "x"}}}

    def test_an_embedded_resource_keeps_its_type_and_metadata(self) -> None:
        """x-kubernetes-embedded-resource implies what the root implies."""
        embedded = {**object_with("spec", {"type": "object"}), "x-kubernetes-embedded-resource": True}
        obj = {"pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "other": 1}}

        assert prune(object_with("pod", embedded), obj) == ["pod.other"]

    @pytest.mark.parametrize(
        ("field", "kept"),
        [
            pytest.param("enabled", False, id="not nullable: dropped"),
            pytest.param("note", True, id="nullable: kept"),
            pytest.param("color", True, id="not nullable but defaulted: kept for the default to replace"),
        ],
    )
    def test_nulls_that_are_not_allowed_are_dropped(self, field: str, kept: bool) -> None:
        """A null stands for `not set` unless the schema says that it is a value."""
        obj = widget(**{field: None})

        prune(WIDGET, obj)

        assert (field in obj["spec"]) is kept


class TestDefaults:
    """Missing fields of objects that are there get their defaults."""

    @pytest.mark.parametrize(
        ("spec", "field", "value"),
        [
            pytest.param({}, "color", "blue", id="a missing field"),
            pytest.param({"color": None}, "color", "blue", id="a null that is not allowed"),
            pytest.param({"color": "red"}, "color", "red", id="a field that is set"),
            pytest.param({"template": {}}, "template", {"image": "busybox"}, id="nested, but parents are not invented"),
            pytest.param(
                {"template": {"limits": {}}},
                "template",
                {"image": "busybox", "limits": {"cpu": "100m"}},
                id="nested twice",
            ),
            pytest.param({"parts": [{"name": "a"}]}, "parts", [{"name": "a", "quantity": 1}], id="in list items"),
        ],
    )
    def test_defaults_are_filled_in(self, spec: dict[str, Any], field: str, value: Any) -> None:
        """As a real API server completes a widget."""
        obj = widget(**spec)

        apply_defaults(WIDGET, obj)

        assert obj["spec"][field] == value

    def test_a_default_object_is_completed_and_copied(self) -> None:
        """A default may itself lack fields that have defaults; two objects never share one."""
        inner = {**object_with("a", {"type": "integer", "default": 1}), "default": {}}
        schema = object_with("o", inner)
        one: dict[str, Any] = {}
        other: dict[str, Any] = {}

        apply_defaults(schema, one)
        apply_defaults(schema, other)
        one["o"]["a"] = 5

        assert other == {"o": {"a": 1}}
        assert inner["default"] == {}

    def test_defaults_are_stable(self) -> None:
        """Applying them twice changes nothing."""
        once = widget(template={}, parts=[{"name": "a"}])
        apply_defaults(WIDGET, once)
        twice = copy.deepcopy(once)
        apply_defaults(WIDGET, twice)

        assert once == twice
