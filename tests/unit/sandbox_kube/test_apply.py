"""Server-side apply, compared with kube-apiserver 1.36.2 over random sequences of writes when it was written."""

import copy
import json
from typing import Any

import pytest

from hack.sandbox.kube.patch import ApplyConflict, PatchError, merge, server_side_apply, update_managed_fields
from hack.sandbox.kube.patch.apply import LAST_APPLIED
from hack.sandbox.kube.patch.shapes import Shape
from hack.sandbox.kube.patch.typed import merge as merge_values
from tests.tables import each_row
from tests.unit.sandbox_kube.schemas import WIDGET, JsonObject

NOW, LATER = "2024-01-02T03:04:05Z", "2024-01-02T03:04:06Z"
RIM = {"name": "rim", "material": "steel"}
SPOKE = {"name": "spoke", "quantity": 32}


def patch(spec: JsonObject | None = None, **members: Any) -> JsonObject:
    """What a manager applies."""
    body: JsonObject = {"apiVersion": "example.dev/v1", "kind": "Widget", "metadata": {"name": "a"}, **members}
    return body if spec is None else {**body, "spec": spec}


def apply(
    live: JsonObject | None,
    body: JsonObject,
    manager: str,
    *,
    force: bool = False,
    subresource: str = "",
    now: str = NOW,
) -> JsonObject:
    """Apply, without what the server does afterwards."""
    return server_side_apply(live, body, manager, force, WIDGET, "example.dev/v1", subresource, now)


def owned(obj: JsonObject) -> dict[str, Any]:
    """Who owns what."""
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", ())}


@pytest.fixture
def live() -> JsonObject:
    """What alice and bob applied."""
    obj = apply(None, patch({"size": "small", "parts": [RIM]}), "alice")
    return apply(obj, patch({"color": "red", "parts": [SPOKE]}), "bob")


def test_apply_creates(live: JsonObject) -> None:
    """Only what was applied is owned, and items of lists by their keys."""
    assert live["spec"] == {"size": "small", "color": "red", "parts": [RIM, SPOKE]}
    assert owned(live) == {
        "alice": {
            "f:spec": {
                "f:size": {},
                "f:parts": {'k:{"name":"rim"}': {".": {}, "f:name": {}, "f:material": {}}},
            }
        },
        "bob": {
            "f:spec": {
                "f:color": {},
                "f:parts": {'k:{"name":"spoke"}': {".": {}, "f:name": {}, "f:quantity": {}}},
            }
        },
    }
    assert {entry["operation"] for entry in live["metadata"]["managedFields"]} == {"Apply"}


def test_the_same_again_changes_nothing(live: JsonObject) -> None:
    """Not even the time."""
    assert apply(live, patch({"color": "red", "parts": [SPOKE]}), "bob", now=LATER) == live


def test_what_is_not_applied_any_more_goes(live: JsonObject) -> None:
    """Fields and items that nobody else owns."""
    result = apply(live, patch({"parts": [RIM]}), "alice")

    assert result["spec"] == {"color": "red", "parts": [RIM, SPOKE]}
    assert apply(result, patch(), "bob")["spec"] == {"parts": [RIM]}


def test_shared_fields_stay_until_the_last_owner_lets_go(live: JsonObject) -> None:
    """Applying the value that a field has is no conflict: it is owned twice."""
    shared = apply(live, patch({"size": "small", "color": "red", "parts": [SPOKE]}), "bob")

    without_alice = apply(shared, patch({"parts": [RIM]}), "alice")
    without_bob = apply(without_alice, patch({"color": "red", "parts": [SPOKE]}), "bob")

    assert without_alice["spec"]["size"] == "small"
    assert "size" not in without_bob["spec"]


def test_a_container_that_held_only_applied_fields_goes() -> None:
    """An object is not left behind empty."""
    live = apply(None, patch({"size": "small", "settings": {"one": {"two": 3}}}), "alice")

    assert apply(live, patch({"size": "small"}), "alice")["spec"] == {"size": "small"}


class TestConflicts:
    """Others own what would change."""

    def test_one_field(self, live: JsonObject) -> None:
        """The text names the manager and the field."""
        with pytest.raises(ApplyConflict) as caught:
            apply(live, patch({"size": "large"}), "bob")

        assert str(caught.value) == 'Apply failed with 1 conflict: conflict with "alice": .spec.size'
        [cause] = caught.value.causes
        assert cause.as_dict() == {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "alice"',
            "field": ".spec.size",
        }

    def test_fields_of_several_managers(self, live: JsonObject) -> None:
        """Grouped by manager."""
        with pytest.raises(ApplyConflict) as caught:
            apply(
                live, patch({"size": "large", "color": "green", "parts": [{"name": "rim", "material": "wood"}]}), "dave"
            )

        assert str(caught.value) == (
            'Apply failed with 3 conflicts: conflicts with "alice":\n- .spec.size\n'
            '- .spec.parts[name="rim"].material\nconflicts with "bob":\n- .spec.color'
        )

    @pytest.mark.parametrize(
        ("subresource", "shown"),
        [("", '"editor" using example.dev/v1'), ("status", '"editor" with subresource "status" using example.dev/v1')],
    )
    def test_an_updater_is_named_with_its_version(self, live: JsonObject, subresource: str, shown: str) -> None:
        """Appliers are the same in every version."""
        name = "status" if subresource else "spec"
        change = {"status": {"phase": "A"}} if subresource else {"spec": {"enabled": True}}
        wanted = {"status": {"phase": "B"}} if subresource else {"spec": {"enabled": False}}
        updated = update_managed_fields(
            live, merge(live, change), "editor", "Update", "example.dev/v1", subresource, WIDGET, NOW
        )

        with pytest.raises(ApplyConflict) as caught:
            apply(updated, patch(**wanted), "alice", subresource=subresource)

        [path] = [f".{name}.{field}" for field in wanted[name]]
        assert str(caught.value) == f"Apply failed with 1 conflict: conflict with {shown}: {path}"

    def test_force_takes_the_fields(self, live: JsonObject) -> None:
        """The other keeps what else it owns."""
        forced = apply(live, patch({"size": "large", "color": "red", "parts": [SPOKE]}), "bob", force=True)

        assert forced["spec"]["size"] == "large"
        assert "f:size" not in owned(forced)["alice"]["f:spec"]
        assert "f:size" in owned(forced)["bob"]["f:spec"]

    def test_objects_from_before_the_first_apply_are_protected(self) -> None:
        """What has no owner is given one."""
        with pytest.raises(ApplyConflict, match="before-first-apply"):
            apply(
                {**patch({"size": "small"}), "metadata": {"name": "a", "uid": "1"}}, patch({"size": "large"}), "alice"
            )

    def test_kubectl_takes_over_what_it_applied_from_the_client(self) -> None:
        """Fields that still have the value of the last-applied annotation are its own (KEP-2155)."""
        last = patch({"size": "small"})
        created = {**last, "metadata": {"name": "a", "annotations": {LAST_APPLIED: json.dumps(last)}}}
        live = update_managed_fields(None, created, "kubectl-client", "Update", "example.dev/v1", "", WIDGET, NOW)
        live["metadata"]["uid"] = "1"

        taken = apply(live, patch({"size": "large"}), "kubectl")

        assert taken["spec"]["size"] == "large"
        assert json.loads(taken["metadata"]["annotations"][LAST_APPLIED])["spec"] == {"size": "large"}
        with pytest.raises(ApplyConflict):
            apply(live, patch({"size": "large"}), "alice")


def test_the_endpoints_own_their_part() -> None:
    """Status is neither changed nor owned through the object, nor the spec through the status."""
    live = apply(None, patch({"size": "small"}, status={"phase": "A"}), "alice")
    status = apply(
        live, patch({"size": "large"}, status={"phase": "B"}), "controller", force=True, subresource="status"
    )

    assert owned(live)["alice"] == {"f:spec": {"f:size": {}}}
    assert owned(status)["controller"] == {"f:status": {"f:phase": {}}}


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ({"colour": "red"}, ".spec.colour: field not declared in schema"),
        ({"parts": "nothing"}, ".spec.parts: expected list, got &{nothing}"),
        ({"parts": [{"name": "x"}, {"name": "x"}]}, '.spec.parts: duplicate entries for key [name="x"]'),
        ({"parts": [1]}, ".spec.parts: element 0: associative list with keys may not have non-map elements"),
        ({"size": 5}, ".spec.size: expected string, got &value.valueUnstructured{Value:5}"),
        ({"replicas": "x"}, ".spec.replicas: expected numeric (int or float), got string"),
        ({"enabled": "x"}, ".spec.enabled: expected boolean, got &{x}"),
        ({"template": [1]}, ".spec.template: expected map, got &{[1]}"),
        (
            {"size": 5, "enabled": 1},
            (
                "errors:\n  .spec.enabled: expected boolean, got &{1}\n"
                "  .spec.size: expected string, got &value.valueUnstructured{Value:5}"
            ),
        ),
    ],
)
def test_a_patch_that_does_not_fit_the_schema(live: JsonObject, spec: JsonObject, problem: str) -> None:
    """An internal error, of all things, with the words of structured-merge-diff."""
    with pytest.raises(PatchError) as caught:
        apply(live, patch(spec), "alice")

    assert caught.value.code == 500
    assert caught.value.message == (f"failed to create typed patch object (/a; example.dev/v1, Kind=Widget): {problem}")


def test_managed_fields_cannot_be_applied(live: JsonObject) -> None:
    """They are the server's."""
    body = patch()
    body["metadata"]["managedFields"] = [{"manager": "x"}]

    with pytest.raises(PatchError, match=r"metadata\.managedFields must be nil"):
        apply(live, body, "alice")


def test_the_result_shares_nothing_with_what_was_passed_in(live: JsonObject) -> None:
    """The server changes it in place afterwards."""
    body = patch({"size": "small", "settings": {"deep": {"a": 1}}, "parts": [RIM]})
    before = copy.deepcopy((live, body))

    result = apply(live, body, "alice")
    result["spec"]["settings"]["deep"]["a"] = 2
    result["spec"]["parts"][1]["quantity"] = 1

    assert (live, body) == before


@each_row(
    ("live_items", "applied", "result"),
    [
        ("abc", "", "abc"),
        ("abc", "x", "abcx"),
        ("abc", "ca", "bca"),
        ("abc", "xb", "axbc"),
        ("abcd", "dxa", "bcdxa"),
        ("", "ba", "ba"),
    ],
)
def test_merged_lists_keep_the_applied_order(live_items: str, applied: str, result: str) -> None:
    """And the live one as far as that allows (KEP-555)."""
    shape = Shape({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"})

    assert "".join(merge_values(list(live_items), list(applied), shape)) == result
