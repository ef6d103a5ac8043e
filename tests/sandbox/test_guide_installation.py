"""The guides' installation, operation and removal, command by command, as their reader types them."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hack.sandbox.kube import server as kube_server
from tests.deadline import eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.harness import REPOSITORY, Api
from tests.sandbox.interceptor import interceptor
from tests.sandbox.kubelet import answer_logs, run_pod
from tests.sandbox.reader import Reader, check_marks, site

pytestmark = pytest.mark.sandbox

ROLE = "arn:aws:iam::123456789012:role/my-role"
SYSTEM = "sagemaker-k8s-operator-system"
MANAGER = "sagemaker-k8s-operator-controller-manager"
ANNOTATION = "eks.amazonaws.com/role-arn"


class Cluster:
    """A cluster with nothing of ours, and a reader before it."""

    def __init__(self, api: Api, reader: Reader) -> None:
        self.api = api
        self.reader = reader

    def get(self, path: str) -> Any:
        """An object of the API."""
        return self.api.call("GET", path)

    def role_of_account(self, namespace: str) -> str:
        """The IAM role that EKS would give to the operator's pods."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/sagemaker-k8s-operator-default"
        role: str = self.get(path)["metadata"]["annotations"][ANNOTATION]
        return role

    def names(self, path: str) -> list[str]:
        """Names of all objects of a collection."""
        return [each["metadata"]["name"] for each in self.get(path)["items"]]

    def until_next_name(self) -> None:
        """`helm install --generate-name` names by the second: two within one would clash."""
        last = int(self.reader.values["chart_name"].rpartition("-")[2])
        eventually(lambda: int(time.time()) > last, what="the next second")

    def until_served(self) -> None:
        """Custom resources take a moment until they can be made."""
        for plural in ("trainingjobs", "hyperparametertuningjobs", "batchtransformjobs"):
            path = f"/apis/sagemaker.aws.amazon.com/v1/{plural}"
            eventually(lambda path=path: self.api.is_served(path), what=f"{plural} served")  # type: ignore[misc]


@pytest.fixture
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster with authorization on; the test must type the commands that it is marked with."""
    # The time that Kubernetes leaves to the content of a deleted namespace, and in which kubectl deletes the rest.
    server = kube_server.start(rbac=True, namespace_grace_s=5.0)
    with server, interceptor(server.url) as proxy, site(tmp_path) as address:
        proxy.on_request(answer_logs)
        kubeconfig = tmp_path / "kubeconfig"
        write_kubeconfig(kubeconfig, proxy.url)
        directory = tmp_path / "home"
        directory.mkdir()
        made = Cluster(Api(server.url), Reader(directory, kubeconfig, address, {}, role_arn=ROLE))
        yield made
    check_marks(made.reader, request)


@pytest.mark.guide("B-01", "B-05")
def test_the_trust_policy_is_for_the_service_account_of_the_installer(home: Cluster) -> None:
    """Users' IAM policies name it: neither the account nor the namespace may ever change."""
    home.reader.does("B-01")
    text = (REPOSITORY / "docs" / "aws-identity.md").read_text()
    block = re.search(r"^    \{\n(    .*\n)+?    \}\n", text, re.MULTILINE)
    assert block is not None
    (home.reader.home / "trust.json").write_text(block[0])
    home.reader.does("B-05")


@pytest.mark.guide("B-08", "B-11", "B-12", "B-20", "B-22d", "B-22e")
def test_the_installer_is_applied_looked_at_and_deleted(home: Cluster) -> None:
    """Sections 1 and 4 with kubectl; afterwards the cluster is as it was before."""
    home.reader.does("B-08")
    assert home.role_of_account(SYSTEM) == ROLE
    home.reader.does("B-11")
    pod = run_pod(home.api, SYSTEM, MANAGER)
    home.reader.does("B-12")
    home.reader.does("B-22d")
    assert home.reader.values["pod_name"] == pod
    home.reader.does("B-22e")
    home.reader.does("B-20")
    for path in ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/api/v1/namespaces"):
        assert not [name for name in home.names(path) if "sagemaker" in name]
    for plural in ("clusterroles", "clusterrolebindings"):
        assert not [n for n in home.names(f"/apis/rbac.authorization.k8s.io/v1/{plural}") if "sagemaker" in n]


@pytest.mark.early
@pytest.mark.guide("B-09", "B-10", "B-21", "B-24", "B-25", "B-32", "B-33", "B-39", "B-40")
def test_the_charts_are_installed_listed_and_deleted(home: Cluster) -> None:
    """Sections 1 and 4 to 7 with helm: the operator's chart, and a job from each of the job charts."""
    home.reader.does("B-09")
    assert home.role_of_account(SYSTEM) == ROLE
    home.reader.does("B-10")
    home.until_served()
    home.reader.does("B-24")
    home.reader.does("B-25")
    home.until_next_name()
    home.reader.does("B-32")
    home.reader.does("B-33")
    home.until_next_name()
    home.reader.does("B-39", model_name="mine")
    home.reader.does("B-40")
    jobs = {
        plural: home.names(f"/apis/sagemaker.aws.amazon.com/v1/namespaces/default/{plural}")
        for plural in ("trainingjobs", "hyperparametertuningjobs", "batchtransformjobs")
    }
    assert jobs == {
        "trainingjobs": ["xgboost-mnist-from-for-s3"],
        "hyperparametertuningjobs": ["xgboost-mnist-hpo"],
        "batchtransformjobs": ["xgboost-mnist-batch-transform"],
    }
    home.reader.does("B-21", chart_name="sagemaker-operator")
    assert home.names(f"/apis/apps/v1/namespaces/{SYSTEM}/deployments") == []


@pytest.mark.guide("B-13", "B-14", "B-17")
def test_an_operator_for_one_namespace_is_applied(home: Cluster) -> None:
    """Section 2 with kubectl: kinds once, and in the namespace everything else, which is told to serve only that."""
    home.reader.does("B-13")
    home.api.call("POST", "/api/v1/namespaces", {"metadata": {"name": "my-namespace"}})
    home.reader.does("B-14", YOUR_NAMESPACE="my-namespace")
    assert home.role_of_account("my-namespace") == ROLE
    run_pod(home.api, "my-namespace", MANAGER)
    home.reader.does("B-17")
    path = f"/apis/apps/v1/namespaces/my-namespace/deployments/{MANAGER}"
    assert "--namespace=my-namespace" in yaml.safe_dump(home.get(path)["spec"]["template"]["spec"])


@pytest.mark.guide("B-15", "B-16")
def test_an_operator_for_one_namespace_is_installed_with_charts(home: Cluster) -> None:
    """Section 2 with helm."""
    home.reader.does("B-15", YOUR_NAMESPACE="my-namespace")
    home.reader.does("B-16")
    assert home.role_of_account("my-namespace") == ROLE
    cluster_wide = home.names("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings")
    assert not [name for name in cluster_wide if "sagemaker" in name]
