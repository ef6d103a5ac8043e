"""Converts kustomize's output to templates of the installer charts, so that charts duplicate nothing by hand.

Objects are parsed, the few configurable places get marks, and marks become template actions when the YAML is text
again. The rest of a template equals `release/` byte for byte.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from api.meta import JsonObject
from hack.crds import to_yaml
from hack.manifests import release

FILES: Final = Path(__file__).parent / "chart_files"
"""Values, their schema and the notes, shared by both operator charts."""
_HEADER: Final = "{{- /* Made by `python -m hack.manifests`. Do not edit: change config/ or hack/manifests. */ -}}\n"
_CLUSTER: Final = "installer/rolebased"
_OPERATOR: Final = "installer/namespaced/operator_chart"
_CRDS: Final = "installer/namespaced/crd_chart"
_OPTIONAL: Final = {
    "network-policy": "networkPolicy",
    "prometheus": "prometheus",
    "grafana": "grafanaDashboard",
}
"""Kustomization below config/ -> key in values.yaml with the `enabled` that adds it."""
_NAMESPACE: Final = "{{ .Release.Namespace }}"
_IMAGE: Final = "{{ .Values.image.repository }}:{{ .Values.image.tag }}"

_MARK: Final = "MARK-"


def generate(config: Path, *, image: str) -> dict[str, str]:
    """Return every generated file below `hack/charts/` with its content."""
    crds = _HEADER + _crd_templates(release.build(config, "crd"))
    files = {f"{_CLUSTER}/templates/crds.yaml": crds, f"{_CRDS}/templates/crds.yaml": crds}
    for chart, kustomization in ((_CLUSTER, "default"), (_OPERATOR, "namespaced")):
        objects = list(_documents(release.build(config, kustomization)))
        files[f"{chart}/templates/operator.yaml"] = _HEADER + _operator_templates(objects)
        for optional, key in _OPTIONAL.items():
            text = _operator_templates(_without_cluster_scoped(optional, config, chart))
            files[f"{chart}/templates/{optional}.yaml"] = (
                f"{_HEADER}{{{{- if .Values.{key}.enabled }}}}\n{text}{{{{- end }}}}\n"
            )
        repository, _, tag = image.rpartition(":")
        for shared in sorted(path.name for path in FILES.iterdir() if path.suffix in {".yaml", ".json", ".txt"}):
            place = "templates/NOTES.txt" if shared == "NOTES.txt" else shared
            text = (FILES / shared).read_text("utf-8")
            files[f"{chart}/{place}"] = text.replace("IMAGE-REPOSITORY", repository).replace("IMAGE-TAG", tag)
    return files


def _documents(text: str) -> Iterator[JsonObject]:
    """Yield the objects in a stream. The parser in C reads half a megabyte of CRDs ten times as fast."""
    yield from yaml.load_all(text, Loader=yaml.CSafeLoader)


def _without_cluster_scoped(kustomization: str, config: Path, chart: str) -> list[JsonObject]:
    """Return the objects of an optional part; the chart for one namespace creates none outside of it."""
    objects = list(_documents(release.build(config, kustomization)))
    return [each for each in objects if chart == _CLUSTER or not each["kind"].startswith("Cluster")]


def _crd_templates(text: str) -> str:
    """Return CRD templates that survive the release: deleting CRDs would delete all their objects (D-46)."""
    objects = [each for each in _documents(text) if each["kind"] == "CustomResourceDefinition"]
    for each in objects:
        each["metadata"].setdefault("annotations", {})["helm.sh/resource-policy"] = "keep"
    return "---\n".join(_escaped(to_yaml(each)) for each in objects)


def _operator_templates(objects: list[JsonObject]) -> str:
    documents = []
    for each in objects:
        if each["kind"] in {"Namespace", "CustomResourceDefinition"}:
            continue  # the user creates the namespace; CRDs have a separate file
        _mark(each)
        text = _acted(_escaped(to_yaml(each)))
        if each["kind"] == "PodDisruptionBudget":
            text = f"{{{{- if .Values.podDisruptionBudget.enabled }}}}\n{text}{{{{- end }}}}\n"
        documents.append(text)
    return "---\n".join(documents)


def _mark(obj: JsonObject) -> None:
    """Put marks at the configurable places."""
    metadata = obj["metadata"]
    if "namespace" in metadata:
        metadata["namespace"] = f"{_MARK}namespace"
    for subject in obj.get("subjects") or ():
        subject["namespace"] = f"{_MARK}namespace"
    for rule in obj.get("rules") or ():
        if "PLACEHOLDER-NAMESPACE" in rule.get("resourceNames", ()):
            rule["resourceNames"] = [f"{_MARK}namespace"]
    if obj["kind"] == "ServiceAccount":
        metadata["annotations"] = f"{_MARK}service-account-annotations"
        obj[f"{_MARK}with-imagePullSecrets"] = ".Values.imagePullSecrets"
    if obj["kind"] == "Deployment":
        _mark_deployment(obj["spec"])


def _mark_deployment(spec: JsonObject) -> None:
    spec["replicas"] = f"{_MARK}replicas"
    template = spec["template"]
    template["metadata"]["annotations"][f"{_MARK}more"] = ".Values.podAnnotations"
    template["metadata"]["labels"][f"{_MARK}more"] = ".Values.podLabels"
    pod = template["spec"]
    for key in ("nodeSelector", "affinity", "tolerations", "priorityClassName"):
        pod[f"{_MARK}with-{key}"] = f".Values.{key}"
    manager, proxy = pod["containers"]
    for container, values in ((manager, "resources"), (proxy, "metricsProxy.resources")):
        container["image"] = f"{_MARK}image"
        container["imagePullPolicy"] = f"{_MARK}pull-policy"
        container["resources"] = f"{_MARK}block-.Values.{values}"
    manager["args"] = [each.replace("PLACEHOLDER-NAMESPACE", f"{_MARK}namespace") for each in manager["args"]]
    manager["args"] += [f"{_MARK}status-queues", f"{_MARK}extra-args"]
    manager["env"].append(f"{_MARK}extra-env")


def _escaped(text: str) -> str:
    """Escape the text's own braces (alert templates, documentation) for Helm."""
    return re.sub(r"\{\{|\}\}", lambda found: f'{{{{ "{found[0]}" }}}}', text)


def _acted(text: str) -> str:
    """Replace marks with template actions."""
    return "".join(_line(line) for line in text.splitlines(keepends=True))


def _line(line: str) -> str:
    if _MARK not in line:
        return line
    indent = " " * (len(line) - len(line.lstrip()))
    return "".join(part for part in _actions(line.strip(), indent)) or _in_line(line)


def _actions(stripped: str, indent: str) -> Iterator[str]:
    """Yield the lines for a mark that is a whole line; nothing if the mark is within a line."""
    deeper = len(indent) + 2
    if found := re.fullmatch(rf"{_MARK}with-(\w+): (\S+)", stripped):
        key, value = found.groups()
        yield f"{{{{- with {value} }}}}\n{indent}{key}:"
        yield (
            " {{ . | quote }}\n"
            if key == "priorityClassName"
            else f"\n{indent}  {{{{- toYaml . | nindent {deeper} }}}}\n"
        )
        yield "{{- end }}\n"
    elif found := re.fullmatch(rf"{_MARK}more: (\S+)", stripped):
        yield f"{{{{- with {found[1]} }}}}\n{indent}{{{{- toYaml . | nindent {len(indent)} }}}}\n{{{{- end }}}}\n"
    elif found := re.fullmatch(rf"(\w+): {_MARK}block-(\S+)", stripped):
        yield f"{indent}{found[1]}:\n{indent}  {{{{- toYaml {found[2]} | nindent {deeper} }}}}\n"
    elif stripped == f"- {_MARK}status-queues":
        yield (
            "{{- with .Values.statusQueues }}\n"
            f'{indent}- {{{{ printf "--status-queue=%s" (join "," .) | quote }}}}\n'
            "{{- end }}\n"
        )
    elif stripped == f"- {_MARK}extra-args":
        yield f"{{{{- range .Values.extraArgs }}}}\n{indent}- {{{{ . | quote }}}}\n{{{{- end }}}}\n"
    elif stripped == f"- {_MARK}extra-env":
        yield f"{{{{- with .Values.extraEnv }}}}\n{indent}{{{{- toYaml . | nindent {len(indent)} }}}}\n{{{{- end }}}}\n"
    elif stripped == f"annotations: {_MARK}service-account-annotations":
        yield (
            f"{{{{- if or .Values.roleArn .Values.serviceAccount.annotations }}}}\n{indent}annotations:\n"
            "{{- with .Values.roleArn }}\n"
            f"{indent}  eks.amazonaws.com/role-arn: {{{{ . | quote }}}}\n{{{{- end }}}}\n"
            f"{{{{- with .Values.serviceAccount.annotations }}}}\n"
            f"{indent}  {{{{- toYaml . | nindent {deeper} }}}}\n{{{{- end }}}}\n{{{{- end }}}}\n"
        )


def _in_line(line: str) -> str:
    replaced: dict[str, Any] = {
        "namespace": _NAMESPACE,
        "replicas": "{{ .Values.replicas }}",
        "image": f'"{_IMAGE}"',
        "pull-policy": "{{ .Values.image.pullPolicy }}",
    }
    for mark, action in replaced.items():
        line = line.replace(f"{_MARK}{mark}", action)
    return line
