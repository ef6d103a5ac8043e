"""A client for notebooks and pipelines: manifests as typed dictionaries, and what to do with them (docs/client.md)."""

from api.client.client import Client
from api.client.errors import (
    AlreadyExistsError,
    ClientError,
    NotFoundError,
    ObjectDeletedError,
    ObjectFailedError,
    RequestError,
    UnreachableError,
    WaitTimeoutError,
)
from api.client.models import (
    BatchTransformJob,
    EndpointConfig,
    HostingAutoscalingPolicy,
    HostingDeployment,
    HyperparameterTuningJob,
    InferenceComponent,
    Manifest,
    Model,
    ProcessingJob,
    TrainingJob,
)

__all__ = [
    "AlreadyExistsError",
    "BatchTransformJob",
    "Client",
    "ClientError",
    "EndpointConfig",
    "HostingAutoscalingPolicy",
    "HostingDeployment",
    "HyperparameterTuningJob",
    "InferenceComponent",
    "Manifest",
    "Model",
    "NotFoundError",
    "ObjectDeletedError",
    "ObjectFailedError",
    "ProcessingJob",
    "RequestError",
    "TrainingJob",
    "UnreachableError",
    "WaitTimeoutError",
]
