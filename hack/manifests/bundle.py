"""Generates a bundle for the Operator Lifecycle Manager (registry+v1) from the cluster-wide installation.

`python -m hack.manifests.bundle` writes it to dist/bundle, with the Dockerfile of its image. It is not checked in: it
follows from config/, the samples and the version. OLM makes the service account and binds the roles to it.
"""

import argparse
import base64
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from api.meta import VERSION, JsonObject
from api.v1 import KINDS
from hack.crds import ROOT, to_yaml
from hack.manifests import chart_metadata, release

PACKAGE: Final = "sagemaker-k8s-operator"
CHANNEL: Final = "stable"
OUTPUT: Final = ROOT / "dist" / "bundle"
_MANAGER: Final = "sagemaker-k8s-operator-controller-manager"
_ACCOUNT: Final = "sagemaker-k8s-operator-default"
_CREATED: Final = frozenset({"Namespace", "ServiceAccount", "RoleBinding", "ClusterRoleBinding", "Deployment"})
"""Kinds of which OLM makes the objects itself."""
_GRANTED: Final = {"Role": "permissions", "ClusterRole": "clusterPermissions"}
_CHOSEN_BY_CLUSTER: Final = ("runAsUser", "runAsGroup", "fsGroup")
"""OpenShift gives each namespace a range of users; elsewhere the image's own is used."""
_TARGETS: Final = {
    "name": "SAGEMAKER_OPERATOR_NAMESPACE",
    "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['olm.targetNamespaces']"}},
}
"""The namespaces of the OperatorGroup; empty for all."""
_TEXT: Final = """\
Runs Amazon SageMaker training, tuning, processing and transform jobs, models and endpoints from custom resources.

## Before you install

The operator calls AWS with an IAM role: see docs/aws-identity.md in the repository. With EKS Pod Identity, associate
the role with the service account `sagemaker-k8s-operator-default`; else give credentials by `spec.config` of the
Subscription.

## After

Apply a TrainingJob of sagemaker.aws.amazon.com/v1. `kubectl get trainingjobs` shows what becomes of it. Delete all
objects before you remove the operator: they stop their jobs, and wait for it.
"""


def generate(config: Path, *, image: str) -> dict[str, str]:
    """Return every file of the bundle with its content."""
    texts = release.build(config, "default").split("\n---\n")
    objects: list[JsonObject] = [yaml.load(text, Loader=yaml.CSafeLoader) for text in texts]
    files = {f"manifests/{PACKAGE}.clusterserviceversion.yaml": to_yaml(_service_version(objects, image))}
    bound = _bound(objects)
    for text, each in zip(texts, objects, strict=True):
        kind, name = each["kind"], each["metadata"]["name"]
        if kind in _CREATED or (kind, name) in bound:
            continue
        path = f"manifests/{name}.{kind.lower()}.yaml"
        files[path] = f"{text.rstrip()}\n"  # half a megabyte of CRDs are as they should be
        if "namespace" in each["metadata"]:
            del each["metadata"]["namespace"]  # that of the OperatorGroup
            files[path] = to_yaml(each)
    labels = _labels()
    files["metadata/annotations.yaml"] = to_yaml({"annotations": labels})
    lines = [f"LABEL {key}={value}" for key, value in labels.items()]
    copies = ["COPY manifests /manifests/", "COPY metadata /metadata/"]
    files["Dockerfile"] = "\n".join(["FROM scratch", *lines, *copies, ""])
    return files


def _labels() -> dict[str, str]:
    prefix = "operators.operatorframework.io.bundle"
    return {
        f"{prefix}.mediatype.v1": "registry+v1",
        f"{prefix}.manifests.v1": "manifests/",
        f"{prefix}.metadata.v1": "metadata/",
        f"{prefix}.package.v1": PACKAGE,
        f"{prefix}.channels.v1": CHANNEL,
        f"{prefix}.channel.default.v1": CHANNEL,
    }


def _bound(objects: Iterable[JsonObject]) -> set[tuple[str, str]]:
    """Return kind and name of the roles that are bound to the operator's account: OLM makes them of the version."""
    return {
        (each["roleRef"]["kind"], each["roleRef"]["name"])
        for each in objects
        if each["kind"].endswith("RoleBinding") and any(one["name"] == _ACCOUNT for one in each["subjects"])
    }


def _service_version(objects: list[JsonObject], image: str) -> JsonObject:
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    bound = _bound(objects)
    rules: dict[str, list[Any]] = {key: [] for key in _GRANTED.values()}
    for each in objects:
        if (each["kind"], each["metadata"]["name"]) in bound:
            rules[_GRANTED[each["kind"]]] += each["rules"]
    install = {key: [{"serviceAccountName": _ACCOUNT, "rules": found}] for key, found in rules.items()}
    spec = _deployment(deployment["spec"], image)
    labels = deployment["metadata"]["labels"]
    install["deployments"] = [{"name": _MANAGER, "label": labels, "spec": spec}]
    icon = (Path(__file__).parent / "chart_files" / "icon.svg").read_bytes()
    return {
        "apiVersion": "operators.coreos.com/v1alpha1",
        "kind": "ClusterServiceVersion",
        "metadata": {
            "name": f"{PACKAGE}.v{chart_metadata.version()}",
            "namespace": "placeholder",
            "annotations": {
                "alm-examples": json.dumps(_examples(), indent=2),
                "capabilities": "Deep Insights",
                "categories": "AI/Machine Learning",
                "containerImage": image,
                "description": "Amazon SageMaker jobs, models and endpoints as custom resources",
                "repository": chart_metadata.HOME,
                "support": chart_metadata.HOME,
            },
        },
        "spec": {
            "displayName": "Amazon SageMaker operator",
            "description": _TEXT,
            "version": chart_metadata.version(),
            "minKubeVersion": "1.25.0",
            "maturity": "beta",
            "keywords": ["sagemaker", "machine-learning", "aws"],
            "provider": {"name": "The operator's maintainers", "url": chart_metadata.HOME},
            "links": [{"name": "Documentation", "url": chart_metadata.HOME}],
            "icon": [{"base64data": base64.b64encode(icon).decode(), "mediatype": "image/svg+xml"}],
            "installModes": [
                {"type": mode, "supported": mode in ("OwnNamespace", "AllNamespaces")}
                for mode in ("OwnNamespace", "SingleNamespace", "MultiNamespace", "AllNamespaces")
            ],
            "customresourcedefinitions": {"owned": _owned(objects)},
            "install": {"strategy": "deployment", "spec": install},
            "relatedImages": [{"name": "operator", "image": image}],
        },
    }


def _deployment(spec: JsonObject, image: str) -> JsonObject:
    pod = spec["template"]["spec"]
    for key in _CHOSEN_BY_CLUSTER:
        pod["securityContext"].pop(key)
    for container in pod["containers"]:
        container["image"] = image
    manager = pod["containers"][0]
    manager["env"] = [*manager["env"], _TARGETS]
    return spec


def _owned(objects: Iterable[JsonObject]) -> list[JsonObject]:
    names = {each["spec"]["names"]["kind"]: each for each in objects if each["kind"] == "CustomResourceDefinition"}
    return [
        {
            "name": names[kind.kind]["metadata"]["name"],
            "version": VERSION,
            "kind": kind.kind,
            "displayName": kind.kind,
            "description": names[kind.kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"],
        }
        for kind in KINDS
    ]


def _examples() -> list[JsonObject]:
    """Return a sample of each kind, the shortest: consoles offer it as the start of a new object."""
    found: dict[str, JsonObject] = {}
    for path in sorted((ROOT / "samples").glob("*.yaml"), key=lambda each: (each.stat().st_size, each.name)):
        for manifest in yaml.safe_load_all(path.read_text("utf-8")):
            found.setdefault(manifest["kind"], manifest)
    return [found[kind.kind] for kind in KINDS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hack.manifests.bundle", description="Generate the OLM bundle.")
    parser.add_argument("--image", default=release.IMAGE, help="image of the operator (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder, which is replaced (default: dist/bundle)")
    options = parser.parse_args(arguments)
    shutil.rmtree(options.output, ignore_errors=True)
    for name, text in generate(ROOT / "config", image=options.image).items():
        path = options.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    sys.stdout.write(f"wrote {options.output}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
