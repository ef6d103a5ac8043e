"""How many objects fit into a megabyte of the store: counted by allocations, which no load of the machine changes."""

import random
import tracemalloc
from collections.abc import Iterator

import orjson
import pytest

from api.meta import JsonObject
from controller.runtime.cache.store import Store
from hack.bench.runtime import training_job

OBJECTS = 300
LEAST_PER_MB = 1_000
"""1 kB an object, with its key and the entries of two indexes. Its JSON has 2.6 kB, and decoded it takes 12."""
SHARED = 600
"""Objects that are there before: what all of them share, such as the compressor and its dictionary, is not counted."""
MOST_IN_HAND = 40_000
"""Bytes of the last object, which is still in hand."""


def by_state(obj: JsonObject) -> list[str]:
    return [obj["status"]["trainingJobStatus"]]


def by_job(obj: JsonObject) -> list[str]:
    return [obj["status"]["sageMakerTrainingJobName"]]


@pytest.fixture
def store() -> Store:
    store = Store({"state": by_state, "job": by_job})
    rng = random.Random(1)
    for number in range(SHARED):
        store.upsert(orjson.loads(training_job(rng, number, number)))
    return store


@pytest.fixture
def objects() -> list[bytes]:
    rng = random.Random(2)
    return [training_job(rng, SHARED + number, SHARED + number) for number in range(OBJECTS)]


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def growth(store: Store, objects: list[bytes]) -> int:
    """Return the bytes that these objects add to the store."""
    before, _ = tracemalloc.get_traced_memory()
    for each in objects:
        store.upsert(orjson.loads(each))
    after, _ = tracemalloc.get_traced_memory()
    return after - before


@pytest.mark.usefixtures("_traced")
def test_a_megabyte_of_the_store_holds_hundreds_of_training_jobs(store: Store, objects: list[bytes]) -> None:
    """A change of each takes the place of what was stored."""
    assert OBJECTS * 2**20 / growth(store, objects) >= LEAST_PER_MB
    assert growth(store, objects) <= MOST_IN_HAND
