"""Conversion, value by value: v1-kinds.md 11 and known-defects.md D-06, D-29, D-30."""

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from api.convert import ConversionError, to_request, to_spec, to_status, unknown_fields
from api.fields import Field, installed
from api.form import Form
from api.meta import JsonObject
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    HOSTING_AUTOSCALING_POLICY,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from tests.tables import each_row

# --- manifest → AWS


def test_a_list_of_pairs_becomes_a_map() -> None:
    """SHAPE: {name, value} lists in v1, maps at AWS."""
    request = to_request(TRAINING_JOB, {"hyperParameters": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]})

    assert request == {"HyperParameters": {"a": "1", "b": "2"}}


def test_the_last_of_two_pairs_with_one_name_wins() -> None:
    """v1-kinds.md 11."""
    request = to_request(TRAINING_JOB, {"hyperParameters": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]})

    assert request == {"HyperParameters": {"a": "2"}}


def test_maps_that_aws_has_added_take_the_form_of_v1() -> None:
    """`environment` is a {name, value} list in the kinds of v1 that have it; here as well."""
    request = to_request(TRAINING_JOB, {"environment": [{"name": "A", "value": "1"}]})

    assert request == {"Environment": {"A": "1"}}


@pytest.mark.parametrize("nothing", [None, []], ids=["null", "empty list"])
def test_what_says_nothing_is_not_sent(nothing: Any) -> None:
    """The predecessor sent empty maps and lists; leaving them out is equivalent, and AWS refuses some empty lists."""
    assert to_request(TRAINING_JOB, {"hyperParameters": nothing, "tags": nothing, "inputDataConfig": nothing}) == {}


def test_a_list_that_aws_requires_is_sent_empty() -> None:
    """Left out, the answer would be about a missing member that the user has given."""
    assert to_request(TRAINING_JOB, {"vpcConfig": {"subnets": [], "securityGroupIds": ["sg-1"]}}) == {
        "VpcConfig": {"Subnets": [], "SecurityGroupIds": ["sg-1"]}
    }


def test_an_empty_structure_is_sent() -> None:
    """`stoppingCondition: {}` is a valid manifest of v1 and asks for AWS's default."""
    assert to_request(TRAINING_JOB, {"stoppingCondition": {}}) == {"StoppingCondition": {}}


def test_an_empty_string_is_sent() -> None:
    """An empty key id means the default key; only AWS can say where empty is wrong."""
    request = to_request(TRAINING_JOB, {"outputDataConfig": {"kmsKeyId": "", "s3OutputPath": "s3://b"}})

    assert request == {"OutputDataConfig": {"KmsKeyId": "", "S3OutputPath": "s3://b"}}


def test_unknown_fields_are_never_sent() -> None:
    """botocore would refuse the whole request."""
    assert to_request(TRAINING_JOB, {"roleArn": "r", "colour": "red", "vpcConfig": {"colour": "red"}}) == {
        "RoleArn": "r",
        "VpcConfig": {},
    }


def test_the_name_is_the_callers_to_set() -> None:
    """The reconciler sends the name it has persisted."""
    assert to_request(TRAINING_JOB, {"trainingJobName": "a", "region": "us-east-2"}) == {}


def test_a_request_shares_nothing_with_the_spec() -> None:
    """The caller adds tags to it."""
    spec = {"tags": [{"key": "a", "value": "b"}], "vpcConfig": {"subnets": ["s"], "securityGroupIds": ["g"]}}

    request = to_request(TRAINING_JOB, spec)
    request["Tags"].append({"Key": "c", "Value": "d"})
    request["VpcConfig"]["Subnets"].append("t")

    assert spec == {"tags": [{"key": "a", "value": "b"}], "vpcConfig": {"subnets": ["s"], "securityGroupIds": ["g"]}}


def test_an_integral_float_is_a_whole_number() -> None:
    """The API server takes 60.0 for an int64 (v1-kinds.md 2)."""
    request = to_request(TRAINING_JOB, {"stoppingCondition": {"maxRuntimeInSeconds": 60.0}})

    assert request["StoppingCondition"]["MaxRuntimeInSeconds"] == 60
    assert isinstance(request["StoppingCondition"]["MaxRuntimeInSeconds"], int)


@each_row(
    ("spec", "path", "message"),
    [
        pytest.param("x", "spec", "must be an object, not a string", id="spec"),
        pytest.param({"vpcConfig": ["x"]}, "spec.vpcConfig", "must be an object, not a list", id="structure"),
        pytest.param({"tags": {}}, "spec.tags", "must be a list, not an object", id="list"),
        pytest.param({"roleArn": 7}, "spec.roleArn", "must be a string, not a number; put it in quotes", id="string"),
        pytest.param({"tags": [{"key": "a", "value": "b"}, {"key": 1}]}, "spec.tags[1].key",
                     "must be a string, not a number; put it in quotes", id="item"),
        pytest.param({"hyperParameters": [{"name": "eta", "value": 0.2}]}, "spec.hyperParameters[0].value",
                     "must be a string, not a number; put it in quotes", id="value of a pair"),
        pytest.param({"hyperParameters": ["eta=0.2"]}, "spec.hyperParameters[0]",
                     "must be an object with name and value, not a string", id="pair"),
        pytest.param({"stoppingCondition": {"maxRuntimeInSeconds": "60"}},
                     "spec.stoppingCondition.maxRuntimeInSeconds", "must be a whole number, not a string",
                     id="integer given as text"),
        pytest.param({"stoppingCondition": {"maxRuntimeInSeconds": 60.5}},
                     "spec.stoppingCondition.maxRuntimeInSeconds", "must be a whole number",
                     id="fraction"),
        pytest.param({"stoppingCondition": {"maxRuntimeInSeconds": True}},
                     "spec.stoppingCondition.maxRuntimeInSeconds", "must be a whole number, not a boolean",
                     id="boolean for an integer"),
        pytest.param({"enableNetworkIsolation": "yes"}, "spec.enableNetworkIsolation",
                     "must be true or false, not a string", id="text for a boolean"),
    ],
)  # fmt: skip
def test_a_value_without_a_form_at_aws_is_refused_with_its_path(spec: Any, path: str, message: str) -> None:
    """One bad object gives one clear error, never a crash (D-06)."""
    with pytest.raises(ConversionError) as refused:
        to_request(TRAINING_JOB, spec)

    assert (refused.value.path, refused.value.message) == (path, message)
    assert str(refused.value) == f"{path}: {message}"


# --- AWS → status


def test_a_describe_answer_fills_the_status() -> None:
    """v1-kinds.md 7, and D-29: the model's path is what AWS says, not a concatenation."""
    answer = {
        "TrainingJobName": "job-1",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-2:123456789012:training-job/job-1",
        "TrainingJobStatus": "Completed",
        "SecondaryStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/job-1/output/model.tar.gz"},
        "ResourceConfig": {"InstanceCount": 1},
        "DebugRuleEvaluationStatuses": [
            {
                "RuleConfigurationName": "LossNotDecreasing",
                "RuleEvaluationJobArn": "arn:rule",
                "RuleEvaluationStatus": "IssuesFound",
                "StatusDetails": "RuleEvaluationConditionMet",
                "LastModifiedTime": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=1))),
            }
        ],
        "ResponseMetadata": {"HTTPStatusCode": 200},
    }

    assert to_status(TRAINING_JOB, answer) == {
        "sageMakerTrainingJobName": "job-1",
        "trainingJobStatus": "Completed",
        "secondaryStatus": "Completed",
        "modelPath": "s3://b/job-1/output/model.tar.gz",
        "debugRuleEvaluationStatuses": [
            {
                "ruleConfigurationName": "LossNotDecreasing",
                "ruleEvaluationJobArn": "arn:rule",
                "ruleEvaluationStatus": "IssuesFound",
                "statusDetail": "RuleEvaluationConditionMet",
                "lastModifiedTime": "2026-01-02T02:04:05Z",
            }
        ],
    }


def test_a_failure_reason_is_shown_as_additional() -> None:
    """KEY: additional."""
    assert to_status(TRAINING_JOB, {"FailureReason": "AlgorithmError"}) == {"additional": "AlgorithmError"}


def test_a_list_summary_tells_less_and_gives_only_that() -> None:
    """Keys that it lacks must not overwrite what is known."""
    summary = {
        "TrainingJobName": "job-1",
        "TrainingJobArn": "arn",
        "CreationTime": datetime(2026, 1, 2, tzinfo=UTC),
        "LastModifiedTime": datetime(2026, 1, 2, tzinfo=UTC),
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
    }

    assert to_status(TRAINING_JOB, summary) == {
        "sageMakerTrainingJobName": "job-1",
        "trainingJobStatus": "InProgress",
        "secondaryStatus": "Starting",
    }


def test_a_status_value_that_nobody_knows_passes() -> None:
    """AWS adds values; they are shown as they are (v1-kinds.md 12.1, row 12)."""
    assert to_status(TRAINING_JOB, {"TrainingJobStatus": "Hibernating"}) == {"trainingJobStatus": "Hibernating"}


def test_an_answer_that_is_not_what_the_model_says_is_an_error() -> None:
    """Better than a status that the API server refuses."""
    with pytest.raises(ConversionError, match=r"status\.debugRuleEvaluationStatuses: must be a list"):
        to_status(TRAINING_JOB, {"DebugRuleEvaluationStatuses": {}})


@pytest.mark.parametrize(
    ("counters", "shown"),
    [
        pytest.param({"RetryableError": 2, "NonRetryableError": 3},
                     {"retryableError": 2, "nonRetryableError": 3, "totalError": 5}, id="both"),
        pytest.param({"RetryableError": 2, "Completed": 1}, {"retryableError": 2, "completed": 1}, id="one: no total"),
        pytest.param({}, {}, id="none"),
    ],
)  # fmt: skip
def test_the_errors_of_a_tuning_job_are_summed_up(counters: dict[str, int], shown: dict[str, int]) -> None:
    """The Errors column; only when both parts are present (v1-kinds.md 6.9)."""
    assert to_status(HYPERPARAMETER_TUNING_JOB, {"TrainingJobStatusCounters": counters}) == {
        "trainingJobStatusCounters": shown
    }


# --- other kinds' quirks


def test_the_environment_of_a_transform_job_is_converted() -> None:
    """D-06: the predecessor crashed on it. SPELLING: two of three keys of dataProcessing begin with a capital."""
    spec = {
        "environment": [{"name": "A", "value": "1"}],
        "dataProcessing": {"inputFilter": "$", "OutputFilter": "$[0]", "JoinSource": "Input"},
    }

    assert to_request(BATCH_TRANSFORM_JOB, spec) == {
        "Environment": {"A": "1"},
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$[0]", "JoinSource": "Input"},
    }
    assert to_spec(BATCH_TRANSFORM_JOB, to_request(BATCH_TRANSFORM_JOB, spec)) == spec


def test_a_list_of_outputs_that_aws_requires_stays() -> None:
    """ProcessingOutputConfig.Outputs may be empty but not absent."""
    assert to_request(PROCESSING_JOB, {"processingOutputConfig": {"outputs": []}}) == {
        "ProcessingOutputConfig": {"Outputs": []}
    }


def test_a_processing_job_has_no_field_for_its_name() -> None:
    """v1 always generates it; a description shows it in the status only."""
    assert to_request(PROCESSING_JOB, {"processingJobName": "a"}) == {}
    assert to_spec(PROCESSING_JOB, {"ProcessingJobName": "a"}) == {}
    assert to_status(PROCESSING_JOB, {"ProcessingJobName": "a"}) == {"sageMakerProcessingJobName": "a"}


# --- AWS → spec


def test_a_describe_answer_gives_the_spec_back() -> None:
    """Maps come back as lists sorted by name; what has no field is left out."""
    answer = {
        "TrainingJobName": "job-1",
        "TrainingJobStatus": "InProgress",
        "HyperParameters": {"b": "2", "_tuning_objective_metric": "x", "a": "1"},
        "DebugHookConfig": {"S3OutputPath": "s3://b", "HookParameters": {"save_interval": "5"}},
    }

    assert to_spec(TRAINING_JOB, answer) == {
        "trainingJobName": "job-1",
        "hyperParameters": [
            {"name": "_tuning_objective_metric", "value": "x"},
            {"name": "a", "value": "1"},
            {"name": "b", "value": "2"},
        ],
        "debugHookConfig": {"s3OutputPath": "s3://b", "ruleParameters": [{"name": "save_interval", "value": "5"}]},
    }


# --- forms that no field of a training job has


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (0.5, 0.5), ("0.5", 0.5), ("1e-3", 0.001)],
    ids=["integer", "float", "text", "exponent"],
)
def test_a_number_may_be_written_in_several_ways(value: Any, expected: float) -> None:
    """TYPE: v1 has integers and strings where AWS has floats."""
    assert _sent(Form.NUMBER, value) == expected


@each_row("value", ["half", "nan", "inf", True, None, "9" * 400], ids=str)
def test_what_is_no_finite_number_is_refused(value: Any) -> None:
    """JSON, and AWS, know no others."""
    with pytest.raises(ConversionError, match="number"):
        _sent(Form.NUMBER, value)


def test_a_number_shown_as_text_keeps_its_digits() -> None:
    """D-30: the tuning job's objective value is a string in v1, a float at AWS; it was left empty."""
    assert _shown(Form.STRING, Form.NUMBER, 0.9716) == "0.9716"


def test_a_time_may_have_any_zone_but_must_have_one() -> None:
    """RFC 3339."""
    assert _sent(Form.TIME, "2019-11-20T23:42:35Z") == datetime(2019, 11, 20, 23, 42, 35, tzinfo=UTC)
    for wrong in ("2019-11-20T23:42:35", "yesterday", 7):
        with pytest.raises(ConversionError):
            _sent(Form.TIME, wrong)


def test_times_are_shown_in_utc_wherever_the_operator_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Kubernetes writes them."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert _shown(Form.TIME, Form.TIME, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_on_the_wire_is_seconds_since_1970() -> None:
    """Where no client has parsed the answer."""
    assert _shown(Form.TIME, Form.TIME, 1574293355.6) == "2019-11-20T23:42:35Z"


def _sent(form: Form, value: Any) -> Any:
    from api.convert import _to_aws  # noqa: PLC0415 - no kind has a field of every form yet

    return _to_aws(Field("spec.x", "x", "X", form, form), value, "spec.x")


def _shown(form: Form, wire: Form, value: Any) -> Any:
    from api.convert import _to_manifest  # noqa: PLC0415 - as above

    return _to_manifest(Field("status.x", "x", "X", form, wire), value, "status.x")


# --- kinds of several requests


def test_each_operation_gets_the_members_that_it_takes() -> None:
    """One spec, three requests; a member that two of them take goes to both."""
    spec = {
        "kmsKeyId": "k",
        "retainAllVariantProperties": True,
        "deploymentConfig": {"autoRollbackConfiguration": {"alarms": []}},
        "tags": [{"key": "a", "value": "b"}],
    }
    deployment: JsonObject = {"AutoRollbackConfiguration": {}}
    tags = [{"Key": "a", "Value": "b"}]

    assert to_request(HOSTING_DEPLOYMENT, spec) == {"DeploymentConfig": deployment, "Tags": tags}
    assert to_request(HOSTING_DEPLOYMENT, spec, "UpdateEndpoint") == {
        "DeploymentConfig": deployment,
        "RetainAllVariantProperties": True,
    }
    assert to_request(HOSTING_DEPLOYMENT, spec, "CreateEndpointConfig") == {"KmsKeyId": "k", "Tags": tags}


def test_an_operation_that_the_kind_does_not_send_is_a_mistake_of_the_caller() -> None:
    """CreateModel belongs to the deployment's children."""
    with pytest.raises(ValueError, match="CreateModel is no operation that a HostingDeployment sends"):
        to_request(HOSTING_DEPLOYMENT, {}, "CreateModel")


def test_an_answer_that_describes_several_is_read_item_by_item() -> None:
    """DescribeScalingPolicies lists policies: one of them is what has a status."""
    assert to_status(HOSTING_AUTOSCALING_POLICY, {"PolicyName": "p", "ResourceId": "x"}) == {"policyName": "p"}


@each_row(
    ("value", "paths"),
    [
        pytest.param({"region": "r", "tags": [{"key": "k", "value": "v"}]}, [], id="all known"),
        pytest.param({"regoin": "r"}, ["spec.regoin"], id="at the top"),
        pytest.param({"tags": [{}, {"name": "k"}]}, ["spec.tags[1].name"], id="in a list"),
        pytest.param({"hyperParameters": [{"name": "a", "val": "b"}]}, ["spec.hyperParameters[0].val"], id="in a pair"),
        pytest.param({"tags": "text", "vpcConfig": None}, [], id="of another type: for the schema to refuse"),
    ],
)
def test_keys_that_no_field_stands_for_are_found(value: JsonObject, paths: list[str]) -> None:
    """What conversion leaves out, where no schema could see it."""
    assert list(unknown_fields(installed(TRAINING_JOB).spec, value, "spec")) == paths
