"""How many objects fit into a megabyte of the store: counted by allocations, which no load of the machine changes."""

import random
import statistics
import tracemalloc
from collections.abc import Iterator

import orjson
import pytest

from api.meta import JsonObject
from controller.runtime.cache.store import Store
from hack.bench.runtime import training_job

OBJECTS = 300
PART = 60
"""Objects that are measured together."""
LEAST_PER_MB = 1_200
"""0.9 kB an object, with its key and the entries of two indexes. Its JSON has 2.6 kB, and decoded it takes 12."""
SHARED = 600
"""Objects that are there before: what all of them share, such as the compressor and its dictionary, is not counted."""
MOST_OF_A_CHANGE = 50
"""Bytes by which an object grows that is changed: none, but for what Python rounds up."""


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
    # Python keeps thousands of tuples that are free, which count as allocated: others may have left some, or none.
    free = [[tuple(range(length)) for _ in range(5_000)] for length in range(1, 10)]
    del free
    tracemalloc.start()
    yield
    tracemalloc.stop()


def growth(store: Store, objects: list[bytes]) -> float:
    """Return the bytes that each of these objects adds to the store.

    The median of some: another thread of the process may allocate meanwhile, such as that of pytest-xdist, which
    receives the numbers of a thousand tests at once.
    """
    grown = []
    for first in range(0, OBJECTS, PART):
        before, _ = tracemalloc.get_traced_memory()
        for each in objects[first : first + PART]:
            store.upsert(orjson.loads(each))
        after, _ = tracemalloc.get_traced_memory()
        grown.append((after - before) / PART)
    return statistics.median(grown)


@pytest.mark.usefixtures("_traced")
def test_a_megabyte_of_the_store_holds_hundreds_of_training_jobs(store: Store, objects: list[bytes]) -> None:
    """A change of each takes the place of what was stored."""
    assert 2**20 / growth(store, objects) >= LEAST_PER_MB
    assert growth(store, objects) <= MOST_OF_A_CHANGE
