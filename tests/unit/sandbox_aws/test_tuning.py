"""Tuning jobs, through boto3: the training jobs they launch over time, the best of them, stopping, failing.

A training job takes 360 seconds (10 + 20 + 300 + 30); stopping one takes 60.
"""

import json
from typing import Any

import pytest

from hack.sandbox.aws.jobs.sampling import sampled
from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.answers import departures, refusal

ROLE = "arn:aws:iam::123456789012:role/training"
RANGES = {
    "IntegerParameterRanges": [{"Name": "depth", "MinValue": "2", "MaxValue": "9"}],
    "ContinuousParameterRanges": [
        {"Name": "eta", "MinValue": "0.001", "MaxValue": "1.0", "ScalingType": "Logarithmic"}
    ],
    "CategoricalParameterRanges": [{"Name": "booster", "Values": ["gbtree", "dart"]}],
}


def definition(**members: Any) -> dict[str, Any]:
    """The smallest training job definition, with members replaced."""
    return {
        "AlgorithmSpecification": {"TrainingImage": "x", "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "StaticHyperParameters": {"rounds": "10"},
    } | members


def request(name: str = "tune", most: int = 5, parallel: int = 2, **members: Any) -> dict[str, Any]:
    """A CreateHyperParameterTuningJob; `config` is merged into its configuration."""
    config = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": most, "MaxParallelTrainingJobs": parallel},
        "ParameterRanges": RANGES,
    } | members.pop("config", {})
    whole = {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition(),
    } | members
    return {key: value for key, value in whole.items() if value is not None}


def ranges(low: str, high: str) -> dict[str, Any]:
    """The range of one integer."""
    return {"IntegerParameterRanges": [{"Name": "n", "MinValue": low, "MaxValue": high}]}


def seen(sagemaker: Any, name: str = "tune") -> Any:
    """The answer of DescribeHyperParameterTuningJob."""
    return sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def status(sagemaker: Any, name: str = "tune") -> str:
    """The status of a tuning job."""
    return str(seen(sagemaker, name)["HyperParameterTuningJobStatus"])


def counters(sagemaker: Any) -> tuple[int, int, int, int]:
    """Completed, in progress, failed and stopped training jobs."""
    found = seen(sagemaker)["TrainingJobStatusCounters"]
    assert found["RetryableError"] == 0
    return found["Completed"], found["InProgress"], found["NonRetryableError"], found["Stopped"]


def children(sagemaker: Any, name: str = "tune", **members: Any) -> list[Any]:
    """The summaries of the training jobs of a tuning job, one page."""
    call = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job
    members = {"MaxResults": 100} | members
    return list(call(HyperParameterTuningJobName=name, **members)["TrainingJobSummaries"])


def test_training_jobs_start_as_earlier_ones_end(aws: RunningServer, sagemaker: Any) -> None:
    """MaxParallelTrainingJobs 2 of 5: two at once, and the next ones when there is room."""
    sagemaker.create_hyper_parameter_tuning_job(**request())
    found = [counters(sagemaker)]
    for wait_s in (359, 1, 360, 359, 1):
        aws.clock.advance(wait_s)
        found.append(counters(sagemaker))
    assert found == [(0, 2, 0, 0), (0, 2, 0, 0), (2, 2, 0, 0), (4, 1, 0, 0), (4, 1, 0, 0), (5, 0, 0, 0)]
    answer = seen(sagemaker)
    assert answer["HyperParameterTuningJobStatus"] == "Completed"
    assert (answer["HyperParameterTuningEndTime"] - answer["CreationTime"]).total_seconds() == 3 * 360
    assert answer["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}


def test_a_clock_that_jumps_to_the_end_shows_the_same_as_one_that_creeps(aws: RunningServer, sagemaker: Any) -> None:
    """Whether anybody looked meanwhile must not matter: names, times and values are worked out, not recorded."""
    sagemaker.create_hyper_parameter_tuning_job(**request())
    start = aws.clock.now()
    aws.clock.advance(5000)
    starts = sorted(row["CreationTime"].timestamp() - start for row in children(sagemaker))
    assert starts == pytest.approx([0, 0, 360, 360, 720])
    assert status(sagemaker) == "Completed"


def test_what_is_launched_is_a_training_job_like_any_other(aws: RunningServer, sagemaker: Any) -> None:
    """v1-kinds 12.2: described, listed, tagged and stopped under its own name, `<tuning job>-001-<8 hex>`."""
    arn = sagemaker.create_hyper_parameter_tuning_job(**request(Tags=[{"Key": "owner", "Value": "me"}]))
    first, second = children(sagemaker)
    assert first["TrainingJobName"].rpartition("-")[0] == "tune-001"
    assert second["TrainingJobName"].rpartition("-")[0] == "tune-002"
    assert len(first["TrainingJobName"]) == len("tune-001-") + 8
    job = sagemaker.describe_training_job(TrainingJobName=first["TrainingJobName"])
    assert job["TuningJobArn"] == arn["HyperParameterTuningJobArn"]
    given = dict(job["HyperParameters"])
    assert given.pop("rounds") == "10"
    assert given.pop("_tuning_objective_metric") == "validation:error"
    assert given == first["TunedHyperParameters"]
    assert (job["RoleArn"], job["ResourceConfig"]["InstanceType"]) == (ROLE, "ml.m5.large")
    tags = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == [{"Key": "owner", "Value": "me"}]
    listed = [row["TrainingJobName"] for row in sagemaker.list_training_jobs()["TrainingJobSummaries"]]
    assert sorted(listed) == [first["TrainingJobName"], second["TrainingJobName"]]


def test_values_are_within_their_ranges_and_differ(aws: RunningServer, sagemaker: Any) -> None:
    """Strings, as all hyperparameters."""
    sagemaker.create_hyper_parameter_tuning_job(**request(most=10, parallel=10))
    tuned = [row["TunedHyperParameters"] for row in children(sagemaker)]
    assert all(2 <= int(values["depth"]) <= 9 for values in tuned)
    assert all(0.001 <= float(values["eta"]) <= 1 for values in tuned)
    assert {values["booster"] for values in tuned} == {"gbtree", "dart"}
    assert len({json.dumps(values) for values in tuned}) == 10


def test_a_seed_repeats_a_search_under_another_name(aws: RunningServer, sagemaker: Any) -> None:
    """RandomSeed of the configuration; without one, the job's own name is the seed."""
    for name, seed in (("a", {"RandomSeed": 7}), ("b", {"RandomSeed": 7}), ("c", {})):
        sagemaker.create_hyper_parameter_tuning_job(**request(name, config=seed))
    first, second, third = ([row["TunedHyperParameters"] for row in children(sagemaker, name)] for name in "abc")
    assert first == second != third


def test_a_grid_is_walked_once(aws: RunningServer, sagemaker: Any) -> None:
    """Grid: as many training jobs as combinations, each one once."""
    grid = [{"Name": "x", "Values": ["1", "2"]}, {"Name": "y", "Values": ["a", "b", "c"]}]
    config = {
        "Strategy": "Grid",
        "ResourceLimits": {"MaxParallelTrainingJobs": 10},
        "ParameterRanges": {"CategoricalParameterRanges": grid},
    }
    sagemaker.create_hyper_parameter_tuning_job(**request(config=config))
    pairs = sorted((row["TunedHyperParameters"]["x"], row["TunedHyperParameters"]["y"]) for row in children(sagemaker))
    assert pairs == [(x, y) for x in "12" for y in "abc"]


def test_each_definition_of_a_grid_is_walked_once(aws: RunningServer, sagemaker: Any) -> None:
    """Definitions take turns, and no combination is left out for it."""
    several = [
        definition(
            DefinitionName=name,
            TuningObjective={"Type": "Maximize", "MetricName": "score"},
            HyperParameterRanges={"CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "2"]}]},
        )
        for name in ("one", "two")
    ]
    config = {"Strategy": "Grid", "ResourceLimits": {"MaxParallelTrainingJobs": 10}}
    whole = request(TrainingJobDefinition=None, TrainingJobDefinitions=several)
    sagemaker.create_hyper_parameter_tuning_job(**whole | {"HyperParameterTuningJobConfig": config})
    found = sorted((row["TrainingJobDefinitionName"], row["TunedHyperParameters"]["x"]) for row in children(sagemaker))
    assert found == [(name, x) for name in ("one", "two") for x in "12"]


@pytest.mark.parametrize(("kind", "chosen"), [("Minimize", min), ("Maximize", max)])
def test_the_best_training_job_has_the_best_objective(
    aws: RunningServer, sagemaker: Any, kind: str, chosen: Any
) -> None:
    """v1-kinds 6.9: absent until one has completed; the value is that of the training job's own metrics."""
    objective = {"Type": kind, "MetricName": "validation:error"}
    sagemaker.create_hyper_parameter_tuning_job(**request(config={"HyperParameterTuningJobObjective": objective}))
    assert "BestTrainingJob" not in seen(sagemaker)
    aws.clock.advance(5000)
    values = {
        row["TrainingJobName"]: row["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
        for row in children(sagemaker)
    }
    best = seen(sagemaker)["BestTrainingJob"]
    assert best["TrainingJobName"] == chosen(values, key=lambda name: values[name])
    metric = best["FinalHyperParameterTuningJobObjectiveMetric"]
    assert metric == {**objective, "Value": chosen(values.values())}
    assert (best["ObjectiveStatus"], best["TrainingJobStatus"]) == ("Succeeded", "Completed")
    assert best["TunedHyperParameters"]["booster"] in {"gbtree", "dart"}
    job = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    finals = {row["MetricName"]: row["Value"] for row in job["FinalMetricDataList"]}
    assert finals["validation:error"] == pytest.approx(metric["Value"])


def test_training_jobs_are_listed_by_page_status_and_objective(aws: RunningServer, sagemaker: Any) -> None:
    """ListTrainingJobsForHyperParameterTuningJob: by name unless told otherwise; by objective, only those with one."""
    sagemaker.create_hyper_parameter_tuning_job(**request())
    aws.clock.advance(400)
    names = [row["TrainingJobName"] for row in children(sagemaker)]
    assert names == sorted(names)
    assert len(names) == 4
    running = [row["TrainingJobName"] for row in children(sagemaker, StatusEquals="InProgress")]
    assert running == names[2:]
    ranked = children(sagemaker, SortBy="FinalObjectiveMetricValue", SortOrder="Descending")
    values = [row["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for row in ranked]
    assert (len(values), values) == (2, sorted(values, reverse=True))
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName="tune", PaginationConfig={"PageSize": 3}
    )
    sizes = [[row["TrainingJobName"] for row in page["TrainingJobSummaries"]] for page in pages]
    assert sizes == [names[:3], names[3:]]
    by_time = children(sagemaker, SortBy="CreationTime", SortOrder="Descending")
    assert by_time[0]["CreationTime"] > by_time[-1]["CreationTime"]


def test_stopping_stops_what_runs_and_launches_no_more(aws: RunningServer, sagemaker: Any) -> None:
    """v1-kinds 12.1 rows 7 to 9: Stopping until the last training job has stopped."""
    sagemaker.create_hyper_parameter_tuning_job(**request())
    aws.clock.advance(400)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert (status(sagemaker), counters(sagemaker)) == ("Stopping", (2, 2, 0, 0))
    name = children(sagemaker)[-1]["TrainingJobName"]
    assert sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Stopping"
    code, message, _ = refusal(sagemaker.stop_hyper_parameter_tuning_job, HyperParameterTuningJobName="tune")
    assert (code, message.endswith("is in status Stopping.")) == ("ValidationException", True)
    aws.clock.advance(59)
    assert status(sagemaker) == "Stopping"
    aws.clock.advance(1)
    assert (status(sagemaker), counters(sagemaker)) == ("Stopped", (2, 0, 0, 2))
    assert "BestTrainingJob" in seen(sagemaker)
    aws.clock.advance(5000)
    assert len(children(sagemaker)) == 4


def test_stopping_one_training_job_makes_room_for_the_next(aws: RunningServer, sagemaker: Any) -> None:
    """D-19: a user may stop a single training job; the search goes on without it."""
    sagemaker.create_hyper_parameter_tuning_job(**request())
    aws.clock.advance(100)
    sagemaker.stop_training_job(TrainingJobName=children(sagemaker)[0]["TrainingJobName"])
    aws.clock.advance(60)
    assert counters(sagemaker) == (0, 2, 0, 1)
    assert (children(sagemaker)[2]["CreationTime"] - seen(sagemaker)["CreationTime"]).total_seconds() == 160
    aws.clock.advance(5000)
    assert (status(sagemaker), counters(sagemaker)) == ("Completed", (4, 0, 0, 1))
    assert children(sagemaker)[0]["ObjectiveStatus"] == "Failed"


def test_a_tuning_job_without_success_fails_early(aws: RunningServer, sagemaker: Any) -> None:
    """After five failures in a row from the start SageMaker gives up, and stops what still runs."""
    marked = request(most=20, parallel=2, Tags=[{"Key": "SANDBOX_FAIL", "Value": "bad data"}])
    sagemaker.create_hyper_parameter_tuning_job(**marked)
    aws.clock.advance(360 * 3)
    assert counters(sagemaker) == (0, 0, 6, 0)
    answer = seen(sagemaker)
    text = "No training job succeeded after 5 attempts. Please take a look at the training job failures to get more"
    assert (answer["HyperParameterTuningJobStatus"], answer["FailureReason"]) == ("Failed", f"{text} details.")
    assert "BestTrainingJob" not in answer
    reasons = {row["FailureReason"] for row in children(sagemaker)}
    assert reasons == {"AlgorithmError: bad data, exit code: 1"}
    aws.clock.advance(5000)
    assert len(children(sagemaker)) == 6


def test_some_failures_are_counted_and_forgiven(aws: RunningServer, sagemaker: Any) -> None:
    """SANDBOX_FAIL_FIRST: the first ones fail, the search succeeds."""
    marked = request(Tags=[{"Key": "SANDBOX_FAIL_FIRST", "Value": "3"}])
    sagemaker.create_hyper_parameter_tuning_job(**marked)
    aws.clock.advance(5000)
    assert (status(sagemaker), counters(sagemaker)) == ("Completed", (2, 0, 3, 0))
    assert seen(sagemaker)["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 0, "Failed": 3}


def test_a_target_that_is_reached_ends_the_search(aws: RunningServer, sagemaker: Any) -> None:
    """TuningJobCompletionCriteria: no value is above 1, so the first training job will do."""
    criteria = {"TuningJobCompletionCriteria": {"TargetObjectiveMetricValue": 1.0}}
    sagemaker.create_hyper_parameter_tuning_job(**request(parallel=1, config=criteria))
    aws.clock.advance(5000)
    assert (status(sagemaker), counters(sagemaker)) == ("Completed", (1, 0, 0, 0))


def test_a_warm_start_compares_with_its_parents(aws: RunningServer, sagemaker: Any) -> None:
    """WarmStartConfig: parents must exist and have ended; OverallBestTrainingJob is the best of all."""
    parents = {
        "WarmStartType": "TransferLearning",
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}],
    }
    warm = request("child", WarmStartConfig=parents)
    code, message, _ = refusal(sagemaker.create_hyper_parameter_tuning_job, **warm)
    assert (code, "can't find a tuning job called parent" in message) == ("ResourceNotFound", True)
    sagemaker.create_hyper_parameter_tuning_job(**request("parent"))
    assert "terminal state" in refusal(sagemaker.create_hyper_parameter_tuning_job, **warm)[1]
    aws.clock.advance(5000)
    sagemaker.create_hyper_parameter_tuning_job(**warm)
    parent_best = seen(sagemaker, "parent")["BestTrainingJob"]
    assert seen(sagemaker, "child")["OverallBestTrainingJob"] == parent_best
    aws.clock.advance(5000)
    both = [parent_best, seen(sagemaker, "child")["BestTrainingJob"]]
    best = min(both, key=lambda job: job["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
    assert seen(sagemaker, "child")["OverallBestTrainingJob"] == best
    assert "OverallBestTrainingJob" not in seen(sagemaker, "parent")


def test_several_definitions_take_turns(aws: RunningServer, sagemaker: Any) -> None:
    """TrainingJobDefinitions: each with a name, an objective and ranges of its own."""
    several = [
        definition(
            DefinitionName=name,
            TuningObjective={"Type": "Maximize", "MetricName": f"{name}:score"},
            HyperParameterRanges={"IntegerParameterRanges": [{"Name": name, "MinValue": "1", "MaxValue": "3"}]},
        )
        for name in ("one", "two")
    ]
    config = {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 4},
    }
    whole = request(TrainingJobDefinition=None, TrainingJobDefinitions=several)
    sagemaker.create_hyper_parameter_tuning_job(**whole | {"HyperParameterTuningJobConfig": config})
    found = [(row["TrainingJobDefinitionName"], list(row["TunedHyperParameters"])) for row in children(sagemaker)]
    assert found == [("one", ["one"]), ("two", ["two"])] * 2


@pytest.mark.parametrize(
    "operation",
    [
        "describe_hyper_parameter_tuning_job",
        "stop_hyper_parameter_tuning_job",
        "list_training_jobs_for_hyper_parameter_tuning_job",
    ],
)
def test_an_unknown_tuning_job_has_a_code_and_words_of_its_own(sagemaker: Any, operation: str) -> None:
    """v1-kinds 13.1: ResourceNotFound, other than all other kinds."""
    answer = refusal(getattr(sagemaker, operation), HyperParameterTuningJobName="nobody")
    text = "Amazon SageMaker can't find a tuning job called nobody. Type another name."
    assert answer == ("ResourceNotFound", text, 400)


def test_a_taken_name_is_in_use(sagemaker: Any) -> None:
    """v1-kinds 13.2: with a text of its own, too."""
    sagemaker.create_hyper_parameter_tuning_job(**request())
    answer = refusal(sagemaker.create_hyper_parameter_tuning_job, **request())
    text = "A hyperparameter tuning job with the name, tune, already exists. Choose a different name."
    assert answer == ("ResourceInUse", text, 400)
    assert len(children(sagemaker)) == 2


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"TrainingJobDefinition": None}, "either TrainingJobDefinition or TrainingJobDefinitions"),
        ({"most": 2, "parallel": 3}, "MaxParallelTrainingJobs must not be greater"),
        ({"config": {"ResourceLimits": {"MaxParallelTrainingJobs": 1}}}, "MaxNumberOfTrainingJobs must be specified"),
        (
            {"TrainingJobDefinition": definition(StaticHyperParameters={"eta": "1"})},
            "eta have a range and a static value",
        ),
        (
            {
                "config": {
                    "ParameterRanges": {"IntegerParameterRanges": [{"Name": "n", "MinValue": "3", "MaxValue": "2"}]}
                }
            },
            "must not be greater than its maximum",
        ),
        ({"TrainingJobDefinition": definition(RoleArn=f"{ROLE}/does-not-exist")}, "Could not assume role"),
        ({"name": "x" * 33}, "failed to satisfy constraint"),
        ({"most": 2, "parallel": 0}, "failed to satisfy constraint"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(sagemaker: Any, members: dict[str, Any], words: str) -> None:
    """And leaves nothing behind."""
    code, message, _ = refusal(sagemaker.create_hyper_parameter_tuning_job, **request(**members))
    assert code == "ValidationException"
    assert words in message
    assert sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_tracker_sees_each_change_of_the_counters_in_the_list(aws: RunningServer, sagemaker: Any) -> None:
    """DESIGN 4.5: counters stand in the summary, and LastModifiedTime moves with them."""
    sagemaker.create_hyper_parameter_tuning_job(**request())

    def listed(**members: Any) -> list[Any]:
        return list(sagemaker.list_hyper_parameter_tuning_jobs(**members)["HyperParameterTuningJobSummaries"])

    mark = listed()[0]["LastModifiedTime"]
    aws.clock.advance(300)
    assert listed(LastModifiedTimeAfter=mark) == []
    aws.clock.advance(60)
    (row,) = listed(LastModifiedTimeAfter=mark)
    assert (row["TrainingJobStatusCounters"]["Completed"], row["TrainingJobStatusCounters"]["InProgress"]) == (2, 2)
    assert row["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 5, "MaxParallelTrainingJobs": 2}
    assert "HyperParameterTuningEndTime" not in row
    aws.clock.advance(5000)
    (row,) = listed(StatusEquals="Completed")
    assert row["HyperParameterTuningEndTime"] == row["LastModifiedTime"]


def test_a_finished_tuning_job_can_be_deleted_and_leaves_its_training_jobs(aws: RunningServer, sagemaker: Any) -> None:
    """DeleteHyperParameterTuningJob, a newer operation."""
    sagemaker.create_hyper_parameter_tuning_job(**request())
    assert "InProgress" in refusal(sagemaker.delete_hyper_parameter_tuning_job, HyperParameterTuningJobName="tune")[1]
    aws.clock.advance(5000)
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune")
    assert refusal(lambda: seen(sagemaker))[0] == "ResourceNotFound"
    assert len(sagemaker.list_training_jobs()["TrainingJobSummaries"]) == 5


def test_answers_hold_only_what_the_service_model_knows(aws: RunningServer, sagemaker: Any) -> None:
    """With everything that Describe repeats, while it runs and after."""
    sagemaker.create_hyper_parameter_tuning_job(**request(Tags=[{"Key": "SANDBOX_FAIL_FIRST", "Value": "1"}]))
    name = {"HyperParameterTuningJobName": "tune"}
    for _ in range(3):
        assert departures(aws.url, "DescribeHyperParameterTuningJob", name) == []
        assert departures(aws.url, "ListTrainingJobsForHyperParameterTuningJob", name) == []
        assert departures(aws.url, "ListHyperParameterTuningJobs", {}) == []
        child = children(sagemaker)[0]["TrainingJobName"]
        assert departures(aws.url, "DescribeTrainingJob", {"TrainingJobName": child}) == []
        aws.clock.advance(400)


def test_tags_of_a_tuning_job_are_its_own(aws: RunningServer, sagemaker: Any) -> None:
    """Training jobs have a copy of the tags from the time of their launch."""
    arn = sagemaker.create_hyper_parameter_tuning_job(**request())["HyperParameterTuningJobArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "late", "Value": "x"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "late", "Value": "x"}]
    aws.clock.advance(400)
    tags = [len(sagemaker.list_tags(ResourceArn=row["TrainingJobArn"])["Tags"]) for row in children(sagemaker)]
    assert tags == [0, 0, 1, 1]


def test_a_logarithmic_range_of_one_value_has_that_value() -> None:
    """Rounding must not leave the range."""
    one = {"Name": "x", "MinValue": "0.1", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
    values = sampled({"ContinuousParameterRanges": [one]}, seed="s", number=0, is_grid=False)
    assert values == {"x": "0.1"}


def test_a_parent_may_have_no_name(aws: RunningServer, sagemaker: Any) -> None:
    """The service model does not require it, so it is no reason to fail."""
    warm = {"ParentHyperParameterTuningJobs": [{}], "WarmStartType": "TransferLearning"}
    sagemaker.create_hyper_parameter_tuning_job(**request(WarmStartConfig=warm))
    assert seen(sagemaker)["WarmStartConfig"] == warm


def test_spot_training_without_a_limit_of_waiting_is_launched(aws: RunningServer, sagemaker: Any) -> None:
    """A definition may leave MaxWaitTimeInSeconds out, which CreateTrainingJob does not accept."""
    spot = definition(EnableManagedSpotTraining=True)
    sagemaker.create_hyper_parameter_tuning_job(**request(most=1, parallel=1, TrainingJobDefinition=spot))
    aws.clock.advance(400)
    assert counters(sagemaker)[0] == 1
