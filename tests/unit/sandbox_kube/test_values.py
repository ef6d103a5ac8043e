"""What a real API server does with values that are nearly right: measured on kube-apiserver 1.37.2."""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest

from hack.sandbox.kube.server import start
from tests.deadline import PATIENCE_S, eventually

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
THINGS = "/apis/example.dev/v1/namespaces/default/things"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
TYPES = ("array", "object", "string", "integer", "boolean", "number")
BIG = 2**63
FITS, TOO_LARGE, TOO_LARGE_TO_SEND = 1_500_000, 1_600_000, 2_200_000
"""Bytes: of an object that etcd takes, of one that it refuses, and of one that its client does not send."""

Send: TypeAlias = Callable[..., tuple[int, Any]]


def crd(list_type: str) -> dict[str, Any]:
    """A kind with a field of each type, an integer with a rule, and a list."""
    items = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    keys = {"x-kubernetes-list-map-keys": ["name"]} if list_type == "map" else {}
    fields = {
        **{each: {"type": each, **({"items": {"type": "string"}} if each == "array" else {})} for each in TYPES},
        "ruled": {"type": "integer", "x-kubernetes-validations": [{"rule": "self < 10"}]},
        "given": {"type": "integer", "default": 7},
        "items": {"type": "array", "items": items, "x-kubernetes-list-type": list_type, **keys},
    }
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": fields}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.dev"},
        "spec": {
            "group": "example.dev",
            "scope": "Namespaced",
            "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture(scope="module")
def send() -> Iterator[Send]:
    """Sends a request with a body as it is, to a server that has the kind."""
    with start() as server:

        def call(method: str, path: str, body: str = "", content_type: str = "application/json") -> tuple[int, Any]:
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE_S)
            connection.request(method, path, body or None, {"Content-Type": content_type})
            answer = connection.getresponse()
            found = answer.status, json.loads(answer.read() or b"null")
            connection.close()
            return found

        assert call("POST", CRDS, json.dumps(crd("map")))[0] == 201
        eventually(lambda: call("GET", THINGS)[0] == 200, what="the kind is served")
        yield call


def thing(name: str, spec: str) -> str:
    """An object, with a spec as it is."""
    return f'{{"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": {{"name": "{name}"}}, "spec": {spec}}}'


def applied(send: Send, name: str, spec: str, manager: str = "one") -> tuple[int, Any]:
    """`kubectl apply --server-side`."""
    return send("PATCH", f"{THINGS}/{name}?fieldManager={manager}", thing(name, spec), "application/apply-patch+yaml")


@pytest.mark.parametrize("type_", TYPES)
def test_a_null_is_dropped_unless_it_is_applied(type_: str, send: Send) -> None:
    """Server-side apply keeps it, and the field is not nullable. One with a default gets that."""
    code, answer = send("POST", THINGS, thing(f"posted-{type_}", f'{{"{type_}": null}}'))
    assert (code, answer["spec"]) == (201, {"given": 7})

    code, answer = applied(send, f"applied-{type_}", f'{{"{type_}": null}}')
    assert code == 422
    assert f'spec.{type_} in body must be of type {type_}: "null"' in answer["message"]
    assert applied(send, f"given-{type_}", '{"given": null}')[1]["spec"] == {"given": 7}


@pytest.mark.parametrize(
    ("value", "stored"),
    [("1", 1), ("1.0", 1), ("1e3", 1000), (str(BIG - 1), BIG - 1)],
)
def test_a_whole_float_is_stored_as_an_integer(value: str, stored: int, send: Send) -> None:
    """By JSON, and by the YAML of an apply."""
    code, answer = send("POST", THINGS, thing(f"whole-{stored}-{len(value)}", f'{{"integer": {value}}}'))
    assert (code, str(answer["spec"]["integer"])) == (201, str(stored))
    code, answer = applied(send, f"yaml-{stored}-{len(value)}", f'{{"integer": {value}}}')
    assert (code, str(answer["spec"]["integer"])) == (201, str(stored))


@pytest.mark.parametrize("value", ["1.0", "1e0"])
def test_the_rule_of_an_integer_takes_no_float(value: str, send: Send) -> None:
    """It is one until it is stored; YAML makes it an integer before."""
    code, answer = send("POST", THINGS, thing("ruled", f'{{"ruled": {value}}}'))
    assert code == 422
    assert "invalid data, expected int, got float64" in answer["message"]
    assert applied(send, "ruled", f'{{"ruled": {value}}}')[0] in {200, 201}


@pytest.mark.parametrize("value", ["1.5", str(BIG), str(-BIG - 1), str(BIG * 2)])
def test_what_is_no_int64_is_a_number(value: str, send: Send) -> None:
    """Like one with a fraction."""
    code, answer = send("POST", THINGS, thing("big", f'{{"integer": {value}}}'))
    assert code == 422
    assert 'spec.integer in body must be of type integer: "number"' in answer["message"]


def test_numbers_have_a_range(send: Send) -> None:
    """That of a float64."""
    code, answer = send("POST", THINGS, thing("huge", '{"number": 1e400}'))
    assert code == 400
    assert "cannot unmarshal number 1e400 into Go value of type float64" in answer["message"]


@pytest.mark.parametrize(
    ("size", "code", "message"),
    [
        (FITS, 201, ""),
        (TOO_LARGE, 500, "etcdserver: request is too large"),
        (TOO_LARGE_TO_SEND, 500, r"rpc error: .* larger than max \(\d+ vs. 2097152\)"),
    ],
)
def test_objects_have_a_size(size: int, code: int, message: str, send: Send) -> None:
    """That of etcd's requests; the answer has no reason."""
    got, answer = send("POST", THINGS, thing(f"size-{size}", f'{{"string": "{"a" * size}"}}'))
    assert got == code
    assert re.fullmatch(message, answer.get("message", ""))
    assert "reason" not in answer


def test_leases_are_typed(send: Send) -> None:
    """Integers have no fraction, and what a feature gate allows is dropped while that is off."""

    def lease(spec: str) -> tuple[int, Any]:
        head = '"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"generateName": "a"}'
        return send("POST", LEASES, f'{{{head}, "spec": {spec}}}')

    code, answer = lease('{"leaseDurationSeconds": 15.0}')
    assert code == 400
    assert "number 15.0 into Go struct field LeaseSpec.spec.leaseDurationSeconds of type int32" in answer["message"]
    code, answer = lease('{"leaseDurationSeconds": 15, "strategy": "OldestEmulationVersion", "preferredHolder": "a"}')
    assert (code, answer["spec"]) == (201, {"leaseDurationSeconds": 15})


def test_owners_of_items_own_the_list_that_becomes_atomic(send: Send) -> None:
    """Another applier conflicts with them."""
    assert applied(send, "owned", '{"items": [{"name": "a"}]}')[0] == 201
    _, live = send("GET", f"{CRDS}/things.example.dev")
    send("PUT", f"{CRDS}/things.example.dev", json.dumps({**live, "spec": crd("atomic")["spec"]}))
    try:
        code, answer = applied(send, "owned", '{"items": [{"name": "b"}]}', "other")
        assert code == 409
        assert 'conflict with "one": .spec.items' in answer["message"]
        assert applied(send, "owned", '{"items": [{"name": "b"}]}')[0] == 200
    finally:
        _, live = send("GET", f"{CRDS}/things.example.dev")
        send("PUT", f"{CRDS}/things.example.dev", json.dumps({**live, "spec": crd("map")["spec"]}))
