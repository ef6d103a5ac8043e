"""Converts kustomize's output to templates of the installer charts, so that charts duplicate nothing by hand.

Rendered with the default values, a chart gives what is in `release/`, with Helm's standard labels.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import yaml

from api.meta import JsonObject
from api.v1 import KINDS
from hack.manifests import chart_metadata, chart_objects, release
from hack.manifests.chart_metadata import CLUSTER, CRDS, OPERATOR
from hack.manifests.chart_template import Template, conditional, joined

FILES: Final = Path(__file__).parent / "chart_files"
"""Values, their schema, helpers and notes, shared by both operator charts."""
_HEADER: Final = "{{- /* Made by `python -m hack.manifests`. Do not edit: change config/ or hack/manifests. */ -}}\n"
_OPTIONAL: Final = {
    "network-policy": "networkPolicy",
    "prometheus": "prometheus",
    "grafana": "grafanaDashboard",
}
"""Kustomization below config/ -> key in values.yaml with the `enabled` that adds it."""


def generate(config: Path, *, image: str) -> dict[str, str]:
    """Return every generated file below `hack/charts/` with its content."""
    files = {}
    crds = _HEADER + _crd_templates(release.build(config, "crd"))
    for chart in (CLUSTER, CRDS):
        files[f"{chart}/templates/crds.yaml"] = crds
    for chart, kustomization in ((CLUSTER, "default"), (OPERATOR, "namespaced")):
        objects = list(_documents(release.build(config, kustomization)))
        files[f"{chart}/templates/operator.yaml"] = _HEADER + _operator_templates(objects)
        files[f"{chart}/templates/tests.yaml"] = _HEADER + chart_objects.tests(objects)
        for optional, key in _OPTIONAL.items():
            text = _operator_templates(_without_cluster_scoped(optional, config, chart))
            files[f"{chart}/templates/{optional}.yaml"] = _HEADER + conditional(f".Values.{key}.enabled", text)
        files |= _shared(chart, image)
    for path in sorted((FILES / "crds").iterdir()):
        files[f"{CRDS}/{path.name}"] = _with_kinds(path.read_text("utf-8"))
    files[f"{CRDS}/templates/_helpers.tpl"] = (FILES / "_helpers.tpl").read_text("utf-8")
    return files | chart_metadata.generate(files, image=image)


def _shared(chart: str, image: str) -> Iterator[tuple[str, str]]:
    """Yield the files that both operator charts have, with the names that they mention."""
    repository, tag, digest = release.parts(image)
    words = {
        "IMAGE-REPOSITORY": repository,
        "IMAGE-TAG": tag or '""',
        "IMAGE-DIGEST": digest or '""',
        "SERVICE-ACCOUNT": chart_objects.ACCOUNT,
        "METRICS-SERVICE": chart_objects.SERVICE,
    }
    for path in sorted(FILES.iterdir()):
        if path.suffix in {".yaml", ".json", ".txt", ".tpl"}:
            text = _with_kinds(path.read_text("utf-8"))
            for word, value in words.items():
                text = text.replace(word, value)
            yield f"{chart}/{'templates/' if path.suffix in {'.txt', '.tpl'} else ''}{path.name}", text


def _with_kinds(schema: str) -> str:
    return schema.replace('"KIND"', ", ".join(f'"{kind.kind}"' for kind in KINDS))


def _documents(text: str) -> Iterator[JsonObject]:
    """Yield the objects in a stream. The parser in C reads half a megabyte of CRDs ten times as fast."""
    yield from yaml.load_all(text, Loader=yaml.CSafeLoader)


def _without_cluster_scoped(kustomization: str, config: Path, chart: str) -> list[JsonObject]:
    """Return the objects of an optional part; the chart for one namespace creates none outside of it."""
    objects = list(_documents(release.build(config, kustomization)))
    return [each for each in objects if chart == CLUSTER or not each["kind"].startswith("Cluster")]


def _crd_templates(text: str) -> str:
    """Return CRD templates that survive the release: deleting CRDs would delete all their objects (D-46)."""
    template = Template()
    objects = [each for each in _documents(text) if each["kind"] == "CustomResourceDefinition"]
    for each in objects:
        each["metadata"].setdefault("annotations", {})["helm.sh/resource-policy"] = "keep"
        chart_objects.mark_labels(template, each["metadata"])
    return joined(conditional(_has_kind(each["spec"]["names"]["kind"]), template.text(each)) for each in objects)


def _has_kind(kind: str) -> str:
    """Return the condition that a value selects a kind, or one that creates its objects, or none."""
    needing = [each.kind for each in KINDS if kind == each.kind or kind in each.children]
    found = " ".join(f'(has "{each}" .Values.kinds)' for each in needing)
    return f"or (not .Values.kinds) {found}"


def _operator_templates(objects: Iterable[JsonObject]) -> str:
    """Return templates of all objects but the namespace, which the user creates, and CRDs, which have a file."""
    kinds = {"Namespace", "CustomResourceDefinition"}
    return joined(chart_objects.template(each) for each in objects if each["kind"] not in kinds)
