"""The list of a tuning job's training jobs, page by page."""

import boto3.session
import pytest

from api.meta import ObjectKey
from controller.aws.errors import AwsError, CallError
from controller.aws.targets import Target
from controller.aws.tuning_jobs import SageMakerTuningJobChildren
from controller.runtime.errors import ErrorClass
from tests.fakes import Answers

TARGET = Target("us-east-2")
CALLER = ObjectKey("default", "hpo")
OPERATION = "ListTrainingJobsForHyperParameterTuningJob"


def test_pages_are_asked_for_in_an_order_that_does_not_change_underneath() -> None:
    """Oldest first, as many as there can be; the token is passed on. The service model knows every member."""
    api = Answers(**{OPERATION: [{"TrainingJobSummaries": [{"TrainingJobName": "a"}], "NextToken": "t2"}]})
    page = SageMakerTuningJobChildren(api).page(TARGET, "hpo", next_token="t1", caller=CALLER)
    assert (page.items, page.next_token) == (({"TrainingJobName": "a"},), "t2")
    ((operation, request),) = api.requests
    assert operation == OPERATION
    assert request == {
        "HyperParameterTuningJobName": "hpo",
        "MaxResults": 100,
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "NextToken": "t1",
    }
    model = boto3.session.Session().client("sagemaker", region_name="us-east-2").meta.service_model
    assert set(request) <= set(model.operation_model(OPERATION).input_shape.members)


def test_the_first_page_has_no_token_and_the_last_one_neither() -> None:
    """An empty token is not sent."""
    api = Answers(**{OPERATION: [{}]})
    page = SageMakerTuningJobChildren(api).page(TARGET, "hpo", next_token="", caller=CALLER)
    assert (page.items, page.next_token) == ((), "")
    assert "NextToken" not in api.requests[0][1]


def test_a_tuning_job_that_is_not_known_has_launched_nothing() -> None:
    """Whether it is gone is for Describe to say."""
    api = Answers(**{OPERATION: [AwsError(ErrorClass.NOT_FOUND, "ResourceNotFound", "can't find a tuning job")]})
    assert SageMakerTuningJobChildren(api).page(TARGET, "hpo", next_token="", caller=CALLER).items == ()


def test_other_refusals_are_raised() -> None:
    """Silence is not an empty list."""
    api = Answers(**{OPERATION: [AwsError(ErrorClass.DENIED, "AccessDeniedException", "no")]})
    with pytest.raises(CallError, match="AccessDenied"):
        SageMakerTuningJobChildren(api).page(TARGET, "hpo", next_token="", caller=CALLER)
