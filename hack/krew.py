"""Renders the manifest by which krew installs `kubectl smlogs`: plugins/smlogs.yaml of a plugin index."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import yaml

FILE: Final = "smlogs.yaml"
URL: Final = "https://downloads.example/kubectl-smlogs-plugin/v1"
"""Stands for where a release's archives are; `make smlogs ARGS=--url=…` names it."""
PLUGIN: Final = "kubectl-smlogs"
HOMEPAGE: Final = "https://sagemaker.aws.amazon.com"
SHORT: Final = "View SageMaker logs of Kubernetes objects"
DESCRIPTION: Final = """\
Prints what a job or an endpoint of the SageMaker operator for Kubernetes
wrote to CloudWatch, found by its Kubernetes object: TrainingJob,
ProcessingJob, BatchTransformJob, HyperparameterTuningJob, HostingDeployment.
It acts as you, with kubectl's flags and the credentials of the AWS CLI.
"""
CAVEATS: Final = """\
Needs Python 3.11 or later as python3 on PATH.
"""


def render(archives: Iterable[Path], *, version: str, url: str) -> str:
    """Return the manifest of archives, which are named `<os>.<architecture>.tar.gz`, with their checksums."""
    manifest = {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": PLUGIN.removeprefix("kubectl-")},
        "spec": {
            "version": f"v{version}",
            "homepage": HOMEPAGE,
            "shortDescription": SHORT,
            "description": DESCRIPTION,
            "caveats": CAVEATS,
            "platforms": [_platform(archive, url.rstrip("/")) for archive in archives],
        },
    }
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, as manifests of an index have them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _platform(archive: Path, url: str) -> dict[str, object]:
    system, architecture = archive.name.split(".")[:2]
    folder = f"{PLUGIN}.{system}.{architecture}"
    return {
        "selector": {"matchLabels": {"os": system, "arch": architecture}},
        "uri": f"{url}/{archive.name}",
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "files": [{"from": f"{folder}/{name}", "to": "."} for name in (PLUGIN, "LICENSE")],
        "bin": PLUGIN,
    }
