"""TrainingJobs under real kubectl, beyond what the guide's chapter shows (test_kubectl_guides.py)."""

import re
from pathlib import Path

import pytest
import yaml

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, REPOSITORY, marked, until_status
from tests.sandbox.kubectl import TIMEOUT, Kubectl, rows

pytestmark = pytest.mark.sandbox

SAMPLE = REPOSITORY / "samples" / "xgboost-mnist-trainingjob.yaml"
NAME = "xgboost-mnist-from-for-s3"


@pytest.fixture
def long_sample(manifest: JsonObject, tmp_path: Path) -> Path:
    """The sample's manifest, with a job that runs until it is stopped."""
    path = tmp_path / "long.yaml"
    path.write_text(yaml.safe_dump(marked(manifest, **LONG)))
    return path


@pytest.mark.guide("F-5c")
def test_a_finished_job_is_waited_for_listed_and_described(world: World, kubectl: Kubectl) -> None:
    """modern-expectations.md 2: wait by condition and by status, all spellings of the kind, the category, events."""
    world.operator().until_ready()
    kubectl("apply", "-f", str(SAMPLE))
    kubectl("wait", "--for=condition=Complete", TIMEOUT, f"trainingjob/{NAME}")
    kubectl("wait", "--for=condition=Ready", TIMEOUT, f"trainingjob/{NAME}")
    by_path = "--for=jsonpath={.status.trainingJobStatus}=Completed"
    kubectl("wait", by_path, TIMEOUT, f"trainingjob/{NAME}")

    done = world.api.get(NAME)
    assert done is not None
    name, created = done["spec"]["trainingJobName"], done["metadata"]["creationTimestamp"]
    for spelling in ("TrainingJob", "trainingjob", "trainingjobs", "trainingjobs.sagemaker.aws.amazon.com"):
        _, row = rows(kubectl("get", spelling).stdout)
        assert row == [NAME, "Completed", "Completed", created, name, "True"], "a time, not an age"
    assert NAME in kubectl("get", "sagemaker").stdout, "the category lists it, too"

    eventually(lambda: len(world.api.events(NAME)) >= 2, what="two events")
    text = kubectl("describe", "trainingjob", NAME).stdout
    for line in (r"Events:\n +Type +Reason +Age +From +Message", r"Normal +Created", r"Normal +Completed"):
        assert re.search(line, text), f"{line}\n{text}"


@pytest.mark.guide("F-5b")
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


def test_an_invalid_manifest_is_refused_with_the_path_of_each_mistake(kubectl: Kubectl, manifest: JsonObject) -> None:
    """Bad input gets its answer from kubectl apply, not from a log."""
    del manifest["spec"]["roleArn"]
    manifest["spec"]["resourceConfig"]["instanceCount"] = -1
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
