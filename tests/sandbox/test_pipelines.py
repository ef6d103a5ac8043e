"""Whole lives of pipeline executions through HTTP, with a real operator process."""

import json
import os
import subprocess
import sys
from itertools import groupby
from typing import Any

import pytest
import yaml

from api.meta import JsonObject
from hack.sandbox.operator_process import aws_environment
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY, aws_call, condition, until_gone

pytestmark = pytest.mark.sandbox

PLURAL = "pipelineexecutions"
DEFINITION = (REPOSITORY / "docs" / "tasks" / "churn-pipeline.json").read_text()


def manifest(name: str = "retrain", **spec: Any) -> JsonObject:
    """The sample under this name."""
    loaded: JsonObject = yaml.safe_load((REPOSITORY / "samples" / "churn-pipelineexecution.yaml").read_text())
    loaded["metadata"]["name"] = name
    loaded["spec"] |= spec
    return loaded


def create_pipeline(world: World, definition: str = DEFINITION) -> None:
    """Create the pipeline that the sample names."""
    world.aws.create_pipeline("churn", definition, "us-east-2")


def endless() -> str:
    """The definition with a training that does not end by itself."""
    definition = json.loads(DEFINITION)
    definition["Steps"][1]["Arguments"]["HyperParameters"]["SANDBOX_SECONDS"] = "86400"
    definition["Steps"][1]["Arguments"]["StoppingCondition"]["MaxRuntimeInSeconds"] = 86_400
    return json.dumps(definition)


@pytest.fixture
def ready(world: World) -> World:
    """A world with an operator."""
    world.operator().until_ready()
    return world


def executions(world: World) -> list[JsonObject]:
    """What SageMaker lists for the pipeline."""
    found: list[JsonObject] = aws_call(world.aws.url, "ListPipelineExecutions", PipelineName="churn")[
        "PipelineExecutionSummaries"
    ]
    return found


def until(world: World, value: str, name: str = "retrain") -> JsonObject:
    """Wait for a state."""

    def look() -> JsonObject | None:
        obj = world.api.get(name, plural=PLURAL)
        return obj if obj and (obj.get("status") or {}).get("pipelineExecutionStatus") == value else None

    return eventually(look, what=f"{name} is {value}")


def test_an_execution_is_started_followed_through_its_steps_and_kept(ready: World) -> None:
    """One Start; the ARN that AWS has chosen is recorded, and each step is shown with its job and its lines."""
    create_pipeline(ready)
    ready.api.create(manifest(), plural=PLURAL)
    done = until(ready, "Succeeded")
    (execution,) = executions(ready)
    status = done["status"]
    assert status["pipelineExecutionArn"] == status["awsResource"]["name"] == execution["PipelineExecutionArn"]
    assert execution["PipelineExecutionDisplayName"] == status["pipelineExecutionDisplayName"] == "retrain"
    assert execution["PipelineExecutionDescription"].startswith("Retraining after the release")
    assert done["metadata"]["uid"] in execution["PipelineExecutionDescription"]
    assert [(each["name"], each["type"], each["status"]) for each in status["steps"]] == [
        ("Prepare", "ProcessingJob", "Succeeded"),
        ("Train", "TrainingJob", "Succeeded"),
        ("Evaluate", "ProcessingJob", "Succeeded"),
    ]
    assert all(each["startTime"] and each["endTime"] and "/pipelines-" in each["arn"] for each in status["steps"])
    assert status["stepCount"] == 3
    assert condition(done, "Complete")["status"] == condition(done, "Ready")["status"] == "True"
    assert [name for name, _ in groupby(steps_of_lines(ready))] == ["Prepare", "Train", "Evaluate"]
    ready.api.delete("retrain", plural=PLURAL)
    until_gone(ready.api, "retrain", plural=PLURAL)
    assert [each["PipelineExecutionStatus"] for each in executions(ready)] == ["Succeeded"]


def steps_of_lines(world: World) -> list[str]:
    """The step of each line of `kubectl smlogs pipelineexecution NAME`: it is in the names of streams."""
    environ = {**os.environ, **aws_environment(world.aws.url), "PYTHONPATH": str(REPOSITORY)}
    flags = ("--kubeconfig", str(world.kubeconfig))
    done = subprocess.run(
        [sys.executable, "-m", "controller.smlogs", "pipelineexecution", "retrain", *flags],
        capture_output=True,
        text=True,
        env=environ,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("-")[2] for line in done.stdout.splitlines()]


def test_an_execution_that_runs_is_stopped_with_its_object(ready: World) -> None:
    """And so are the jobs of its steps."""
    create_pipeline(ready, endless())
    ready.api.create(manifest(), plural=PLURAL)
    eventually(
        lambda: (
            [each["name"] for each in ready.api.status("retrain", plural=PLURAL).get("steps", ())]
            == ["Prepare", "Train"]
        ),
        what="the training is shown",
    )
    ready.api.delete("retrain", plural=PLURAL)
    until_gone(ready.api, "retrain", plural=PLURAL)
    assert [each["PipelineExecutionStatus"] for each in executions(ready)] == ["Stopped"]
    listed = aws_call(ready.aws.url, "ListTrainingJobs")["TrainingJobSummaries"]
    assert [each["TrainingJobStatus"] for each in listed] == ["Stopped"]


def test_an_execution_names_the_object_of_its_pipeline_and_waits_for_it(ready: World) -> None:
    """In whatever order they come; AWS gets the pipeline's own name."""
    ready.api.create(manifest(pipelineName="nightly"), plural=PLURAL)
    pipeline: JsonObject = yaml.safe_load((REPOSITORY / "samples" / "pipeline.yaml").read_text())
    pipeline["metadata"]["name"] = "nightly"
    pipeline["spec"] |= {"pipelineName": "at-aws", "pipelineDefinition": DEFINITION}
    ready.api.create(pipeline, plural="pipelines")
    done = until(ready, "Succeeded")
    assert done["status"]["pipelineArn"].endswith(":pipeline/at-aws")
    assert done["spec"]["pipelineName"] == "nightly"


def test_a_pipeline_may_come_later_and_a_lost_answer_starts_nothing_twice(ready: World) -> None:
    """v1-kinds.md 13.4 of jobs holds here, too; the client token makes the second Start the first one."""
    ready.api.create(manifest(), plural=PLURAL)

    def waits() -> bool:
        obj = ready.api.get("retrain", plural=PLURAL)
        return obj is not None and condition(obj, "Reconciling").get("reason") == "DependencyMissing"

    eventually(waits, what="DependencyMissing")
    create_pipeline(ready)
    ready.aws.faults.add("StartPipelineExecution", "cut-after", count=2)
    changed = {"metadata": {"annotations": {"sagemaker.aws.amazon.com/reconcile-at": "now"}}}
    ready.api.call("PATCH", ready.api.path("retrain", plural=PLURAL), changed, "application/merge-patch+json")
    until(ready, "Succeeded")
    assert len(executions(ready)) == 1


CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def test_a_definition_in_a_config_map_is_waited_for_and_followed(ready: World) -> None:
    """Read again by itself while it is missing; an annotation asks for a look that is not to wait for a minute."""
    pipeline: JsonObject = yaml.safe_load((REPOSITORY / "docs" / "tasks" / "churn-pipeline.yaml").read_text())
    name = pipeline["metadata"]["name"]
    source = pipeline["spec"]["pipelineDefinitionFrom"]["configMapKeyRef"]
    pipeline["spec"]["pipelineName"] = "at-aws"
    ready.api.create(pipeline, plural="pipelines")

    def shown(type_: str) -> str:
        return str(condition(ready.api.get(name, plural="pipelines") or {}, type_).get("reason"))

    def at_aws() -> JsonObject:
        described: JsonObject = aws_call(ready.aws.url, "DescribePipeline", PipelineName="at-aws")
        return json.loads(described["PipelineDefinition"])  # type: ignore[no-any-return]

    def updates() -> int:
        return sum(each.operation == "UpdatePipeline" for each in ready.to_aws.requests)

    eventually(lambda: shown("Synced") == "DependencyMissing", what="it waits for its ConfigMap")
    config_map = {"metadata": {"name": source["name"]}, "data": {source["key"]: DEFINITION}}
    ready.api.call("POST", CONFIG_MAPS, config_map)
    eventually(lambda: shown("Ready") == "Created", what="it is created")
    assert at_aws() == json.loads(DEFINITION)

    config_map["data"] = {source["key"]: endless()}
    ready.api.call("PUT", f"{CONFIG_MAPS}/{source['name']}", config_map)
    changed = {"metadata": {"annotations": {"sagemaker.aws.amazon.com/reconcile-at": "now"}}}
    ready.api.call("PATCH", ready.api.path(name, plural="pipelines"), changed, "application/merge-patch+json")
    eventually(lambda: at_aws() == json.loads(endless()), what="AWS has the other definition")

    ready.api.call("DELETE", f"{CONFIG_MAPS}/{source['name']}")
    ready.api.delete(name, plural="pipelines")
    until_gone(ready.api, name, plural="pipelines")
    assert updates() == 1
