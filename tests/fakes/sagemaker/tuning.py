"""SageMaker's tuning jobs in memory, and the training jobs that they launch."""

import copy
from collections.abc import Hashable
from typing import Any

from api.descriptor import KindDescriptor
from api.v1 import HYPERPARAMETER_TUNING_JOB
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from tests.fakes.calls import CallLog
from tests.fakes.clock import FakeClock
from tests.fakes.sagemaker.jobs import FakeJobs, Job

COUNTERS = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
COUNTER_OF = {"Failed": "NonRetryableError", "Stopping": "InProgress"}
DESCRIPTION: dict[str, Any] = {
    "RoleArn": "arn:aws:iam::123456789012:role/training",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/xgboost"},
    "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    "HyperParameters": {"num_round": "18", "_tuning_objective_metric": "validation:error"},
}
"""Of every launched job."""


class FakeTuning(FakeJobs):
    """Tuning jobs: `launch` and `end` are what SageMaker does by itself. Training jobs are in `training`."""

    def __init__(self, clock: FakeClock, log: CallLog, training: FakeJobs) -> None:
        super().__init__(HYPERPARAMETER_TUNING_JOB, clock, log)
        self.training = training
        self.launched: dict[str, list[str]] = {}
        self.ratings: dict[str, float] = {}
        self.is_dating = True
        """Whether counters that change change LastModifiedTime, too."""

    # --- the test's side

    def launch(self, tuning: str, count: int = 1) -> list[str]:
        """SageMaker launches training jobs."""
        names = self.launched.setdefault(tuning, [])
        new = [f"{tuning}-{len(names) + n + 1:03d}-{n:08x}" for n in range(count)]
        tags = next(job.request.get("Tags", []) for (_, name), job in self.jobs.items() if name == tuning)
        for name in new:  # AWS copies the tags of a tuning job to what it launches
            self.training.existing(name, Tags=tags).extra.update(copy.deepcopy(DESCRIPTION))
        names += new
        self._touch(tuning)
        return new

    def end(self, name: str, value: str, rating: float | None = None) -> None:
        """A training job ends."""
        self.training.move(name, value)
        if rating is not None:
            self.ratings[name] = rating
        self._touch(next(tuning for tuning, names in self.launched.items() if name in names))

    def end_all(self, tuning: str, value: str) -> None:
        """The tuning job ends, and with it what it has launched."""
        for name in self.launched.get(tuning, ()):
            if self.training.jobs["us-east-2", name].value in {"InProgress", "Stopping"}:
                self.training.move(name, "Completed" if value == "Completed" else "Stopped")
        best = min((name for name in self.ratings), key=lambda name: self.ratings[name], default=None)
        extra = {"BestTrainingJob": self._item(tuning, best)} if best else {}
        self.move(tuning, value, **extra)

    def _touch(self, tuning: str) -> None:
        if self.is_dating:
            self.jobs["us-east-2", tuning].modified = self._clock.utcnow()

    def _item(self, tuning: str, name: str) -> dict[str, Any]:
        job = self.training.jobs["us-east-2", name]
        item = {
            "TrainingJobName": name,
            "TrainingJobArn": job.arn,
            "TuningJobName": tuning,
            "CreationTime": job.created,
            "TrainingJobStatus": job.value,
            "TunedHyperParameters": {"num_round": "18"},
        }
        if name in self.ratings:
            metric = {"MetricName": "validation:error", "Value": self.ratings[name]}
            item |= {"ObjectiveStatus": "Succeeded", "FinalHyperParameterTuningJobObjectiveMetric": metric}
        return item

    # --- the ports

    def _summary(self, descriptor: KindDescriptor, job: Job) -> dict[str, Any]:  # type: ignore[override]
        values = [self.training.jobs["us-east-2", name].value for name in self.launched.get(job.name, ())]
        counters = dict.fromkeys(COUNTERS, 0)
        for value in values:
            counters[COUNTER_OF.get(value, value)] += 1
        return {**FakeJobs._summary(descriptor, job), "TrainingJobStatusCounters": counters}

    def page(self, target: Target, tuning_job: str, *, next_token: str, caller: Hashable) -> Page:
        """See `TuningJobChildren.page`."""
        with self._call("launched", tuning_job):
            items = [self._item(tuning_job, name) for name in self.launched.get(tuning_job, ())]
        start = int(next_token or 0)
        end = start + self.page_size
        return Page(tuple(items[start:end]), str(end) if end < len(items) else "")
