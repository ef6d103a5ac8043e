"""Random objects of the kinds that the sandbox has: mostly valid, each as a user or a controller might write it."""

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from api.meta import JsonObject
from api.v1 import KINDS
from tests.every_property import values
from tests.every_property.places import PLURALS, places
from tests.every_property.sequence import base, with_value

NAMESPACE: Final = "${ns}"
"""Stands for the namespace of a round, wherever it is in a request."""
NAMES: Final = ("a", "b")
"""Few, so that requests meet."""
_TEXTS: Final = ("", "x", "true", "10", "ü€", "a b", "1e3", "null")
_NUMBERS: Final = (0, 1, 2, 3, 10, 60)
_ODD: Final[tuple[Any, ...]] = (None, "x", 5, -1, 1.0, 1.5, True, [], {}, [None], {"noSuchField": 1}, 2**63, "5")
"""What is put in the place of something."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A resource of the API."""

    group: str
    plural: str
    kind: str
    make: Callable[[random.Random], JsonObject]
    """The part beside the metadata."""
    has_status: bool = False
    namespaced: bool = True
    actions: tuple[str, ...] = ()
    """What can be done to it; empty for everything."""

    @property
    def is_custom(self) -> bool:
        """Whether it is one of ours."""
        return self.group.startswith("sagemaker")

    @property
    def version(self) -> str:
        """For `apiVersion`."""
        return f"{self.group}/v1" if self.group else "v1"

    def path(self, namespace: str, name: str = "") -> str:
        """Of an object, or of all in a namespace."""
        root = f"/apis/{self.group}/v1" if self.group else "/api/v1"
        scope = f"/namespaces/{namespace}" if self.namespaced else ""
        return f"{root}{scope}/{self.plural}" + (f"/{name}" if name else "")

    def object(self, rng: random.Random, name: str) -> JsonObject:
        """A random one of that name. Reviews have none: they are never stored."""
        given = {} if self.actions == _ASKED else metadata(rng, name)
        return {"apiVersion": self.version, "kind": self.kind, "metadata": given, **self.make(rng)}

    def status(self, rng: random.Random) -> JsonObject:
        """A random status."""
        condition = {
            "type": rng.choice(("Ready", "Synced")),
            "status": rng.choice(("True", "False", "Unknown")),
            "reason": rng.choice(("Created", "AWSError")),
            "message": rng.choice(_TEXTS),
            "lastTransitionTime": "2020-01-02T03:04:05Z",
        }
        if self.is_custom:
            return {"conditions": [condition], "observedGeneration": rng.choice(_NUMBERS)}
        if self.plural in {"deployments", "replicasets"}:
            return {"replicas": rng.choice(_NUMBERS), "observedGeneration": rng.choice(_NUMBERS)}
        return {}


def metadata(rng: random.Random, name: str) -> JsonObject:
    """Name and some of the rest."""
    made: JsonObject = {"name": name}
    if rng.random() < 0.5:
        made["labels"] = {"team": rng.choice(("red", "blue"))}
    if rng.random() < 0.4:
        made["annotations"] = {rng.choice(("note", "example.com/note")): rng.choice(_TEXTS)}
    if rng.random() < 0.15:
        made["finalizers"] = [rng.choice(("example.com/hold", "example.com/other"))]
    return made


def _config_map(rng: random.Random) -> JsonObject:
    made: JsonObject = {"data": {rng.choice(("k", "l", "m.txt")): rng.choice(_TEXTS) for _ in range(rng.randint(0, 2))}}
    if rng.random() < 0.2:
        made["binaryData"] = {"bin": "AAEC"}
    if rng.random() < 0.15:
        made["immutable"] = rng.choice((True, False))
    return made


def _secret(rng: random.Random) -> JsonObject:
    made: JsonObject = {rng.choice(("data", "stringData")): {rng.choice(("k", "l")): "AAEC"}}
    if rng.random() < 0.3:
        made["type"] = rng.choice(("Opaque", "example.com/own"))
    return made


def _service_account(rng: random.Random) -> JsonObject:
    made: JsonObject = {}
    if rng.random() < 0.5:
        made["automountServiceAccountToken"] = rng.choice((True, False))
    if rng.random() < 0.5:
        made["imagePullSecrets"] = [{"name": rng.choice(("one", "two"))} for _ in range(rng.randint(0, 2))]
    return made


def _template(rng: random.Random) -> JsonObject:
    container: JsonObject = {"name": rng.choice(("main", "side")), "image": rng.choice(("image:1", "image:2"))}
    if rng.random() < 0.5:
        container["env"] = [{"name": rng.choice(("A", "B")), "value": rng.choice(_TEXTS)}]
    if rng.random() < 0.3:
        container["resources"] = {"requests": {"cpu": rng.choice(("100m", "0.1", "1")), "memory": "64Mi"}}
    if rng.random() < 0.3:
        container["ports"] = [{"containerPort": rng.choice((80, 8080)), "name": "http"}]
    return {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}


def _workload(rng: random.Random) -> JsonObject:
    spec: JsonObject = {"selector": {"matchLabels": {"app": "x"}}, "template": _template(rng)}
    if rng.random() < 0.6:
        spec["replicas"] = rng.choice(_NUMBERS)
    return {"spec": spec}


def _role(rng: random.Random) -> JsonObject:
    rule = {
        "apiGroups": [rng.choice(("", "apps"))],
        "resources": ["pods"],
        "verbs": rng.sample(("get", "list", "*"), 2),
    }
    return {"rules": [copy.deepcopy(rule) for _ in range(rng.randint(0, 2))]}


def _binding(rng: random.Random) -> JsonObject:
    subject = {"kind": "ServiceAccount", "name": rng.choice(("one", "two")), "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": rng.choice(("r", "r", "q"))}
    return {"subjects": [subject] * rng.randint(0, 1), "roleRef": role}


def _lease(rng: random.Random) -> JsonObject:
    spec: JsonObject = {"holderIdentity": rng.choice(("one", "two"))}
    if rng.random() < 0.7:
        spec["leaseDurationSeconds"] = rng.choice((0, 1, 15))
    if rng.random() < 0.7:
        spec["renewTime"] = rng.choice(("2020-01-02T03:04:05.000000Z", "2020-01-02T03:04:06.123456Z"))
    return {"spec": spec}


def _policy(rng: random.Random) -> JsonObject:
    spec: JsonObject = {"podSelector": {"matchLabels": {"app": rng.choice("xy")}}}
    if rng.random() < 0.5:
        spec["policyTypes"] = rng.sample(("Ingress", "Egress"), rng.randint(1, 2))
    return {"spec": spec}


def _budget(rng: random.Random) -> JsonObject:
    limit = {rng.choice(("minAvailable", "maxUnavailable")): rng.choice((1, "50%"))}
    return {"spec": {"selector": {"matchLabels": {"app": "x"}}, **limit}}


def _event(rng: random.Random) -> JsonObject:
    seen = rng.choice(("2020-01-02T03:04:05Z", "2021-01-02T03:04:05Z"))
    about = {"kind": "TrainingJob", "apiVersion": "sagemaker.aws.amazon.com/v1", "name": "a", "namespace": NAMESPACE}
    made: JsonObject = {"involvedObject": about, "reason": rng.choice(("Created", "AWSError"))}
    if rng.random() < 0.8:
        made |= {"message": rng.choice(_TEXTS), "type": rng.choice(("Normal", "Warning"))}
    if rng.random() < 0.6:
        made |= {"firstTimestamp": seen, "lastTimestamp": seen, "count": rng.choice(_NUMBERS)}
    if rng.random() < 0.4:
        made |= {"source": {"component": "operator"}}
    if rng.random() < 0.4:
        made |= {"eventTime": "2020-01-02T03:04:05.000006Z", "action": "Create"}
        made |= {"reportingComponent": rng.choice(("example.com/operator", "")), "reportingInstance": "one"}
    return made


def _nothing(_rng: random.Random) -> JsonObject:
    return {}


def _cluster_role(rng: random.Random) -> JsonObject:
    made = _role(rng)
    if rng.random() < 0.3:
        made["rules"].append({"nonResourceURLs": [rng.choice(("/metrics", "*"))], "verbs": ["get"]})
    return made


def _cluster_binding(rng: random.Random) -> JsonObject:
    made = _binding(rng)
    made["roleRef"]["kind"] = "ClusterRole"
    return made


def _access(rng: random.Random) -> JsonObject:
    spec: JsonObject = {}
    if rng.random() < 0.8:
        spec["resourceAttributes"] = {
            "group": rng.choice(("", "apps", "sagemaker.aws.amazon.com")),
            "resource": rng.choice(("pods", "trainingjobs")),
            "verb": rng.choice(("get", "list", "*")),
            "namespace": rng.choice((NAMESPACE, "")),
        }
    if rng.random() < 0.3:
        spec["nonResourceAttributes"] = {"path": "/metrics", "verb": "get"}
    return {"spec": spec}


def _access_of(rng: random.Random) -> JsonObject:
    made = _access(rng)
    if rng.random() < 0.8:
        made["spec"]["user"] = rng.choice(("nobody", "system:serviceaccount:default:one"))
    if rng.random() < 0.3:
        made["spec"]["groups"] = rng.choice((["system:masters"], ["others"]))
    return made


def _token(rng: random.Random) -> JsonObject:
    return {"spec": rng.choice(({"token": "no-token"}, {"token": "a.b.c", "audiences": ["x"]}, {}))}


def _ours(kind: str) -> Callable[[random.Random], JsonObject]:
    def make(rng: random.Random) -> JsonObject:
        obj = base(kind, "x")
        for _ in range(rng.randint(0, 2)):
            place = rng.choice(places(kind))
            if found := values.valid(kind, place.path, place.schema, rng):
                obj = with_value(obj, place, rng.choice(found))
        if rng.random() < 0.2:
            place = rng.choice(places(kind))
            found = [value for _, value in values.invalid(kind, place.path, place.schema)]
            obj = with_value(obj, place, rng.choice(found))
        return {"spec": obj["spec"]}

    return make


_CHANGES: Final = ("_create", "_get", "_replace", "_merge", "_strategic", "_json", "_apply")
_ASKED: Final = ("_create",)
_RBAC: Final = "rbac.authorization.k8s.io"
_AUTH: Final = "authorization.k8s.io"
CORE: Final = (
    Kind("", "configmaps", "ConfigMap", _config_map),
    Kind("", "secrets", "Secret", _secret),
    Kind("", "serviceaccounts", "ServiceAccount", _service_account),
    Kind("apps", "deployments", "Deployment", _workload, has_status=True),
    Kind("apps", "replicasets", "ReplicaSet", _workload, has_status=True),
    Kind(_RBAC, "roles", "Role", _role),
    Kind(_RBAC, "rolebindings", "RoleBinding", _binding),
    Kind("coordination.k8s.io", "leases", "Lease", _lease),
    Kind("networking.k8s.io", "networkpolicies", "NetworkPolicy", _policy),
    Kind("policy", "poddisruptionbudgets", "PodDisruptionBudget", _budget),
    Kind("", "events", "Event", _event),
    Kind("", "namespaces", "Namespace", _nothing, namespaced=False, actions=(*_CHANGES, "_status")),
    Kind(_RBAC, "clusterroles", "ClusterRole", _cluster_role, namespaced=False, actions=(*_CHANGES, "_delete")),
    Kind(
        _RBAC,
        "clusterrolebindings",
        "ClusterRoleBinding",
        _cluster_binding,
        namespaced=False,
        actions=(*_CHANGES, "_delete"),
    ),
    Kind(_AUTH, "selfsubjectaccessreviews", "SelfSubjectAccessReview", _access, namespaced=False, actions=_ASKED),
    Kind(_AUTH, "subjectaccessreviews", "SubjectAccessReview", _access_of, namespaced=False, actions=_ASKED),
    Kind(_AUTH, "localsubjectaccessreviews", "LocalSubjectAccessReview", _access_of, actions=_ASKED),
    Kind("authentication.k8s.io", "tokenreviews", "TokenReview", _token, namespaced=False, actions=_ASKED),
)
OURS: Final = tuple(
    Kind(each.resource.group, each.plural, each.kind, _ours(each.kind), has_status=True)
    for each in KINDS
    if each.kind in PLURALS
)


def mutated(rng: random.Random, value: Any) -> Any:
    """A copy with one place changed to something odd, or taken away."""
    changed = copy.deepcopy(value)
    at, key = rng.choice(list(_slots(changed)))
    if rng.random() < 0.2:
        del at[key]
    elif isinstance(at[key], dict) and rng.random() < 0.5:
        at[key]["noSuchField"] = 1
    elif isinstance(at[key], int) and not isinstance(at[key], bool) and rng.random() < 0.5:
        at[key] = float(at[key])
    else:
        at[key] = copy.deepcopy(rng.choice(_ODD))
    return changed


def _slots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place below `value`: what holds it, and its key there."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _slots(inner)


def pointers(value: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every place below `value` as a JSON pointer (RFC 6901), with what is there."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        pointer = f"{above}/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield pointer, inner
        yield from pointers(inner, pointer)
