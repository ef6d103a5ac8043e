"""Installing and removing with the real kubectl, beyond what the guides show (test_guide_installation.py)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.deadline import eventually
from tests.sandbox.harness import LONG, REPOSITORY, marked, named
from tests.sandbox.installation import INSTALLER, NAMESPACED, Cluster, cluster, for_namespace

pytestmark = pytest.mark.sandbox

FINALIZER = "sagemaker-operator-finalizer"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster without anything of ours."""
    with cluster(tmp_path) as made:
        yield made


@pytest.mark.parametrize("way", [[], ["--server-side"]], ids=["client-side", "server-side"])
def test_every_release_file_is_accepted_by_both_kinds_of_apply(home: Cluster, way: list[str]) -> None:
    """A cluster with nothing else; twice, since installers are repeatable."""
    home.put_namespaces("my-namespace")
    files = [INSTALLER, NAMESPACED / "crd.yaml", for_namespace("my-namespace", home.directory)]
    for file in [*files, *files]:
        home.kubectl("apply", *way, "-f", str(file))


def test_optional_parts_are_accepted(home: Cluster) -> None:
    """`kubectl apply -k`, after the operator: every name says whose it is."""
    home.put(INSTALLER)
    for optional in ("network-policy", "grafana", "users", "metrics-reader"):
        said = home.kubectl("apply", "-k", str(REPOSITORY / "config" / optional))
        assert said, optional
        assert all("/sagemaker-" in line for line in said.splitlines()), said


def test_two_namespaces_have_an_operator_each_and_keep_their_namespace(home: Cluster) -> None:
    """D-57: nothing outside of the namespace, and the namespace is nobody's to delete."""
    home.put(NAMESPACED / "crd.yaml")
    home.put_namespaces("team-a", "team-b")
    files = {}
    for namespace in ("team-a", "team-b"):
        files[namespace] = for_namespace(namespace, home.directory)
        said = home.kubectl("apply", "-f", str(files[namespace]))
        assert len(re.findall(" created$", said, re.MULTILINE)) == len(said.splitlines()), "no name clashes"
    home.kubectl("delete", "-f", str(files["team-a"]))
    home.kubectl("get", "namespace", "team-a")
    home.kubectl("get", "deployment", "sagemaker-k8s-operator-controller-manager", "-n", "team-b")


def test_an_object_without_its_operator_leaves_when_the_finalizer_is_removed(tmp_path: Path) -> None:
    """docs/uninstall.md: `kubectl patch` in place of an editor."""
    with cluster(tmp_path, has_kinds=True) as home:
        job = yaml.safe_load((REPOSITORY / "samples" / "xgboost-mnist-trainingjob.yaml").read_text())
        job = marked(named(job, "stuck"), **LONG)
        job["metadata"]["finalizers"] = [FINALIZER]
        home.kubectl("create", "-f", "-", given=yaml.safe_dump(job))
        home.kubectl("delete", "trainingjob", "stuck", "--wait=false")
        assert FINALIZER in home.kubectl("get", "trainingjob", "stuck", "-o", "yaml")
        home.kubectl("patch", "trainingjob", "stuck", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        eventually(lambda: home.api.get("stuck") is None, what="the object is gone")


def test_make_uninstall_refuses_while_objects_exist(home: Cluster) -> None:
    """The message names the command that deletes them; FORCE=1 goes on, and the CRDs go."""
    home.put(NAMESPACED / "crd.yaml")
    home.kubectl("create", "-f", str(REPOSITORY / "samples" / "xgboost-mnist-trainingjob.yaml"))
    refused = home.make("uninstall", code=2)
    assert "1 objects of sagemaker.aws.amazon.com are left" in refused
    assert "kubectl delete --all --all-namespaces" in refused
    assert home.is_served("trainingjobs")
    home.make("uninstall", "FORCE=1")
    assert "sagemaker" not in home.kubectl("get", "crd", "-o", "name")
    home.make("uninstall")  # nothing there is nothing to refuse for


@pytest.mark.parametrize("scope", ["", "NAMESPACE=my-namespace"], ids=["all namespaces", "one namespace"])
def test_make_undeploy_removes_the_operator_only_when_nothing_is_left_to_it(home: Cluster, scope: str) -> None:
    """In its own namespace, where it has one: objects elsewhere are not its own."""
    home.make("install")
    home.put_namespaces("my-namespace")
    home.make("deploy", *scope.split())
    job = str(REPOSITORY / "samples" / "xgboost-mnist-trainingjob.yaml")
    home.kubectl("create", "-f", job, "-n", "my-namespace" if scope else "default")
    refused = home.make("undeploy", *scope.split(), code=2)
    assert "1 objects of sagemaker.aws.amazon.com are left" in refused
    home.kubectl("delete", "-f", job, "-n", "my-namespace" if scope else "default")
    if scope:
        home.kubectl("create", "-f", job, "-n", "default")
    home.make("undeploy", *scope.split())
    assert "sagemaker" not in home.kubectl("get", "deployments,roles", "--all-namespaces", "-o", "name")


def test_make_uninstall_refuses_when_it_cannot_look(home: Cluster) -> None:
    """A cluster that does not answer has not said that nothing is left."""
    home.kubeconfig.write_text(home.kubeconfig.read_text().replace(home.server.url, "http://127.0.0.1:1"))
    assert "it cannot be told whether objects are left" in home.make("uninstall", code=2)
