"""Validates built-in kinds against likely mistakes of installers and users.

Source: k8s.io/kubernetes pkg/apis/*/validation. Only the rules that such mistakes break are here; the sandbox stores
some objects that a real server refuses.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, Final

from hack.sandbox.kube.builtin.defaults import RBAC
from hack.sandbox.kube.wire.causes import Cause, forbidden, go_json, invalid, not_supported, required
from hack.sandbox.kube.wire.names import config_key_problems, label_key_problems, label_problems, path_segment_problems
from hack.sandbox.kube.wire.release import V1_37, imitated

Json = dict[str, Any]
Check = Callable[[Json, Json | None], list[Cause]]
"""Returns the findings on a new object; the second argument is the stored one on updates."""

IMMUTABLE: Final = "field is immutable"
_IMMUTABLE_SET: Final = "field is immutable when `immutable` is set"
_TLS: Final = "kubernetes.io/tls"
_EVENT_FIXED: Final = (
    "involvedObject",
    "reason",
    "message",
    "source",
    "firstTimestamp",
    "lastTimestamp",
    "count",
    "type",
    "eventTime",
    "action",
    "related",
    "reportingComponent",
    "reportingInstance",
)
"""Fields of an event in the new API, except its series."""
_GO_REFERENCE: Final = {
    "Kind": "kind",
    "Namespace": "namespace",
    "Name": "name",
    "UID": "uid",
    "APIVersion": "apiVersion",
    "ResourceVersion": "resourceVersion",
    "FieldPath": "fieldPath",
}
"""The members of Go's ObjectReference in their order, with their JSON names."""


def config_map(new: Json, old: Json | None) -> list[Cause]:
    """Check that keys are file names; an immutable object never changes."""
    causes = [invalid(f"{field}[{key}]", key, p) for field, key in _keys(new) for p in config_key_problems(key)]
    both = set(new.get("data") or ()) & set(new.get("binaryData") or ())
    causes += [invalid(f"data[{key}]", key, "duplicate of key present in binaryData") for key in sorted(both)]
    return causes + _frozen(new, old, "data", "binaryData")


def secret(new: Json, old: Json | None) -> list[Cause]:
    """Check that keys are file names, the type never changes, and keys that some types require exist."""
    causes = [invalid(f"data[{k}]", k, p) for k in new.get("data") or () for p in config_key_problems(k)]
    data = new.get("data") or {}
    if old is not None and new.get("type") != old.get("type"):
        causes.append(invalid("type", new.get("type", ""), IMMUTABLE))
    elif new.get("type") == _TLS:
        causes += [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]
    elif new.get("type") == "kubernetes.io/dockerconfigjson" and ".dockerconfigjson" not in data:
        causes.append(required("data[.dockerconfigjson]"))
    elif new.get("type") == "kubernetes.io/basic-auth" and not {"username", "password"} & set(data):
        causes += [required("data[username]"), required("data[password]")]
    elif new.get("type") == "kubernetes.io/ssh-auth" and not data.get("ssh-privatekey"):
        causes.append(required("data[ssh-privatekey]"))
    return causes + _frozen(new, old, "data")


def encode_string_data(obj: Json) -> None:
    """Move `stringData`, which is write-only, into `data`."""
    text = obj.pop("stringData", None)
    if text:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in text.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


def _keys(obj: Json) -> list[tuple[str, str]]:
    return [(field, key) for field in ("data", "binaryData") for key in obj.get(field) or ()]


def _frozen(new: Json, old: Json | None, *fields: str) -> list[Cause]:
    if old is None or not old.get("immutable"):
        return []
    causes = [] if new.get("immutable") else [forbidden("immutable", _IMMUTABLE_SET)]
    return causes + [forbidden(field, _IMMUTABLE_SET) for field in fields if new.get(field) != old.get(field)]


def lease(new: Json, old: Json | None) -> list[Cause]:  # noqa: ARG001 - the same on update
    """Check that durations are positive."""
    spec = new.get("spec") or {}
    causes: list[Cause] = []
    if spec.get("leaseDurationSeconds", 1) <= 0:
        causes.append(invalid("spec.leaseDurationSeconds", spec["leaseDurationSeconds"], "must be greater than 0"))
    if spec.get("leaseTransitions", 0) < 0:
        why = "must be greater than or equal to 0"
        causes.append(invalid("spec.leaseTransitions", spec["leaseTransitions"], why))
    return causes


def service(new: Json, old: Json | None) -> list[Cause]:
    """Check ports, and their names if there are several."""
    spec = new["spec"]
    ports = spec.get("ports") or []
    causes: list[Cause] = []
    if spec["type"] not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"):
        kinds = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
        causes.append(not_supported("spec.type", spec["type"], kinds))
    if not ports and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        causes.append(required("spec.ports"))
    if spec["type"] == "ExternalName" and not spec.get("externalName"):
        causes.append(required("spec.externalName"))
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            causes.append(required(f"spec.ports[{index}].name"))
        causes += _port_range(f"spec.ports[{index}].port", port["port"])
        causes += _port_range(f"spec.ports[{index}].targetPort", port.get("targetPort"))
    before = old["spec"].get("clusterIP") if old is not None else None
    if before and spec["type"] != "ExternalName" and spec.get("clusterIP") != before:
        shown = go_json([spec.get("clusterIP")])
        why = f"Invalid value: {shown}: may not change once set"
        causes.append(Cause("FieldValueInvalid", why, "spec.clusterIPs[0]"))
    return causes


def _port_range(path: str, port: Any) -> list[Cause]:
    if isinstance(port, int) and not 0 < port < 65536:
        return [invalid(path, port, "must be between 1 and 65535, inclusive")]
    return []


def workload(new: Json, old: Json | None) -> list[Cause]:
    """Deployment, ReplicaSet: the selector selects the template's pods, and never changes."""
    spec = new["spec"]
    selector, template = spec.get("selector"), spec["template"]
    causes: list[Cause] = []
    if selector is None:
        causes.append(required("spec.selector"))
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        causes.append(invalid("spec.selector", selector, "empty selector is invalid for deployment"))
    labels = template["metadata"].get("labels") or None
    wanted = (selector or {}).get("matchLabels") or {}
    if selector is None or not wanted.items() <= (labels or {}).items():
        why = "`selector` does not match template `labels`"
        causes.append(invalid("spec.template.metadata.labels", labels, why))
    if spec.get("replicas", 0) < 0:
        causes.append(invalid("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    causes += _pod_spec(template["spec"], "spec.template.spec")
    if template["spec"].get("restartPolicy") != "Always":
        path = "spec.template.spec.restartPolicy"
        causes.append(not_supported(path, template["spec"].get("restartPolicy"), ("Always",)))
    if old is not None and selector != old["spec"].get("selector"):
        shown = go_json(selector)
        causes.append(Cause("FieldValueInvalid", f"Invalid value: {shown}: {IMMUTABLE}", "spec.selector"))
    return causes


def pod(new: Json, old: Json | None) -> list[Cause]:
    """Check containers; in an existing pod, only their images can change."""
    if old is None:
        return _pod_spec(new["spec"], "spec")
    return []


def drop_empty_rules(new: Json, old: Json | None) -> None:  # noqa: ARG001 - completes new and changed objects alike
    """Drop an empty list of rules."""
    new["rules"] = new.get("rules") or None


def _pod_spec(spec: Json, path: str) -> list[Cause]:
    containers = spec.get("containers") or []
    causes: list[Cause] = [] if containers else [required(f"{path}.containers")]
    seen: set[str] = set()
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            here = f"{path}.{field}[{index}]"
            name = container.get("name", "")
            if not name:
                causes.append(required(f"{here}.name"))
            elif problems := label_problems(name):
                causes += [invalid(f"{here}.name", name, problem) for problem in problems]
            elif name in seen:
                causes.append(Cause("FieldValueDuplicate", f'Duplicate value: "{name}"', f"{here}.name"))
            seen.add(name)
            if not container.get("image"):
                causes.append(required(f"{here}.image"))
            for at, port in enumerate(container.get("ports") or ()):
                where = f"{here}.ports[{at}].containerPort"
                number = port.get("containerPort")
                causes += _port_range(where, number) if number else [required(where)]
    volumes = {volume.get("name") for volume in spec.get("volumes") or ()}
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            for at, mount in enumerate(container.get("volumeMounts") or ()):
                where = f"{path}.{field}[{index}].volumeMounts[{at}].name"
                if mount.get("name") not in volumes:
                    causes.append(Cause("FieldValueNotFound", f'Not found: "{mount.get("name", "")}"', where))
    return causes


def role(new: Json, old: Json | None) -> list[Cause]:  # noqa: ARG001 - the same on update
    """Check that each rule has verbs, and resources or URLs."""
    causes: list[Cause] = []
    namespaced = new["kind"] == "Role"
    for index, rule in enumerate(new.get("rules") or ()):
        path = f"rules[{index}]"
        if not rule.get("verbs"):
            why = "verbs must contain at least one value" if imitated() < V1_37 else ""
            causes.append(required(f"{path}.verbs", why))
        urls = rule.get("nonResourceURLs")
        if urls:
            if namespaced:
                why = "namespaced rules cannot apply to non-resource URLs"
                causes.append(invalid(f"{path}.nonResourceURLs", urls, why))
            if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                causes.append(invalid(f"{path}.nonResourceURLs", urls, why))
            continue
        if not rule.get("apiGroups"):
            why = "resource rules must supply at least one api group"
            causes.append(required(f"{path}.apiGroups", why))
        if not rule.get("resources"):
            why = "resource rules must supply at least one resource"
            causes.append(required(f"{path}.resources", why))
    return causes


def binding(new: Json, old: Json | None) -> list[Cause]:
    """Check that the referenced role never changes, and that subjects have names."""
    ref = new["roleRef"]
    causes: list[Cause] = []
    kinds = ("Role", "ClusterRole") if new["kind"] == "RoleBinding" else ("ClusterRole",)
    if ref["apiGroup"] != RBAC:
        causes.append(not_supported("roleRef.apiGroup", ref["apiGroup"], (RBAC,)))
    if ref.get("kind") not in kinds:
        causes.append(not_supported("roleRef.kind", ref.get("kind", ""), kinds))
    if not ref.get("name"):
        causes.append(required("roleRef.name"))
    else:
        causes += [invalid("roleRef.name", ref["name"], p) for p in path_segment_problems(ref["name"])]
    for index, subject in enumerate(new.get("subjects") or ()):
        path = f"subjects[{index}]"
        if not subject.get("name"):
            causes.append(required(f"{path}.name"))
        if subject.get("kind") not in ("ServiceAccount", "User", "Group"):
            supported = ("ServiceAccount", "User", "Group")
            causes.append(not_supported(f"{path}.kind", subject.get("kind", ""), supported))
        elif subject["kind"] == "ServiceAccount" and not subject.get("namespace") and new["kind"] != "RoleBinding":
            causes.append(required(f"{path}.namespace"))
    if old is not None and ref != old["roleRef"]:
        shown = go_json({"APIGroup": ref["apiGroup"], "Kind": ref.get("kind", ""), "Name": ref.get("name", "")})
        why = "cannot change roleRef" if imitated() < V1_37 else "field is immutable"
        causes.append(Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", "roleRef"))
    return causes


def budget(new: Json, old: Json | None) -> list[Cause]:  # noqa: ARG001 - the same on update
    """Check that at most one of the two limits is set."""
    spec = new["spec"]
    if "minAvailable" in spec and "maxUnavailable" in spec:
        members = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
        shown = ",".join(f'"{name[0].upper()}{name[1:]}":{go_json(spec.get(name))}' for name in members)  # a Go struct
        why = f"Invalid value: {{{shown}}}: minAvailable and maxUnavailable cannot be both set"
        return [Cause("FieldValueInvalid", why, "spec")]
    return []


def core_event(new: Json, old: Json | None) -> list[Cause]:  # noqa: ARG001 - the same on update
    """Check that an event is in its object's namespace; one with an eventTime needs the fields of the new API."""
    if new.get("eventTime"):
        return _complete_event(new, "reportingComponent")
    return _event_namespace(new)


def _event_namespace(new: Json) -> list[Cause]:
    """Check the namespace: events about cluster-wide objects are in `default`."""
    about, namespace = new["involvedObject"].get("namespace", ""), new["metadata"].get("namespace", "")
    if about and about != namespace:
        return [invalid("involvedObject.namespace", about, "does not match event.namespace")]
    if not about and namespace not in ("default", "kube-system"):
        return [invalid("involvedObject.namespace", about, "does not match event.namespace")]
    return []


def new_event(new: Json, old: Json | None) -> list[Cause]:
    """Check the fields that events.k8s.io requires and core v1 does not; only the series may change.

    Both objects have the fields of the core kind.
    """
    causes = [] if new.get("eventTime") else [*_event_namespace(new), required("eventTime")]
    causes += _complete_event(new, "reportingController") if new.get("eventTime") else []
    if new.get("type") not in ("Normal", "Warning"):
        causes.append(invalid("type", "", f"has invalid value: {new.get('type', '')}"))
    causes += [invalid(f, "", "needs to be unset") for f in ("firstTimestamp", "lastTimestamp", "count") if new.get(f)]
    for field in _EVENT_FIXED if old is not None else ():
        before, after = (old or {}).get(field), new.get(field)
        if before == after:
            continue
        if field == "involvedObject":
            shown = json.dumps(
                {go: (after or {}).get(name, "") for go, name in _GO_REFERENCE.items()}, separators=(",", ":")
            )
            causes.append(Cause("FieldValueInvalid", f"Invalid value: {shown}: {IMMUTABLE}", field))
        else:
            causes.append(invalid(field, after or "", IMMUTABLE))
    return causes


def _complete_event(new: Json, controller_field: str) -> list[Cause]:
    """Check the required fields of an event with an eventTime; the two APIs name its controller differently."""
    about = new["involvedObject"].get("namespace", "")
    causes = [] if about else _event_namespace(new)
    controller = new.get("reportingComponent", "")
    if not controller:
        causes.append(required(controller_field))
    causes += [invalid(controller_field, controller, problem) for problem in label_key_problems(controller)]
    if not new.get("reportingInstance"):
        causes.append(required("reportingInstance"))
    if not new.get("action"):
        causes.append(required("action"))
    if not new.get("reason"):
        causes.append(required("reason"))
    series = new.get("series")
    if series is not None:
        if series.get("count", 0) < 2:
            causes.append(invalid("series.count", "", "should be at least 2"))
        if not series.get("lastObservedTime"):
            causes.append(required("series.lastObservedTime"))
    return causes
