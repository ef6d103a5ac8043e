"""Generates Chart.yaml and README.md of every chart: version, sources, icon, and what Artifact Hub shows."""

import base64
import configparser
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from api.meta import VERSION, JsonObject
from api.v1 import KINDS
from hack.crds import ROOT, to_yaml

CLUSTER: Final = "installer/rolebased"
OPERATOR: Final = "installer/namespaced/operator_chart"
CRDS: Final = "installer/namespaced/crd_chart"
CHARTS: Final[Mapping[str, tuple[str, str]]] = {
    CLUSTER: ("sagemaker-k8s-operator", "The SageMaker operator for all namespaces of a cluster."),
    OPERATOR: (
        "sagemaker-k8s-operator",
        "The SageMaker operator for one namespace; install the chart crd_chart once per cluster before it.",
    ),
    CRDS: (
        "sagemaker-k8s-operator-crds",
        "The kinds of sagemaker.aws.amazon.com, once per cluster. They outlive the release.",
    ),
    "training-jobs": ("sagemaker-k8s-trainingjob", "One TrainingJob, from a short list of values."),
    "hyperparameter-tuning-jobs": (
        "sagemaker-k8s-hyperparametertuningjob",
        "One HyperparameterTuningJob, from a short list of values.",
    ),
    "batch-transform-jobs": (
        "sagemaker-k8s-batchtransformjob",
        "One BatchTransformJob, from a short list of values.",
    ),
}
"""Folder below hack/charts -> name and description."""
HOME: Final = "https://github.com/aws/amazon-sagemaker-operator-for-k8s"
"""Where the API and its guides come from. Who distributes this operator names the own repository here."""
_FILES: Final = Path(__file__).parent / "chart_files"
_HEADER: Final = "# Made by `python -m hack.manifests`. Do not edit: change hack/manifests/chart_metadata.py.\n"


def version() -> str:
    """Return the version of the release, which setup.cfg has."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", "utf-8")
    return setup["metadata"]["version"]


def generate(files: Mapping[str, str], *, image: str) -> dict[str, str]:
    """Return Chart.yaml and README.md of every chart; `files` has the values and schemas of the operator's."""
    made = {}
    for folder, (name, description) in CHARTS.items():
        made[f"{folder}/Chart.yaml"] = _HEADER + to_yaml(_chart(folder, name, description, image))
        values = _read(files, f"{folder}/values.yaml")
        table = "\n".join(_rows(json.loads(_read(files, f"{folder}/values.schema.json")), yaml.safe_load(values)))
        page = (_FILES / "README.md").read_text("utf-8")
        words = {"CHART-NAME": name, "DESCRIPTION": description, "INSTALL": _INSTALL[folder], "VALUES": table}
        for word, value in words.items():
            page = page.replace(word, value)
        made[f"{folder}/README.md"] = page
    return made


def _chart(folder: str, name: str, description: str, image: str) -> JsonObject:
    icon = base64.b64encode((_FILES / "icon.svg").read_bytes()).decode()
    chart: JsonObject = {
        "apiVersion": "v2",
        "name": name,
        "version": version(),
        "appVersion": version(),
        "description": description,
        "type": "application",
        "home": HOME,
        "sources": [HOME],
        "icon": f"data:image/svg+xml;base64,{icon}",
        "keywords": ["sagemaker", "operator", "machine-learning"],
        "annotations": {"artifacthub.io/category": "ai-machine-learning", "artifacthub.io/license": "Apache-2.0"},
    }
    if folder.startswith("installer/"):
        chart["kubeVersion"] = ">=1.25.0-0"
        chart["annotations"] |= _of_operator(folder, image)
    return chart


def _of_operator(folder: str, image: str) -> dict[str, str]:
    """Return the annotations of an operator's chart (artifacthub.io/docs/topics/annotations/helm)."""
    crds = [
        {
            "kind": kind.kind,
            "version": VERSION,
            "name": f"{kind.plural}.sagemaker.aws.amazon.com",
            "displayName": kind.kind,
            "description": f"{kind.kind} of Amazon SageMaker",
        }
        for kind in KINDS
    ]
    has_image = [{"name": "operator", "image": image}] if folder != CRDS else []
    return {
        "artifacthub.io/operator": "true",
        "artifacthub.io/operatorCapabilities": "Deep Insights",
        **({"artifacthub.io/crds": to_yaml(crds)} if folder != OPERATOR else {}),
        **({"artifacthub.io/images": to_yaml(has_image)} if has_image else {}),
    }


def _read(files: Mapping[str, str], path: str) -> str:
    return files[path] if path in files else (ROOT / "hack/charts" / path).read_text("utf-8")


def _rows(schema: JsonObject, defaults: JsonObject, path: str = "") -> Iterator[str]:
    """Yield a row of the table for each value: its path, default and meaning."""
    for key, found in schema.get("properties", {}).items():
        name = f"{path}{key}"
        default = (defaults or {}).get(key)
        if found.get("properties") and not found.get("description"):
            yield from _rows(found, default, f"{name}.")
        elif key != "global":
            text = found.get("description") or found.get("$ref", "").rpartition("/")[2] or _types(found)
            yield f"| `{name}` | {_shown(default)} | {text} |"


def _types(schema: JsonObject) -> str:
    kind = schema.get("type", "")
    return kind if isinstance(kind, str) else " or ".join(each for each in kind if each != "null")


def _shown(default: Any) -> str:
    if default in (None, "", [], {}):
        return ""
    text = json.dumps(default)
    return f"`{text}`" if len(text) <= 60 else "see values.yaml"


_INSTALL: Final[Mapping[str, str]] = {
    CLUSTER: """    kubectl create namespace sagemaker-k8s-operator-system
    helm install --namespace sagemaker-k8s-operator-system sagemaker-operator CHART --set roleArn=ARN
    helm test --namespace sagemaker-k8s-operator-system sagemaker-operator --logs""",
    OPERATOR: """    helm install -n my-namespace op CHART --set roleArn=ARN
    helm test -n my-namespace op --logs""",
    CRDS: "    helm install crds CHART",
    "training-jobs": "    helm install --generate-name CHART --values my-values.yaml",
    "hyperparameter-tuning-jobs": "    helm install --generate-name CHART --values my-values.yaml",
    "batch-transform-jobs": "    helm install --generate-name CHART --values my-values.yaml",
}
"""How the README of each chart installs it."""
