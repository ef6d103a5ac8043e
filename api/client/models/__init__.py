"""Made by `python -m hack.crds` from api/v1 and hack/snapshots. Do not edit: change those.

Manifests of `sagemaker.aws.amazon.com/v1` as typed dictionaries, one module per kind.
"""

from typing import TypeAlias

from api.client.models.batchtransformjob import BatchTransformJob
from api.client.models.endpointconfig import EndpointConfig
from api.client.models.hostingautoscalingpolicy import HostingAutoscalingPolicy
from api.client.models.hostingdeployment import HostingDeployment
from api.client.models.hyperparametertuningjob import HyperparameterTuningJob
from api.client.models.inferencecomponent import InferenceComponent
from api.client.models.metadata import Metadata
from api.client.models.model import Model
from api.client.models.modelpackage import ModelPackage
from api.client.models.modelpackagegroup import ModelPackageGroup
from api.client.models.pipeline import Pipeline
from api.client.models.pipelineexecution import PipelineExecution
from api.client.models.processingjob import ProcessingJob
from api.client.models.trainingjob import TrainingJob

Manifest: TypeAlias = (
    BatchTransformJob
    | EndpointConfig
    | HostingAutoscalingPolicy
    | HostingDeployment
    | HyperparameterTuningJob
    | InferenceComponent
    | Model
    | ModelPackage
    | ModelPackageGroup
    | Pipeline
    | PipelineExecution
    | ProcessingJob
    | TrainingJob
)
"""An object of any kind of v1."""

__all__ = [
    "BatchTransformJob",
    "EndpointConfig",
    "HostingAutoscalingPolicy",
    "HostingDeployment",
    "HyperparameterTuningJob",
    "InferenceComponent",
    "Manifest",
    "Metadata",
    "Model",
    "ModelPackage",
    "ModelPackageGroup",
    "Pipeline",
    "PipelineExecution",
    "ProcessingJob",
    "TrainingJob",
]
