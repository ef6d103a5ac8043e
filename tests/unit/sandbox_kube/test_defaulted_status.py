"""Defaults in a status, which a Create drops and a read adds: what is stored decides whether a write changes it."""

import json
from typing import Any

import pytest

from hack.sandbox.kube.http.api import Api
from hack.sandbox.kube.http.messages import Request
from hack.sandbox.kube.server import Sandbox

THINGS = "/apis/example.com/v1/namespaces/default/things"
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "status": {"type": "object", "default": {"n": -1}, "properties": {"n": {"type": "integer"}}}
                        },
                    }
                },
            }
        ],
    },
}
THING = {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}}


class Server:
    """The API server's own code, without sockets."""

    def __init__(self) -> None:
        sandbox = Sandbox()
        self._api = Api(sandbox.registry, sandbox.catalog, sandbox.authorizer)
        self.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD)
        sandbox._crds.sync()

    def call(self, method: str, path: str, body: Any, content: str = "application/json", **query: str) -> Any:
        """The body of an answer."""
        headers = {"accept": "application/json", "content-type": content, "user-agent": "tester"}
        options = {name: [value] for name, value in query.items()}
        answer: Any = self._api.respond(Request(method, path, options, headers, json.dumps(body).encode()))
        return json.loads(answer.encoded())


@pytest.fixture
def server() -> Server:
    """One with a CRD whose status has a default."""
    return Server()


def test_a_dry_run_shows_the_default_as_a_create_does(server: Server) -> None:
    """As measured on 1.37.2."""
    assert server.call("POST", THINGS, THING, dryRun="All")["status"] == {"n": -1}
    assert server.call("POST", THINGS, THING)["status"] == {"n": -1}


def test_the_first_write_after_a_create_stores_the_default_and_the_second_changes_nothing(server: Server) -> None:
    """Even if it says nothing new: clients see another version once. As measured on 1.37.2."""
    nothing = {"metadata": {"finalizers": None}}
    versions = [server.call("POST", THINGS, THING)["metadata"]["resourceVersion"]]
    for _ in range(2):
        patched = server.call("PATCH", f"{THINGS}/a", nothing, "application/merge-patch+json")
        versions.append(patched["metadata"]["resourceVersion"])
    assert versions[0] != versions[1] == versions[2]
