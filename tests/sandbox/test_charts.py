"""The charts, with the real helm: linted, installed, upgraded, uninstalled, with what the guides print."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.meta import JsonObject
from api.v1 import KINDS
from hack import tools
from tests.deadline import eventually
from tests.sandbox.installation import CHARTS, NAMESPACE, Cluster, cluster

pytestmark = pytest.mark.sandbox

ROLEBASED = CHARTS / "installer" / "rolebased"
CRD_CHART = CHARTS / "installer" / "namespaced" / "crd_chart"
OPERATOR_CHART = CHARTS / "installer" / "namespaced" / "operator_chart"
JOB_CHARTS = {
    "training-jobs": ("trainingjob", "xgboost-mnist-from-for-s3", "sagemaker-k8s-trainingjob"),
    "hyperparameter-tuning-jobs": (
        "hyperparametertuningjob",
        "xgboost-mnist-hpo",
        "sagemaker-k8s-hyperparametertuningjob",
    ),
    "batch-transform-jobs": (
        "batchtransformjob",
        "xgboost-mnist-batch-transform",
        "sagemaker-k8s-batch-transform-job",
    ),
}
"""Folder -> kind, default name, words of the NOTES (guide B-24, B-32, B-39)."""
ALL = [ROLEBASED, CRD_CHART, OPERATOR_CHART, *(CHARTS / folder for folder in JOB_CHARTS)]
EVERYTHING_ON = "networkPolicy.enabled=true,grafanaDashboard.enabled=true"
DEPLOYMENT = "deployments/sagemaker-k8s-operator-controller-manager"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster without anything of ours."""
    with cluster(tmp_path) as made:
        yield made


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that knows our kinds."""
    with cluster(tmp_path, has_kinds=True) as made:
        yield made


@pytest.mark.parametrize("chart", ALL, ids=lambda path: path.name)
def test_a_chart_is_lint_clean(home: Cluster, chart: Path) -> None:
    """`helm lint --strict`: warnings are errors."""
    assert "0 chart(s) failed" in home.helm("lint", "--strict", str(chart))


def test_the_cluster_wide_chart_lives_and_leaves_objects_alone(home: Cluster) -> None:
    """B-09, B-10, B-21; D-46: uninstalling removes the operator, and neither CRDs nor what users made."""
    home.put_namespaces(NAMESPACE)
    where = ("--namespace", NAMESPACE)
    said = home.helm("install", *where, "sagemaker-operator", str(older(ROLEBASED, home.directory)))
    assert "STATUS: deployed" in said
    assert "Thanks for installing the sagemaker-k8s-operator." in said
    row = rf"^sagemaker-operator\s+{NAMESPACE}\s+1\s.*\sdeployed\s+sagemaker-k8s-operator-0\.1\.0\s"
    assert re.search(row, home.helm("ls", *where), re.MULTILINE)
    assert len(our_crds(home)) == len(KINDS)
    eventually(lambda: home.is_served("trainingjobs"), what="served")
    home.helm("install", "job", str(CHARTS / "training-jobs"))

    role = "arn:aws:iam::111122223333:role/mine"
    values = f"{EVERYTHING_ON},roleArn={role},image.repository=registry.example/operator,replicas=1"
    queues = [f"https://sqs.{region}.amazonaws.com/111122223333/status" for region in ("us-east-2", "eu-west-1")]
    values += f",statusQueues={{{','.join(queues)}}},extraArgs[0]=--log-level=debug"
    home.helm("upgrade", *where, "sagemaker-operator", str(ROLEBASED), "--set", values)
    assert knows_remote_debugging(home)
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    account = home.api.call("GET", f"{accounts}/sagemaker-k8s-operator-default")
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == role
    deployment = deployment_in(home, NAMESPACE)["spec"]
    containers = deployment["template"]["spec"]["containers"]
    assert [each["image"] for each in containers] == ["registry.example/operator:v1"] * 2
    assert containers[0]["args"][-2:] == [f"--status-queue={','.join(queues)}", "--log-level=debug"]
    assert deployment["replicas"] == 1
    policies = f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies"
    assert home.api.call("GET", f"{policies}/sagemaker-k8s-operator-controller-manager")

    home.helm("uninstall", *where, "sagemaker-operator")
    assert home.kubectl("get", "deployments,roles,serviceaccounts", "-n", NAMESPACE, "-o", "name") == ""
    assert home.api.get("xgboost-mnist-from-for-s3")
    assert home.has_namespace(NAMESPACE)

    home.helm("install", *where, "sagemaker-operator", str(ROLEBASED))  # takes the CRDs that it left


def test_the_namespaced_charts_live_side_by_side(home: Cluster) -> None:
    """B-15, B-16: CRDs once, an operator in each of two namespaces, nothing of theirs outside of those."""
    home.helm("install", "crds", str(CRD_CHART))
    for namespace in ("team-a", "team-b"):
        home.put_namespaces(namespace)
        home.helm("install", "-n", namespace, "op", str(OPERATOR_CHART), "--set", EVERYTHING_ON)
        manager = deployment_in(home, namespace)["spec"]["template"]["spec"]["containers"][0]
        assert f"--namespace={namespace}" in manager["args"]
        assert "sagemaker-k8s-operator-0.1.0" in home.helm("ls", "-n", namespace)
    cluster_scoped = home.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
    assert "sagemaker" not in cluster_scoped
    home.helm("uninstall", "-n", "team-a", "op")
    assert home.has_namespace("team-a")
    assert deployment_in(home, "team-b")
    home.helm("uninstall", "crds")
    assert "trainingjobs.sagemaker.aws.amazon.com" in our_crds(home)


@pytest.mark.parametrize("folder", JOB_CHARTS)
def test_a_job_chart_makes_its_job_and_never_changes_it(kinds: Cluster, folder: str) -> None:
    """B-24, B-32, B-39: the default values are accepted (D-45), the NOTES are the guide's; gone after uninstall.

    An upgrade to a new name replaces the job, `helm rollback` the other way; a new spec is refused and told why.
    """
    kind, name, thanks = JOB_CHARTS[folder]
    said = kinds.helm("install", "chart-1", str(CHARTS / folder))
    assert said.rstrip().endswith(f"NOTES:\nThanks for installing the {thanks}.")
    assert "TEST SUITE: None" in said
    (made,) = objects(kinds, kind)
    assert (made["metadata"]["name"], made["spec"]["region"]) == (name, "us-west-2")
    chart_name = yaml.safe_load((CHARTS / folder / "Chart.yaml").read_text())["name"]
    assert f"{chart_name}-0.1.0" in kinds.helm("ls")

    chart = str(CHARTS / folder)
    kinds.helm("upgrade", "chart-1", chart, "--set", "name=another,spec.instanceType=ml.m5.large")
    assert [each["metadata"]["name"] for each in objects(kinds, kind)] == ["another"]
    path = kinds.api.path("another", plural=f"{kind}s") + "/status"
    recorded = {"status": {"awsResource": {"name": "another"}}}
    kinds.api.call("PATCH", path, recorded, "application/merge-patch+json")
    refused = kinds.helm("upgrade", "chart-1", chart, "--set", "name=another,spec.instanceType=ml.m5.xlarge", code=1)
    assert "cannot be changed" in refused
    assert "delete it and create it again" in refused
    kinds.helm("rollback", "chart-1", "1")
    assert [each["metadata"]["name"] for each in objects(kinds, kind)] == [name]

    kinds.helm("uninstall", "chart-1")
    assert objects(kinds, kind) == []


def objects(home: Cluster, kind: str) -> list[JsonObject]:
    """All objects of a kind in the default namespace."""
    listed: list[JsonObject] = home.api.call("GET", home.api.path(plural=f"{kind}s"))["items"]
    return listed


@pytest.mark.parametrize(
    "example", sorted((CHARTS / "training-jobs" / "examples").iterdir()), ids=lambda path: path.stem
)
def test_the_examples_of_the_training_chart_are_accepted(kinds: Cluster, example: Path) -> None:
    """File systems, spot capacity: one stoppingCondition, not two (D-45)."""
    kinds.helm("install", "chart-1", str(CHARTS / "training-jobs"), "-f", str(example))
    (made,) = objects(kinds, "trainingjob")
    if "spot" in example.name:
        assert made["spec"]["stoppingCondition"] == {"maxRuntimeInSeconds": 3599, "maxWaitTimeInSeconds": 3600}


@pytest.mark.parametrize(
    ("chart", "wrong"),
    [
        ("training-jobs", "spec.instanceCount=many"),
        ("training-jobs", "spec.maxRuntimeInSecond=60"),
        ("training-jobs", "spec.inputDataConfig[0].s3.uri=s3://x/y"),
        ("batch-transform-jobs", "spec.outputPath=/tmp"),
        ("batch-transform-jobs", "sepc.region=x"),
        ("hyperparameter-tuning-jobs", "name=Not A Name"),
        ("hyperparameter-tuning-jobs", "spec.hyperparameterTuningJobConfig.maxParallelJobs=2"),
        ("installer/rolebased", "roleArn=my-role"),
        ("installer/rolebased", "imagee.tag=v2"),
        ("installer/rolebased", "image.tagg=v2"),
        ("installer/rolebased", "resources.limit.memory=1Gi"),
        ("installer/namespaced/operator_chart", "metricsProxy.resource.limits.memory=1Gi"),
        ("installer/namespaced/operator_chart", "prometheus.enable=true"),
        ("installer/namespaced/crd_chart", "roleArn=x"),
    ],
)
def test_wrong_values_are_refused_with_their_path(tmp_path: Path, chart: str, wrong: str) -> None:
    """values.schema.json: types and typos, before anything reaches the cluster, with the word that is wrong."""
    helm = [str(tools.find("helm")), "template", "x", str(CHARTS / chart), "--set", wrong]
    done = subprocess.run(helm, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "don't meet the specifications of the schema" in done.stderr
    where, _, value = wrong.partition("=")
    words = {*re.split(r"[.\[\]]+", where), value}
    assert any(f"'{word}'" in done.stderr or f"/{word}'" in done.stderr for word in words), done.stderr


def test_values_of_the_earlier_charts_are_enough(home: Cluster) -> None:
    """Guide F-9: roleArn, image.repository, image.tag, and nothing else in the file."""
    values = home.directory / "values.yaml"
    values.write_text("roleArn: arn:aws:iam::123456789012:role/mine\nimage:\n  repository: mine\n  tag: v9\n")
    rendered = home.helm("template", "-n", NAMESPACE, "op", str(ROLEBASED), "-f", str(values))
    home.put_namespaces(NAMESPACE)
    home.put_all(manifest for manifest in yaml.load_all(rendered, Loader=yaml.CSafeLoader) if manifest)
    assert images(home, NAMESPACE) == ["mine:v9"] * 2


def test_an_upgrade_of_the_operator_can_be_taken_back(kinds: Cluster) -> None:
    """One namespace's chart: values changed and kept over an upgrade, `helm rollback`, and nothing left of it."""
    home = kinds
    home.put_namespaces("team-a")
    release = ("op", str(OPERATOR_CHART), "-n", "team-a")
    home.helm("install", *release)
    home.helm(
        "upgrade", *release, "--set", f"image.tag=v2,replicas=3,podDisruptionBudget.enabled=false,{EVERYTHING_ON}"
    )
    home.helm("upgrade", *release, "--reset-then-reuse-values", "--set", "image.tag=v3")
    assert images(home, "team-a") == ["amazon-sagemaker-operator-for-k8s:v3"] * 2
    assert "poddisruptionbudget" not in home.kubectl("get", "pdb,networkpolicies", "-n", "team-a", "-o", "name")

    home.helm("rollback", "op", "1", "-n", "team-a")

    assert images(home, "team-a") == ["amazon-sagemaker-operator-for-k8s:v1"] * 2
    assert "poddisruptionbudget" in home.kubectl("get", "pdb,networkpolicies", "-n", "team-a", "-o", "name")
    assert "networkpolicy" not in home.kubectl("get", "pdb,networkpolicies", "-n", "team-a", "-o", "name")
    home.helm("uninstall", "-n", "team-a", "op")
    kinds = "deployments,services,serviceaccounts,roles,rolebindings,pdb,networkpolicies,configmaps"
    assert "sagemaker" not in home.kubectl("get", kinds, "-n", "team-a", "-o", "name")


def test_crds_follow_an_upgrade_and_outlive_the_release(home: Cluster) -> None:
    """Templates, so `helm upgrade` brings new fields, also over an object; kept, and given to another release only
    when that is asked for.
    """
    home.helm("install", "crds", str(older(CRD_CHART, home.directory)))
    eventually(lambda: home.is_served("trainingjobs"), what="served")
    assert not knows_remote_debugging(home)
    home.helm("install", "job", str(CHARTS / "training-jobs"))

    home.helm("upgrade", "crds", str(CRD_CHART))
    assert knows_remote_debugging(home)
    home.helm("uninstall", "crds")
    assert home.api.get("xgboost-mnist-from-for-s3")
    assert "cannot be imported into the current release" in home.helm("install", "others", str(CRD_CHART), code=1)
    home.helm("install", "others", str(CRD_CHART), "--take-ownership")


def older(chart: Path, directory: Path) -> Path:
    """The chart before a field was added to its CRDs."""
    copied = directory / "older"
    shutil.copytree(chart, copied)
    crds = copied / "templates" / "crds.yaml"
    field = re.compile(r"^( +)remoteDebugConfig:\n(?:\1  .*\n)+", re.MULTILINE)
    crds.write_text(field.sub("", crds.read_text()))
    return copied


def images(home: Cluster, namespace: str) -> list[str]:
    """Of the containers of the operator."""
    containers = deployment_in(home, namespace)["spec"]["template"]["spec"]["containers"]
    return [each["image"] for each in containers]


def deployment_in(home: Cluster, namespace: str) -> JsonObject:
    """The operator's Deployment. Raises urllib.error.HTTPError where there is none."""
    return home.api.call("GET", f"/apis/apps/v1/namespaces/{namespace}/{DEPLOYMENT}")


def our_crds(home: Cluster) -> list[str]:
    """Names of our CRDs that are there."""
    listed = home.api.call("GET", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions")["items"]
    names = [each["metadata"]["name"] for each in listed]
    return [name for name in names if name.endswith(".sagemaker.aws.amazon.com")]


def knows_remote_debugging(home: Cluster) -> bool:
    """Whether the CRD has a field that the older one in these tests has not."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    crd = home.api.call("GET", f"{crds}/trainingjobs.sagemaker.aws.amazon.com")
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema["properties"].get("remoteDebugConfig", {}).get("type") == "object"
