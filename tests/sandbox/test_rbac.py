"""RBAC from use: the operator lives on the shipped roles alone, and nothing in them is idle.

Authorization is on in these tests. Every request goes through a proxy that writes it down; afterwards each one must be
covered by a rule of the operator's service account, and each verb of each rule must have covered a request.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from api.meta import JsonObject
from api.schema.structural import NOT_SEEN
from api.v1 import KINDS
from hack.sandbox.aws import server as aws_server
from hack.sandbox.samples import create_pipeline
from tests.deadline import eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.harness import LONG, Operator, condition, marked, named, until_gone, until_status
from tests.sandbox.hosting_scene import sample
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE, NAMESPACED, Cluster, cluster, for_namespace
from tests.sandbox.interceptor import Interceptor, Request, interceptor

pytestmark = pytest.mark.sandbox

SPEED = 4.0
OURS = "sagemaker.aws.amazon.com"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource: in all namespaces and of any name where these are empty."""

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def covers(self, asked: "Right") -> bool:
        """Whether this right allows what was asked."""
        same = (self.group, self.resource, self.verb) == (asked.group, asked.resource, asked.verb)
        return same and self.namespace in ("", asked.namespace) and self.name in ("", asked.name)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with RBAC."""
    with cluster(tmp_path) as made:
        yield made


@pytest.mark.guide("F-2")
@pytest.mark.parametrize("scope", ["cluster-wide", "namespaced"])
def test_the_shipped_roles_are_enough_and_not_too_much(home: Cluster, manifest: JsonObject, scope: str) -> None:
    """Least privilege in both directions (D-40, D-43; modern-expectations.md 9)."""
    is_namespaced = scope == "namespaced"
    namespace = "my-namespace" if is_namespaced else NAMESPACE
    if is_namespaced:
        home.put_namespaces(namespace)
        home.put(NAMESPACED / "crd.yaml", for_namespace(namespace, home.directory))
    else:
        home.put(INSTALLER)
    granted = rights_of(home, namespace)
    jobs_in = namespace if is_namespaced else "default"
    if is_namespaced:
        home.api.create(unplaced(named(manifest, "elsewhere")))

    asked = walk(home, manifest, namespace, jobs_in, *((f"--namespace={namespace}",) if is_namespaced else ()))

    # It tries the cluster's own namespace first; where it may not, the served one stands in (kube/cluster_id.py).
    expected = {Right("", "namespaces", "get", "kube-system", "kube-system")} if is_namespaced else set()
    denied = {each for each in asked if not any(right.covers(each) for right in granted)}
    assert denied == expected
    left = NOT_SEEN if is_namespaced else {}
    assert home.api.status("elsewhere") == left, "an object in a namespace that is not served is left alone"
    # Watches bring what is there where the server can do that (R19): the right to list is for those that cannot.
    listed = {replace(each, verb="list") for each in asked if each.verb == "watch"}
    idle = {right for right in granted if not any(right.covers(each) for each in asked | listed)}
    assert not idle, "never used: take them out of hack/manifests/roles.py, or add the walk that needs them here"


def walk(home: Cluster, manifest: JsonObject, namespace: str, jobs_in: str, *flags: str) -> set[Right]:
    """Run an operator as its service account through everything it does; returns what it asked of the API server."""
    with ExitStack() as stack:
        aws = stack.enter_context(aws_server.start(speed=SPEED))
        create_pipeline(aws)
        token = home.server.token(namespace, ACCOUNT)
        proxy = stack.enter_context(interceptor(home.server.url, token=token))
        kubeconfig = home.directory / "operator-kubeconfig"
        write_kubeconfig(kubeconfig, proxy.url)
        operator = Operator(
            kubeconfig,
            aws.url,
            home.directory / "operator.log",
            *("--enable-leader-election", "--leader-election-namespace", namespace, "--poll-interval", "200ms"),
            *flags,
        )
        stack.callback(operator.kill)
        operator.until_ready()
        with ThreadPoolExecutor(len(KINDS), thread_name_prefix="walk") as pool:  # each kind waits most of its time
            for walking in [pool.submit(WALKS[kind.kind], home, manifest, jobs_in) for kind in KINDS]:
                walking.result()
        assert operator.terminate() == 0, operator.log_tail()
        return {right_of(request) for request in asked_of(proxy)}


def walk_training_job(home: Cluster, manifest: JsonObject, namespace: str) -> None:
    """One job to its end, and one that is paused twice, which updates an Event, and stopped."""
    home.api.create(unplaced(named(manifest, "to-its-end")), namespace=namespace)
    until_status(home.api, "to-its-end", "Completed", namespace=namespace)

    home.api.create(unplaced(marked(named(manifest, "stopped"), **LONG)), namespace=namespace)
    until_status(home.api, "stopped", "InProgress", namespace=namespace)
    path = home.api.path("stopped", namespace=namespace)
    for is_paused in (True, False, True, False):
        change = {"metadata": {"annotations": {f"{OURS}/paused": str(is_paused).lower()}}}
        home.api.call("PATCH", path, change, "application/merge-patch+json")
        eventually(lambda paused=is_paused: is_shown_paused(home, path) is paused, what=f"paused: {is_paused}")  # type: ignore[misc]
    eventually(lambda: pauses(home, "stopped", namespace) == 2, what="one Event that counts both pauses")
    home.api.delete("stopped", namespace=namespace)
    until_gone(home.api, "stopped", namespace=namespace)


def walk_tuning_job(home: Cluster, manifest: JsonObject, namespace: str) -> None:
    """One to its end, with the objects of its training jobs, which go with it."""
    where = {"namespace": namespace, "plural": "hyperparametertuningjobs"}
    job = sample("xgboost-mnist-hpo")
    job["spec"]["hyperParameterTuningJobConfig"]["resourceLimits"] = {
        "maxNumberOfTrainingJobs": 2,
        "maxParallelTrainingJobs": 2,
    }
    name = home.api.create(unplaced(job), **where)["metadata"]["name"]
    until_status(home.api, name, "Completed", field="hyperParameterTuningJobStatus", **where)
    expire(home, name, **where)


def walk_deployment(home: Cluster, manifest: JsonObject, namespace: str) -> None:
    """One that gets another configuration, so that children are made and removed, and is deleted."""
    where = {"namespace": namespace, "plural": "hostingdeployments"}
    wanted = sample("xgboost-mnist-hostingdeployment")
    name = home.api.create(unplaced(wanted), **where)["metadata"]["name"]
    until_status(home.api, name, "InService", field="endpointStatus", **where)
    home.api.delete(name, **where)
    until_gone(home.api, name, **where)


def walk_transform_job(home: Cluster, manifest: JsonObject, namespace: str) -> None:
    """One to its end, with a model of its own."""
    where = {"namespace": namespace, "plural": "batchtransformjobs"}
    model = named(sample("xgboost-mnist-model"), "for-transform")
    home.api.create(unplaced(model), namespace=namespace, plural="models")
    job = sample("xgboost-mnist-batchtransform")
    job["spec"]["modelName"] = eventually(
        lambda: home.api.status("for-transform", namespace=namespace, plural="models").get("sageMakerModelName"),
        what="the model of the transform job",
    )
    name = home.api.create(unplaced(job), **where)["metadata"]["name"]
    until_status(home.api, name, "Completed", field="transformJobStatus", **where)
    expire(home, name, **where)


def walk_processing_job(home: Cluster, manifest: JsonObject, namespace: str) -> None:
    """One to its end."""
    where = {"namespace": namespace, "plural": "processingjobs"}
    name = home.api.create(unplaced(sample("kmeans-mnist-processingjob")), **where)["metadata"]["name"]
    until_status(home.api, name, "Completed", field="processingJobStatus", **where)
    expire(home, name, **where)


def walk_pipeline_execution(home: Cluster, manifest: JsonObject, namespace: str) -> None:
    """One to its end, of the pipeline that the account has."""
    where = {"namespace": namespace, "plural": "pipelineexecutions"}
    name = home.api.create(unplaced(sample("churn-pipelineexecution")), **where)["metadata"]["name"]
    until_status(home.api, name, "Succeeded", field="pipelineExecutionStatus", **where)
    expire(home, name, **where)


def walk_pipeline(home: Cluster, manifest: JsonObject, namespace: str) -> None:
    """One with its definition in a ConfigMap."""
    where = {"namespace": namespace, "plural": "pipelines"}
    pipeline = sample("pipeline")
    definition = pipeline["spec"].pop("pipelineDefinition")
    pipeline["spec"]["pipelineDefinitionFrom"] = {"configMapKeyRef": {"name": "nightly", "key": "pipeline.json"}}
    config_map = {"metadata": {"name": "nightly"}, "data": {"pipeline.json": definition}}
    home.api.call("POST", f"/api/v1/namespaces/{namespace}/configmaps", config_map)
    name = home.api.create(unplaced(pipeline), **where)["metadata"]["name"]
    until_status(home.api, name, "Active", field="pipelineStatus", **where)
    home.api.delete(name, **where)
    until_gone(home.api, name, **where)


def expire(home: Cluster, name: str, *, namespace: str, plural: str) -> None:
    """Annotate an object whose job has ended, and see the operator delete it."""
    change = {"metadata": {"annotations": {f"{OURS}/ttl-seconds-after-finished": "0"}}}
    path = home.api.path(name, namespace=namespace, plural=plural)
    home.api.call("PATCH", path, change, "application/merge-patch+json")
    until_gone(home.api, name, namespace=namespace, plural=plural)
    eventually(lambda: "Expired" in {each["reason"] for each in home.api.events(name, namespace)}, what="Expired")


def walk_simply(kind: str, file: str) -> Callable[[Cluster, JsonObject, str], None]:
    """A walk for a kind without children: taken up, shown in status, deleted. What AWS makes of it needs no right."""
    (plural,) = (each.plural for each in KINDS if each.kind == kind)

    def walk(home: Cluster, manifest: JsonObject, namespace: str) -> None:
        where = {"namespace": namespace, "plural": plural}
        wanted = named(sample(file), f"walked-{plural}")  # what others name, as packages their group, cannot go
        name = home.api.create(unplaced(wanted), **where)["metadata"]["name"]
        eventually(lambda: home.api.status(name, **where).get("conditions"), what=f"status of {kind} {name}")
        home.api.delete(name, **where)
        until_gone(home.api, name, **where)

    return walk


WALKS: dict[str, Callable[[Cluster, JsonObject, str], None]] = {
    "TrainingJob": walk_training_job,
    "HyperparameterTuningJob": walk_tuning_job,
    "BatchTransformJob": walk_transform_job,
    "ProcessingJob": walk_processing_job,
    "PipelineExecution": walk_pipeline_execution,
    "Model": walk_simply("Model", "xgboost-mnist-model"),
    "EndpointConfig": walk_simply("EndpointConfig", "xgboost-mnist-endpointconfig"),
    "HostingDeployment": walk_deployment,
    "InferenceComponent": walk_simply("InferenceComponent", "inference-component"),
    "HostingAutoscalingPolicy": walk_simply("HostingAutoscalingPolicy", "hap-predefined-metric"),
    "ModelPackageGroup": walk_simply("ModelPackageGroup", "modelpackagegroup"),
    "ModelPackage": walk_simply("ModelPackage", "modelpackage"),
    "Pipeline": walk_pipeline,
}
"""By kind; a kind that is served and has no walk fails the test."""


def unplaced(obj: JsonObject) -> JsonObject:
    """The manifest without a namespace of its own."""
    obj["metadata"].pop("namespace", None)
    return obj


def is_shown_paused(home: Cluster, path: str) -> bool:
    """Whether the status of the object at `path` says that it is paused."""
    return condition(home.api.call("GET", path), "Reconciling").get("reason") == "Paused"


def pauses(home: Cluster, name: str, namespace: str) -> int:
    """What the Event about pausing counts."""
    return max((each["count"] for each in home.api.events(name, namespace) if each["reason"] == "Paused"), default=0)


def asked_of(proxy: Interceptor) -> list[Request]:
    """The requests for resources: discovery and health are anybody's."""
    return [request for request in proxy.requests if request.path.startswith(("/api/", "/apis/"))]


def right_of(request: Request) -> Right:
    """What a request needs, as the API server reads it (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go)."""
    parts = request.path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        rest = rest[2:] if len(rest) > 2 else rest
    only = parse_qs(request.query).get("fieldSelector", [""])[0].partition("metadata.name=")[2]
    resource, name = rest[0], rest[1] if len(rest) > 1 else ""
    if len(rest) > 2:
        resource += f"/{rest[2]}"
    reading = "watch" if request.is_watch else "get" if name else "list"
    verbs = {"GET": reading, "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
    return Right(group, resource, verbs[request.method], namespace, name or only)


def rights_of(home: Cluster, namespace: str) -> set[Right]:
    """Everything that the bindings of the operator's account grant to its manager, one by one."""
    rights: set[Right] = set()
    for plural, scope in (("clusterrolebindings", ""), (f"namespaces/{namespace}/rolebindings", namespace)):
        for binding in home.api.call("GET", f"{RBAC}/{plural}")["items"]:
            subjects = {(each.get("namespace"), each["name"]) for each in binding.get("subjects") or ()}
            if (namespace, ACCOUNT) in subjects and not binding["roleRef"]["name"].endswith("-proxy-role"):
                rights |= set(rights_in(home, binding["roleRef"], scope))
    return rights


def rights_in(home: Cluster, role: JsonObject, scope: str) -> Iterator[Right]:
    """The rights of one role where it is bound."""
    where = f"namespaces/{scope}/roles" if role["kind"] == "Role" else "clusterroles"
    for rule in home.api.call("GET", f"{RBAC}/{where}/{role['name']}")["rules"] or ():
        for group, resource, verb, name in itertools.product(
            rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames") or [""]
        ):
            yield Right(group, resource, verb, scope, name)


def test_no_rule_names_everything(home: Cluster) -> None:
    """A `*` in a rule of the operator would be idle in parts that no test can name."""
    home.put(INSTALLER)
    assert not {right for right in rights_of(home, NAMESPACE) if "*" in (right.group, right.resource, right.verb)}
