"""docs/migrate-from-go-operator.md and docs/migrate-from-ack.md as a rehearsal: their commands, on what is found there.

The predecessor's objects are made as it left them (predecessor.py); kubectl is the real one, authorization is on.
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.descriptor import KindDescriptor, LifeCycle
from api.fields import installed
from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, HYPERPARAMETER_TUNING_JOB, KINDS, PROCESSING_JOB, TRAINING_JOB
from hack import tools
from hack.sandbox.aws import server as aws_server
from tests.deadline import PATIENCE_S, NeverError, eventually
from tests.empties import with_empties
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.harness import LONG, PLURALS, REPOSITORY, Operator, condition, marked, named, until_status
from tests.sandbox.hosting_scene import DEPLOYMENTS, deployment, replace_spec, sample
from tests.sandbox.hosting_scene import until as until_deployed
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE, Cluster, cluster
from tests.sandbox.interceptor import Interceptor, interceptor
from tests.sandbox.kubectl import UNCOLLECTED
from tests.sandbox.predecessor import Predecessor

pytestmark = pytest.mark.sandbox

FROM_ACK = REPOSITORY / "docs" / "migrate-from-ack.md"
FROM_GO = REPOSITORY / "docs" / "migrate-from-go-operator.md"
OLD_DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: sagemaker-k8s-operator-controller-manager, namespace: sagemaker-k8s-operator-system}
spec:
  replicas: 1
  selector: {matchLabels: {control-plane: controller-manager}}
  template:
    metadata: {labels: {control-plane: controller-manager}}
    spec:
      containers:
        - {name: manager, image: "957583890962.dkr.ecr.us-east-1.amazonaws.com/amazon-sagemaker-operator-for-k8s:v1"}
        - {name: kube-rbac-proxy, image: "gcr.io/kubebuilder/kube-rbac-proxy:v0.4.0"}
---
apiVersion: v1
kind: Pod
metadata: {name: old, namespace: sagemaker-k8s-operator-system, labels: {control-plane: controller-manager}}
spec: {containers: [{name: manager, image: old}]}
"""
BACKUP = (
    "kubectl apply --server-side -f release/rolebased/namespaced/crd.yaml",
    "kubectl annotate --local -f before.yaml -o yaml sagemaker.aws.amazon.com/read-only=true > looking.yaml",
    "grep -vE '^ *(resourceVersion|uid): |- sagemaker-operator-' looking.yaml | kubectl create -f -",
    "kubectl delete models,endpointconfigs --all-namespaces -l owner_HostingDeployment_name",
)
"""Commands of the page's last chapter."""
CHANGES = re.compile(r"Create|Update|Delete|Stop|Put|Register|Deregister")


class Scene:
    """A cluster with the predecessor's CRDs, SageMaker, and proxies that write down what the new operator does."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.stack = stack
        self.home: Cluster = stack.enter_context(cluster(directory))
        self.aws = stack.enter_context(aws_server.start(speed=20.0))
        self.to_aws: Interceptor = stack.enter_context(interceptor(self.aws.url))
        self.old = Predecessor(self.home.api, self.aws.url)
        self._number = 0

    def install_old_crds(self) -> None:
        """As an API server of 1.22 and later hands out those of v1beta1: any field, one version."""
        for kind in KINDS:
            self.install_crd("sagemaker.aws.amazon.com", kind)

    def install_crd(self, group: str, kind: KindDescriptor) -> None:
        """A CRD of that group for a kind of that name."""
        version = {
            "name": "v1",
            "served": True,
            "storage": True,
            "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        }
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{kind.plural}.{group}"},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"plural": kind.plural, "singular": kind.singular, "kind": kind.kind},
                "versions": [version],
            },
        }
        self.home.api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
        path = f"/apis/{group}/v1/{kind.plural}"
        eventually(lambda: self.home.api.is_served(path), what=f"{path} served")

    def operator(self) -> Operator:
        """The new one, as the service account of its installation."""
        self._number += 1
        kubeconfig = self.home.directory / f"operator-kubeconfig-{self._number}"
        write_kubeconfig(kubeconfig, self.home.server.url, self.home.server.token(NAMESPACE, ACCOUNT))
        started = Operator(
            kubeconfig,
            self.to_aws.url,
            self.home.directory / f"operator-{self._number}.log",
            *("--enable-leader-election", "--leader-election-namespace", NAMESPACE, "--poll-interval", "200ms"),
        )
        self.stack.callback(started.kill)
        return started.until_ready()

    def changes(self) -> list[str]:
        """AWS operations of the new operator that change something, tags apart."""
        return [each.operation for each in self.to_aws.requests if CHANGES.match(each.operation)]

    def there(self, *, running: bool = False) -> list[str]:
        """Names of everything at SageMaker; of jobs only those that run, if asked."""
        ask, only = self.old.sagemaker, {"StatusEquals": "InProgress"} if running else {}
        found = [
            *(each["EndpointName"] for each in ask.list_endpoints()["Endpoints"]),
            *(each["EndpointConfigName"] for each in ask.list_endpoint_configs()["EndpointConfigs"]),
            *(each["ModelName"] for each in ask.list_models()["Models"]),
            *(each["TrainingJobName"] for each in ask.list_training_jobs(**only)["TrainingJobSummaries"]),
            *(each["TransformJobName"] for each in ask.list_transform_jobs(**only)["TransformJobSummaries"]),
            *(each["ProcessingJobName"] for each in ask.list_processing_jobs(**only)["ProcessingJobSummaries"]),
        ]
        return sorted(found)

    def shell(self, command: str) -> str:
        """A command of a page, as typed: with kubectl on PATH, in the repository."""
        done = subprocess.run(
            ["/bin/bash", "-c", command],
            env={
                "PATH": f"{tools.find('kubectl').parent}:/usr/bin:/bin",
                "KUBECONFIG": str(self.home.kubeconfig),
                "HOME": str(self.home.directory),
                **UNCOLLECTED,
            },
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def until_taken_over(self, namespace: str = "default") -> None:
        """Every object has been looked at: it has conditions."""

        def waiting() -> list[str]:
            objects = [
                each
                for kind in KINDS
                for each in self.home.api.call("GET", self.home.api.path(plural=kind.plural, namespace=namespace))[
                    "items"
                ]
            ]
            return [each["metadata"]["name"] for each in objects if "conditions" not in (each.get("status") or {})]

        try:
            eventually(lambda: not waiting(), what="all objects taken over")
        except NeverError as never:
            log = (self.home.directory / f"operator-{self._number}.log").read_text()
            raise NeverError(f"{never}; not {waiting()}; operator:\n{log[-6000:]}") from None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Fresh servers."""
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def commands(page: Path) -> list[str]:
    """kubectl commands of a page's blocks, in order, continued lines joined."""
    blocks = re.findall(r"^ {4,}((?:kubectl|grep) (?:.*\\\n)*.*)$", page.read_text(), re.MULTILINE)
    return [re.sub(r"\s*\\\n\s*", " ", each).partition("  #")[0].strip() for each in blocks]


@pytest.mark.early
def test_what_the_predecessor_left_goes_on_and_can_be_removed(scene: Scene, manifest: JsonObject) -> None:
    """modern-expectations.md 10: continued and not created again; both finalizers; the children are current."""
    home, old = scene.home, scene.old
    scene.install_old_crds()
    home.kubectl("create", "namespace", NAMESPACE)
    home.kubectl("apply", "-f", "-", given=OLD_DEPLOYMENT)
    running = old.job(TRAINING_JOB, named(marked(manifest, SANDBOX_TRAIN_SECONDS="3600"), "running"), "InProgress")
    ended = old.job(TRAINING_JOB, named(marked(manifest, SANDBOX_TRAIN_SECONDS="0"), "ended"), "Completed")
    foreign = sample("xgboost-mnist-batchtransform")["spec"]["modelName"]
    objects = {"BatchTransformJob": old.job(BATCH_TRANSFORM_JOB, transform(old), "InProgress")}
    processing = old.job(PROCESSING_JOB, sample("kmeans-mnist-processingjob"), "InProgress")
    tuning = old.job(HYPERPARAMETER_TUNING_JOB, tuned(), "InProgress")
    launched = [each["TrainingJobName"] for each in eventually(lambda: launched_by(old, tuning), what="launched")]
    old.spawned(tuning, launched[0])
    host = old.hosting(deployment())
    eventually(lambda: serving(old, host["status"]["endpointName"]), what="the old endpoint serves")
    policy = old.scaled(scaling(host))
    before = scene.there()

    follow(scene)
    scene.operator()
    scene.until_taken_over()

    # both are upserts: of the same policy, in place
    assert scene.changes() == ["RegisterScalableTarget", "PutScalingPolicy"]
    assert scene.there() == before
    assert home.api.status("running")["awsResource"]["name"] == running["spec"]["trainingJobName"]
    assert condition(home.api.get("ended") or {}, "Complete")["status"] == "True", ended
    name = processing["metadata"]["name"]
    status = home.api.status(name, plural="processingjobs")
    assert status["awsResource"]["name"] == processing["status"]["sageMakerProcessingJobName"]
    # what the tuning job had launched before, and what it launched since: an object each, the old one is the same
    for each in launched:
        eventually(lambda each=each: home.api.status(each).get("awsResource"), what=f"object of {each}")
    (model,) = home.api.call("GET", home.api.path(plural="models"))["items"]
    (configuration,) = home.api.call("GET", home.api.path(plural="endpointconfigs"))["items"]
    assert "-1-" in model["metadata"]["name"]
    assert condition(model, "Ready")["status"] == condition(configuration, "Ready")["status"] == "True"

    for obj in (running, host):
        eventually(lambda obj=obj: is_tagged(scene, obj), what=f"{obj['kind']} is tagged as ours")

    own = (running, ended, objects["BatchTransformJob"], processing, tuning, host, policy)
    apply_unchanged(scene, own)

    scene.aws.clock.advance(3600)
    until_status(home.api, "running", "Completed")
    assert [event["reason"] for event in home.api.events("running")].count("Created") == 0

    changed = deployment()
    changed["spec"]["containers"][0]["modelDataUrl"] = "s3://my-bucket/inference/newer/model.tar.gz"
    replace_spec(home.api, changed)
    until_deployed(home.api, "host-xgboost", "InService")
    assert scene.changes().count("UpdateEndpoint") == 1
    assert "CreateEndpoint" not in scene.changes()

    scene.shell(
        "for kind in hyperparametertuningjob trainingjobs batchtransformjob processingjob hostingautoscalingpolicy "
        "hostingdeployment endpointconfig model; do "
        "kubectl delete --all --all-namespaces $kind.sagemaker.aws.amazon.com || exit 1; done"
    )
    assert home.kubectl("get", "sagemaker", "--all-namespaces", "-o", "name") == ""
    assert scene.there(running=True) == [foreign]
    assert old.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []


def test_a_backup_is_looked_at_before_anything_is_touched(scene: Scene, manifest: JsonObject, tmp_path: Path) -> None:
    """modern-expectations.md 10: new uids, no status. Nothing runs twice; what is released is followed and stopped."""
    scene.install_old_crds()
    long = marked(manifest, **LONG)
    job = scene.old.job(TRAINING_JOB, named(long, "my-job"), "InProgress")
    scene.old.job(PROCESSING_JOB, sample("kmeans-mnist-processingjob"), "InProgress")
    host = scene.old.hosting(deployment())
    eventually(lambda: serving(scene.old, host["status"]["endpointName"]), what="the old endpoint serves")
    saved = scene.shell("kubectl get trainingjobs,processingjobs,models,endpointconfigs,hostingdeployments -A -o yaml")
    endpoint = host["status"]["endpointName"]
    before = scene.there()

    (tmp_path / "new").mkdir()
    with cluster(tmp_path / "new") as home:
        scene.home = home
        home.put_namespaces("my-namespace")
        file = scene.home.directory / "before.yaml"
        content = yaml.safe_load(saved.replace("namespace: default", "namespace: my-namespace"))
        (restored,) = [each for each in content["items"] if each["kind"] == "HostingDeployment"]
        restored["spec"]["endpointName"] = endpoint
        file.write_text(yaml.safe_dump(content))
        typed = commands(FROM_GO)
        for command in typed[typed.index(BACKUP[0]) :][: len(BACKUP)]:
            scene.shell(re.sub(r"(before|looking)\.yaml", lambda found: str(file.with_name(found[0])), command))
        home.apply(INSTALLER)
        scene.operator()
        scene.until_taken_over("my-namespace")

        assert scene.changes() == []
        assert scene.there() == before
        where = {"namespace": "my-namespace"}
        assert home.api.status("my-job", **where)["trainingJobStatus"] == "InProgress"
        shown = home.api.status("host-xgboost", plural=DEPLOYMENTS, **where)
        assert (shown["endpointName"], shown["endpointStatus"]) == (endpoint, "InService")

        scene.shell(typed[typed.index(BACKUP[-1]) + 1])
        eventually(lambda: home.api.status("my-job", **where).get("awsResource"), what="the job is adopted")
        assert scene.changes() == []
        home.kubectl("delete", "trainingjob", "my-job", "-n", "my-namespace")
        assert scene.changes() == ["StopTrainingJob"]
        assert job["spec"]["trainingJobName"] not in scene.there(running=True)

        release = "sagemaker.aws.amazon.com/read-only-"
        home.kubectl("annotate", "hostingdeployment", "host-xgboost", "-n", "my-namespace", release)
        eventually(lambda: "UpdateEndpoint" in scene.changes(), what="the endpoint is updated to children of its own")
        assert "CreateEndpoint" not in scene.changes()


def test_what_ack_has_made_is_taken_over_when_asked_for(scene: Scene, manifest: JsonObject) -> None:
    """docs/migrate-from-ack.md, command by command, where both APIs have a kind TrainingJob."""
    home, old = scene.home, scene.old
    scene.install_crd("sagemaker.services.k8s.aws", TRAINING_JOB)
    home.put(INSTALLER)
    job = old.job_by_others(TRAINING_JOB, named(marked(manifest, **LONG), "my-job"), "by-ack")
    theirs = {"apiVersion": "sagemaker.services.k8s.aws/v1", "kind": "TrainingJob", "metadata": {"name": "my-job"}}
    home.kubectl("create", "-f", "-", given=yaml.safe_dump(theirs))
    file = home.directory / "my-job.yaml"
    file.write_text(yaml.safe_dump(job))
    endpoint = old.endpoint_by_others(deployment(), "by-ack")
    scene.operator()
    retain, delete, apply, adopt, wait = commands(FROM_ACK)

    scene.shell(retain)
    scene.shell(delete)
    scene.shell(apply.replace("my-job.yaml", str(file)))
    refused = eventually(lambda: condition(home.api.get("my-job") or {}, "Stalled"), what="it is refused")
    assert (refused["status"], refused["reason"]) == ("True", "AlreadyExists")
    scene.shell(adopt)
    scene.shell(wait)
    assert home.api.status("my-job")["trainingJobStatus"] == "InProgress"
    assert scene.changes() == ["CreateTrainingJob"], "tried once, and refused by SageMaker, since the name is taken"
    assert scene.there() == ["by-ack"] * 4
    eventually(lambda: serving(old, endpoint), what="the endpoint serves")
    home.api.create(annotated(deployment(endpointName=endpoint), "adoption-policy", "adopt"), plural=DEPLOYMENTS)
    until_deployed(home.api, "host-xgboost", "InService")
    eventually(lambda: "UpdateEndpoint" in scene.changes(), what="it serves models of its own")
    until_deployed(home.api, "host-xgboost", "InService")
    assert "CreateEndpoint" not in scene.changes()
    assert "by-ack" in scene.there()

    home.kubectl("delete", "trainingjobs.sagemaker.aws.amazon.com", "my-job")
    home.kubectl("delete", "hostingdeployment", "host-xgboost")
    assert "StopTrainingJob" in scene.changes()
    assert scene.there() == ["by-ack", "by-ack", "by-ack"], (
        "ACK's job, model and configuration: records and what it made"
    )


def apply_unchanged(scene: Scene, stored: Iterable[JsonObject]) -> None:
    """The manifests of these objects, as users have them: with empty values, and without what was filled in.

    Every way of applying them is accepted, and AWS is asked nothing that changes it; a policy is put again in place.
    """
    kinds = {kind.kind: kind for kind in KINDS}
    typed = {"apply": (), "replace": (), "apply --server-side": ("--force-conflicts",)}
    files = []
    for obj in stored:
        kind = kinds[obj["kind"]]
        spec = {name: value for name, value in obj["spec"].items() if name not in filled_in(kind)}
        if kind.life_cycle is LifeCycle.JOB:
            spec = with_empties(installed(kind).spec, spec)
        metadata = {name: obj["metadata"][name] for name in ("name", "namespace")}
        files.append({"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata, "spec": spec})
    together = json.dumps({"apiVersion": "v1", "kind": "List", "items": files})
    for verb, more in typed.items():
        said = scene.home.kubectl(*verb.split(), *more, "-f", "-", given=together)
        assert len(said.splitlines()) == len(files)
        for file in files:
            name, plural = file["metadata"]["name"], kinds[file["kind"]].plural
            eventually(lambda name=name, plural=plural: is_whole(scene, name, plural), what=f"{verb} of {name} settled")
    assert {*scene.changes()} <= {"RegisterScalableTarget", "PutScalingPolicy"}


def filled_in(kind: KindDescriptor) -> set[str]:
    """Fields of the spec that the predecessor wrote: names of jobs, and what a policy scales."""
    return {*kind.compat.filled_in} ^ ({kind.name.spec_field} if kind.name.late_initialized else set())


def is_whole(scene: Scene, name: str, plural: str) -> bool:
    """Whether an object has its record and its name again, and shows no edit."""
    obj = scene.home.api.get(name, plural=plural) or {}
    status = obj["status"]
    (kind,) = [each for each in KINDS if each.plural == plural]
    field = kind.name.spec_field
    is_named = not kind.name.late_initialized or obj["spec"].get(field) == status["awsResource"]["name"]
    return is_named and condition(obj, "Synced")["status"] == "True"


def is_tagged(scene: Scene, obj: JsonObject) -> bool:
    """Whether the resource at SageMaker says that it is this object's."""
    arn = scene.home.api.status(obj["metadata"]["name"], plural=PLURALS[obj["kind"]])["awsResource"]["arn"]
    tags = {each["Key"]: each["Value"] for each in scene.old.sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    return tags.get("sagemaker.aws.amazon.com/uid") == obj["metadata"]["uid"]


def annotated(obj: JsonObject, name: str, value: str) -> JsonObject:
    """The object with one annotation of ours."""
    return obj | {"metadata": obj["metadata"] | {"annotations": {f"sagemaker.aws.amazon.com/{name}": value}}}


def follow(scene: Scene) -> None:
    """The page's commands, in its order, up to the installation; a stand-in for the kubelet ends the old pod."""
    home = scene.home
    end = threading.Thread(target=end_old_pod, args=(home,), name="kubelet")
    end.start()
    typed = commands(FROM_GO)
    for command in typed[: typed.index(BACKUP[0])]:
        scene.shell(command)
    end.join()
    assert any("--replicas=0" in each for each in typed)
    assert any("--force-conflicts -f release/rolebased/namespaced/crd.yaml" in each for each in typed)
    home.apply(INSTALLER)
    names = "jsonpath={.spec.template.spec.containers[*].name} {.spec.replicas}"
    where = ("deployment", "sagemaker-k8s-operator-controller-manager", "-n", NAMESPACE)
    assert home.kubectl("get", *where, "-o", names) == "manager metrics-proxy 2"


def end_old_pod(home: Cluster) -> None:
    """What kubelet and ReplicaSet do once the Deployment wants no pods."""
    path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/sagemaker-k8s-operator-controller-manager"
    eventually(lambda: home.api.call("GET", path)["spec"]["replicas"] == 0, what="scaled to zero")
    home.api.call("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/old?gracePeriodSeconds=0")


def transform(old: Predecessor) -> JsonObject:
    """A batch transform that runs long, of a model that exists."""
    obj = sample("xgboost-mnist-batchtransform")
    old.sagemaker.create_model(
        ModelName=obj["spec"]["modelName"],
        ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
        PrimaryContainer={"Image": "123456789012.dkr.ecr.us-east-2.amazonaws.com/x:1"},
    )
    return obj


def tuned() -> JsonObject:
    """A tuning job whose training jobs run until they are stopped."""
    obj = sample("xgboost-mnist-hpo")
    obj["spec"]["hyperParameterTuningJobConfig"]["resourceLimits"] = {
        "maxNumberOfTrainingJobs": 2,
        "maxParallelTrainingJobs": 2,
    }
    static = obj["spec"]["trainingJobDefinition"].setdefault("staticHyperParameters", [])
    static += [{"name": name, "value": value} for name, value in LONG.items()]
    return obj


def launched_by(old: Predecessor, tuning: JsonObject) -> list[dict[str, Any]]:
    """Training jobs of a tuning job, once there are two."""
    name = tuning["spec"]["hyperParameterTuningJobName"]
    answer = old.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    found: list[dict[str, Any]] = answer["TrainingJobSummaries"]
    return found if len(found) == 2 else []


def serving(old: Predecessor, endpoint: str) -> bool:
    """Whether SageMaker says that an endpoint is in service."""
    return bool(old.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointStatus"] == "InService")


def scaling(host: JsonObject) -> JsonObject:
    """The sample policy, for the one variant of the deployment."""
    obj = sample("hap-predefined-metric")
    endpoint = host["status"]["endpointName"]
    obj["spec"]["resourceId"] = [{"endpointName": endpoint, "variantName": "all-traffic"}]
    return obj
