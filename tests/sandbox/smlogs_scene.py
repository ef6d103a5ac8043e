"""What tests of `kubectl smlogs` play in: objects whose statuses they write, an AWS whose clock they move, a plugin."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3

from api.meta import JsonObject
from api.v1 import KINDS
from hack import tools
from hack.sandbox.aws import server as aws_server
from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.kube import server as kube_server
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.crds import our_crds
from tests.sandbox.forkserver import fork_server
from tests.sandbox.harness import REPOSITORY, Api
from tests.sandbox.kubectl import UNCOLLECTED

REGION = "us-east-2"
LIMIT_S = PATIENCE_S
DURATIONS = Durations(starting_s=10, downloading_s=20, training_s=300, uploading_s=30)
PLURALS = {kind.kind: kind.plural for kind in KINDS}
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_ROLE = "arn:aws:iam::123456789012:role/training"


class Following:
    """A plugin that runs with `--follow`."""

    def __init__(self, process: "subprocess.Popen[bytes]", directory: Path) -> None:
        self.process = process
        self._directory = directory

    @property
    def lines(self) -> list[str]:
        """Lines printed so far."""
        return (self._directory / "out").read_text().splitlines()

    @property
    def said(self) -> list[str]:
        """What it told people so far."""
        return (self._directory / "err").read_text().splitlines()

    def until_lines(self, count: int) -> None:
        """Wait until at least `count` lines were printed. Fails when it ends before."""

        def look() -> bool:
            assert self.process.poll() is None or len(self.lines) >= count, self.said
            return len(self.lines) >= count

        eventually(look, what=f"{count} lines are printed")


class Scene:
    """Servers with kinds and no objects, and an environment in which kubectl finds the plugin."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self.kube = stack.enter_context(kube_server.start())
        self.aws = stack.enter_context(aws_server.start(durations=DURATIONS, clock=SandboxClock.frozen()))
        self.api = Api(self.kube.url)
        for crd in our_crds():
            self.api.call("POST", _CRDS, without_schema(crd))
        for plural in PLURALS.values():
            path = self.api.path(plural=plural)
            eventually(lambda path=path: self.api.is_served(path), what=f"{plural} are served")  # type: ignore[misc]
        self.kubeconfig = self.kube.write_kubeconfig(directory / "kubeconfig")
        session = boto3.Session("test", "test", region_name=REGION)
        self.sagemaker = session.client("sagemaker", endpoint_url=self.aws.url)
        stack.callback(self.sagemaker.close)
        # A kept connection would be a thread of the server that outlives the test.
        self.sagemaker.meta.events.register("before-sign", _without_keep_alive)
        self.bin = directory / "bin"
        self.bin.mkdir()
        plugin = self.bin / "kubectl-smlogs"
        plugin.write_text(f'#!/bin/sh\nexec {sys.executable} -m controller.smlogs "$@"\n')
        plugin.chmod(0o755)
        (self.bin / "kubectl").symlink_to(tools.find("kubectl"))
        self.environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "PYTHONPATH": str(REPOSITORY),
            "HOME": str(directory),
            "KUBECONFIG": str(self.kubeconfig),
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TERM": "xterm",
            **UNCOLLECTED,
        }

    def reset(self) -> None:
        """Forget all objects and jobs."""
        self.aws.reset()
        for plural in PLURALS.values():
            for item in self.api.call("GET", f"/apis/sagemaker.aws.amazon.com/v1/{plural}")["items"]:
                where = item["metadata"]
                self.api.delete(where["name"], namespace=where["namespace"], plural=plural)

    def namespace(self, name: str) -> None:
        """Create a namespace."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        self.api.call("POST", "/api/v1/namespaces", body)

    def object(self, kind: str, name: str, status: JsonObject, namespace: str = "default") -> None:
        """Create an object with a status."""
        manifest = {
            "apiVersion": "sagemaker.aws.amazon.com/v1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"region": REGION},
        }
        self.api.create(manifest, namespace=namespace, plural=PLURALS[kind])
        self.status(kind, name, status, namespace)

    def status(self, kind: str, name: str, status: JsonObject, namespace: str = "default") -> None:
        """Change the status of an object, as the operator would."""
        path = self.api.path(name, namespace=namespace, plural=PLURALS[kind])
        self.api.call("PATCH", f"{path}/status", {"status": status}, "application/merge-patch+json")

    def training_job(self, name: str, *, instances: int = 1, namespace: str = "default") -> None:
        """A training job at AWS, and an object that shows it."""
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            AlgorithmSpecification={"TrainingImage": "123456789012.dkr.ecr/algorithm:1", "TrainingInputMode": "File"},
            RoleArn=_ROLE,
            OutputDataConfig={"S3OutputPath": "s3://bucket/models/"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 5},
            StoppingCondition={"MaxRuntimeInSeconds": 86_400},
        )
        shown = {"trainingJobStatus": "InProgress", "secondaryStatus": "Training", "sageMakerTrainingJobName": name}
        self.object("TrainingJob", name, shown, namespace)

    def model(self, name: str) -> None:
        """A model at AWS."""
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": "123456789012.dkr.ecr/algorithm:1"}, ExecutionRoleArn=_ROLE
        )

    def transform_job(self, name: str) -> None:
        """A transform job at AWS, and an object that shows it."""
        self.model(f"{name}-model")
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=f"{name}-model",
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
            TransformOutput={"S3OutputPath": "s3://bucket/out"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        status = {"transformJobStatus": "InProgress", "sageMakerTransformJobName": name}
        self.object("BatchTransformJob", name, status)

    def processing_job(self, name: str) -> None:
        """A processing job at AWS, and an object that shows it."""
        self.sagemaker.create_processing_job(
            ProcessingJobName=name,
            AppSpecification={"ImageUri": "123456789012.dkr.ecr/algorithm:1"},
            RoleArn=_ROLE,
            ProcessingResources={
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
            },
        )
        status = {"processingJobStatus": "InProgress", "sageMakerProcessingJobName": name}
        self.object("ProcessingJob", name, status)

    def endpoint(self, name: str) -> None:
        """An endpoint with two instances at AWS, and an object that shows it."""
        self.model(f"{name}-model")
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": f"{name}-model",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 2,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=f"{name}-config", ProductionVariants=[variant])
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}-config")
        self.object("HostingDeployment", name, {"endpointStatus": "InService", "endpointName": name})

    def component(self, name: str) -> None:
        """A component of two copies on an endpoint without models at AWS, and an object that shows it."""
        variant = {"VariantName": "all", "InstanceType": "ml.g5.2xlarge", "InitialInstanceCount": 1}
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=f"{name}-host", ExecutionRoleArn=_ROLE, ProductionVariants=[variant]
        )
        self.sagemaker.create_endpoint(EndpointName=f"{name}-host", EndpointConfigName=f"{name}-host")
        self.aws.clock.advance(1000)
        self.sagemaker.create_inference_component(
            InferenceComponentName=name,
            EndpointName=f"{name}-host",
            Specification={
                "Container": {"Image": "registry.example.com/model:1"},
                "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024},
            },
            RuntimeConfig={"CopyCount": 2},
        )
        shown = {"inferenceComponentStatus": "InService", "inferenceComponentName": name}
        self.object("InferenceComponent", name, shown)

    def tuning_job(self, name: str) -> None:
        """A tuning job at AWS that launches three training jobs, two at a time, and an object that shows it."""
        self.sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig={
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:error"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
                "ParameterRanges": {"IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "9"}]},
            },
            TrainingJobDefinition={
                "AlgorithmSpecification": {
                    "TrainingImage": "123456789012.dkr.ecr/algorithm:1",
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "validation:error", "Regex": "validation-error:(\\S+)"}],
                },
                "RoleArn": _ROLE,
                "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
                "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
                "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
            },
        )
        status = {"hyperParameterTuningJobStatus": "InProgress", "sageMakerHyperParameterTuningJobName": name}
        self.object("HyperparameterTuningJob", name, status)

    def command(self, *arguments: str) -> list[str]:
        """kubectl with the plugin."""
        return [str(self.bin / "kubectl"), "smlogs", *arguments]

    def plugin(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the plugin to its end, forked: for what it prints, however it was started.

        An empty variable is left out of the environment.
        """
        out, err = (self.directory / name for name in ("plugin-out", "plugin-err"))
        for each in (out, err):
            each.unlink(missing_ok=True)
        child = fork_server().launch(
            arguments,
            self._changed(environment),
            out,
            errors=err,
            directory=self.directory,
            program="controller.smlogs",
        )
        code = child.wait(LIMIT_S)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def _changed(self, environment: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in (self.environment | environment).items() if value}

    def smlogs(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Do the same by way of kubectl, which finds the plugin on PATH."""
        return subprocess.run(
            self.command(*arguments),
            env=self._changed(environment),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    @contextmanager
    def following(self, *arguments: str, command: Sequence[str] = ()) -> Iterator[Following]:
        """Run the plugin with `--follow` in the background; killed if the test forgets it."""
        with (self.directory / "out").open("w") as out, (self.directory / "err").open("w") as err:
            process = subprocess.Popen(
                command or self.command(*arguments, "--follow"),
                env=self.environment,
                cwd=self.directory,
                stdout=out,
                stderr=err,
            )
        try:
            yield Following(process, self.directory)
        finally:
            process.kill()
            process.wait()


def without_schema(crd: JsonObject) -> JsonObject:
    """The CRD with a schema that accepts anything: specs are other tests' business, statuses are what a test says."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    versions = [version | {"schema": schema} for version in crd["spec"]["versions"]]
    return crd | {"spec": crd["spec"] | {"versions": versions}}


def _without_keep_alive(request: Any, **_: object) -> None:
    request.headers["Connection"] = "close"
