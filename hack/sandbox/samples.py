"""The input of `run`: the CRDs, samples that can succeed without an AWS account, and one change of a sample."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hack.sandbox.aws.server import RunningServer
from hack.sandbox.kubeapi import manifests

REPOSITORY = Path(__file__).resolve().parents[2]
CRDS = REPOSITORY / "config" / "crd" / "bases"
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file of samples/ with one manifest."""

    file: str

    @property
    def path(self) -> Path:
        """Return the path of the file."""
        return REPOSITORY / "samples" / self.file

    @property
    def manifest(self) -> dict[str, Any]:
        """Return the manifest in the file."""
        (manifest,) = manifests(self.path)
        return manifest

    @property
    def key(self) -> str:
        """Return kind and name, as in the rows of the table."""
        return self.words.replace(" ", "/")

    @property
    def words(self) -> str:
        """Return kind and name, as in arguments of kubectl."""
        manifest = self.manifest
        return f"{manifest['kind'].lower()} {manifest['metadata']['name']}"


# In the order of the table. Omitted: samples that need the user's own data, or demonstrate the same as others.
SAMPLES = (
    Sample("xgboost-mnist-trainingjob.yaml"),
    Sample("xgboost-mnist-trainingjob-spot.yaml"),
    Sample("xgboost-mnist-trainingjob-debugger.yaml"),
    Sample("xgboost-mnist-trainingjob-efs.yaml"),
    Sample("xgboost-mnist-trainingjob-fsx.yaml"),
    Sample("xgboost-mnist-hpo.yaml"),
    Sample("kmeans-mnist-processingjob.yaml"),
    Sample("churn-pipelineexecution.yaml"),
    Sample("xgboost-mnist-model.yaml"),
    Sample("xgboost-mnist-batchtransform.yaml"),
    Sample("xgboost-mnist-endpointconfig.yaml"),
    Sample("xgboost-mnist-hostingdeployment.yaml"),
    Sample("hap-custom-metric.yaml"),
    Sample("shared-hostingdeployment.yaml"),
    Sample("inference-component.yaml"),
    Sample("hap-inference-component.yaml"),
    Sample("modelpackagegroup.yaml"),
    Sample("modelpackage.yaml"),
    Sample("pipeline.yaml"),
)


PIPELINE = REPOSITORY / "docs" / "tasks" / "churn-pipeline.json"
"""The definition of the pipeline that a sample runs: the account has it, under the first word of the file's name. It
is no manifest, and kubectl takes every JSON file below `samples/` for one."""


def create_pipeline(aws: RunningServer, region: str = "us-east-2") -> None:
    """Create the pipeline that a sample runs."""
    aws.create_pipeline(PIPELINE.stem.partition("-")[0], PIPELINE.read_text("utf-8"), region)


NAMESPACE = "default"
NAMED = SAMPLES[0]
"""The one that the printed commands name."""


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """A change of a successful sample, to demonstrate updates: one instance becomes two, as in the hosting guide."""

    sample: Sample
    instances: int = 2

    @property
    def manifest(self) -> dict[str, Any]:
        """Return the changed manifest."""
        path = ("spec", "productionVariants", 0, "initialInstanceCount")
        return changed(self.sample.manifest, path, self.instances)

    @property
    def title(self) -> str:
        """Return a one-line description of the change."""
        return f"{self.sample.key}: initialInstanceCount becomes {self.instances}"

    def is_done(self, objects: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether the new number of instances is in service."""
        for obj in objects:
            status = obj.get("status") or {}
            if f"{obj['kind'].lower()}/{obj['metadata']['name']}" == self.sample.key:
                counts = [variant.get("currentInstanceCount") for variant in status.get("productionVariants") or ()]
                return status.get("endpointStatus") == "InService" and self.instances in counts
        return False


UPDATE = LiveUpdate(Sample("xgboost-mnist-hostingdeployment.yaml"))


def changed(manifest: Mapping[str, Any], path: _Path, value: object) -> dict[str, Any]:
    """Return a copy of a manifest with another value at `path`."""
    copied: dict[str, Any] = copy.deepcopy(dict(manifest))
    place: Any = copied
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return copied


def crd_paths() -> list[Path]:
    """Return the generated CRDs' files."""
    return sorted(CRDS.glob("*.yaml"))
