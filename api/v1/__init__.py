"""The kinds of `sagemaker.aws.amazon.com/v1`, one descriptor each."""

from api.descriptor import KindDescriptor
from api.v1.batchtransformjob import BATCH_TRANSFORM_JOB
from api.v1.endpointconfig import ENDPOINT_CONFIG
from api.v1.hostingautoscalingpolicy import HOSTING_AUTOSCALING_POLICY
from api.v1.hostingdeployment import HOSTING_DEPLOYMENT
from api.v1.hyperparametertuningjob import HYPERPARAMETER_TUNING_JOB
from api.v1.inferencecomponent import INFERENCE_COMPONENT
from api.v1.model import MODEL
from api.v1.modelpackage import MODEL_PACKAGE
from api.v1.modelpackagegroup import MODEL_PACKAGE_GROUP
from api.v1.pipeline import PIPELINE
from api.v1.pipelineexecution import PIPELINE_EXECUTION
from api.v1.processingjob import PROCESSING_JOB
from api.v1.trainingjob import TRAINING_JOB

KINDS: tuple[KindDescriptor, ...] = (
    TRAINING_JOB,
    HYPERPARAMETER_TUNING_JOB,
    BATCH_TRANSFORM_JOB,
    PROCESSING_JOB,
    MODEL,
    ENDPOINT_CONFIG,
    HOSTING_DEPLOYMENT,
    INFERENCE_COMPONENT,
    HOSTING_AUTOSCALING_POLICY,
    PIPELINE_EXECUTION,
    MODEL_PACKAGE_GROUP,
    MODEL_PACKAGE,
    PIPELINE,
)
"""Every kind of the API, in the order in which the operator starts their controllers."""

__all__ = [
    "BATCH_TRANSFORM_JOB",
    "ENDPOINT_CONFIG",
    "HOSTING_AUTOSCALING_POLICY",
    "HOSTING_DEPLOYMENT",
    "HYPERPARAMETER_TUNING_JOB",
    "INFERENCE_COMPONENT",
    "KINDS",
    "MODEL",
    "MODEL_PACKAGE",
    "MODEL_PACKAGE_GROUP",
    "PIPELINE",
    "PIPELINE_EXECUTION",
    "PROCESSING_JOB",
    "TRAINING_JOB",
]
