"""YAML files of this repository, each parsed once, by the parser in C: the one in Python takes ten times as long."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

SAMPLES = {
    "TrainingJob": "xgboost-mnist-trainingjob",
    "HyperparameterTuningJob": "xgboost-mnist-hpo",
    "BatchTransformJob": "xgboost-mnist-batchtransform",
    "ProcessingJob": "kmeans-mnist-processingjob",
    "PipelineExecution": "churn-pipelineexecution",
    "Model": "xgboost-mnist-model",
    "EndpointConfig": "xgboost-mnist-endpointconfig",
    "HostingDeployment": "xgboost-mnist-hostingdeployment",
    "HostingAutoscalingPolicy": "hap-predefined-metric",
    "InferenceComponent": "inference-component",
    "ModelPackageGroup": "modelpackagegroup",
    "ModelPackage": "modelpackage",
    "Pipeline": "pipeline",
}
"""By kind, the sample that the guides show, in `samples/`."""


@cache
def documents(path: Path) -> tuple[Any, ...]:
    """Return all documents of a file. They are shared: copy what you change."""
    with path.open("rb") as stream:
        return tuple(yaml.load_all(stream, Loader=yaml.CSafeLoader))


def document(path: Path) -> Any:
    """Return the only document of a file, which is shared."""
    (only,) = documents(path)
    return only
