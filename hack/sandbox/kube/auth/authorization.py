"""Authorizes requests: users by bearer token, and RBAC rules if enabled.

Without a token a request comes from the administrator, as behind `kubectl proxy`. Tokens belong to service accounts;
with RBAC enabled, their Roles and ClusterRoles decide what they may do. Source: k8s.io/kubernetes
plugin/pkg/auth/authorizer/rbac.
"""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.builtin.defaults import RBAC
from hack.sandbox.kube.store.storage import Storage
from hack.sandbox.kube.wire.release import V1_37, imitated

Json = dict[str, Any]

MASTERS: Final = "system:masters"
_AUTHENTICATED: Final = "system:authenticated"
_HEALTH: Final = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY: Final = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*")


@dataclass(frozen=True, slots=True)
class User:
    """An authenticated identity."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] | None = None

    def as_info(self) -> Json:
        """Return the identity as `UserInfo`."""
        info: Json = {"username": self.name, "groups": list(self.groups)}
        if self.uid:
            info["uid"] = self.uid
        if self.extra:
            info["extra"] = {key: list(values) for key, values in self.extra.items()}
        return info


ADMIN: Final = User("sandbox-admin", (MASTERS, _AUTHENTICATED))


def _creating(group: str, *resources: str) -> Json:
    return {"verbs": ["create"], "apiGroups": [group], "resources": list(resources)}


def _getting(*paths: str) -> Json:
    return {"verbs": ["get"], "nonResourceURLs": list(paths)}


_BOOTSTRAP: Final[Mapping[str, tuple[tuple[str, ...], tuple[Json, ...]]]] = {
    "system:basic-user": (
        (_AUTHENTICATED,),
        (
            _creating("authorization.k8s.io", "selfsubjectaccessreviews", "selfsubjectrulesreviews"),
            _creating("authentication.k8s.io", "selfsubjectreviews"),
        ),
    ),
    "system:public-info-viewer": ((_AUTHENTICATED, "system:unauthenticated"), (_getting(*_HEALTH),)),
    "system:discovery": ((_AUTHENTICATED,), (_getting(*_DISCOVERY, *_HEALTH),)),
}
"""Cluster roles that every user has, with the groups that they are bound to (bootstrappolicy/policy.go).

Of those that a cluster has from the start, they are all that is needed here; they are not among its objects."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to authorize: a verb on a resource, or on a path."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


class Authorizer:
    """Tokens and rules. With `enforced` off, every user may do everything."""

    def __init__(self, storage: Storage, *, enforced: bool = False):
        self._storage = storage
        self._tokens: dict[str, tuple[str, str]] = {}
        self.enforced = enforced

    def issue(self, namespace: str, name: str) -> str:
        """Return a new token of a service account. It is opaque, and valid as long as the account exists."""
        token = f"sandbox-{secrets.token_urlsafe(32)}"
        self._tokens[token] = (namespace, name)
        return token

    def user_of(self, token: str) -> User | None:
        """Return the service account of a token, or None if the token is not (or no longer) valid."""
        if token not in self._tokens:
            return None
        namespace, name = self._tokens[token]
        account = self._storage.get("/serviceaccounts", f"{namespace}/{name}")
        if account is None:
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", _AUTHENTICATED)
        return User(f"system:serviceaccount:{namespace}:{name}", groups, account.obj["metadata"]["uid"])

    def allows(self, user: User, request: Request) -> tuple[bool, str]:
        """Return whether the user may, and by which binding; or which roles are bound to the user, but not there."""
        if not self.enforced or MASTERS in user.groups:
            return True, ""
        missing = []
        for rule, source in self._rules_of(user, request.namespace):
            if rule is None:
                missing.append(source)
            elif _covers(rule, request):
                return True, f"RBAC: allowed by {source}"
        return False, _denied(missing)

    def rules(self, user: User, namespace: str) -> tuple[list[Json], list[Json]]:
        """Return all resource rules and path rules of a user in a namespace."""
        everything = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        if not self.enforced or MASTERS in user.groups:
            return everything, [{"verbs": ["*"], "nonResourceURLs": ["*"]}]
        rules = [rule for rule, _ in self._rules_of(user, namespace) if rule is not None]
        paths = [rule for rule in rules if rule.get("nonResourceURLs")]
        return [rule for rule in rules if not rule.get("nonResourceURLs")], paths

    def _rules_of(self, user: User, namespace: str) -> Iterator[tuple[Json | None, str]]:
        """Yield rules with their binding, and None with what is said of a role that is not there."""
        for name, (groups, rules) in _BOOTSTRAP.items():
            if group := next((each for each in groups if each in user.groups), ""):
                source = f'ClusterRoleBinding "{name}" of ClusterRole "{name}" to Group "{group}"'
                yield from ((rule, source) for rule in rules)
        for entry in self._storage.collection(f"{RBAC}/clusterrolebindings").scan():
            yield from self._bound(entry.obj, user, "")
        if namespace:
            for entry in self._storage.collection(f"{RBAC}/rolebindings").scan(f"{namespace}/"):
                yield from self._bound(entry.obj, user, namespace)

    def _bound(self, binding: Json, user: User, namespace: str) -> Iterator[tuple[Json | None, str]]:
        subjects = (each for each in binding.get("subjects") or () if _is_subject(each, user, namespace))
        subject = next(subjects, None)
        if subject is None:
            return
        ref = binding["roleRef"]
        key = ref["name"] if ref["kind"] == "ClusterRole" else f"{namespace}/{ref['name']}"
        role = self._storage.get(f"{RBAC}/{ref['kind'].lower()}s", key)
        if role is None:
            yield None, f'{ref["kind"].lower()}.{RBAC} "{ref["name"]}" not found'
            return
        source = _described(binding, namespace, subject)
        for rule in role.obj.get("rules") or ():
            yield rule, source


def _described(binding: Json, namespace: str, subject: Json) -> str:
    """Return which binding it is, as in pkg/registry/rbac/validation/rule.go."""
    ref, name = binding["roleRef"], binding["metadata"]["name"]
    whole = f"{name}/{namespace}" if namespace else name
    bound = f"{subject['name']}/{subject.get('namespace') or namespace}"
    to = bound if subject["kind"] == "ServiceAccount" else subject["name"]
    return f'{binding["kind"]} "{whole}" of {ref["kind"]} "{ref["name"]}" to {subject["kind"]} "{to}"'


def _denied(missing: list[str]) -> str:
    """Return the reason of a denial: which roles are not there, if any, from the authorizer that 1.37 names."""
    if not missing:
        return ""
    distinct = list(dict.fromkeys(missing))
    reason = f"RBAC: {distinct[0] if len(distinct) == 1 else '[' + ', '.join(distinct) + ']'}"
    return reason if imitated() < V1_37 else f"rbac: {reason}"


def _is_subject(subject: Json, user: User, namespace: str) -> bool:
    match subject["kind"]:
        case "ServiceAccount":
            home = subject.get("namespace") or namespace
            return user.name == f"system:serviceaccount:{home}:{subject['name']}"
        case "Group":
            return subject["name"] in user.groups
        case _:
            return bool(subject["name"] == user.name)


def _covers(rule: Json, request: Request) -> bool:
    if not _has(rule.get("verbs"), request.verb):
        return False
    if request.path:
        urls = rule.get("nonResourceURLs") or ()
        return any(
            url in ("*", request.path) or (url.endswith("*") and request.path.startswith(url[:-1])) for url in urls
        )
    if not _has(rule.get("apiGroups"), request.group):
        return False
    wanted = f"{request.resource}/{request.subresource}" if request.subresource else request.resource
    resources = rule.get("resources") or ()
    named = wanted in resources or "*" in resources or f"*/{request.subresource}" in resources
    only = rule.get("resourceNames")
    return named and (not only or request.name in only)


def _has(values: list[str] | None, wanted: str) -> bool:
    return bool(values) and ("*" in values or wanted in values)  # type: ignore[operator]
