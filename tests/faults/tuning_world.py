"""Operators for tuning and training jobs over in-memory Kubernetes and SageMaker."""

import copy
from typing import Any

from api.meta import JsonObject, ObjectKey
from api.v1 import HYPERPARAMETER_TUNING_JOB, TRAINING_JOB
from tests.fakes.world import World

KEY = ObjectKey("default", "hpo")

MANIFEST: JsonObject = {
    "apiVersion": "sagemaker.aws.amazon.com/v1",
    "kind": "HyperparameterTuningJob",
    "metadata": {"namespace": "default", "name": "hpo", "labels": {"team": "a"}},
    "spec": {
        "region": "us-east-2",
        "sageMakerEndpoint": "https://vpce.example.com",
        "hyperParameterTuningJobConfig": {
            "strategy": "Bayesian",
            "hyperParameterTuningJobObjective": {"type": "Minimize", "metricName": "validation:error"},
            "resourceLimits": {"maxNumberOfTrainingJobs": 3, "maxParallelTrainingJobs": 2},
        },
    },
}


def manifest(**metadata: Any) -> JsonObject:
    """The sample with fields of its metadata replaced."""
    obj = copy.deepcopy(MANIFEST)
    obj["metadata"] |= metadata
    return obj


class TuningWorld(World):
    """A world of tuning jobs, and of the training jobs that SageMaker launches for them."""

    def __init__(self) -> None:
        super().__init__(HYPERPARAMETER_TUNING_JOB, TRAINING_JOB, key=KEY, collects=True)
        self.tunings, self.trainings = self.cluster, self.clusters[TRAINING_JOB.kind]
        self.aws_training = self.sagemaker.of(TRAINING_JOB)

    def training(self, name: str) -> JsonObject:
        """The TrainingJob object of that name, empty where there is none."""
        return self.trainings.get(ObjectKey("default", name)) or {}

    def shown(self) -> dict[str, str]:
        """Status by name of all TrainingJob objects."""
        objects = [self.trainings.get(key) or {} for key in self.trainings.keys()]  # noqa: SIM118
        return {obj["metadata"]["name"]: obj.get("status", {}).get("trainingJobStatus", "") for obj in objects}
