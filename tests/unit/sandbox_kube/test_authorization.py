"""What users may, and what a server says about it: every row is an answer of kube-apiserver 1.37.2."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hack.sandbox.kube.server import start
from hack.sandbox.kubeapi import KubeApi
from tests.tables import each_row

RBAC = "rbac.authorization.k8s.io"
REVIEWS = "/apis/authorization.k8s.io/v1"
ONE = "system:serviceaccount:default:one"
GROUPS = ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]
POD = {"verb": "get", "resource": "pods", "namespace": "default"}
NODE = {"verb": "get", "resource": "nodes"}
ALLOWED = "RBAC: allowed by"
EXACTLY = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
NOBODY = ("spec.user", 'Invalid value: "": at least one of user or group must be specified')


def answer(api: KubeApi, path: str, body: Any) -> dict[str, Any]:
    """Return the answer to a POST, a Status where it is refused."""
    connection = api.connect(30)
    connection.request("POST", path, json.dumps(body), api.headers("application/json"))
    decoded: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    return decoded


def review(api: KubeApi, kind: str, spec: Any, *, namespace: str = "", group: str = "authorization") -> dict[str, Any]:
    """Return the answer to a review."""
    within = f"/namespaces/{namespace}" if namespace else ""
    body = {"kind": kind, "apiVersion": f"{group}.k8s.io/v1", **({} if spec is None else {"spec": spec})}
    return answer(api, f"/apis/{group}.k8s.io/v1{within}/{kind.lower()}s", body)


@pytest.fixture(scope="module")
def admin() -> Iterator[KubeApi]:
    """A server with authorization on, a service account, and bindings of each sort."""
    with start(rbac=True) as server:
        api = KubeApi(server.url)
        rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
        wide = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]
        wide.append({"nonResourceURLs": ["/metrics"], "verbs": ["get"]})
        within = f"/apis/{RBAC}/v1/namespaces/default"
        subjects = {
            "one": {"kind": "ServiceAccount", "name": "one", "namespace": "default"},
            "all": {"kind": "Group", "name": "system:serviceaccounts", "apiGroup": RBAC},
            **{name: {"kind": "User", "name": name, "apiGroup": RBAC} for name in ("eve", "bob")},
        }

        def binding(name: str, kind: str, role: str, *who: str) -> dict[str, Any]:
            ref = {"apiGroup": RBAC, "kind": kind, "name": role}
            return {"metadata": {"name": name}, "roleRef": ref, "subjects": [subjects[each] for each in who]}

        for path, body in (
            ("/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "one"}}),
            (f"{within}/roles", {"metadata": {"name": "r"}, "rules": rules}),
            (f"{within}/rolebindings", binding("rb", "Role", "r", "one")),
            (f"{within}/rolebindings", binding("dangling", "ClusterRole", "none", "bob")),
            (f"/apis/{RBAC}/v1/clusterroles", {"metadata": {"name": "cr"}, "rules": wide}),
            (f"/apis/{RBAC}/v1/clusterrolebindings", binding("crb", "ClusterRole", "cr", "all", "eve")),
        ):
            assert answer(api, path, body).get("status") != "Failure"
        yield api


@pytest.fixture(scope="module")
def one(admin: KubeApi) -> KubeApi:
    """The service account's own requests."""
    made = answer(admin, "/api/v1/namespaces/default/serviceaccounts/one/token", {"kind": "TokenRequest", "spec": {}})
    return KubeApi(admin.url, made["status"]["token"])


@each_row(
    ("user", "groups", "resource", "path", "status"),
    [
        (
            *(ONE, GROUPS, POD, None),
            {
                "allowed": True,
                "reason": f'{ALLOWED} RoleBinding "rb/default" of Role "r" to ServiceAccount "one/default"',
            },
        ),
        (
            *(ONE, GROUPS, NODE, None),
            {
                "allowed": True,
                "reason": f'{ALLOWED} ClusterRoleBinding "crb" of ClusterRole "cr" to Group "system:serviceaccounts"',
            },
        ),
        (
            *("eve", [], NODE, None),
            {"allowed": True, "reason": f'{ALLOWED} ClusterRoleBinding "crb" of ClusterRole "cr" to User "eve"'},
        ),
        (
            *(ONE, GROUPS, None, {"path": "/healthz", "verb": "get"}),
            {
                "allowed": True,
                "reason": f'{ALLOWED} ClusterRoleBinding "system:public-info-viewer" of ClusterRole '
                '"system:public-info-viewer" to Group "system:authenticated"',
            },
        ),
        (
            *(ONE, GROUPS, None, {"path": "/apis/x", "verb": "get"}),
            {
                "allowed": True,
                "reason": f'{ALLOWED} ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" '
                'to Group "system:authenticated"',
            },
        ),
        (
            *("bob", ["system:unauthenticated"], None, {"path": "/version", "verb": "get"}),
            {
                "allowed": True,
                "reason": f'{ALLOWED} ClusterRoleBinding "system:public-info-viewer" of ClusterRole '
                '"system:public-info-viewer" to Group "system:unauthenticated"',
            },
        ),
        (
            *("bob", [], POD, None),
            {"allowed": False, "reason": f'rbac: RBAC: clusterrole.{RBAC} "none" not found'},
        ),
        (*("bob", [], None, {"path": "/version", "verb": "get"}), {"allowed": False}),
        (*(ONE, GROUPS, None, {"path": "/metrics", "verb": "post"}), {"allowed": False}),
        (*("bob", ["system:masters"], POD, None), {"allowed": True}),
    ],
)
def test_a_review_names_the_binding_and_the_subject(
    admin: KubeApi, user: str, groups: list[str], resource: Any, path: Any, status: dict[str, Any]
) -> None:
    """Or the role that is bound, but not there."""
    wanted = {"resourceAttributes": resource} if resource else {"nonResourceAttributes": path}

    assert review(admin, "SubjectAccessReview", {"user": user, "groups": groups, **wanted})["status"] == status


def test_everyone_may_ask_about_themselves(one: KubeApi) -> None:
    """`kubectl auth can-i`, `auth can-i --list` and `auth whoami` of a service account without a right to that."""
    may = review(one, "SelfSubjectAccessReview", {"resourceAttributes": POD})["status"]
    may_not = review(one, "SelfSubjectAccessReview", {"resourceAttributes": {**POD, "resource": "secrets"}})["status"]
    rules = review(one, "SelfSubjectRulesReview", {"namespace": "default"})["status"]
    me = review(one, "SelfSubjectReview", None, group="authentication")["status"]

    assert (may["allowed"], may_not) == (True, {"allowed": False})
    assert {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]} in rules["resourceRules"]
    assert {"verbs": ["get"], "nonResourceURLs": ["/metrics"]} in rules["nonResourceRules"]
    assert me["userInfo"]["username"] == ONE


def test_a_refusal_names_a_role_that_is_not_there(admin: KubeApi, one: KubeApi) -> None:
    """As the reason of a review does."""
    ref = {"apiGroup": RBAC, "kind": "Role", "name": "gone"}
    subjects = [{"kind": "ServiceAccount", "name": "one", "namespace": "default"}]
    made = {"metadata": {"name": "gone"}, "roleRef": ref, "subjects": subjects}
    answer(admin, f"/apis/{RBAC}/v1/namespaces/default/rolebindings", made)

    refused = answer(one, "/api/v1/namespaces/default/secrets", {"metadata": {"name": "a"}})

    assert refused["code"] == 403
    assert refused["message"].endswith(f'in the namespace "default": rbac: RBAC: role.{RBAC} "gone" not found')


@each_row(
    ("spec", "local", "elsewhere"),
    [
        (
            {"nonResourceAttributes": {"path": "/metrics", "verb": "get"}, "user": "x"},
            [
                (
                    "spec.nonResourceAttributes",
                    'Invalid value: {"Path":"/metrics","Verb":"get"}: disallowed on this kind of request',
                )
            ],
            [],
        ),
        (
            {"nonResourceAttributes": {"path": "/metrics"}},
            [
                NOBODY,
                (
                    "spec.nonResourceAttributes",
                    'Invalid value: {"Path":"/metrics","Verb":""}: disallowed on this kind of request',
                ),
            ],
            [NOBODY],
        ),
        (
            {"nonResourceAttributes": {"verb": "get"}, "resourceAttributes": {"namespace": "other"}, "user": "x"},
            [
                ("spec", f'Invalid value: {{"Path":"","Verb":"get"}}: {EXACTLY}'),
                ("spec.resourceAttributes.namespace", 'Invalid value: "other": must match metadata.namespace'),
                (
                    "spec.nonResourceAttributes",
                    'Invalid value: {"Path":"","Verb":"get"}: disallowed on this kind of request',
                ),
            ],
            [("spec", f'Invalid value: {{"Path":"","Verb":"get"}}: {EXACTLY}')],
        ),
    ],
)
def test_a_local_review_is_of_objects_in_its_namespace(
    admin: KubeApi, spec: Any, local: list[tuple[str, str]], elsewhere: list[tuple[str, str]]
) -> None:
    """All that is wrong is said at once."""

    def causes(refused: dict[str, Any]) -> list[tuple[str, str]]:
        return [(each["field"], each["message"]) for each in refused.get("details", {}).get("causes", ())]

    assert causes(review(admin, "LocalSubjectAccessReview", spec, namespace="default")) == local
    assert causes(review(admin, "SubjectAccessReview", spec)) == elsewhere
