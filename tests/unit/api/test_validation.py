"""What the API server says to TrainingJobs: the schema and the rules at work, judged as a kube-apiserver does."""

import copy
from typing import Any

import pytest

from api.meta import JsonObject
from hack.sandbox.kube.crd.object_validation import validate
from hack.sandbox.kube.schema.defaulting import prune
from tests.tables import each_row
from tests.unit.api.contract import Row, spec_rows

_KIND = "TrainingJob"
_REQUIRED = tuple(row for row in spec_rows(_KIND) if row.is_required and row.path != "spec.region")
"""A region that is left out is that of the namespace, or of the operator."""


def test_the_least_manifest_of_v1_is_accepted(training_job: JsonObject, training_job_schema: JsonObject) -> None:
    """Manifests run unmodified."""
    assert _refusals(training_job_schema, training_job) == []


@each_row("row", _REQUIRED, ids=str)
def test_a_missing_required_field_is_refused_by_its_path(
    row: Row, training_job: JsonObject, training_job_schema: JsonObject
) -> None:
    """Column required of the table, for every field and as soon as its parent is there."""
    whole = _with_parents_of(row, training_job)
    assert _refusals(training_job_schema, whole) == []

    *parents, name = row.segments
    holder: Any = whole
    for segment in parents:
        holder = holder[0] if segment == "[]" else holder[segment]
    del holder[name]

    assert f"{row.path.replace('[]', '[0]')}: Required value" in _refusals(training_job_schema, whole)


@each_row(
    ("path", "wrong", "said"),
    [
        pytest.param("region", "", "spec.region: ", id="minLength"),
        pytest.param("trainingJobName", "x" * 64, "spec.trainingJobName: Too long", id="maxLength"),
        pytest.param("outputDataConfig.s3OutputPath", "bucket", "spec.outputDataConfig.s3OutputPath: ", id="pattern"),
        pytest.param("sageMakerEndpoint", "ftp://x", "spec.sageMakerEndpoint: ", id="URL pattern"),
        pytest.param("resourceConfig.instanceCount", -1, "spec.resourceConfig.instanceCount: ", id="minimum"),
        pytest.param("resourceConfig.instanceCount", "1", "spec.resourceConfig.instanceCount: ", id="text"),
        pytest.param("resourceConfig.instanceCount", 1.5, "spec.resourceConfig.instanceCount: ", id="fraction"),
        pytest.param("algorithmSpecification.trainingInputMode", "Fast", "Unsupported value", id="enum"),
        pytest.param("inputDataConfig", [], "spec.inputDataConfig: ", id="minItems"),
        pytest.param("vpcConfig", {"subnets": ["s"] * 17, "securityGroupIds": ["g"]}, "subnets: Too many",
                     id="maxItems"),
        pytest.param("hyperParameters", [{"name": "eta", "value": 0.2}], "spec.hyperParameters[0].value: ",
                     id="a value that is not quoted"),
        pytest.param("retryStrategy", {"maximumRetryAttempts": 31}, "spec.retryStrategy.maximumRetryAttempts: ",
                     id="maximum of a field that AWS has added"),
        pytest.param("environment", [{"value": "x"}], "spec.environment[0].name: Required",
                     id="a name is required in maps that AWS has added"),
    ],
)  # fmt: skip
def test_a_broken_limit_is_refused(
    path: str, wrong: Any, said: str, training_job: JsonObject, training_job_schema: JsonObject
) -> None:
    """At `kubectl apply`, not after a call to AWS."""
    _put(training_job, path, wrong)

    assert any(said in text for text in _refusals(training_job_schema, training_job))


@each_row(
    ("path", "value"),
    [
        pytest.param("trainingJobName", "", id="an empty name asks for a generated one"),
        pytest.param("hyperParameters", [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}], id="a name twice"),
        pytest.param("hyperParameters", [{}], id="a pair without name and value"),
        pytest.param("algorithmSpecification.trainingInputMode", "FastFile", id="a mode that AWS has added"),
        pytest.param("resourceConfig.instanceType", "ml.new.48xlarge", id="an instance type of tomorrow"),
        pytest.param("resourceConfig.instanceCount", 1.0, id="an integral float: CEL would refuse to look at it"),
        pytest.param("tags", [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], id="a tag twice: AWS will say"),
        pytest.param("resourceConfig",
                     {"instanceGroups": [{"instanceGroupName": "a", "instanceType": "t", "instanceCount": 1}]},
                     id="instance groups in place of an instance type"),
    ],
)  # fmt: skip
def test_what_v1_took_or_aws_has_added_is_accepted(
    path: str, value: Any, training_job: JsonObject, training_job_schema: JsonObject
) -> None:
    """Wider, never narrower."""
    _put(training_job, path, value)

    assert _refusals(training_job_schema, training_job) == []


def test_a_serverless_job_needs_no_instances(training_job: JsonObject, training_job_schema: JsonObject) -> None:
    """CreateTrainingJob takes ServerlessJobConfig in place of algorithm, resources and limits."""
    for name in ("algorithmSpecification", "resourceConfig", "stoppingCondition"):
        del training_job["spec"][name]
    training_job["spec"]["serverlessJobConfig"] = {
        "baseModelArn": "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/some-model/1.0.0",
        "jobType": "FineTuning",
    }

    assert _refusals(training_job_schema, training_job) == []


def test_the_status_that_the_operator_writes_is_accepted_whole(
    training_job: JsonObject, training_job_schema: JsonObject
) -> None:
    """Nothing is pruned, nothing refused."""
    training_job["status"] = {
        "additional": "",
        "awsResource": {
            "accountId": "123456789012",
            "arn": "arn:aws:sagemaker:us-east-2:123456789012:training-job/x",
            "createdAt": "2026-01-02T03:04:05Z",
            "name": "x",
            "partition": "aws",
            "region": "us-east-2",
        },
        "cloudWatchLogUrl": "https://us-east-2.console.aws.amazon.com/",
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "observedGeneration": 2,
                "lastTransitionTime": "2026-01-02T03:04:05Z",
                "reason": "InProgress",
                "message": "Starting",
            }
        ],
        "debugRuleEvaluationStatuses": [{"ruleConfigurationName": "r", "lastModifiedTime": "2026-01-02T03:04:05Z"}],
        "lastCheckTime": "2026-01-02T03:04:05Z",
        "modelPath": "s3://b/model.tar.gz",
        "observedGeneration": 2,
        "sageMakerTrainingJobName": "x",
        "secondaryStatus": "",
        "trainingJobStatus": "ReconcilingTrainingJob",
    }

    assert _refusals(training_job_schema, training_job) == []


# --- changes of an accepted object


@each_row(
    ("before", "after"),
    [
        pytest.param(None, "generated", id="absent to a value"),
        pytest.param("", "generated", id="empty to a value"),
        pytest.param("given", "given", id="unchanged"),
        pytest.param(None, None, id="absent stays absent"),
        pytest.param(None, "", id="absent to empty"),
    ],
)
def test_the_name_may_be_filled_in(
    before: str | None, after: str | None, training_job: JsonObject, training_job_schema: JsonObject
) -> None:
    """The operator's late initialisation."""
    old, new = _named(training_job, before), _named(training_job, after)

    assert _refusals(training_job_schema, new, old) == []


@each_row(
    ("path", "value"),
    [
        pytest.param("resourceConfig.keepAlivePeriodInSeconds", 600, id="warm pool"),
        pytest.param("profilerConfig", {"disableProfiler": True}, id="profiler"),
        pytest.param(
            "profilerRuleConfigurations",
            [{"ruleConfigurationName": "cpu", "ruleEvaluatorImage": "image"}],
            id="profiler rules",
        ),
        pytest.param("remoteDebugConfig", {"enableRemoteDebug": True}, id="remote debugging"),
    ],
)
def test_what_aws_can_update_may_come_change_and_go(
    path: str, value: Any, training_job: JsonObject, training_job_schema: JsonObject
) -> None:
    """UpdateTrainingJob: the only mutable fields of a job. Their neighbours stay immutable."""
    training_job["status"] = {"awsResource": {"name": "x", "region": "us-east-2"}}
    changed = copy.deepcopy(training_job)
    _put(changed, path, value)
    beside = copy.deepcopy(changed)
    beside["spec"]["resourceConfig"]["instanceCount"] = 2

    assert _refusals(training_job_schema, changed, training_job) == []
    assert _refusals(training_job_schema, training_job, changed) == []
    (refused,) = _refusals(training_job_schema, beside, training_job)
    assert "spec.resourceConfig.instanceCount" in refused


def test_what_is_not_spec_may_change(training_job: JsonObject, training_job_schema: JsonObject) -> None:
    """Labels, finalizers, status."""
    changed = copy.deepcopy(training_job)
    changed["metadata"] |= {"labels": {"a": "b"}, "finalizers": ["sagemaker-operator-finalizer"]}
    changed["status"] = {"trainingJobStatus": "InProgress"}

    assert _refusals(training_job_schema, changed, training_job) == []


def _refusals(schema: JsonObject, obj: JsonObject, old: JsonObject | None = None) -> list[str]:
    """What a strict apply would be told: unknown fields and everything invalid."""
    obj = copy.deepcopy(obj)
    unknown = [f"{path}: unknown field" for path in prune(schema, obj)]
    return unknown + [str(cause) for cause in validate(schema, obj, copy.deepcopy(old))]


def _put(obj: JsonObject, path: str, value: Any) -> None:
    *parents, name = path.split(".")
    holder = obj["spec"]
    for parent in parents:
        holder = holder[parent]
    holder[name] = value


def _named(obj: JsonObject, name: str | None) -> JsonObject:
    named = copy.deepcopy(obj)
    if name is not None:
        named["spec"]["trainingJobName"] = name
    return named


def _with_parents_of(row: Row, obj: JsonObject) -> JsonObject:
    """The object with the structure that holds the row's field, and all that v1 required in what had to be added."""
    whole = copy.deepcopy(obj)
    holder: Any = whole
    path = ""
    for segment in row.segments[:-1]:
        path = f"{path}[]" if segment == "[]" else f"{path}.{segment}".lstrip(".")
        if segment == "[]":
            if not holder:
                holder.append({})
            holder = holder[0]
        else:
            holder = holder.setdefault(segment, [] if _is_list(path) else {})
        if isinstance(holder, dict):
            for name, value in _required_below(path).items():
                holder.setdefault(name, value)
    return whole


def _is_list(path: str) -> bool:
    return any(row.path == path and row.type.startswith("array") for row in spec_rows(_KIND))


def _required_below(path: str) -> JsonObject:
    """The fields that the structure at `path` must have, with values that satisfy their limits."""
    found: JsonObject = {}
    for row in spec_rows(_KIND):
        if row.is_required and row.path.rpartition(".")[0] == path:
            found[row.segments[-1]] = _valid(row)
    return found


def _valid(row: Row) -> Any:
    match row.type:
        case "object":
            return _required_below(row.path)
        case "array<string>":
            return ["text"]
        case "array<object>":
            return [_required_below(f"{row.path}[]")]
        case "integer(int64)":
            return 5
        case _:
            if row.enum:
                return row.enum.split("|")[0]
            return "s3://bucket/key" if "s3" in row.pattern else "arn:aws:iam::123456789012:role/x"
