"""The guides' chapters on jobs and endpoints, command by command, as their reader types them; an operator works."""

import json
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, REPOSITORY, aws_call, jobs, marked, named
from tests.sandbox.kubectl import TIMEOUT, Kubectl
from tests.sandbox.reader import Reader, check_marks, site

pytestmark = pytest.mark.sandbox

SAMPLES = REPOSITORY / "samples"
TRAINING = "xgboost-mnist-trainingjob.yaml"
ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"
MODEL = "mine"
FINALIZER = "sagemaker-operator-finalizer"


@pytest.fixture
def reader(world: World, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A reader with the plugin installed; the test must type the commands that it is marked with."""
    home = tmp_path / "home"
    home.mkdir()
    aws = {
        "AWS_ENDPOINT_URL": world.aws.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    samples = copytree(SAMPLES, tmp_path / "samples")
    running = marked(sample(TRAINING), **LONG)  # seen while it runs, and stopped when it is deleted
    (samples / TRAINING).write_text(yaml.safe_dump(running))
    with site(tmp_path, samples=samples) as address:
        made = Reader(home, world.direct_kubeconfig, address, aws, role_arn=ROLE, model_name=MODEL).with_plugin()
        made.python("aws", "tests.sandbox.awscli")
        yield made
    check_marks(made, request)


def sample(file: str) -> JsonObject:
    """A sample that holds one object."""
    loaded: JsonObject = yaml.safe_load((SAMPLES / file).read_text())
    return loaded


def wait_for(kubectl: Kubectl, what: str, path: str, value: str) -> None:
    """`kubectl wait` on a status field of v1."""
    kubectl("wait", f"--for=jsonpath={{.status.{path}}}={value}", TIMEOUT, what)


def make_model(world: World) -> None:
    """The model that batch transform jobs use."""
    image = "825641698319.dkr.ecr.us-east-2.amazonaws.com/xgboost:latest"
    container = {"Image": image, "ModelDataUrl": "s3://my-bucket/model.tar.gz"}
    aws_call(world.aws.url, "CreateModel", ModelName=MODEL, ExecutionRoleArn=ROLE, PrimaryContainer=container)


@pytest.mark.guide("B-23", "B-26", "B-27", "B-28", "B-29")
def test_the_training_chapter(world: World, kubectl: Kubectl, reader: Reader) -> None:
    """Section 5."""
    world.operator().until_ready()
    reader.does("B-23")
    wait_for(kubectl, "trainingjob/xgboost-mnist-from-for-s3", "secondaryStatus", "Training")
    reader.does("B-26")
    reader.does("B-27")
    reader.does("B-28")
    reader.does("B-29")
    (job,) = jobs(world.aws.url)
    assert job["TrainingJobStatus"] == "Stopped", "the record stays"


@pytest.mark.guide("B-31", "B-34", "B-35", "B-36", "B-37")
def test_the_tuning_chapter(world: World, kubectl: Kubectl, reader: Reader) -> None:
    """Section 6: the table with zeros and the best job, one object per launched job, deletion of all of it."""
    world.operator().until_ready()
    reader.does("B-31")
    wait_for(kubectl, "hyperparametertuningjob/xgboost-mnist-hpo", "hyperParameterTuningJobStatus", "Completed")
    reader.does("B-34")
    reader.does("B-35")

    def has_shown_all() -> bool:
        """The objects of launched jobs follow on their own, in whatever order."""
        return kubectl("get", "trainingjobs").stdout.count(" Completed ") >= int(reader.values["job_count"])

    eventually(has_shown_all, what="each launched job is shown as ended")
    reader.does("B-36")
    reader.does("B-37")
    eventually(lambda: "No resources found" in kubectl("get", "trainingjobs").stderr, what="no launched jobs are left")


@pytest.mark.guide("B-38", "B-41", "B-42", "B-43a", "B-43b")
def test_the_batch_transform_chapter(world: World, kubectl: Kubectl, reader: Reader) -> None:
    """Section 7."""
    make_model(world)
    world.operator().until_ready()
    reader.does("B-38")
    wait_for(kubectl, "batchtransformjob/xgboost-mnist-batch-transform", "transformJobStatus", "Completed")
    reader.does("B-41")
    reader.does("B-42")
    reader.does("B-43a")
    reader.does("B-43b")


@pytest.mark.guide("B-44", "B-45", "B-46", "B-47", "B-48", "B-49", "B-50", "B-51")
def test_the_hosting_chapter(world: World, kubectl: Kubectl, reader: Reader) -> None:
    """Section 8: from Creating to InService, a live change that keeps the endpoint's name, deletion, nothing left."""
    world.operator().until_ready()
    reader.does("B-44")

    def is_there() -> bool:
        status = world.api.status("host-xgboost", plural="hostingdeployments")
        return status.get("endpointStatus") in {"Creating", "InService"}

    eventually(is_there, what="the endpoint is being created, or was while nobody looked")
    reader.does("B-45")
    reader.does("B-46")
    wait_for(kubectl, "hostingdeployment/host-xgboost", "endpointStatus", "InService")
    reader.does("B-47")
    with reader.watching("B-49"), world.time.stopped():
        reader.does("B-48")
        wait_for(kubectl, "hostingdeployment/host-xgboost", "endpointStatus", "Updating")
    two = "productionVariants[0].currentInstanceCount"
    wait_for(kubectl, "hostingdeployment/host-xgboost", two, "2")
    reader.does("B-50")
    reader.does("B-51")
    eventually(lambda: not aws_call(world.aws.url, "ListModels")["Models"], what="models are gone")
    assert aws_call(world.aws.url, "ListEndpoints")["Endpoints"] == []
    assert aws_call(world.aws.url, "ListEndpointConfigs")["EndpointConfigs"] == []


@pytest.mark.guide("B-20a", "B-20b", "B-20c", "B-20d")
def test_deleting_everything_before_the_uninstallation(world: World, kubectl: Kubectl, reader: Reader) -> None:
    """Section 4: `delete --all --all-namespaces` by the guide's names of the kinds; what runs is stopped."""
    if not world.kube.is_ours:
        pytest.skip("it would delete what other people have in this cluster")
    make_model(world)
    operator = world.operator().until_ready()
    kubectl("create", "namespace", "other")
    training = marked(sample(TRAINING), **LONG)
    transform = sample("xgboost-mnist-batchtransform.yaml")
    transform["spec"]["modelName"] = MODEL
    for manifest in (
        training,
        transform,
        sample("xgboost-mnist-hpo.yaml"),
        sample("xgboost-mnist-hostingdeployment.yaml"),
    ):
        kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    kubectl("apply", "-n", "other", "-f", "-", stdin=json.dumps(training))
    for namespace in ("default", "other"):
        what = f"trainingjob/{training['metadata']['name']}"
        kubectl("wait", "-n", namespace, "--for=jsonpath={.status.trainingJobStatus}=InProgress", TIMEOUT, what)
    for number in ("B-20a", "B-20b", "B-20c", "B-20d"):
        deleted = reader.does(number)
        if number == "B-20b":
            assert deleted.count(f'"{training["metadata"]["name"]}" deleted') == 2, "in both namespaces"
    assert kubectl("get", "sagemaker", "-A").stdout == ""
    assert not {"InProgress", "Stopping"} & {each["TrainingJobStatus"] for each in jobs(world.aws.url)}
    assert operator.terminate() == 0


@pytest.mark.guide("B-22a", "B-22b", "B-22c")
def test_the_troubleshooting_chapter(world: World, kubectl: Kubectl, reader: Reader) -> None:
    """Section 4: a failed job says why in its table, its log and its description."""
    world.operator().until_ready()
    failing = marked(named(sample(TRAINING), "failing"), SANDBOX_FAIL="the loss is NaN")
    kubectl("apply", "-f", "-", stdin=json.dumps(failing))
    wait_for(kubectl, "trainingjob/failing", "trainingJobStatus", "Failed")
    reader.does("B-22a", crd_type="trainingjob", job_name="failing")
    reader.does("B-22b")
    reader.does("B-22c")


@pytest.mark.guide("B-22f")
def test_a_stuck_deletion_ends_with_the_guides_two_lines(world: World, kubectl: Kubectl, reader: Reader) -> None:
    """Section 4, no operator: ours is the only finalizer that an object of a user needs to get rid of."""
    stuck: dict[str, Any] = named(sample("xgboost-mnist-batchtransform.yaml"), "xgboost-mnist")
    stuck["metadata"]["finalizers"] = [FINALIZER]
    kubectl("create", "-f", "-", stdin=json.dumps(stuck))
    kubectl("delete", "batchtransformjob", "xgboost-mnist", "--wait=false")
    assert kubectl("get", "batchtransformjob", "xgboost-mnist", "-o", "name").stdout
    reader.does("B-22f")
    assert "NotFound" in kubectl("get", "batchtransformjob", "xgboost-mnist", code=1).stderr
