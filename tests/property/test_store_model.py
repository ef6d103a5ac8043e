"""The store against plain dictionaries, on random walks."""

# ruff: noqa: D102 (the rules of the machine are named as what happens)

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from api.meta import JsonObject, ObjectKey
from controller.runtime.cache.store import Store

NAMES = st.sampled_from("abcde")
NAMESPACES = st.sampled_from(("one", "two"))
VALUES = st.lists(st.sampled_from(("red", "green", "blue")), max_size=3).map(tuple)
OBJECTS = st.tuples(NAMESPACES, NAMES, VALUES)


def values_of(obj: JsonObject) -> list[str]:
    return list(obj["values"])


class StoreAgainstModel(RuleBasedStateMachine):
    """S1 to S5: after every step, objects and indexes are what the model says; old versions are told truly."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Store({"values": values_of})
        self.model: dict[ObjectKey, JsonObject] = {}
        self.version = 0

    def make(self, namespace: str, name: str, values: tuple[str, ...]) -> tuple[ObjectKey, JsonObject]:
        self.version += 1
        metadata = {"namespace": namespace, "name": name, "resourceVersion": str(self.version)}
        return ObjectKey(namespace, name), {"metadata": metadata, "values": list(values)}

    @rule(drawn=OBJECTS)
    def upsert(self, drawn: tuple[str, str, tuple[str, ...]]) -> None:
        key, obj = self.make(*drawn)
        change = self.store.upsert(obj)
        assert (change.old and change.old.decode()) == self.model.get(key)
        assert change.new.decode() == obj
        self.model[key] = obj

    @rule(namespace=NAMESPACES, name=NAMES)
    def remove(self, namespace: str, name: str) -> None:
        key = ObjectKey(namespace, name)
        removed = self.store.remove(key)
        assert (removed and removed.decode()) == self.model.pop(key, None)

    @rule(drawn=st.lists(OBJECTS, max_size=6), unchanged=st.booleans(), namespace=st.sampled_from(("", "one")))
    def replace(self, drawn: list[tuple[str, str, tuple[str, ...]]], unchanged: bool, namespace: str) -> None:
        def is_in_scope(key: ObjectKey) -> bool:
            return not namespace or key.namespace == namespace

        before = {key: obj for key, obj in self.model.items() if is_in_scope(key)}
        content = dict(before) if unchanged else {}
        content.update(made for made in (self.make(*each) for each in drawn) if is_in_scope(made[0]))
        replacement = self.store.replacement(namespace)
        replacement.add([{**obj, "metadata": dict(obj["metadata"])} for obj in content.values()])
        replaced = replacement.commit()

        gone = {tombstone.key: tombstone.last.decode() for tombstone in replaced.deleted}
        assert gone == {key: obj for key, obj in before.items() if key not in content}
        changes = [(change.old and change.old.decode(), change.new.decode()) for change in replaced.changes()]
        assert changes == [(before.get(key), obj) for key, obj in content.items()]
        self.model = {**{key: obj for key, obj in self.model.items() if not is_in_scope(key)}, **content}

    @invariant()
    def agrees_with_the_model(self) -> None:
        keys = self.store.keys()
        assert dict(zip(keys, map(self.store.get, keys), strict=True)) == self.model
        assert {obj.key: obj.resource_version for obj in self.store.snapshots()} == {
            key: obj["metadata"]["resourceVersion"] for key, obj in self.model.items()
        }

    @invariant()
    def indexes_agree_with_the_model(self) -> None:
        expected: dict[str, set[ObjectKey]] = {}
        for key, obj in self.model.items():
            for value in obj["values"]:
                expected.setdefault(value, set()).add(key)
        assert set(self.store.index_values("values")) == set(expected)
        for value, keys in expected.items():
            found = self.store.index_keys("values", value)
            assert len(found) == len(keys)
            assert set(found) == keys


TestStoreAgainstModel = StoreAgainstModel.TestCase
TestStoreAgainstModel.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
