"""Lists the training jobs that a tuning job has launched."""

from collections.abc import Hashable
from typing import Final, Protocol

from controller.aws.parts import page_of_parent
from controller.aws.sagemaker import Api, Page
from controller.aws.targets import Target

_OPERATION: Final = "ListTrainingJobsForHyperParameterTuningJob"


class TuningJobChildren(Protocol):
    """Lists training jobs by tuning job. Thread-safe; every call may raise `CallError`."""

    def page(self, target: Target, tuning_job: str, *, next_token: str, caller: Hashable) -> Page:
        """Return one page, oldest first; an empty last page for a tuning job that does not exist."""
        ...


class SageMakerTuningJobChildren:
    """`TuningJobChildren` over an `Api`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def page(self, target: Target, tuning_job: str, *, next_token: str, caller: Hashable) -> Page:
        """See `TuningJobChildren.page`."""
        request = {"HyperParameterTuningJobName": tuning_job, "SortBy": "CreationTime"}
        listed = _OPERATION, "TrainingJobSummaries"
        return page_of_parent(self._api, target, *listed, request, next_token=next_token, caller=caller)
