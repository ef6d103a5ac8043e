"""Search: whole records, latest modification first; and an index that lags or has gaps on request."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from hack.sandbox.aws.records.search import Flaws
from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.answers import refusal
from tests.unit.sandbox_aws.conftest import Request
from tests.unit.sandbox_aws.test_faults import control
from tests.unit.sandbox_aws.test_models import create_config, create_model
from tests.unit.sandbox_aws.test_tuning import request as tuning_request

Names = Callable[..., list[str]]
WITH_TEAM = [{"Key": "team", "Value": "vision"}]


@pytest.fixture
def three(aws: RunningServer, sagemaker: Any, request_of: Request) -> None:
    """Three jobs a minute apart: `gamma` began to train first, then `alpha` completed, and `beta` was stopped last."""
    for name, wait_s in (("alpha", 60), ("beta", 60), ("gamma", 240)):
        sagemaker.create_training_job(**request_of(name, Tags=WITH_TEAM if name == "beta" else None))
        aws.clock.advance(wait_s)
    sagemaker.stop_training_job(TrainingJobName="beta")


@pytest.fixture
def names(sagemaker: Any, three: None) -> Names:
    """Names of the training jobs found, in the order of the answer."""

    def found(**members: Any) -> list[str]:
        answer = sagemaker.search(Resource="TrainingJob", **members)
        return [record["TrainingJob"]["TrainingJobName"] for record in answer["Results"]]

    return found


def having(name: str, operator: str, value: str = "") -> dict[str, Any]:
    """A search expression with one filter."""
    return {"Filters": [{"Name": name, "Operator": operator} | ({"Value": value} if value else {})]}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, ["beta", "alpha", "gamma"], id="latest modification first by default"),
        pytest.param({"SortOrder": "Ascending"}, ["gamma", "alpha", "beta"], id="latest modification last"),
        pytest.param({"SortBy": "CreationTime"}, ["gamma", "beta", "alpha"], id="by creation"),
        pytest.param({"SortBy": "TrainingJobStatus"}, ["beta", "gamma", "alpha"], id="by another property"),
        pytest.param({"MaxResults": 1}, ["beta"], id="a page"),
        pytest.param({"SearchExpression": having("TrainingJobName", "Contains", "a")}, ["beta", "alpha", "gamma"]),
        pytest.param({"SearchExpression": having("TrainingJobStatus", "Equals", "Completed")}, ["alpha"]),
        pytest.param({"SearchExpression": having("TrainingJobStatus", "NotEquals", "Completed")}, ["beta", "gamma"]),
        pytest.param({"SearchExpression": having("TrainingJobStatus", "In", "Completed,Stopping")}, ["beta", "alpha"]),
        pytest.param({"SearchExpression": having("Tags.team", "Equals", "vision")}, ["beta"], id="a tag"),
        pytest.param({"SearchExpression": having("Tags.team", "NotExists")}, ["alpha", "gamma"], id="no tag"),
        pytest.param({"SearchExpression": having("TrainingEndTime", "Exists")}, ["alpha"], id="an absent member"),
        pytest.param(
            {
                "SearchExpression": {
                    "SubExpressions": [
                        having("TrainingJobName", "Equals", "gamma"),
                        having("Tags.team", "Equals", "vision"),
                    ],
                    "Operator": "Or",
                }
            },
            ["beta", "gamma"],
            id="either",
        ),
    ],
)
def test_records_are_filtered_and_sorted(names: Names, members: dict[str, Any], expected: list[str]) -> None:
    """API reference of Search: by default LastModifiedTime, descending."""
    assert names(**members) == expected


def test_a_record_is_what_describe_answers_with_tags(sagemaker: Any, three: None) -> None:
    """The service model of a record has almost all members of Describe, under the same names."""
    record = sagemaker.search(Resource="TrainingJob", MaxResults=1)["Results"][0]["TrainingJob"]
    described = sagemaker.describe_training_job(TrainingJobName="beta")
    described.pop("ResponseMetadata")
    assert record.pop("Tags") == WITH_TEAM
    assert record == {member: described[member] for member in record}
    assert set(described) - set(record) <= {"ProfilingStatus"}
    assert {"TrainingJobArn", "TrainingJobStatus", "SecondaryStatus", "CreationTime", "LastModifiedTime"} <= set(record)


def test_tuning_jobs_and_endpoints_are_found_under_the_names_of_their_records(sagemaker: Any) -> None:
    """A record has one member, called like the resource."""
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request())
    create_model(sagemaker)
    create_config(sagemaker, "config")
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    (tuning,) = sagemaker.search(Resource="HyperParameterTuningJob")["Results"]
    assert tuning["HyperParameterTuningJob"]["HyperParameterTuningJobName"] == "tune"
    assert tuning["HyperParameterTuningJob"]["TrainingJobStatusCounters"]["InProgress"] == 2
    (endpoint,) = sagemaker.search(Resource="Endpoint")["Results"]
    assert endpoint["Endpoint"]["EndpointStatus"] == "Creating"


def test_a_page_goes_on_where_the_last_one_ended(sagemaker: Any, names: Names) -> None:
    """Tokens as those of List operations."""
    first = sagemaker.search(Resource="TrainingJob", MaxResults=2)
    assert [record["TrainingJob"]["TrainingJobName"] for record in first["Results"]] == ["beta", "alpha"]
    assert names(MaxResults=2, NextToken=first["NextToken"]) == ["gamma"]
    last = sagemaker.search(Resource="TrainingJob", MaxResults=2, NextToken=first["NextToken"])
    assert "NextToken" not in last


def test_a_lagging_index_shows_an_earlier_state(aws: RunningServer, sagemaker: Any, names: Names) -> None:
    """Changes and new jobs alike, while Describe shows the truth."""
    aws.search.flaws = Flaws(lag_s=250)
    assert names() == ["beta", "alpha"], "gamma was created 240 s ago"
    shown = sagemaker.search(Resource="TrainingJob", MaxResults=1)["Results"][0]["TrainingJob"]
    assert shown["TrainingJobStatus"] == "InProgress"
    aws.clock.advance(250)
    assert names()[0] == "beta"
    assert sagemaker.describe_training_job(TrainingJobName="beta")["TrainingJobStatus"] == "Stopped"


def test_an_index_with_gaps_always_misses_the_same_resources(
    aws: RunningServer, sagemaker: Any, request_of: Request
) -> None:
    """By a share of the names."""
    for number in range(100):
        sagemaker.create_training_job(**request_of(f"job-{number}"))

    def found() -> set[str]:
        records = sagemaker.search(Resource="TrainingJob", MaxResults=100)["Results"]
        return {record["TrainingJob"]["TrainingJobName"] for record in records}

    assert len(found()) == 100
    aws.search.flaws = Flaws(gap=0.3)
    assert 50 < len(found()) < 90
    assert found() == found()
    aws.search.flaws = Flaws(gap=1.0)
    assert found() == set()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        pytest.param({"ChannelName": "train", "DataSource.S3DataSource.S3Uri": "s3://a"}, ["two"], id="one channel"),
        pytest.param({"ChannelName": "test", "DataSource.S3DataSource.S3Uri": "s3://a"}, [], id="of two channels"),
        pytest.param({"ChannelName": "test"}, ["two"], id="another channel"),
    ],
)
def test_nested_filters_are_about_one_entry_of_a_list(
    sagemaker: Any, request_of: Request, filters: dict[str, str], found: list[str]
) -> None:
    """As users look for the jobs that read some data: all filters have to pass for the same channel."""

    def channel(name: str, uri: str) -> dict[str, Any]:
        return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}

    sagemaker.create_training_job(**request_of("one", InputDataConfig=[channel("train", "s3://b")]))
    both = [channel("train", "s3://a"), channel("test", "s3://b")]
    sagemaker.create_training_job(**request_of("two", InputDataConfig=both))
    name = "InputDataConfig"
    nested = {
        "NestedPropertyName": name,
        "Filters": [
            {"Name": f"{name}.{each}", "Operator": "Contains", "Value": value} for each, value in filters.items()
        ],
    }
    answer = sagemaker.search(Resource="TrainingJob", SearchExpression={"NestedFilters": [nested]})
    assert [record["TrainingJob"]["TrainingJobName"] for record in answer["Results"]] == found


def test_the_past_is_searched_too_a_page_at_a_time(aws: RunningServer, sagemaker: Any, names: Names) -> None:
    """Behind what was modified later, and a million of it costs no more than a page."""
    aws.past.add(1_000_000, until=aws.clock.now() - 86_400)
    assert names(MaxResults=4)[3] == "past-00999999"
    first = sagemaker.search(Resource="TrainingJob", MaxResults=100)
    second = sagemaker.search(Resource="TrainingJob", MaxResults=100, NextToken=first["NextToken"])
    assert second["Results"][0]["TrainingJob"]["TrainingJobName"] == "past-00999902"
    times = [record["TrainingJob"]["LastModifiedTime"] for record in (*first["Results"], *second["Results"])]
    assert times == sorted(times, reverse=True)
    oldest = sagemaker.search(Resource="TrainingJob", MaxResults=1, SortBy="CreationTime", SortOrder="Ascending")
    assert oldest["Results"][0]["TrainingJob"]["TrainingJobName"] == "past-00000000"


def test_jobs_of_the_past_that_still_ran_stand_where_they_were_modified(aws: RunningServer, sagemaker: Any) -> None:
    """Created a second apart, they end in that order, and start after others that end."""
    aws.past.add(300, until=aws.clock.now(), step_s=1.0)
    seen, token = [], {}
    while True:
        answer = sagemaker.search(Resource="TrainingJob", MaxResults=70, **token)
        seen += [record["TrainingJob"] for record in answer["Results"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
    assert len({each["TrainingJobName"] for each in seen}) == 300
    times = [each["LastModifiedTime"] for each in seen]
    assert times == sorted(times, reverse=True)


def test_deleted_resources_leave_the_index(aws: RunningServer, sagemaker: Any, names: Names) -> None:
    """A deletion shows as an absence only."""
    sagemaker.delete_training_job(TrainingJobName="alpha")
    assert names() == ["beta", "gamma"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"Resource": "Toaster"}, "Member must satisfy enum value set", id="resource"),
        pytest.param({"MaxResults": 101}, "Member must have value less than or equal to 100", id="page"),
        pytest.param({"SearchExpression": {}}, "at least one", id="expression without conditions"),
        pytest.param({"SearchExpression": having("A", "LessThan", "1")}, "does not evaluate", id="operator"),
        pytest.param({"NextToken": "made up"}, "Invalid pagination token", id="token"),
    ],
)
def test_invalid_searches_are_refused(sagemaker: Any, three: None, members: dict[str, Any], message: str) -> None:
    """ValidationException, with the service's texts where they are known."""
    request = {"Resource": "TrainingJob"} | members
    code, text, status = refusal(sagemaker.search, **request)
    assert (code, status) == ("ValidationException", 400)
    assert message in text


def test_searches_are_counted_throttled_and_faulted_like_lists(aws: RunningServer, sagemaker: Any) -> None:
    """Its quota is published nowhere: one bucket of its own."""
    aws.quota.set(1)
    sagemaker.search(Resource="TrainingJob")
    with pytest.raises(ClientError, match="Rate exceeded"):
        sagemaker.search(Resource="Endpoint")
    sagemaker.list_training_jobs()
    aws.quota.set(0)
    aws.faults.add("Search", "deny")
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:Search"):
        sagemaker.search(Resource="TrainingJob")
    assert aws.requests.count("Search") == 3
    assert aws.effects.all() == []


def test_other_resources_are_searched_by_moto(sagemaker: Any) -> None:
    """Experiments and pipelines are not ours."""
    assert sagemaker.search(Resource="Experiment")["Results"] == []


def test_flaws_are_set_over_http_and_reset(aws: RunningServer, names: Names) -> None:
    """For another process: `python -m hack.sandbox search`."""
    assert control(aws, "POST", "search", {"gap": 1}) == (200, {"lag_s": 0.0, "gap": 1})
    assert names() == []
    assert control(aws, "POST", "search", {})[0] == 200
    assert len(names()) == 3
    assert control(aws, "POST", "search", {"lag_s": -1})[0] == 400
    assert control(aws, "POST", "search", {"gap": 2})[0] == 400
    control(aws, "POST", "search", {"gap": 1})
    aws.reset()
    assert aws.search.flaws == Flaws()
