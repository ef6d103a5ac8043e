"""The kinds of `sagemaker.aws.amazon.com/v1`, one descriptor each."""

from api.descriptor import KindDescriptor
from api.v1.batchtransformjob import BATCH_TRANSFORM_JOB
from api.v1.endpointconfig import ENDPOINT_CONFIG
from api.v1.hyperparametertuningjob import HYPERPARAMETER_TUNING_JOB
from api.v1.model import MODEL
from api.v1.processingjob import PROCESSING_JOB
from api.v1.trainingjob import TRAINING_JOB

KINDS: tuple[KindDescriptor, ...] = (TRAINING_JOB,)
"""All kinds that the operator serves, in the order in which it starts their controllers."""

PREPARED: tuple[KindDescriptor, ...] = (
    HYPERPARAMETER_TUNING_JOB,
    BATCH_TRANSFORM_JOB,
    PROCESSING_JOB,
    MODEL,
    ENDPOINT_CONFIG,
)
"""Kinds that are described and tested, but not served: a CRD without a reconciler would swallow objects in silence.
Their shapes are in the model snapshot, so that moving one to KINDS and running `make crds` is all it takes here."""

__all__ = [
    "BATCH_TRANSFORM_JOB",
    "ENDPOINT_CONFIG",
    "HYPERPARAMETER_TUNING_JOB",
    "KINDS",
    "MODEL",
    "PREPARED",
    "PROCESSING_JOB",
    "TRAINING_JOB",
]
