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


def _daemon_set(obj: Json) -> None:
    strategy = obj["spec"]["updateStrategy"]
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    obj["spec"].setdefault("revisionHistoryLimit", _DEFAULT_CLASS_LIMIT)


def _stateful_set(obj: Json) -> None:
    spec = obj["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec["updateStrategy"]
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", _DEFAULT_CLASS_LIMIT)


def _job(obj: Json) -> None:
    spec = obj["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    spec.setdefault("manualSelector", False)
    labels = spec["template"]["metadata"].get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _cron_job(obj: Json) -> None:
    for field, value in (
        ("concurrencyPolicy", "Allow"),
        ("suspend", False),
        ("successfulJobsHistoryLimit", 3),
        ("failedJobsHistoryLimit", 1),
    ):
        obj["spec"].setdefault(field, value)


def _network_policy(obj: Json) -> None:
    spec = obj["spec"]
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _role_ref(obj: Json) -> None:
    obj["roleRef"]["apiGroup"] = obj["roleRef"].get("apiGroup") or RBAC
    for subject in obj.get("subjects", ()):
        if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
            subject["apiGroup"] = RBAC


def _claim(obj: Json) -> None:
    obj["spec"].setdefault("volumeMode", "Filesystem")
    obj["status"].setdefault("phase", "Pending")


def _volume_of_cluster(obj: Json) -> None:
    obj["spec"].setdefault("volumeMode", "Filesystem")
    obj["spec"].setdefault("persistentVolumeReclaimPolicy", "Retain")
    obj["status"].setdefault("phase", "Pending")


def _namespace(obj: Json) -> None:
    if obj["metadata"].get("name"):
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    obj["status"].setdefault("phase", "Active")


def _webhook(obj: Json) -> None:
    for field, value in (
        ("failurePolicy", "Fail"),
        ("matchPolicy", "Equivalent"),
        ("namespaceSelector", {}),
        ("objectSelector", {}),
        ("timeoutSeconds", 10),
    ):
        obj.setdefault(field, value)
    service = obj.get("clientConfig", {}).get("service")
    if service is not None:
        service.setdefault("port", 443)
    for rule in obj.get("rules", ()):
        rule.setdefault("scope", "*")


def _mutating_webhook(obj: Json) -> None:
    _webhook(obj)
    obj.setdefault("reinvocationPolicy", "Never")


def _crd(obj: Json) -> None:
    spec = obj["spec"]
    names = spec["names"]
    if not names.get("singular"):
        names["singular"] = names.get("kind", "").lower()
    if not names.get("listKind") and names.get("kind"):
        names["listKind"] = f"{names['kind']}List"
    spec.setdefault("conversion", {"strategy": "None"})


def _autoscaler(obj: Json) -> None:
    obj["spec"].setdefault("minReplicas", 1)
    target = {"type": "Utilization", "averageUtilization": 80}
    obj["spec"].setdefault("metrics", [{"type": "Resource", "resource": {"name": "cpu", "target": target}}])


def _storage_class(obj: Json) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _limit(obj: Json) -> None:
    if obj.get("type") == "Container":
        obj["default"] = {**obj.get("max", {}), **obj.get("default", {})}
        obj["defaultRequest"] = {**obj.get("min", {}), **obj["default"], **obj.get("defaultRequest", {})}


DEFAULTERS: Final[Mapping[str, Defaulter]] = {
    "ClusterRoleBinding": _role_ref,
    "ConfigMapVolumeSource": _mode,
    "Container": _container,
    "CronJob": _cron_job,
    "CustomResourceDefinition": _crd,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "DownwardAPIVolumeSource": _mode,
    "EndpointPort": lambda obj: obj.setdefault("protocol", "TCP") and None,
    "EphemeralContainer": _container,
    "HTTPGetAction": _http_get,
    "HorizontalPodAutoscaler": _autoscaler,
    "HostPathVolumeSource": lambda obj: obj.setdefault("type", "") and None,
    "Job": _job,
    "LimitRangeItem": _limit,
    "MutatingWebhook": _mutating_webhook,
    "Namespace": _namespace,
    "NetworkPolicy": _network_policy,
    "NetworkPolicyPort": lambda obj: obj.setdefault("protocol", "TCP") and None,
    "ObjectFieldSelector": lambda obj: obj.setdefault("apiVersion", "v1") and None,
    "PersistentVolume": _volume_of_cluster,
    "PersistentVolumeClaim": _claim,
    "Pod": _pod,
    "PodSpec": _pod_spec,
    "PriorityClass": lambda obj: obj.setdefault("preemptionPolicy", "PreemptLowerPriority") and None,
    "Probe": _probe,
    "ProjectedVolumeSource": _mode,
    "ReplicaSet": _replicas,
    "ReplicationController": _replicas,
    "RoleBinding": _role_ref,
    "Secret": lambda obj: obj.setdefault("type", "Opaque") and None,
    "SecretVolumeSource": _mode,
    "Service": _service,
    "ServiceAccountTokenProjection": lambda obj: obj.setdefault("expirationSeconds", 3600) and None,
    "StatefulSet": _stateful_set,
    "StorageClass": _storage_class,
    "ValidatingWebhook": _webhook,
    "Volume": _volume,
}
