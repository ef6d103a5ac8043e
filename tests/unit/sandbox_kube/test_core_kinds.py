"""Core kinds as in kube-apiserver 1.37.2, where random requests to both have found a difference."""

import json
from typing import Any

import pytest

from hack.sandbox.kube.http.api import Api
from hack.sandbox.kube.http.messages import Request, failure
from hack.sandbox.kube.server import Sandbox
from hack.sandbox.kube.wire.causes import go_fixed, go_float
from hack.sandbox.kube.wire.errors import StatusError
from tests.tables import each_row

NAMESPACED = "namespaces/default"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
JSON, STRATEGIC = "application/json-patch+json", "application/strategic-merge-patch+json"
SECRETS, CONFIG_MAPS = f"/api/v1/{NAMESPACED}/secrets", f"/api/v1/{NAMESPACED}/configmaps"
REPLICA_SETS, DEPLOYMENTS = f"/apis/apps/v1/{NAMESPACED}/replicasets", f"/apis/apps/v1/{NAMESPACED}/deployments"
ROLES = f"/apis/rbac.authorization.k8s.io/v1/{NAMESPACED}/roles"
POLICIES = f"/apis/networking.k8s.io/v1/{NAMESPACED}/networkpolicies"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
BEYOND = 2**63


class Server:
    """The API server's own code, without sockets."""

    def __init__(self) -> None:
        sandbox = Sandbox()
        self._api = Api(sandbox.registry, sandbox.catalog, sandbox.authorizer)

    def call(self, method: str, path: str, body: Any = None, content: str = "application/json", **query: str) -> Any:
        """The body of an answer, a Status where it is refused."""
        accept = query.pop("accept", "application/json")
        headers = {"accept": accept, "content-type": content, "user-agent": "tester"}
        options = {name: [value] for name, value in query.items()}
        request = Request(method, path, options, headers, b"" if body is None else json.dumps(body).encode())
        try:
            answer = self._api.respond(request)
        except StatusError as refused:
            answer = failure(refused)
        decoded: Any = json.loads(answer.encoded())
        return decoded

    def apply(self, path: str, body: Any) -> Any:
        """`kubectl apply --server-side`."""
        return self.call("PATCH", path, body, APPLY, fieldManager="kubectl")


@pytest.fixture
def server() -> Server:
    """One without CRDs."""
    return Server()


def owned(obj: Any) -> Any:
    """The fields of the first owner."""
    return obj["metadata"]["managedFields"][0]["fieldsV1"]


def workload(labels: Any = None) -> Any:
    """What a Deployment and a ReplicaSet have in common."""
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "main", "image": "image:1"}]}}
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
    return {"metadata": {"name": "a", "labels": labels or {"team": "red"}}, "spec": spec}


def test_who_sends_texts_of_a_secret_owns_the_data(server: Server) -> None:
    """But for an apply: it owns what it has sent."""
    sent = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": "x"}}
    made = server.call("POST", SECRETS, sent)
    assert (made["data"], "stringData" in made) == ({"k": "eA=="}, False)
    assert owned(made)["f:data"] == {".": {}, "f:k": {}}
    assert "f:stringData" not in owned(made)
    applied = server.apply(f"{SECRETS}/b", sent | {"metadata": {"name": "b"}})
    assert applied["data"] == {"k": "eA=="}
    assert owned(applied)["f:stringData"] == {"f:k": {}}


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        pytest.param({"kind": -1}, 400, "invalid object type: /v1, Kind=", id="kind"),
        pytest.param({"kind": [None]}, 400, "invalid object type: /v1, Kind=", id="kind, a list"),
        pytest.param({"apiVersion": 5}, 400, "invalid object type: /, Kind=ConfigMap", id="version"),
        pytest.param(
            {"metadata": {"name": 5}},
            500,
            "failed to create typed patch object (/; /v1, Kind=ConfigMap): .metadata.name: expected string, got"
            " &value.valueUnstructured{Value:5}",
            id="name",
        ),
        pytest.param(
            {"metadata": BEYOND},
            500,
            "failed to create typed patch object (/; /v1, Kind=ConfigMap): .metadata: expected map, got"
            " &{9.223372036854776e+18}",
            id="metadata",
        ),
    ],
)
def test_an_apply_of_anything_has_an_answer(server: Server, change: Any, code: int, message: str) -> None:
    """Whatever is in the place of a text or a map; an integer beyond 64 bits is a float there."""
    answer = server.apply(f"{CONFIG_MAPS}/a", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}} | change)
    assert (answer["code"], answer["message"]) == (code, message)


def test_a_replacement_may_leave_out_its_kind_by_null(server: Server) -> None:
    """As one that does not mention it."""
    body = {"apiVersion": None, "kind": None, "metadata": {"name": "a"}, "data": {"k": "x"}}
    assert server.call("POST", CONFIG_MAPS, body)["kind"] == "ConfigMap"


def test_what_is_neither_yaml_nor_json_is_refused_before_it_is_decoded(server: Server) -> None:
    """For the audit log, which has YAML as JSON and takes JSON as it is."""
    answers = [server.apply(f"{CONFIG_MAPS}/a", body)["message"] for body in ({"a": "\U0001d11e"}, "\U0001d11e")]
    assert [each.partition(":")[0] for each in answers] == ["error decoding patch", "error encoding patch"]


@pytest.mark.parametrize(("path", "kept"), [(REPLICA_SETS, "blue"), (DEPLOYMENTS, "red")])
def test_a_write_to_the_status_changes_labels_but_for_those_of_a_deployment(
    server: Server, path: str, kept: str
) -> None:
    """Only the spec is kept by all kinds."""
    server.call("POST", path, workload())
    body = {"metadata": {"labels": {"team": "blue"}}, "spec": {"replicas": 5}, "status": {"replicas": 2}}
    changed = server.call("PATCH", f"{path}/a/status", body, MERGE)
    assert (changed["metadata"]["labels"], changed["status"]["replicas"]) == ({"team": kept}, 2)
    assert changed["spec"]["replicas"] == 1


def test_who_applies_a_status_with_labels_owns_them(server: Server) -> None:
    """Where they are not kept."""
    server.call("POST", REPLICA_SETS, workload())
    body = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"labels": {"team": "blue"}}}
    applied = server.call("PATCH", f"{REPLICA_SETS}/a/status", body, APPLY, fieldManager="one", force="true")
    assert owned(applied) == {"f:metadata": {"f:labels": {"f:team": {}}}}


@pytest.mark.parametrize(("path", "rows"), [(ROLES, None), (CONFIG_MAPS, [])])
def test_a_table_of_nothing_is_null_without_a_printer(server: Server, path: str, rows: Any) -> None:
    """Clients have to bear both."""
    assert server.call("GET", path, accept=TABLE, labelSelector="team=red")["rows"] == rows


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        ({"data": {"k": 5}}, "cannot convert int64 to string"),
        ({"data": {"k": True}}, "unrecognized type: string"),
        ({"data": {"k": 1.5}}, "unrecognized type: string"),
        ({"data": {"k": {}}}, "unrecognized type: string"),
        ({"data": {"k": []}}, "unrecognized type: string"),
        ({"immutable": 5}, "unrecognized type: bool"),
        ({"binaryData": {"k": 5}}, "cannot restore slice from int64"),
        ({"data": "x"}, "cannot restore map from string"),
        ({"metadata": {"finalizers": 5}}, "cannot restore slice from int64"),
    ],
)
def test_a_strategic_patch_is_refused_in_the_words_of_the_converter(server: Server, patch: Any, why: str) -> None:
    """It is applied to objects in memory; a merge patch to their JSON, in the words of its decoder."""
    server.call("POST", CONFIG_MAPS, {"metadata": {"name": "a"}, "data": {"k": "x"}})
    (cause,) = server.call("PATCH", f"{CONFIG_MAPS}/a", patch, STRATEGIC)["details"]["causes"]
    assert cause["message"].endswith(f": {why}")
    (cause,) = server.call("PATCH", f"{CONFIG_MAPS}/a", patch, MERGE)["details"]["causes"]
    assert "json: cannot unmarshal" in cause["message"]


@pytest.mark.parametrize(("wanted", "code"), [(1, None), (1.0, 422)])
def test_a_json_patch_compares_numbers_by_their_text(server: Server, wanted: float, code: int | None) -> None:
    """`test` of 1.0 fails where 1 is stored."""
    server.call("POST", DEPLOYMENTS, workload())
    patch = [{"op": "test", "path": "/spec/replicas", "value": wanted}]
    assert server.call("PATCH", f"{DEPLOYMENTS}/a", patch, JSON).get("code") == code


def test_a_review_is_owned_by_who_asks_and_says_what_it_is_about(server: Server) -> None:
    """Though it is never stored."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    access = {"resourceAttributes": {"verb": "get", "resource": "pods"}}
    made = server.call("POST", path, {"spec": access}, fieldManager="one")
    assert owned(made) == {"f:spec": {"f:resourceAttributes": {".": {}, "f:resource": {}, "f:verb": {}}}}
    both = access | {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}}
    (cause,) = server.call("POST", path, {"spec": both})["details"]["causes"]
    rule = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
    assert cause["field"] == "spec"
    assert cause["message"] == f'Invalid value: {{"Path":"/metrics","Verb":"get"}}: {rule}'


def test_an_applied_event_has_no_times_and_nobody_owns_them(server: Server) -> None:
    """A time that is none is null, for an object that is not there yet as well."""
    path = f"/api/v1/{NAMESPACED}/events"
    about = {"kind": "TrainingJob", "apiVersion": "sagemaker.aws.amazon.com/v1", "name": "a", "namespace": "default"}
    event = {"apiVersion": "v1", "kind": "Event", "involvedObject": about, "reason": "Created", "type": "Normal"}
    members = {"f:involvedObject": {}, "f:reason": {}, "f:type": {}}

    applied = server.apply(f"{path}/a", {**event, "metadata": {"name": "a"}})
    created = server.call("POST", path, {**event, "metadata": {"name": "b"}})

    assert (applied["eventTime"], applied["firstTimestamp"]) == (None, None)
    assert owned(applied) == members
    assert owned(created) == members


@each_row(
    ("spec", "shown"),
    [
        (
            {"minAvailable": 1, "maxUnavailable": 1, "selector": {"matchLabels": {"app": "x"}}},
            '{"MinAvailable":1,"Selector":{"matchLabels":{"app":"x"}},"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}',
        ),
        (
            {"minAvailable": "50%", "maxUnavailable": "10%", "unhealthyPodEvictionPolicy": "AlwaysAllow"},
            '{"MinAvailable":"50%","Selector":null,"MaxUnavailable":"10%","UnhealthyPodEvictionPolicy":"AlwaysAllow"}',
        ),
    ],
)
def test_a_budget_with_both_limits_is_shown_as_the_server_has_it(server: Server, spec: Any, shown: str) -> None:
    """Its own type has no names of JSON; those in it have."""
    budget = {"metadata": {"name": "a"}, "spec": spec}
    (cause,) = server.call("POST", f"/apis/policy/v1/{NAMESPACED}/poddisruptionbudgets", budget)["details"]["causes"]
    assert cause["message"] == f"Invalid value: {shown}: minAvailable and maxUnavailable cannot be both set"


@each_row(
    ("port", "message"),
    [
        ({"name": "http"}, "Required value"),
        ({"containerPort": 0}, "Required value"),
        ({"containerPort": -1}, "Invalid value: -1: must be between 1 and 65535, inclusive"),
        ({"containerPort": 70000}, "Invalid value: 70000: must be between 1 and 65535, inclusive"),
    ],
)
def test_a_port_is_required_and_in_a_range(server: Server, port: Any, message: str) -> None:
    """No port is 0."""
    body = workload()
    body["spec"]["template"]["spec"]["containers"][0]["ports"] = [port]
    (cause,) = server.call("POST", REPLICA_SETS, body)["details"]["causes"]
    assert cause["message"] == message


def test_another_role_of_a_binding_is_checked_as_well(server: Server) -> None:
    """It cannot be changed, and what is wrong with the new one is said first."""
    group = "rbac.authorization.k8s.io"
    path = f"/apis/{group}/v1/{NAMESPACED}/rolebindings"
    server.call("POST", path, {"metadata": {"name": "a"}, "roleRef": {"apiGroup": group, "kind": "Role", "name": "r"}})
    other = {"roleRef": {"apiGroup": group, "kind": "5", "name": "r"}}
    causes = server.call("PATCH", f"{path}/a", other, MERGE)["details"]["causes"]
    assert [(each["field"], each["message"].rpartition(": ")[2]) for each in causes] == [
        ("roleRef.kind", '"Role", "ClusterRole"'),
        ("roleRef", "field is immutable"),
    ]


def test_a_deleted_object_has_the_version_of_its_deletion(server: Server) -> None:
    """Where the answer is the object."""
    path = f"/api/v1/{NAMESPACED}/serviceaccounts"
    made = server.call("POST", path, {"metadata": {"name": "a"}})
    deleted = server.call("DELETE", f"{path}/a")
    assert int(deleted["metadata"]["resourceVersion"]) == int(made["metadata"]["resourceVersion"]) + 1


def test_labels_that_are_not_there_are_null_in_a_message(server: Server) -> None:
    """A nil map of Go."""
    body = {"metadata": {"name": "a"}, "spec": None}
    causes = server.call("POST", DEPLOYMENTS, body)["details"]["causes"]
    (labels,) = [each for each in causes if each["field"] == "spec.template.metadata.labels"]
    assert labels["message"].startswith("Invalid value: null:")


@each_row(
    ("number", "shown", "fixed"),
    [
        (5.0, "5", "5"),
        (999999.0, "999999", "999999"),
        (1e6, "1e+06", "1000000"),
        (1234567.5, "1.2345675e+06", "1234567.5"),
        (float(BEYOND), "9.223372036854776e+18", "9223372036854776000"),
        (1e-4, "0.0001", "0.0001"),
        (1e-5, "1e-05", "0.00001"),
    ],
)
def test_floats_are_printed_as_go_does(number: float, shown: str, fixed: str) -> None:
    """`%v` has an exponent from 1e6 on; CEL's format has none."""
    assert (go_float(number), go_fixed(number)) == (shown, fixed)
