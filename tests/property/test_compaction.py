"""What is packed comes out again, whatever was packed before."""

import threading
from concurrent.futures import ThreadPoolExecutor

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.runtime.cache.packing import PLAIN, Compactor
from tests.deadline import PATIENCE_S


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=3000), max_size=80))
def test_every_document_comes_out_as_it_went_in(documents: list[bytes]) -> None:
    """Also those packed before the dictionary was renewed, at the 1st, 8th and 64th document."""
    compactor = Compactor()

    packed = [compactor.pack(document) for document in documents]

    assert [codec.unpack(data) for codec, data in packed] == documents


def job(number: int) -> bytes:
    """A document with as much in common with its like as objects of one kind have."""
    fields = {f"fieldOfTheSchema{name}": f"s3://bucket/prefix/{name}" for name in range(40)}
    return orjson.dumps({"name": f"job-{number}", "uid": f"{number * 7919:032x}", "spec": fields})


def test_like_documents_become_small() -> None:
    """DESIGN 4.12: what they have in common is kept once."""
    compactor = Compactor()
    documents = [job(number) for number in range(100)]

    packed = [compactor.pack(document)[1] for document in documents]

    assert sum(map(len, packed)) * 10 < sum(map(len, documents))


def test_a_first_document_unlike_the_rest_does_not_spoil_them() -> None:
    """The dictionary is renewed from those that came later."""
    compactor = Compactor()
    compactor.pack(b"nothing in common")

    packed = [compactor.pack(job(number))[1] for number in range(20)]

    assert len(packed[-1]) * 10 < len(job(0))


def test_documents_larger_than_the_window_are_packed_too() -> None:
    """A spec may hold anything up to the API server's limit."""
    compactor = Compactor()
    large = orjson.dumps([f"{number * 104729:x}" for number in range(50_000)])
    compactor.pack(large)

    codec, packed = compactor.pack(large)

    assert codec.unpack(packed) == large


def test_threads_can_pack_side_by_side() -> None:
    """Each document with the dictionary that is told for it."""
    compactor, start = Compactor(), threading.Barrier(4)

    def pack(first: int) -> list[bool]:
        start.wait(PATIENCE_S)
        numbers = range(first, first + 200)
        packed = [compactor.pack(job(number)) for number in numbers]
        return [codec.unpack(data) == job(number) for number, (codec, data) in zip(numbers, packed, strict=True)]

    with ThreadPoolExecutor(4) as pool:
        assert all(all(result) for result in pool.map(pack, range(0, 4000, 1000)))


def test_plain_documents_stay_as_they_are() -> None:
    """For what is used once."""
    assert PLAIN.unpack(b"as it is") == b"as it is"
