"""managedFields of plain writes, compared with those of kube-apiserver 1.36.2."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hack.sandbox.kube.patch import merge, update_managed_fields
from hack.sandbox.kube.patch.fieldset import decode, encode, path_text, sort_key
from hack.sandbox.kube.patch.managed import ANCIENT, MAX_UPDATERS
from tests.unit.sandbox_kube.schemas import WIDGET, JsonObject, widget

EARLY, LATE = "2024-01-02T03:04:05Z", "2024-01-02T03:04:06Z"


def write(
    live: JsonObject | None, new: JsonObject, manager: str = "editor", now: str = EARLY, subresource: str = ""
) -> JsonObject:
    """`new` written over `live`, with the uid that a stored object has."""
    written = update_managed_fields(live, new, manager, "Update", "example.dev/v1", subresource, WIDGET, now)
    written["metadata"]["uid"] = "1"
    return written


def owned(obj: JsonObject) -> dict[str, Any]:
    """Who owns what."""
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", ())}


class TestFieldSets:
    """The nested form of sets of paths."""

    PATHS = st.frozensets(
        st.lists(
            st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'k:{"n":1,"p":"t"}', 'v:"s"', "v:1", "i:0"]),
            min_size=1,
            max_size=3,
        ).map(tuple),
        max_size=6,
    )

    @given(PATHS)
    def test_encoding_loses_nothing(self, paths: frozenset[tuple[str, ...]]) -> None:
        """FieldsV1 is another form of the same set."""
        assert decode(encode(paths)) == paths

    def test_a_member_with_children_is_marked(self) -> None:
        """A dot says that the element itself is in the set."""
        paths = [("f:a", 'k:{"name":"x"}'), ("f:a", 'k:{"name":"x"}', "f:b")]

        assert encode(paths) == {"f:a": {'k:{"name":"x"}': {".": {}, "f:b": {}}}}

    def test_keys_are_the_same_in_any_order(self) -> None:
        """Clients may write the keys of an item as they like."""
        assert decode({'k:{"p": "t", "n": 1}': {}}) == {('k:{"n":1,"p":"t"}',)}

    @pytest.mark.parametrize("fields", [{"f:a": 1}, {"x:a": {}}, {"k:no json": {}}, []])
    def test_what_is_no_field_set_is_refused(self, fields: Any) -> None:
        """A caller then treats the managedFields as if there were none."""
        with pytest.raises(ValueError, match=r"."):
            decode(fields)

    def test_paths_for_people(self) -> None:
        """As conflicts name them."""
        path = ("f:spec", "f:parts", 'k:{"name":"rim","size":2}', "f:tags", 'v:"a"')

        assert path_text(path) == '.spec.parts[name="rim",size=2].tags[="a"]'

    def test_members_come_before_children(self) -> None:
        """The order in which conflicts are listed."""
        deep, flat = ("f:a", "f:b"), ("f:z",)

        assert sorted([deep, flat], key=sort_key) == [flat, deep]


def test_creation_owns_everything_but_what_the_server_sets() -> None:
    """Containers that come into being are owned themselves: the dot."""
    created = write(None, {**widget(parts=[{"name": "rim"}], settings={"one": 1}), "status": {"phase": "x"}})

    [entry] = created["metadata"]["managedFields"]
    assert {name: value for name, value in entry.items() if name != "fieldsV1"} == {
        "manager": "editor",
        "operation": "Update",
        "apiVersion": "example.dev/v1",
        "time": EARLY,
        "fieldsType": "FieldsV1",
    }
    assert entry["fieldsV1"] == {
        "f:spec": {
            ".": {},
            "f:parts": {".": {}, 'k:{"name":"rim"}': {".": {}, "f:name": {}}},
            "f:settings": {".": {}, "f:one": {}},
            "f:size": {},
        }
    }


def test_a_change_moves_the_changed_fields() -> None:
    """Who changes a field owns it alone from then on."""
    live = write(None, widget(color="red"), "creator")

    changed = write(live, merge(live, {"spec": {"size": "large", "enabled": True}}), "editor", LATE)

    assert owned(changed) == {
        "creator": {"f:spec": {".": {}, "f:color": {}}},
        "editor": {"f:spec": {"f:size": {}, "f:enabled": {}}},
    }


def test_removed_fields_have_no_owner() -> None:
    """An entry without fields goes as well."""
    live = write(None, widget(), "creator")
    live = write(live, merge(live, {"spec": {"color": "red"}}), "editor")

    removed = write(live, merge(live, {"spec": {"color": None}}), "other", LATE)

    assert owned(removed) == {"creator": {"f:spec": {".": {}, "f:size": {}}}}


def test_writing_the_same_changes_nothing() -> None:
    """The time stays too, so that the object keeps its resourceVersion."""
    live = write(None, widget())

    assert write(live, copy.deepcopy(live), now=LATE) == live


def test_status_and_spec_are_owned_through_their_endpoints() -> None:
    """What an endpoint ignores is not owned through it."""
    live = write(None, widget())

    patched = merge(live, {"spec": {"color": "red"}, "status": {"phase": "A"}})

    assert owned(write(live, patched, "c", subresource="status"))["c"] == {"f:status": {".": {}, "f:phase": {}}}
    assert owned(write(live, patched, "c"))["c"] == {"f:spec": {"f:color": {}}}


def test_lists_are_owned_by_item_or_as_a_whole() -> None:
    """By value in sets, by key in map lists, and atomic without a schema."""
    live = write(None, widget(tags=["a"], settings={"l": [1]}), "creator")

    changed = write(live, merge(live, {"spec": {"tags": ["a", "b"], "settings": {"l": [1, 2]}}}), "editor")

    assert owned(changed)["editor"] == {"f:spec": {"f:tags": {'v:"b"': {}}, "f:settings": {"f:l": {}}}}


@pytest.mark.parametrize("sent", [[], [{}]])
def test_an_empty_list_forgets_all_owners(sent: list[JsonObject]) -> None:
    """How clients clean up; a live object without owners is not tracked by updates."""
    live = write(None, widget())
    new = copy.deepcopy(merge(live, {"spec": {"color": "red"}}))
    new["metadata"]["managedFields"] = sent

    assert owned(write(live, new)) == {}


def test_unreadable_owners_count_as_none() -> None:
    """A client cannot break an object by what it sends."""
    live = write(None, widget(), "creator")
    new = copy.deepcopy(merge(live, {"spec": {"color": "red"}}))
    new["metadata"]["managedFields"] = [{"manager": "x", "fieldsType": "Other", "fieldsV1": {}}]

    assert set(owned(write(live, new))) == {"creator", "editor"}


def test_old_updaters_are_joined() -> None:
    """No more than ten are kept apart (capmanagers.go)."""
    live = write(None, widget(), "m00", "2024-01-02T03:04:00Z")
    for number in range(1, MAX_UPDATERS + 3):
        new = merge(live, {"spec": {"settings": {f"k{number}": number}}})
        live = write(live, new, f"m{number:02}", f"2024-01-02T03:04:{number:02}Z")

    owners = owned(live)

    assert len(owners) == MAX_UPDATERS
    assert ANCIENT in owners
    assert "f:size" in owners[ANCIENT]["f:spec"]
    assert "m12" in owners


def test_a_built_in_kind_starts_from_its_struct() -> None:
    """Members of Go structs are there from the start, so nobody owns them as such."""
    spec = {"type": "object", "properties": {"replicas": {"type": "integer"}}, "x-struct": "Spec", "x-absent": "zero"}
    schema = {"type": "object", "properties": {"spec": spec}, "x-struct": "Thing"}
    new = {"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"replicas": 1}}

    created = update_managed_fields(None, new, "m", "Update", "v1", "", schema, EARLY)

    assert owned(created) == {"m": {"f:spec": {"f:replicas": {}}}}
