"""Says what of each object is configurable by values of the operator's charts."""

import copy
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from api.meta import JsonObject
from api.v1 import KINDS
from controller.kinds import selected
from hack.crds import to_yaml
from hack.manifests.chart_template import Template, conditional, indented, joined, literal
from hack.manifests.roles import kind_rules

ACCOUNT: Final = "sagemaker-k8s-operator-default"
SERVICE: Final = "sagemaker-k8s-operator-controller-manager-metrics-service"
_MANAGER_ROLE: Final = "sagemaker-k8s-operator-manager-role"
_SCRAPER: Final = "sagemaker-k8s-operator-metrics-scraper"
_PLACEHOLDER: Final = "PLACEHOLDER-NAMESPACE"
_NAMESPACE: Final = "{{ .Release.Namespace }}"
_RUNBOOKS: Final = "docs/runbooks/"
_CERTIFICATE: Final = "/etc/metrics-certificate"
_SCRIPT: Final = Path(__file__).parent / "chart_files" / "answers.py"
_POD_OPTIONS: Final = ("affinity", "nodeSelector", "tolerations", "topologySpreadConstraints")
_KINDS: Final = '{{- with .Values.kinds }}\n%I- {{ printf "--kinds=%s" (join "," .) | quote }}\n{{- end }}\n'
_STATUS_QUEUES: Final = (
    "{{- with .Values.statusQueues }}\n"
    '%I- {{ printf "--status-queue=%s" (join "," .) | quote }}\n'
    "{{- end }}\n"
    "{{- range .Values.extraArgs }}\n%I- {{ . | quote }}\n{{- end }}\n"
)
_ENV: Final = "{{- with .Values.extraEnv }}\n%I{{- toYaml . | nindent %D }}\n{{- end }}\n"
_ACCOUNT_ANNOTATIONS: Final = (
    "{{- if or .Values.roleArn .Values.serviceAccount.annotations }}\n%Iannotations:\n"
    "{{- with .Values.roleArn }}\n%I  eks.amazonaws.com/role-arn: {{ . | quote }}\n{{- end }}\n"
    "{{- with .Values.serviceAccount.annotations }}\n%I  {{- toYaml . | nindent %N }}\n{{- end }}\n{{- end }}\n"
)
_VOLUMES: Final = (
    "{{- if or .Values.metricsProxy.certificateSecret .Values.extraVolumes }}\n%Ivolumes:\n"
    "{{- with .Values.metricsProxy.certificateSecret }}\n"
    "%I- name: metrics-certificate\n%I  secret:\n%I    secretName: {{ . | quote }}\n{{- end }}\n"
    "{{- with .Values.extraVolumes }}\n%I{{- toYaml . | nindent %D }}\n{{- end }}\n{{- end }}\n"
)
_CERTIFICATE_FLAGS: Final = (
    "{{- if .Values.metricsProxy.certificateSecret }}\n"
    f"%I- --tls-cert-file={_CERTIFICATE}/tls.crt\n%I- --tls-private-key-file={_CERTIFICATE}/tls.key\n"
    "{{- end }}\n"
)
_CERTIFICATE_MOUNT: Final = (
    "{{- if .Values.metricsProxy.certificateSecret }}\n"
    f"%IvolumeMounts:\n%I- mountPath: {_CERTIFICATE}\n%I  name: metrics-certificate\n%I  readOnly: true\n"
    "{{- end }}\n"
)


def template(obj: JsonObject) -> str:
    """Return the template of an object; `obj` is not changed."""
    made, marked = Template(), copy.deepcopy(obj)
    metadata, name = marked["metadata"], marked["metadata"]["name"]
    _mark_namespace(made, marked)
    extra = {
        "PrometheusRule": ".Values.prometheus.labels",
        "ServiceMonitor": ".Values.prometheus.labels",
        "ConfigMap": ".Values.grafanaDashboard.labels",
    }.get(marked["kind"], "")
    if marked["kind"] == "ConfigMap":
        metadata["labels"].pop("grafana_dashboard")  # a value, so that it can be another
    mark_labels(made, metadata, extra)
    _mark_kind(made, marked)
    text = made.text(marked)
    if marked["kind"] == "PodDisruptionBudget":
        return conditional(".Values.podDisruptionBudget.enabled", text)
    if (marked["kind"], name) == ("ServiceAccount", ACCOUNT):
        return conditional(".Values.serviceAccount.create", text)
    if name.startswith(_SCRAPER):
        return conditional("not .Values.prometheus.credentials.name", text)
    return text


def mark_labels(made: Template, metadata: JsonObject, extra: str = "", helper: str = "labels") -> None:
    """Replace labels by the standard ones, those that something selects by, and those of values."""
    own = {key: value for key, value in metadata.get("labels", {}).items() if not key.startswith("app.kubernetes.io/")}
    arguments = f"(list $ ({literal(own)}) {extra or 'dict'})"
    metadata["labels"] = made.block(
        f'%Ilabels:\n%I  {{{{- include "sagemaker.{helper}" {arguments} | nindent %N }}}}\n'
    )


def tests(objects: Iterable[JsonObject]) -> str:
    """Return the pods of `helm test`: one reaches the metrics, one checks the rights of the AWS identity."""
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    pod = copy.deepcopy(deployment["spec"]["template"]["spec"])
    manager = pod["containers"][0]
    common = {key: manager[key] for key in ("image", "imagePullPolicy", "securityContext")}
    metrics = {
        "name": "metrics",
        "command": ["python3", "-c", _SCRIPT.read_text("utf-8")],
        "args": [f"https://{SERVICE}.{_PLACEHOLDER}.svc:8443/metrics"],
    }
    served = [each for each in manager["args"] if each.startswith("--namespace=")]
    rights = {"name": "check-aws", "args": ["--check-aws", *served], "env": manager["env"]}
    return joined(
        (
            _test_pod("metrics", pod, common | metrics),
            conditional(".Values.tests.checkAws", _test_pod("check-aws", pod, common | rights)),
        )
    )


def _test_pod(name: str, like: JsonObject, container: JsonObject) -> str:
    made = Template()
    hook = {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation"}
    metadata: JsonObject = {
        "name": f"sagemaker-k8s-operator-test-{name}",
        "namespace": _PLACEHOLDER,
        "annotations": hook,
    }
    spec = {
        "containers": [container],
        "restartPolicy": "Never",
        **{key: like[key] for key in ("serviceAccountName", "securityContext")},
    }
    pod: JsonObject = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    mark_labels(made, metadata)
    _mark_namespace(made, pod)
    _mark_pod(made, spec, ("nodeSelector", "tolerations"))
    _mark_container(made, container)
    container["args"] = [each.replace(_PLACEHOLDER, made.action(_NAMESPACE)) for each in container["args"]]
    if "env" in container:
        _mark_manager(made, container)
    return made.text(pod)


def _mark_namespace(made: Template, obj: JsonObject) -> None:
    if "namespace" in obj["metadata"]:
        obj["metadata"]["namespace"] = made.action(_NAMESPACE)
    for subject in obj.get("subjects") or ():
        subject["namespace"] = made.action(_NAMESPACE)
        if subject["name"] == ACCOUNT:
            subject["name"] = _account(made)
    for rule in obj.get("rules") or ():
        if _PLACEHOLDER in rule.get("resourceNames", ()):
            rule["resourceNames"] = [made.action(_NAMESPACE)]


def _mark_kind(made: Template, obj: JsonObject) -> None:
    """Put marks at what only objects of one kind have."""
    metadata = obj["metadata"]
    match obj["kind"]:
        case "ServiceAccount" if metadata["name"] == ACCOUNT:
            metadata["name"] = _account(made)
            metadata["annotations"] = made.block(_ACCOUNT_ANNOTATIONS)
            made.optional(obj, "imagePullSecrets", ".Values.imagePullSecrets")
        case "ClusterRole" | "Role" if metadata["name"] == _MANAGER_ROLE:
            obj["rules"] = _rules(made, obj["rules"])
        case "Deployment":
            _mark_deployment(made, obj["spec"])
        case "ConfigMap":
            made.optional(metadata, "annotations", ".Values.grafanaDashboard.annotations")
        case "PrometheusRule":
            for rule in (rule for group in obj["spec"]["groups"] for rule in group["rules"]):
                page = rule["annotations"]["runbook_url"].removeprefix(_RUNBOOKS)
                url = f'{{{{ printf "%s{page}" .Values.prometheus.runbookUrlPrefix | quote }}}}'
                rule["annotations"]["runbook_url"] = made.action(url)
        case "ServiceMonitor":
            (endpoint,) = obj["spec"]["endpoints"]
            endpoint["interval"] = made.action("{{ .Values.prometheus.interval }}")
            token = endpoint["authorization"]["credentials"]
            default = token["name"]
            token["name"] = made.action(f'{{{{ .Values.prometheus.credentials.name | default "{default}" | quote }}}}')
            token["key"] = made.action("{{ .Values.prometheus.credentials.key | quote }}")
            endpoint["tlsConfig"] = made.block(
                '%ItlsConfig:\n%I  {{- include "sagemaker.scrapeTls" . | nindent %N }}\n'
            )


def _rules(made: Template, rules: list[JsonObject]) -> list[JsonObject | str]:
    """Return the rules of the manager, with those for objects of the kinds that a value selects, if it does."""
    of_all = kind_rules(KINDS)
    others = [rule for rule in rules if rule not in of_all]
    of_kinds = "".join(
        f'{{{{- if has "{kind.kind}" . }}}}\n%I{indented(to_yaml(kind_rules(selected([kind.kind]))))}{{{{- end }}}}\n'
        for kind in KINDS
    )
    start = f"{{{{- with .Values.kinds }}}}\n{of_kinds}{{{{- else }}}}\n"
    return [made.block(start), *of_all, made.block("{{- end }}\n"), *others]


def _mark_deployment(made: Template, spec: JsonObject) -> None:
    spec["replicas"] = made.action("{{ .Values.replicas }}")
    metadata, pod = spec["template"]["metadata"], spec["template"]["spec"]
    own = literal(metadata["annotations"])
    made.value(metadata, "annotations", f"(merge (dict) ({own}) (.Values.podAnnotations | default dict))")
    mark_labels(made, metadata, ".Values.podLabels", "podLabels")
    _mark_pod(made, pod, _POD_OPTIONS)
    manager, proxy = pod["containers"]
    for container, values in ((manager, "resources"), (proxy, "metricsProxy.resources")):
        _mark_container(made, container)
        made.value(container, "resources", f".Values.{values}")
    manager["args"] = [each.replace(_PLACEHOLDER, made.action(_NAMESPACE)) for each in manager["args"]]
    _mark_manager(made, manager)
    proxy["args"].append(made.block(_CERTIFICATE_FLAGS))
    proxy["volumeMounts"] = made.block(_CERTIFICATE_MOUNT)


def _mark_pod(made: Template, pod: JsonObject, options: Iterable[str]) -> None:
    pod["serviceAccountName"] = _account(made)
    made.value(pod, "securityContext", ".Values.podSecurityContext")
    for key in options:
        made.optional(pod, key, f".Values.{key}")
    pod["priorityClassName"] = made.block(
        "{{- with .Values.priorityClassName }}\n%IpriorityClassName: {{ . | quote }}\n{{- end }}\n"
    )
    pod["volumes"] = made.block(_VOLUMES)


def _mark_container(made: Template, container: dict[str, Any]) -> None:
    container["image"] = made.action('{{ include "sagemaker.image" . | quote }}')
    container["imagePullPolicy"] = made.action("{{ .Values.image.pullPolicy }}")
    made.value(container, "securityContext", ".Values.securityContext")


def _mark_manager(made: Template, container: JsonObject) -> None:
    """Put marks at flags, variables and mounts of the operator's own process."""
    container["args"] = [*container["args"], made.block(_KINDS), made.block(_STATUS_QUEUES)]
    container["env"] = [*container["env"], made.block(_ENV)]
    made.optional(container, "volumeMounts", ".Values.extraVolumeMounts")


def _account(made: Template) -> str:
    return made.action('{{ include "sagemaker.serviceAccount" . }}')
