"""The revisioned store: its past can be read as it was, until it is compacted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hack.sandbox.kube.store.snapshot import load, save
from hack.sandbox.kube.store.storage import CompactedError, FutureRevisionError, Storage

KEYS = ("a/x", "a/y", "b/x", "b")
OPERATIONS = st.lists(st.tuples(st.sampled_from(("put", "delete")), st.sampled_from(KEYS)), max_size=40)


def written(storage: Storage, key: str) -> None:
    """Store an object that says at which revision it was written."""
    storage.put("things", key, {"metadata": {"name": key}, "written": storage.revision + 1})


def state(storage: Storage) -> dict[str, int]:
    """What there is, by key."""
    return {entry.key: entry.obj["written"] for entry in storage.collection("things").scan()}


def played(operations: list[tuple[str, str]]) -> tuple[Storage, dict[int, dict[str, int]]]:
    """A storage after the operations, and its state after each of them, by revision."""
    storage = Storage()
    states = {storage.revision: {}}
    for operation, key in operations:
        if operation == "put":
            written(storage, key)
        elif storage.get("things", key):
            storage.delete("things", key)
        states[storage.revision] = state(storage)
    return storage, states


@given(OPERATIONS)
def test_every_past_state_can_be_listed_as_it_was(operations: list[tuple[str, str]]) -> None:
    """Pages of one list agree with each other because they are read at one revision."""
    storage, states = played(operations)
    collection = storage.collection("things")

    for revision, expected in states.items():
        seen = list(collection.scan_at(revision))
        assert {entry.key: entry.obj["written"] for entry in seen} == expected
        assert [entry.key for entry in seen] == sorted(expected)


@given(OPERATIONS)
def test_a_state_and_the_changes_since_make_the_current_state(operations: list[tuple[str, str]]) -> None:
    """A watch from the revision of a list misses nothing and repeats nothing."""
    storage, states = played(operations)

    for revision, past in states.items():
        replayed = dict(past)
        for change in storage.collection("things").changes_since(revision):
            if change.type == "DELETED":
                del replayed[change.entry.key]
            else:
                assert (change.type == "MODIFIED") == (change.entry.key in replayed)
                replayed[change.entry.key] = change.entry.obj["written"]
        assert replayed == state(storage)


def test_a_deletion_has_a_revision_of_its_own() -> None:
    """The last state of a deleted object carries the revision of the deletion, so that watches can go on from it."""
    storage = Storage()
    written(storage, "a")

    last = storage.delete("things", "a")

    assert last.revision == storage.revision
    assert last.obj["metadata"]["resourceVersion"] == str(storage.revision)


def test_compacted_history_is_gone_and_the_present_stays() -> None:
    """Reads from before a compaction fail; from its revision on they work."""
    storage = Storage()
    for key in KEYS:
        written(storage, key)
    collection = storage.collection("things")

    storage.compact(storage.revision)

    with pytest.raises(CompactedError):
        collection.changes_since(storage.revision - 1)
    assert collection.changes_since(storage.revision) == []
    assert len(list(collection.scan())) == len(KEYS)


def test_a_revision_that_was_not_written_yet_is_refused() -> None:
    """Whoever asks for the future knows another server."""
    with pytest.raises(FutureRevisionError):
        Storage().require(99)


def test_a_snapshot_brings_objects_and_revision_back(tmp_path) -> None:
    """After a restart from a file, resourceVersions go on where they were; the history does not survive."""
    before = Storage()
    before.put("things", "a/x", {"metadata": {"name": "x", "namespace": "a"}})
    save(before, tmp_path / "state")

    after = Storage()
    load(after, tmp_path / "state")

    assert after.revision == before.revision
    assert after.get("things", "a/x") == before.get("things", "a/x")
    with pytest.raises(CompactedError):
        after.collection("things").changes_since(1)
