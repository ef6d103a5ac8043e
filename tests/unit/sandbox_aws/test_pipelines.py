"""Pipelines and executions, through boto3: the order of steps, their jobs, ends, tokens, refusals and events."""

import json
from typing import Any

import pytest

from controller.aws.events.message import StatusEvent, parse
from hack.sandbox.aws.pipelines.execution_api import EXECUTION
from hack.sandbox.aws.records.tokens import TOKEN_LIFE_S
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.aws.state_changes import SPELLINGS, STEPS, arns_of, detail_of
from tests.unit.sandbox_aws.answers import departures, refusal

ROLE = "arn:aws:iam::123456789012:role/role"
TOKEN = "0123456789abcdef" * 2
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}


def step(name: str, *before: str, type_: str = "Processing", **arguments: Any) -> dict[str, Any]:
    """A step that works for 160 seconds, and what it depends on."""
    processing = {
        "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.us-west-2.amazonaws.com/process:1"},
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "RoleArn": ROLE,
    }
    given = {**processing, **arguments} if type_ == "Processing" else arguments
    return {"Name": name, "Type": type_, "DependsOn": list(before), "Arguments": given}


def fails(name: str, *before: str) -> dict[str, Any]:
    """A step that fails at the end of its work."""
    return step(name, *before, Environment={"SANDBOX_FAIL": "no memory"})


def create(sagemaker: Any, *steps: dict[str, Any], parameters: Any = ()) -> None:
    """Create the pipeline `p`."""
    definition = json.dumps({"Version": "2020-12-01", "Parameters": list(parameters), "Steps": list(steps)})
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=definition, RoleArn=ROLE, ClientRequestToken=TOKEN)


def start(sagemaker: Any, token: str = TOKEN, **members: Any) -> str:
    """Start an execution of it."""
    arn: str = sagemaker.start_pipeline_execution(PipelineName="p", ClientRequestToken=token, **members)[
        "PipelineExecutionArn"
    ]
    return arn


def state(sagemaker: Any, arn: str) -> tuple[str, dict[str, str]]:
    """Its status, and that of its steps."""
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
    status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
    return status, {each["StepName"]: each["StepStatus"] for each in steps["PipelineExecutionSteps"]}


def test_steps_begin_when_what_they_depend_on_has_succeeded(aws: RunningServer, sagemaker: Any) -> None:
    """Each becomes a job with a name as AWS makes it; a step of another type ends at once."""
    create(sagemaker, step("a"), step("b"), step("c", "a", "b"), step("Reg_1", "c", type_="RegisterModel"))
    arn = start(sagemaker)
    assert state(sagemaker, arn) == ("Executing", {"a": "Executing", "b": "Executing"})
    aws.clock.advance(160)
    assert state(sagemaker, arn) == ("Executing", {"a": "Succeeded", "b": "Succeeded", "c": "Executing"})
    names = [each["ProcessingJobName"] for each in sagemaker.list_processing_jobs()["ProcessingJobSummaries"]]
    execution = arn.rpartition("/")[2]
    assert sorted(name.rpartition("-")[0] for name in names) == [f"pipelines-{execution}-{each}" for each in "abc"]
    aws.clock.advance(160)
    assert state(sagemaker, arn)[0] == "Succeeded"
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert (described["LastModifiedTime"] - described["CreationTime"]).total_seconds() == 320


def test_no_more_steps_run_than_are_allowed(aws: RunningServer, sagemaker: Any) -> None:
    """`ParallelismConfiguration`."""
    create(sagemaker, step("a"), step("b"), step("c"))
    arn = start(sagemaker, ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    aws.clock.advance(161)
    assert state(sagemaker, arn)[1] == {"a": "Succeeded", "b": "Executing"}
    aws.clock.advance(320)
    assert state(sagemaker, arn)[0] == "Succeeded"


def test_a_failure_ends_the_execution_when_the_others_have_ended(aws: RunningServer, sagemaker: Any) -> None:
    """What depends on it never begins."""
    create(sagemaker, fails("a"), step("b"), step("c", "b"), step("d", "a"))
    arn = start(sagemaker)
    aws.clock.advance(161)
    assert state(sagemaker, arn) == ("Executing", {"a": "Failed", "b": "Succeeded", "c": "Executing"})
    aws.clock.advance(160)
    assert state(sagemaker, arn) == ("Failed", {"a": "Failed", "b": "Succeeded", "c": "Succeeded"})
    described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."


@pytest.mark.parametrize(
    ("failing", "reason"),
    [
        (step("x", type_="Fail", ErrorMessage={"Std:Join": {"On": " ", "Values": ["too", "bad"]}}), "too bad"),
        (step("x", RoleArn="arn:aws:iam::123456789012:role/does-not-exist"), "ClientError: "),
    ],
)
def test_a_step_may_fail_as_it_begins(sagemaker: Any, failing: dict[str, Any], reason: str) -> None:
    """`Fail`, and arguments that AWS refuses."""
    create(sagemaker, failing)
    (shown,) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=start(sagemaker))["PipelineExecutionSteps"]
    assert shown["StepStatus"] == "Failed"
    assert shown["FailureReason"].startswith(reason)


def test_stopping_stops_the_jobs_and_begins_no_more(aws: RunningServer, sagemaker: Any) -> None:
    """A second Stop is a conflict."""
    create(sagemaker, step("a"), step("b", "a"))
    arn = start(sagemaker)
    aws.clock.advance(20)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=TOKEN)
    assert state(sagemaker, arn)[0] == "Stopping"
    assert refusal(sagemaker.stop_pipeline_execution, PipelineExecutionArn=arn, ClientRequestToken=TOKEN)[0] == (
        "ConflictException"
    )
    aws.clock.advance(60)
    assert state(sagemaker, arn) == ("Stopped", {"a": "Stopped"})


def test_a_token_stands_for_one_execution_while_it_is_remembered(aws: RunningServer, sagemaker: Any) -> None:
    """And the repetition is no effect."""
    create(sagemaker, step("a"))
    first = start(sagemaker)
    assert start(sagemaker) == first
    assert [each.operation for each in aws.effects.all()].count("StartPipelineExecution") == 1
    aws.clock.advance(TOKEN_LIFE_S + 1)
    assert start(sagemaker) != first
    listed = sagemaker.list_pipeline_executions(PipelineName="p")["PipelineExecutionSummaries"]
    assert len(listed) == 2
    assert listed[-1]["PipelineExecutionArn"] == first


def test_expressions_have_the_values_of_parameters_and_of_earlier_steps(aws: RunningServer, sagemaker: Any) -> None:
    """A reference to a step is a dependency, too."""
    image = {"Get": "Steps.first.AppSpecification.ImageUri"}
    level = {"Get": "Parameters.Level"}
    second = step("second", AppSpecification={"ImageUri": image}, Environment={"LEVEL": level})
    create(sagemaker, second, step("first"), parameters=[{"Name": "Level", "Type": "String"}])
    assert refusal(start, sagemaker=sagemaker)[1] == "Parameters without a value: Level"
    arn = start(sagemaker, PipelineParameters=[{"Name": "Level", "Value": "debug"}])
    assert state(sagemaker, arn)[1] == {"first": "Executing"}
    aws.clock.advance(160)
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    name = steps[0]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    jobs = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    (job,) = [each["ProcessingJobName"] for each in jobs if each["ProcessingJobName"].lower() == name]
    described = sagemaker.describe_processing_job(ProcessingJobName=job)
    assert described["Environment"] == {"LEVEL": "debug"}
    assert described["AppSpecification"]["ImageUri"].endswith("process:1")


@pytest.mark.parametrize("definition", ["no JSON", "{}", '{"Steps": []}', '{"Steps": [{"Name": "a"}]}'])
def test_a_definition_that_cannot_be_run_is_refused(sagemaker: Any, definition: str) -> None:
    """As it is created, and as it is updated."""
    members = {"PipelineName": "p", "PipelineDefinition": definition, "RoleArn": ROLE, "ClientRequestToken": TOKEN}
    assert refusal(sagemaker.create_pipeline, **members)[0] == "ValidationException"
    create(sagemaker, step("a"))
    assert refusal(sagemaker.update_pipeline, PipelineName="p", PipelineDefinition=definition)[0] == (
        "ValidationException"
    )


def test_answers_are_those_of_the_service_model(aws: RunningServer, sagemaker: Any) -> None:
    """Of every read."""
    create(sagemaker, step("a"))
    arn = start(sagemaker, PipelineExecutionDescription="nightly")
    for operation, params in {
        "DescribePipeline": {"PipelineName": "p"},
        "ListPipelines": {},
        "DescribePipelineExecution": {"PipelineExecutionArn": arn},
        "ListPipelineExecutions": {"PipelineName": "p"},
        "ListPipelineExecutionSteps": {"PipelineExecutionArn": arn},
        "ListPipelineParametersForExecution": {"PipelineExecutionArn": arn},
        "DescribePipelineDefinitionForExecution": {"PipelineExecutionArn": arn},
    }.items():
        assert departures(aws.url, operation, params) == [], operation


def test_what_does_not_exist_is_not_found(sagemaker: Any) -> None:
    """With the code that the service model declares."""
    arn = "arn:aws:sagemaker:us-west-2:123456789012:pipeline/p/execution/none"
    assert refusal(start, sagemaker=sagemaker)[0] == "ResourceNotFound"
    assert refusal(sagemaker.describe_pipeline_execution, PipelineExecutionArn=arn)[0] == "ResourceNotFound"
    assert refusal(sagemaker.list_pipeline_executions, PipelineName="p")[0] == "ResourceNotFound"


def test_the_operator_reads_the_events_of_an_execution_and_of_its_steps(aws: RunningServer, sagemaker: Any) -> None:
    """By the ARN of the execution, although the pipeline's comes first."""
    create(sagemaker, step("a"))
    arn = start(sagemaker)
    (execution,) = aws._service._store.everywhere(EXECUTION)
    spelling = next(each for each in SPELLINGS if each.kind is EXECUTION)
    said = []
    for each, of in ((spelling, execution), (STEPS, (execution, execution.steps[0]))):
        assert each.detail is not None
        detail = each.detail(of, aws.clock.now())
        envelope = {
            "source": "aws.sagemaker",
            "detail-type": each.detail_type,
            "time": "2026-05-01T12:00:01Z",
            "resources": arns_of(execution),
            "detail": detail,
        }
        event = parse(json.dumps(envelope))
        assert isinstance(event, StatusEvent)
        said.append((event.name, event.arn, event.status, event.secondary))
    assert said == [(arn, arn, "Executing", ""), (arn, arn, "Executing", "a Executing")]
    assert detail_of(spelling, execution, aws.clock.now())["pipelineArn"] == arns_of(execution)[0]
