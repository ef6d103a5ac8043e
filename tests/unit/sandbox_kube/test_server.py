"""What the embedded API server has and a real one lacks: faults on request, request counts, state in a file, tokens."""

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from hack.sandbox.kube.server import RunningServer, start
from tests.deadline import PATIENCE_S

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class Client:
    """One connection, JSON in and out."""

    def __init__(self, url: str, token: str = ""):
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_S)
        self._headers = {"User-Agent": "tester/1", "Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Any = None, content_type: str = "") -> tuple[int, Any]:
        """Status and decoded body."""
        headers = {**self._headers, **({"Content-Type": content_type} if content_type else {})}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")

    def stream(self, path: str) -> http.client.HTTPResponse:
        """An answer to be read as it comes."""
        self._connection.request("GET", path, headers=self._headers)
        return self._connection.getresponse()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """An empty server."""
    with start() as running:
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    """A connection to it."""
    made = Client(server.url)
    yield made
    made.close()


@pytest.fixture
def watcher(server: RunningServer) -> Iterator[Client]:
    """A second connection, for a watch."""
    made = Client(server.url)
    yield made
    made.close()


def config_map(name: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {"metadata": {"name": name}, "data": {"a": "1"}}


def test_a_fresh_server_has_the_namespaces_of_a_fresh_cluster(client: Client) -> None:
    """kube-system has a uid: clients take it for the identity of the cluster."""
    _, found = client.call("GET", "/api/v1/namespaces")

    names = [item["metadata"]["name"] for item in found["items"]]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert all(item["metadata"]["uid"] for item in found["items"])


def test_the_kubeconfig_names_the_server_as_sandbox(server: RunningServer, tmp_path: Path) -> None:
    """Cluster, user and context are called sandbox; the namespace is default."""
    config = yaml.safe_load(server.write_kubeconfig(tmp_path / "config").read_text())

    assert config["clusters"] == [{"name": "sandbox", "cluster": {"server": server.url}}]
    assert config["contexts"][0]["context"] == {"cluster": "sandbox", "user": "sandbox", "namespace": "default"}
    assert config["current-context"] == "sandbox"


def test_requests_fail_on_request_as_often_as_asked(client: Client) -> None:
    """Only those that match, with the Status that a client expects; then everything works again."""
    fault = {"status": 503, "count": 2, "method": "POST", "path": "/configmaps$", "retry_after_s": 1}
    client.call("POST", "/sandbox/faults", {"fail": fault})

    first = client.call("POST", CONFIG_MAPS, config_map("a"))
    unharmed, _ = client.call("GET", CONFIG_MAPS)
    second, _ = client.call("POST", CONFIG_MAPS, config_map("a"))
    third, _ = client.call("POST", CONFIG_MAPS, config_map("a"))

    assert (first[0], first[1]["reason"], first[1]["details"]) == (503, "ServiceUnavailable", {"retryAfterSeconds": 1})
    assert (unharmed, second, third) == (200, 503, 201)


def test_requests_are_counted_by_verb_resource_and_user_agent(client: Client) -> None:
    """The control endpoint itself does not count; DELETE starts from zero."""
    client.call("DELETE", "/sandbox/requests")
    client.call("POST", CONFIG_MAPS, config_map("a"))
    client.call("GET", CONFIG_MAPS)
    client.call("PATCH", f"{CONFIG_MAPS}/a", {"data": {"b": "2"}}, "application/merge-patch+json")

    _, counted = client.call("GET", "/sandbox/requests")

    assert counted["requests"] == [
        {"verb": verb, "resource": "configmaps", "userAgent": "tester/1", "count": 1}
        for verb in ("create", "list", "patch")
    ]


def test_a_dropped_watch_breaks_off(client: Client, watcher: Client) -> None:
    """The connection is cut in the middle of the answer, as a network failure does."""
    stream = watcher.stream(f"{CONFIG_MAPS}?watch=1&resourceVersion=0")
    client.call("POST", CONFIG_MAPS, config_map("a"))
    assert json.loads(stream.readline())["type"] == "ADDED"

    _, done = client.call("POST", "/sandbox/faults", {"drop_watches": True})

    assert done == {"dropped": 1}
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        stream.read()


def test_watch_events_are_repeated_on_request(client: Client, watcher: Client) -> None:
    """A client must survive an event that it has seen."""
    stream = watcher.stream(f"{CONFIG_MAPS}?watch=1&resourceVersion=0")
    client.call("POST", "/sandbox/faults", {"watch": {"repeat": 1, "count": 1}})

    client.call("POST", CONFIG_MAPS, config_map("a"))

    first, second = json.loads(stream.readline()), json.loads(stream.readline())
    assert first == second


def test_a_watch_from_before_a_compaction_is_told_to_list_again(client: Client) -> None:
    """410 Expired comes as an event: the watch itself is answered with 200."""
    _, created = client.call("POST", CONFIG_MAPS, config_map("a"))
    client.call("PATCH", f"{CONFIG_MAPS}/a", {"data": {"b": "2"}}, "application/merge-patch+json")
    client.call("POST", "/sandbox/faults", {"compact": True})

    old = created["metadata"]["resourceVersion"]
    status, event = client.call("GET", f"{CONFIG_MAPS}?watch=1&resourceVersion={old}")

    assert (status, event["type"], event["object"]["code"]) == (200, "ERROR", 410)


def test_a_fault_that_is_not_known_is_refused(client: Client) -> None:
    """A misspelt fault must not let a test pass for the wrong reason."""
    status, _ = client.call("POST", "/sandbox/faults", {"explode": True})
    assert status == 400


def test_state_survives_in_a_file(tmp_path: Path) -> None:
    """Objects, their uids and resourceVersions are the same after a restart from the file."""
    state = tmp_path / "state.json"
    with start(state=state) as first:
        client = Client(first.url)
        _, created = client.call("POST", CONFIG_MAPS, config_map("kept"))
        client.close()

    with start(state=state) as second:
        client = Client(second.url)
        _, found = client.call("GET", f"{CONFIG_MAPS}/kept")
        client.close()

    assert found == created


@pytest.mark.parametrize("is_left", [True, False], ids=["with objects left", "of an emptied collection"])
def test_a_watch_from_before_a_restart_starts_anew(tmp_path: Path, is_left: bool) -> None:
    """History is not in the file: whoever resumes from an older resourceVersion gets 410 rather than a gap."""
    state = tmp_path / "state.json"
    with start(state=state) as first:
        client = Client(first.url)
        _, seen = client.call("POST", CONFIG_MAPS, config_map("seen"))
        if is_left:
            client.call("POST", CONFIG_MAPS, config_map("left"))
        client.call("DELETE", f"{CONFIG_MAPS}/seen")
        client.close()

    with start(state=state) as second:
        client = Client(second.url)
        version = seen["metadata"]["resourceVersion"]
        event = json.loads(
            client.stream(f"{CONFIG_MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=5").readline()
        )
        client.close()

    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_with_rbac_a_service_account_may_do_what_is_bound_to_it() -> None:
    """Without a token a client is the administrator; with one it needs a Role."""
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    with start(rbac=True) as server:
        admin = Client(server.url)
        admin.call("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "op"}})
        rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
        admin.call("POST", f"{rbac}/roles", {"metadata": {"name": "reader"}, "rules": rules})
        subjects = [{"kind": "ServiceAccount", "name": "op", "namespace": "default"}]
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}
        binding = {"metadata": {"name": "op"}, "roleRef": ref, "subjects": subjects}
        admin.call("POST", f"{rbac}/rolebindings", binding)
        bound, stranger = Client(server.url, server.token("default", "op")), Client(server.url, "made-up")

        listed, _ = bound.call("GET", CONFIG_MAPS)
        written, refusal = bound.call("POST", CONFIG_MAPS, config_map("a"))
        unknown, _ = stranger.call("GET", CONFIG_MAPS)
        for each in (admin, bound, stranger):
            each.close()

    assert (listed, written, unknown) == (200, 403, 401)
    assert refusal["message"] == (
        'configmaps is forbidden: User "system:serviceaccount:default:op" cannot create resource "configmaps" in API '
        'group "" in the namespace "default"'
    )


def test_a_create_that_is_a_dry_run_may_have_a_resource_version(client: Client) -> None:
    """It is the storage that refuses one, and a dry run does not get there."""
    copy = {"metadata": {"name": "copy", "resourceVersion": "7"}}

    status, answer = client.call("POST", f"{CONFIG_MAPS}?dryRun=All", copy)
    assert (status, answer["metadata"]["resourceVersion"]) == (201, "7")
    status, answer = client.call("POST", CONFIG_MAPS, copy)
    assert (status, answer["message"]) == (500, "resourceVersion should not be set on objects to be created")


def test_null_in_a_request_for_a_token_is_the_default(client: Client) -> None:
    """Clients in Go send every member."""
    client.call("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "robot"}})
    nothing = {"audiences": None, "expirationSeconds": None, "boundObjectRef": None}

    status, answer = client.call("POST", "/api/v1/namespaces/default/serviceaccounts/robot/token", {"spec": nothing})
    assert (status, answer["spec"]["expirationSeconds"]) == (201, 3600)
