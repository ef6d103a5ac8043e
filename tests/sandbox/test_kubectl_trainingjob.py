"""The TrainingJob chapter of the user guide, command by command, with real kubectl."""

import re
from pathlib import Path

import pytest
import yaml

from api.meta import JsonObject
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, REPOSITORY, eventually, jobs, marked, until_status
from tests.sandbox.kubectl import Kubectl, rows

pytestmark = pytest.mark.sandbox

SAMPLE = REPOSITORY / "samples" / "xgboost-mnist-trainingjob.yaml"
NAME = "xgboost-mnist-from-for-s3"


@pytest.fixture
def long_sample(manifest: JsonObject, tmp_path: Path) -> Path:
    """The sample's manifest, with a job that runs until it is stopped."""
    path = tmp_path / "long.yaml"
    path.write_text(yaml.safe_dump(marked(manifest, **LONG)))
    return path


def test_a_job_is_applied_and_listed_as_in_the_guide(world: World, kubectl: Kubectl) -> None:
    """B-23, B-26: created; columns and their order exactly; the creation time is a time and not an age."""
    world.operator().until_ready()
    applied = kubectl("apply", "-f", str(SAMPLE))
    assert applied.stdout == f"trainingjob.sagemaker.aws.amazon.com/{NAME} created\n"
    done = until_status(world.api, NAME, "Completed")
    for spelling in ("TrainingJob", "trainingjob", "trainingjobs", "trainingjobs.sagemaker.aws.amazon.com"):
        header, row = rows(kubectl("get", spelling).stdout)
        assert header == ["NAME", "STATUS", "SECONDARY-STATUS", "CREATION-TIME", "SAGEMAKER-JOB-NAME"]
        assert row == [
            NAME,
            "Completed",
            "Completed",
            done["metadata"]["creationTimestamp"],
            done["spec"]["trainingJobName"],
        ]
    assert NAME in kubectl("get", "sagemaker").stdout, "the category lists it, too"


def test_describe_shows_the_fields_of_the_guide_and_what_happened(world: World, kubectl: Kubectl) -> None:
    """B-27: finalizer, generation 2, the filled-in name, status fields; events where the guide had none."""
    world.operator().until_ready()
    kubectl("apply", "-f", str(SAMPLE))
    done = until_status(world.api, NAME, "Completed")
    eventually(lambda: len(world.api.events(NAME)) >= 2, what="two events")
    text = kubectl("describe", "trainingjob", NAME).stdout
    job = done["spec"]["trainingJobName"]
    for line in (
        r"Finalizers:\n +sagemaker-operator-finalizer",
        r"Generation: +2",
        rf"Training Job Name: +{job}",
        r"Cloud Watch Log URL: +https://us-east-2\.console\.aws\.amazon\.com/cloudwatch/home\?region=us-east-2",
        rf"#logStream:group=/aws/sagemaker/TrainingJobs;prefix={job};streamFilter=typeLogStreamPrefix",
        r"Last Check Time: +20",
        rf"Sage Maker Training Job Name: +{job}",
        r"Secondary Status: +Completed",
        r"Training Job Status: +Completed",
        r"Events:\n +Type +Reason +Age +From +Message",
        r"Normal +Created",
        r"Normal +Completed",
    ):
        # kubectl before 1.2x splits `cloudWatchLogUrl` otherwise than later ones
        assert re.search(line, text, re.IGNORECASE), f"{line}\n{text}"


def test_waiting_works_by_condition_and_by_the_status_of_v1(world: World, kubectl: Kubectl) -> None:
    """modern-expectations.md 2: kubectl wait has something to hold on to."""
    world.operator().until_ready()
    kubectl("apply", "-f", str(SAMPLE))
    kubectl("wait", "--for=condition=Complete", "--timeout=30s", f"trainingjob/{NAME}")
    kubectl("wait", "--for=condition=Ready", "--timeout=30s", f"trainingjob/{NAME}")
    by_path = "--for=jsonpath={.status.trainingJobStatus}=Completed"
    kubectl("wait", by_path, "--timeout=30s", f"trainingjob/{NAME}")


def test_a_changed_manifest_is_refused_and_the_same_one_is_not(
    world: World, kubectl: Kubectl, long_sample: Path
) -> None:
    """DESIGN 4.13: the message says what to do; applying the unchanged file again is no change."""
    world.operator().until_ready()
    kubectl("apply", "-f", str(long_sample))
    until_status(world.api, NAME, "InProgress")
    assert "unchanged" in kubectl("apply", "-f", str(long_sample)).stdout
    changed = long_sample.read_text().replace("instanceCount: 1", "instanceCount: 2")
    refused = kubectl("apply", "-f", "-", stdin=changed, code=1).stderr
    assert "Invalid value" in refused
    assert "delete" in refused
    assert "name" in refused


def test_deleting_stops_the_job_and_says_so_as_in_the_guide(world: World, kubectl: Kubectl, long_sample: Path) -> None:
    """B-29: kubectl waits until the object is gone; SageMaker keeps the record of a stopped job."""
    world.operator().until_ready()
    kubectl("apply", "-f", str(long_sample))
    until_status(world.api, NAME, "InProgress")
    deleted = kubectl("delete", "trainingjob", NAME, "--timeout=40s").stdout
    assert deleted.startswith(f'trainingjob.sagemaker.aws.amazon.com "{NAME}" deleted')
    assert world.api.get(NAME) is None
    (job,) = jobs(world.aws.url)
    assert job["TrainingJobStatus"] == "Stopped"


def test_an_invalid_manifest_is_refused_with_the_path_of_each_mistake(kubectl: Kubectl, manifest: JsonObject) -> None:
    """Bad input gets its answer from kubectl apply, not from a log."""
    del manifest["spec"]["roleArn"]
    manifest["spec"]["resourceConfig"]["instanceCount"] = 0
    manifest["spec"]["algorithmSpecification"]["trainingInputMode"] = "Fax"
    refused = kubectl("apply", "-f", "-", stdin=yaml.safe_dump(manifest), code=1).stderr
    assert "spec.roleArn: Required value" in refused
    assert "spec.resourceConfig.instanceCount" in refused
    assert 'Unsupported value: "Fax"' in refused


def test_explain_says_what_a_field_is_for(kubectl: Kubectl) -> None:
    """Descriptions come from the AWS API model."""
    text = kubectl("explain", "trainingjob.spec.algorithmSpecification.trainingInputMode").stdout
    assert re.search(r"FIELD: trainingInputMode <string>", text)
    assert "DESCRIPTION:" in text
