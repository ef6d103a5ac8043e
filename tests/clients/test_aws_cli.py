"""The AWS CLI on the sandbox's SageMaker, and on what the operator does there."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as kube
from kubernetes import config

from tests.clients.conftest import IMAGE, ROLE, Manifest, Scene
from tests.deadline import PATIENCE_S, eventually

Aws = Callable[..., Any]
REFUSED = 255
"""The CLI's exit code for an error of the service."""


class RefusedError(Exception):
    """The CLI ended with the exit code for an error that the service reports; the text is what it printed."""


@pytest.fixture
def aws(scene: Scene, client_command: Callable[[str], str]) -> Aws:
    """Runs `aws sagemaker …` and returns the JSON that it prints, or None where it prints nothing.

    In a process of its own: once imported, awscli puts its own botocore in the place of everybody's.
    """

    def run(*arguments: str) -> Any:
        command = [client_command("aws"), "--output", "json", "sagemaker", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if done.returncode == REFUSED:
            raise RefusedError(done.stderr)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else None

    return run


def status_of(aws: Aws, name: str) -> str:
    """TrainingJobStatus by DescribeTrainingJob."""
    status: str = aws("describe-training-job", "--training-job-name", name)["TrainingJobStatus"]
    return status


@pytest.fixture
def request_file(tmp_path: Path) -> Callable[..., str]:
    """Writes what `--cli-input-json` takes."""

    def write(name: str, **members: Any) -> str:
        request = {
            "TrainingJobName": name,
            "RoleArn": ROLE,
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge", "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "Tags": [{"Key": "team", "Value": "one"}],
        } | members
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(request))
        return f"file://{path}"

    return write


def test_a_job_is_created_listed_waited_for_and_deleted(aws: Aws, request_file: Callable[..., str]) -> None:
    """The commands of AWS's guide, with its waiter, its pager and its exit codes."""
    made = aws("create-training-job", "--cli-input-json", request_file("cli-life"))
    assert made["TrainingJobArn"].endswith(":training-job/cli-life")
    with pytest.raises(RefusedError, match=r"ResourceInUse.*names must be unique"):
        aws("create-training-job", "--cli-input-json", request_file("cli-life"))
    tags = aws("list-tags", "--resource-arn", made["TrainingJobArn"])
    assert tags == {"Tags": [{"Key": "team", "Value": "one"}]}

    # The waiter looks once a minute, so it starts when the job has ended: its first look decides.
    eventually(lambda: status_of(aws, "cli-life") == "Completed", what="the job completes")
    assert aws("wait", "training-job-completed-or-stopped", "--training-job-name", "cli-life") is None
    listed = aws("list-training-jobs", "--name-contains", "cli-life", "--status-equals", "Completed")
    assert [each["TrainingJobName"] for each in listed["TrainingJobSummaries"]] == ["cli-life"]

    with pytest.raises(RefusedError, match=r"ValidationException.*is in status Completed"):
        aws("stop-training-job", "--training-job-name", "cli-life")
    assert aws("delete-training-job", "--training-job-name", "cli-life") is None
    with pytest.raises(RefusedError, match=r"ValidationException.*Requested resource not found"):
        aws("describe-training-job", "--training-job-name", "cli-life")


def test_a_failed_job_ends_the_wait_at_once(aws: Aws, request_file: Callable[..., str]) -> None:
    """With the exit code of a waiter that found a failure, and not after two hours."""
    reason = {"SANDBOX_FAIL": "no data"}
    aws("create-training-job", "--cli-input-json", request_file("cli-fails", Environment=reason))
    eventually(lambda: status_of(aws, "cli-fails") == "Failed", what="the job fails")
    with pytest.raises(RefusedError, match="terminal failure state"):
        aws("wait", "training-job-completed-or-stopped", "--training-job-name", "cli-fails")


def test_a_list_is_paged_by_the_cli(aws: Aws, request_file: Callable[..., str]) -> None:
    """`--page-size` is how many the service gives at once, `--max-items` how many are shown, with a token for more."""
    for name in ("cli-page-1", "cli-page-2", "cli-page-3"):
        aws("create-training-job", "--cli-input-json", request_file(name))
    every = ["list-training-jobs", "--name-contains", "cli-page", "--sort-by", "Name", "--sort-order", "Ascending"]
    names = [each["TrainingJobName"] for each in aws(*every, "--page-size", "1")["TrainingJobSummaries"]]
    assert names == ["cli-page-1", "cli-page-2", "cli-page-3"]
    shown = aws(*every, "--max-items", "2")
    rest = aws(*every, "--starting-token", shown["NextToken"])
    pages = (shown["TrainingJobSummaries"], rest["TrainingJobSummaries"])
    assert [[each["TrainingJobName"] for each in page] for page in pages] == [names[:2], names[2:]]


def test_a_job_of_the_operator_that_the_cli_stops_is_shown_as_stopped(
    aws: Aws, scene: Scene, job: Callable[..., Manifest]
) -> None:
    """A person at the console or the CLI is one more actor: its change is seen, and not undone."""
    objects = kube.CustomObjectsApi(config.new_client_from_config(str(scene.kubeconfig)))
    place = ("sagemaker.aws.amazon.com", "v1", "default", "trainingjobs")
    manifest = job(environment=[{"name": "SANDBOX_SECONDS", "value": "3600"}], trainingJobName="cli-stops")
    objects.create_namespaced_custom_object(*place, manifest)
    name = manifest["metadata"]["name"]

    def shown(status: str) -> bool:
        status_now = objects.get_namespaced_custom_object(*place, name).get("status", {})
        return bool(status_now.get("trainingJobStatus") == status)

    eventually(lambda: shown("InProgress"), what="the operator has created the job")
    aws("stop-training-job", "--training-job-name", "cli-stops")
    eventually(lambda: shown("Stopped"), what="the object shows Stopped")
    objects.delete_namespaced_custom_object(*place, name)
