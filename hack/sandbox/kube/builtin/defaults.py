"""The defaults of the built-in kinds, by the Go name of the struct that they complete.

Source: k8s.io/kubernetes pkg/apis/*/v1/defaults.go. Defaults in OpenAPI (`protocol: TCP`) are in schemas.json.
"""

from collections.abc import Mapping
from typing import Any, Final

from hack.sandbox.kube.wire.typed import Defaulter

Json = dict[str, Any]

RBAC: Final = "rbac.authorization.k8s.io"
_SECRET_MODE: Final = 0o644
_CLIENT_IP_TIMEOUT_S: Final = 10_800
_DEFAULT_CLASS_LIMIT: Final = 10


def _container(obj: Json) -> None:
    if not obj.get("imagePullPolicy"):
        name = obj.get("image", "").rpartition("/")[2].partition("@")
        tag = name[0].partition(":")[2]
        obj["imagePullPolicy"] = "Always" if tag == "latest" or not (tag or name[1]) else "IfNotPresent"
    obj.setdefault("terminationMessagePath", "/dev/termination-log")
    obj.setdefault("terminationMessagePolicy", "File")


def _pod_spec(obj: Json) -> None:
    obj.setdefault("dnsPolicy", "ClusterFirst")
    obj.setdefault("restartPolicy", "Always")
    obj.setdefault("securityContext", {})
    obj.setdefault("terminationGracePeriodSeconds", 30)
    obj.setdefault("schedulerName", "default-scheduler")
    account = obj.get("serviceAccountName") or obj.get("serviceAccount")
    if account:
        obj["serviceAccountName"] = obj["serviceAccount"] = account


def _pod(obj: Json) -> None:
    spec = obj["spec"]
    for container in [*spec.get("containers", ()), *spec.get("initContainers", ())]:
        resources = container.setdefault("resources", {})
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **resources.get("requests", {})}
    spec.setdefault("enableServiceLinks", True)


def _probe(obj: Json) -> None:
    for field, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        obj.setdefault(field, value)


def _http_get(obj: Json) -> None:
    obj.setdefault("path", "/")
    obj.setdefault("scheme", "HTTP")


def _volume(obj: Json) -> None:
    if set(obj) <= {"name"}:
        obj["emptyDir"] = {}


def _mode(obj: Json) -> None:
    obj.setdefault("defaultMode", _SECRET_MODE)


def _service(obj: Json) -> None:
    spec = obj["spec"]
    spec.setdefault("sessionAffinity", "None")
    if spec["sessionAffinity"] == "ClientIP":
        spec.setdefault("sessionAffinityConfig", {"clientIP": {"timeoutSeconds": _CLIENT_IP_TIMEOUT_S}})
    spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port["port"]
    if spec["type"] in ("NodePort", "LoadBalancer"):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if spec["type"] != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if spec["type"] == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)


def _deployment(obj: Json) -> None:
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    strategy = spec["strategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", _DEFAULT_CLASS_LIMIT)
    spec.setdefault("progressDeadlineSeconds", 600)


def _replicas(obj: Json) -> None:
    obj["spec"].setdefault("replicas", 1)


def _network_policy(obj: Json) -> None:
    spec = obj["spec"]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _role_ref(obj: Json) -> None:
    obj["roleRef"]["apiGroup"] = obj["roleRef"].get("apiGroup") or RBAC
    for subject in obj.get("subjects", ()):
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = RBAC


def _namespace(obj: Json) -> None:
    if obj["metadata"].get("name"):
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    obj["status"].setdefault("phase", "Active")


def _crd(obj: Json) -> None:
    spec = obj["spec"]
    names = spec["names"]
    if not names.get("singular"):
        names["singular"] = names.get("kind", "").lower()
    if not names.get("listKind") and names.get("kind"):
        names["listKind"] = f"{names['kind']}List"
    spec.setdefault("conversion", {"strategy": "None"})


def _limit(obj: Json) -> None:
    if obj.get("type") == "Container":
        obj["default"] = {**obj.get("max", {}), **obj.get("default", {})}
        obj["defaultRequest"] = {**obj.get("min", {}), **obj["default"], **obj.get("defaultRequest", {})}


DEFAULTERS: Final[Mapping[str, Defaulter]] = {
    "ClusterRoleBinding": _role_ref,
    "ConfigMapVolumeSource": _mode,
    "Container": _container,
    "CustomResourceDefinition": _crd,
    "Deployment": _deployment,
    "DownwardAPIVolumeSource": _mode,
    "EphemeralContainer": _container,
    "HTTPGetAction": _http_get,
    "HostPathVolumeSource": lambda obj: obj.setdefault("type", "") and None,
    "LimitRangeItem": _limit,
    "Namespace": _namespace,
    "NetworkPolicy": _network_policy,
    "NetworkPolicyPort": lambda obj: obj.setdefault("protocol", "TCP") and None,
    "ObjectFieldSelector": lambda obj: obj.setdefault("apiVersion", "v1") and None,
    "Pod": _pod,
    "PodSpec": _pod_spec,
    "Probe": _probe,
    "ProjectedVolumeSource": _mode,
    "ReplicaSet": _replicas,
    "RoleBinding": _role_ref,
    "Secret": lambda obj: obj.setdefault("type", "Opaque") and None,
    "SecretVolumeSource": _mode,
    "Service": _service,
    "ServiceAccountTokenProjection": lambda obj: obj.setdefault("expirationSeconds", 3600) and None,
    "Volume": _volume,
}
