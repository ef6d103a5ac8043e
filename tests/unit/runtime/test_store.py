"""The store: identity, replacement, indexes, and what it hands out."""

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from api.meta import JsonObject, ObjectKey
from controller.runtime.cache.store import RejectedObject, Snapshot, Store, Tombstone
from tests.unit.runtime.objects import key, widget


def colours(obj: JsonObject) -> Iterable[str]:
    """None, one or many values; the same one twice for a widget that says so."""
    value: str = obj["metadata"].get("labels", {}).get("colour", "")
    return value.split("+") if value else ()


def painted(name: str, colour: str, version: str = "1", namespace: str = "ns") -> JsonObject:
    return widget(name, version, namespace=namespace, labels={"colour": colour})


@pytest.fixture
def store() -> Store:
    return Store({"colour": colours})


def test_a_transform_comes_before_indexes_and_storage_and_rejects_what_it_fails_on() -> None:
    """As client-go's `SetTransform`; S6 for its failures."""

    def paint(obj: JsonObject) -> None:
        obj["metadata"]["labels"]["colour"] = "red"

    store = Store({"colour": colours}, transform=paint)
    store.upsert(painted("a", "blue"))
    assert store.index_keys("colour", "red") == [ObjectKey("ns", "a")]
    with pytest.raises(RejectedObject, match="transform failed: KeyError"):
        store.upsert(widget("b"))
    assert len(store) == 1


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (widget("a", namespace="ns"), ObjectKey("ns", "a")),
        ({"metadata": {"name": "a"}}, ObjectKey("", "a")),
        ({"metadata": {"name": "a", "namespace": None}}, ObjectKey("", "a")),
    ],
)
def test_key_is_namespace_and_name(store: Store, obj: JsonObject, expected: ObjectKey) -> None:
    """S1: the name alone for cluster-scoped objects."""
    store.upsert(obj)

    assert store.keys() == [expected]


def test_uid_is_not_part_of_the_identity(store: Store) -> None:
    """S1."""
    store.upsert(widget("a", "1", uid="first"))

    change = store.upsert(widget("a", "2", uid="second"))

    assert change.old is not None
    assert (change.old.metadata["uid"], change.new.metadata["uid"]) == ("first", "second")
    assert len(store) == 1


def test_add_and_update_are_one_operation(store: Store) -> None:
    """S2: what was there before is told."""
    assert store.upsert(widget("a", "1")).old is None

    change = store.upsert(widget("a", "2"))

    assert change.old is not None
    assert (change.old.resource_version, change.new.resource_version) == ("1", "2")
    assert store.resource_version(key("a")) == "2"


def test_removing_what_is_missing_does_nothing(store: Store) -> None:
    """S2."""
    assert store.remove(key("a")) is None

    store.upsert(widget("a", "1"))
    removed = store.remove(key("a"))

    assert removed is not None
    assert removed.decode() == widget("a", "1")
    assert (len(store), store.get(key("a")), key("a") in store) == (0, None, False)


def test_unknown_keys_are_none(store: Store) -> None:
    """Absence is a value, not an error."""
    assert store.get(key("a")) is None
    assert store.get_bytes(key("a")) is None
    assert store.snapshot(key("a")) is None
    assert store.resource_version(key("a")) is None


def test_every_reader_gets_a_copy_of_its_own(store: Store) -> None:
    """S7, port: changing what was handed out, or handed in, changes nothing in the store."""
    given = widget("a")
    store.upsert(given)
    given["metadata"]["name"] = "changed"
    for copy in (store.get(key("a")), store.snapshots()[0].decode(), store.by_index("colour", "x")):
        if isinstance(copy, dict):
            copy["metadata"]["name"] = "changed"

    assert store.get(key("a")) == widget("a")


def test_bytes_are_compact_and_without_what_nobody_reads(store: Store) -> None:
    """DESIGN 4.12: no managedFields, no last-applied annotation, no annotations left empty by that."""
    applied = "kubectl.kubernetes.io/last-applied-configuration"
    store.upsert(widget("a", managedFields=[{"manager": "kubectl"}], annotations={applied: "{}"}))
    store.upsert(widget("b", annotations={applied: "{}", "mine": "yes"}))

    assert store.get_bytes(key("a")) == orjson.dumps(widget("a"))
    assert store.get(key("b")) == widget("b", annotations={"mine": "yes"})


def test_replacing_makes_the_given_objects_all_there_is(store: Store) -> None:
    """S3: deleted ones as tombstones with what was last known (I4), the rest in list order, unchanged ones too."""
    for name in ("gone", "same", "changed"):
        store.upsert(painted(name, "red"))

    replaced = store.replace([painted("new", "blue"), painted("changed", "blue", "2"), painted("same", "red")])

    assert [(gone.key, gone.last.decode()) for gone in replaced.deleted] == [(key("gone"), painted("gone", "red"))]
    assert [(c.new.key.name, c.old and c.old.resource_version) for c in replaced.changes()] == [
        ("new", None),
        ("changed", "1"),
        ("same", "1"),
    ]
    assert sorted(store.keys()) == [key("changed"), key("new"), key("same")]
    assert sorted(store.index_keys("colour", "blue")) == [key("changed"), key("new")]
    assert store.index_keys("colour", "red") == [key("same")]


def test_a_replacement_shows_nothing_before_its_commit(store: Store) -> None:
    """S3, R16: a list that is given up leaves the store as it was."""
    store.upsert(widget("a"))

    replacement = store.replacement()
    replacement.add([widget("b")])

    assert store.keys() == [key("a")]
    replacement.commit()
    assert store.keys() == [key("b")]


def test_what_was_added_to_a_replacement_can_be_taken_out(store: Store) -> None:
    """R19: deleted while the list was being streamed."""
    replacement = store.replacement()
    replacement.add([widget("a"), widget("b")])
    replacement.discard(widget("a"))
    replacement.discard(widget("never there"))

    replacement.commit()

    assert store.keys() == [key("b")]


def test_an_unchanged_object_is_the_same_twice(store: Store) -> None:
    """I8: what a relist shows unchanged costs neither bytes nor an encoding."""
    store.upsert(widget("a", "1"))

    (change,) = store.replace([widget("a", "1")]).changes()

    assert change.old is change.new


def test_of_two_objects_with_one_key_the_last_counts(store: Store) -> None:
    """A list in pages may tell an object twice."""
    store.replace([painted("a", "red", "1"), painted("a", "blue", "2")])

    assert store.resource_version(key("a")) == "2"
    assert store.index_values("colour") == ["blue"]


def test_replacing_one_namespace_leaves_the_others(store: Store) -> None:
    """Informers of several namespaces share a store."""
    store.upsert(painted("a", "red", namespace="one"))
    store.upsert(painted("a", "red", namespace="two"))

    replacement = store.replacement("two")
    replacement.add([painted("b", "red", namespace="two")])
    replaced = replacement.commit()

    assert [gone.key for gone in replaced.deleted] == [ObjectKey("two", "a")]
    assert [change.new.key for change in replaced.changes()] == [ObjectKey("two", "b")]
    assert sorted(store.keys()) == [ObjectKey("one", "a"), ObjectKey("two", "b")]
    assert store.keys("one") == [ObjectKey("one", "a")]
    assert [obj.key for obj in store.snapshots("two")] == [ObjectKey("two", "b")]
    assert sorted(store.index_keys("colour", "red")) == [ObjectKey("one", "a"), ObjectKey("two", "b")]


def test_index_follows_the_object(store: Store) -> None:
    """S4: none, one or many values; each object once; values without objects are gone."""
    store.upsert(painted("a", "red+blue+red"))
    store.upsert(painted("b", "red"))
    store.upsert(widget("c"))
    assert sorted(store.index_keys("colour", "red")) == [key("a"), key("b")]
    assert sorted(store.index_values("colour")) == ["blue", "red"]

    store.upsert(painted("a", "green", "2"))
    assert [obj["metadata"]["name"] for obj in store.by_index("colour", "green")] == ["a"]
    assert sorted(store.index_values("colour")) == ["green", "red"]

    store.remove(key("b"))
    store.upsert(widget("a", "3"))
    assert store.index_values("colour") == []
    assert store.by_index("colour", "red") == []


@pytest.mark.parametrize("ask", [Store.by_index, Store.index_keys])
def test_asking_for_an_unknown_index_is_an_error(store: Store, ask: object) -> None:
    """S5."""
    assert callable(ask)
    with pytest.raises(KeyError):
        ask(store, "size", "big")


def test_an_object_that_an_index_fails_on_is_rejected() -> None:
    """S6, port: loudly, the store unchanged, the object's content not quoted."""

    def brittle(obj: JsonObject) -> Iterable[str]:
        return ["x"] if obj["metadata"]["name"] != "bad" else [str(1 / 0)]

    store = Store({"colour": colours, "brittle": brittle})
    store.upsert(widget("a"))

    with pytest.raises(RejectedObject, match="ns/bad: index 'brittle' failed: ZeroDivisionError") as rejected:
        store.upsert(painted("bad", "red"))

    assert rejected.value.key == key("bad")
    assert store.keys() == [key("a")]
    assert store.index_keys("colour", "red") == []


@pytest.mark.parametrize("obj", [{}, {"metadata": None}, {"metadata": {}}, {"metadata": "x"}])
def test_an_object_without_a_name_is_rejected(store: Store, obj: JsonObject) -> None:
    """S6."""
    with pytest.raises(RejectedObject):
        store.upsert(obj)


def test_a_replacement_keeps_the_last_good_version_of_a_bad_object() -> None:
    """S6: a bad object hurts nobody else, and is not taken for deleted."""
    store = Store({"shape": lambda obj: [obj["metadata"].get("labels", {"shape": ""})["shape"]]})
    store.upsert(widget("bad", "1"))

    replaced = store.replace([widget("good"), painted("bad", "red", "2"), painted("bad too", "red"), {}])

    assert [rejected.key for rejected in replaced.rejected] == [key("bad"), key("bad too"), None]
    assert replaced.deleted == []
    assert sorted(store.keys()) == [key("bad"), key("good")]
    assert store.resource_version(key("bad")) == "1"


def test_the_final_state_of_an_object_is_told_also_if_it_was_unknown(store: Store) -> None:
    """I4: a watched deletion carries it."""
    store.upsert(widget("a", "1"))

    known, unknown = store.remove_as(widget("a", "2")), store.remove_as(widget("b", "3"))

    assert (known.decode(), unknown.decode()) == (widget("a", "2"), widget("b", "3"))
    assert len(store) == 0


def test_a_snapshot_shows_its_metadata() -> None:
    """Routing needs no decoding of its own."""
    snapshot = Store().upsert(widget("a", "7", generation=3)).new

    assert isinstance(snapshot, Snapshot)
    assert (snapshot.key, snapshot.resource_version, snapshot.metadata["generation"]) == (key("a"), "7", 3)
    assert repr(snapshot) == "Snapshot(ns/a, '7')"
    assert Tombstone(key("a"), snapshot).last is snapshot


def test_readers_never_see_a_mixture(store: Store) -> None:
    """S3, S4 with real threads: objects and index are those of one content."""
    generations = [[painted(f"{colour}-{n}", colour, colour) for n in range(50)] for colour in ("red", "blue")]
    store.replace(generations[0])
    ended = threading.Event()

    def read() -> int:
        reads = 0
        while not ended.is_set() or reads < 20:
            reads += 1
            keys = store.keys()
            names = {key.name.split("-")[0] for key in keys}
            assert len(names) == 1
            for colour in ("red", "blue"):
                assert len(store.by_index("colour", colour)) in (0, 50)
        return reads

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in range(60):
            store.replace(generations[number % 2])
        ended.set()
        assert all(reader.result(30) >= 20 for reader in readers)
