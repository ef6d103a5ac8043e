"""The kinds of `sagemaker.aws.amazon.com/v1`, one descriptor each."""

from api.descriptor import KindDescriptor
from api.v1.trainingjob import TRAINING_JOB

KINDS: tuple[KindDescriptor, ...] = (TRAINING_JOB,)
"""All kinds that the operator serves, in the order in which it starts their controllers."""

__all__ = ["KINDS", "TRAINING_JOB"]
