"""Lists the training jobs that a tuning job has launched."""

from collections.abc import Hashable
from typing import Any, Final, Protocol

from controller.aws.errors import CallError
from controller.aws.sagemaker import PAGE_SIZE, Api, Page
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

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
        request: dict[str, Any] = {
            "HyperParameterTuningJobName": tuning_job,
            "MaxResults": PAGE_SIZE,
            # Creation times never change, so paging neither skips nor repeats items while jobs are launched.
            "SortBy": "CreationTime",
            "SortOrder": "Ascending",
        }
        if next_token:
            request["NextToken"] = next_token
        try:
            answer = self._api.call(target, "sagemaker", _OPERATION, request, caller=caller)
        except CallError as error:
            if error.error_class is ErrorClass.NOT_FOUND:
                return Page((), "")
            raise
        return Page(tuple(answer.get("TrainingJobSummaries", ())), answer.get("NextToken") or "")
