"""The guides' chapters on tuning, batch transform and hosting, command by command, with real kubectl."""

import re

import pytest
import yaml

from api.meta import JsonObject
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, REPOSITORY, aws_call, eventually, jobs, marked
from tests.sandbox.kubectl import Kubectl, rows

pytestmark = pytest.mark.sandbox

SAMPLES = REPOSITORY / "samples"


def sample(file: str) -> JsonObject:
    """A sample that holds one object."""
    loaded: JsonObject = yaml.safe_load((SAMPLES / file).read_text())
    return loaded


def wait_for(kubectl: Kubectl, what: str, path: str, value: str) -> None:
    """`kubectl wait` on a status field of v1."""
    kubectl("wait", f"--for=jsonpath={{.status.{path}}}={value}", "--timeout=60s", what)


def test_the_tuning_chapter(world: World, kubectl: Kubectl) -> None:
    """B-31 to B-37: the table with zeros and the best job, describe, the launched jobs, deletion of all of it."""
    world.operator().until_ready()
    applied = kubectl("apply", "-f", str(SAMPLES / "xgboost-mnist-hpo.yaml")).stdout
    assert applied == "hyperparametertuningjob.sagemaker.aws.amazon.com/xgboost-mnist-hpo created\n"
    wait_for(kubectl, "hyperparametertuningjob/xgboost-mnist-hpo", "hyperParameterTuningJobStatus", "Completed")

    header, row = rows(kubectl("get", "hyperparametertuningjob").stdout)
    columns = "NAME STATUS CREATION-TIME COMPLETED INPROGRESS ERRORS STOPPED BEST-TRAINING-JOB SAGEMAKER-JOB-NAME"
    assert header == columns.split()
    shown = dict(zip(header, row, strict=True))
    launched = int(shown["COMPLETED"])
    assert launched > 0
    assert (shown["INPROGRESS"], shown["ERRORS"], shown["STOPPED"]) == ("0", "0", "0")
    text = kubectl("describe", "hyperparametertuningjob", "xgboost-mnist-hpo").stdout
    for line in (
        rf"Training Job Name: +{shown['BEST-TRAINING-JOB']}",
        r"Objective Status: +Succeeded",
        r"Tuned Hyper Parameters:\n +Name:",
        r"Metric Name: +validation:",
        r"Value: +[0-9.]+",
        r"Training Job Status Counters:\n +Completed: +\d+",
        r"Total Error: +0",
        rf"Sage Maker Hyper Parameter Tuning Job Name: +{shown['SAGEMAKER-JOB-NAME']}",
    ):
        assert re.search(line, text), f"{line}\n{text}"

    _, *jobs = rows(kubectl("get", "trainingjobs").stdout)
    assert len(jobs) == launched
    assert shown["BEST-TRAINING-JOB"] in {job[0] for job in jobs}
    kubectl("describe", "trainingjobs", shown["BEST-TRAINING-JOB"])

    deleted = kubectl("delete", "hyperparametertuningjob", "xgboost-mnist-hpo", "--timeout=60s").stdout
    assert deleted.startswith('hyperparametertuningjob.sagemaker.aws.amazon.com "xgboost-mnist-hpo" deleted')
    eventually(lambda: "No resources found" in kubectl("get", "trainingjobs").stderr, what="no launched jobs are left")


def test_the_batch_transform_chapter(world: World, kubectl: Kubectl) -> None:
    """B-38 to B-43: columns, the name filled in, generation 2, deletion under the guide's spelling."""
    job = sample("xgboost-mnist-batchtransform.yaml")
    name = job["metadata"]["name"]
    image = "433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost:latest"
    aws_call(
        world.aws.url,
        "CreateModel",
        ModelName=job["spec"]["modelName"],
        ExecutionRoleArn="arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole",
        PrimaryContainer={"Image": image, "ModelDataUrl": "s3://my-bucket/model.tar.gz"},
    )
    world.operator().until_ready()
    kubectl("apply", "-f", str(SAMPLES / "xgboost-mnist-batchtransform.yaml"))
    wait_for(kubectl, f"batchtransformjob/{name}", "transformJobStatus", "Completed")
    header, row = rows(kubectl("get", "batchtransformjob").stdout)
    assert header == ["NAME", "STATUS", "CREATION-TIME", "SAGEMAKER-JOB-NAME"]
    assert row[:2] == [name, "Completed"]
    text = kubectl("describe", "batchtransformjob", name).stdout
    for line in (
        r"Generation: +2",
        rf"Transform Job Name: +{row[3]}",
        rf"Sage Maker Transform Job Name: +{row[3]}",
        r"Transform Job Status: +Completed",
        r"Last Check Time: +20",
    ):
        assert re.search(line, text), f"{line}\n{text}"
    deleted = kubectl("delete", "batchTransformJob", name, "--timeout=60s").stdout
    assert deleted.startswith(f'batchtransformjob.sagemaker.aws.amazon.com "{name}" deleted')


def test_the_hosting_chapter(world: World, kubectl: Kubectl) -> None:
    """B-44 to B-51: from Creating to InService, describe, a live change, deletion, nothing left."""
    world.operator().until_ready()
    manifest = (SAMPLES / "xgboost-mnist-hostingdeployment.yaml").read_text()
    kubectl("apply", "-f", "-", stdin=manifest)
    wait_for(kubectl, "hostingdeployment/host-xgboost", "endpointStatus", "InService")
    header, row = rows(kubectl("get", "hostingdeployments").stdout)
    assert header == ["NAME", "STATUS", "SAGEMAKER-ENDPOINT-NAME"]
    assert row[:2] == ["host-xgboost", "InService"]
    text = kubectl("describe", "hostingdeployment").stdout
    for line in (
        r"Generation: +1",
        r"Endpoint Arn: +arn:aws:sagemaker:",
        r"Endpoint Config Name: +host-xgboost-",
        rf"Endpoint Name: +{row[2]}",
        r"Endpoint Status: +InService",
        rf"Endpoint URL: +https://runtime\.sagemaker\.us-east-2\.amazonaws\.com/endpoints/{row[2]}/invocations",
        r"Last Check Time: +20",
        r"Last Modified Time: +20",
        r"Model Names:\n +Name: +xgboost-model\n +Value: +xgboost-model-",
    ):
        assert re.search(line, text, re.IGNORECASE), f"{line}\n{text}"

    changed = manifest.replace("initialInstanceCount: 1", "initialInstanceCount: 2")
    assert changed != manifest
    applied = kubectl("apply", "-f", "-", stdin=changed).stdout
    assert applied == "hostingdeployment.sagemaker.aws.amazon.com/host-xgboost configured\n"
    two = "productionVariants[0].currentInstanceCount"
    wait_for(kubectl, "hostingdeployment/host-xgboost", two, "2")
    wait_for(kubectl, "hostingdeployment/host-xgboost", "endpointStatus", "InService")
    kubectl("wait", "--for=condition=Ready", "--timeout=60s", "hostingdeployment/host-xgboost")
    assert rows(kubectl("get", "hostingdeployments").stdout)[1][2] == row[2], "the endpoint keeps its name"

    deleted = kubectl("delete", "hostingdeployments", "host-xgboost", "--timeout=60s").stdout
    assert deleted.startswith('hostingdeployment.sagemaker.aws.amazon.com "host-xgboost" deleted')
    assert kubectl("get", "hostingdeployments").stderr == "No resources found in default namespace.\n"
    eventually(lambda: not aws_call(world.aws.url, "ListModels")["Models"], what="models are gone")
    assert aws_call(world.aws.url, "ListEndpoints")["Endpoints"] == []
    assert aws_call(world.aws.url, "ListEndpointConfigs")["EndpointConfigs"] == []


def test_deleting_everything_before_the_uninstallation(world: World, kubectl: Kubectl) -> None:
    """B-20a to B-20d: `delete --all --all-namespaces` by the guide's names of the kinds; running jobs are stopped."""
    world.operator().until_ready()
    kubectl("create", "namespace", "other")
    job = marked(sample("xgboost-mnist-trainingjob.yaml"), **LONG)
    for namespace in ("default", "other"):
        kubectl("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(job))
        what = f"trainingjob/{job['metadata']['name']}"
        kubectl("wait", "-n", namespace, "--for=jsonpath={.status.trainingJobStatus}=InProgress", what)
    assert rows(kubectl("get", "trainingjobs", "-A").stdout)[0][:2] == ["NAMESPACE", "NAME"]

    everywhere = ("delete", "--all", "--all-namespaces", "--timeout=60s")
    deleted = kubectl(*everywhere, "trainingjobs.sagemaker.aws.amazon.com").stdout
    line = f'trainingjob.sagemaker.aws.amazon.com "{job["metadata"]["name"]}" deleted'
    assert [each[: len(line)] for each in deleted.splitlines()] == [line, line]
    for kind in ("hyperparametertuningjob", "batchtransformjob", "hostingdeployment"):
        assert kubectl(*everywhere, f"{kind}.sagemaker.aws.amazon.com").stdout == "No resources found\n"
    assert {each["TrainingJobStatus"] for each in jobs(world.aws.url)} == {"Stopped"}
