"""What a reconciler does with a tracked job, as far as polling is concerned."""

from collections.abc import Mapping
from typing import Any

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.polling.tracker import Tracker
from controller.aws.sagemaker import Jobs
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT


def ended(tracker: Tracker, jobs: Jobs, target: Target, key: ObjectKey) -> Mapping[str, Any] | None:
    """Describe a training job if that is due, or if it is said to have ended. Forgets it and returns it if it has."""
    terminal = TRAINING_JOB.status.terminal
    seen = tracker.last(key)
    if seen is None:
        return None
    if not seen.is_describe_due and (seen.summary or {}).get("TrainingJobStatus") not in terminal:
        return None
    answer = jobs.describe(TRAINING_JOB, target, key.name, caller=key, background=False)
    if answer is ABSENT:
        return None
    tracker.described(key, answer)
    if answer["TrainingJobStatus"] not in terminal:
        return None
    tracker.forget(key)
    return answer
