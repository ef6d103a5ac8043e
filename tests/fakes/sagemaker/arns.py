"""ARNs as SageMaker makes them."""

from typing import Final

from api.descriptor import KindDescriptor

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-2"
_SEGMENTS: Final = {
    "TrainingJob": "training-job",
    "ProcessingJob": "processing-job",
    "BatchTransformJob": "transform-job",
    "HyperparameterTuningJob": "hyper-parameter-tuning-job",
    "Model": "model",
    "EndpointConfig": "endpoint-config",
    "HostingDeployment": "endpoint",
    "InferenceComponent": "inference-component",
    "ModelPackageGroup": "model-package-group",
    "ModelPackage": "model-package",
    "Pipeline": "pipeline",
    "PipelineExecution": "pipeline/p/execution",
}


def arn_of(descriptor: KindDescriptor, name: str, *, region: str = REGION, account: str = ACCOUNT) -> str:
    """Return the ARN of a resource."""
    return f"arn:aws:sagemaker:{region}:{account}:{_SEGMENTS[descriptor.kind]}/{name}"


def kind_of(arn: str) -> str:
    """Return the kind of the objects that stand for resources of this sort."""
    segment = arn.rpartition(":")[2].partition("/")[0]
    return next(kind for kind, each in _SEGMENTS.items() if each == segment)


def name_of(arn: str) -> str:
    """Return the name of the resource."""
    return arn.rpartition("/")[2]
