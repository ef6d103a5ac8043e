"""docs/uninstall.md: removal in the wrong order, what is seen then, and that each remedy of the page works."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from api.meta import JsonObject
from hack.sandbox.aws import server as aws_server
from tests.deadline import eventually
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.harness import LONG, Operator, jobs, marked, named, until_status
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE, NAMESPACED, Cluster, cluster, for_namespace

pytestmark = pytest.mark.sandbox


class Scene:
    """A cluster, SageMaker, and operators one after the other."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.home: Cluster = stack.enter_context(cluster(directory))
        self.aws = stack.enter_context(aws_server.start(speed=20.0))
        self._stack = stack
        self._number = 0

    def operator(self, token: str, *flags: str) -> Operator:
        """One that uses this token."""
        self._number += 1
        kubeconfig = self.home.directory / f"kubeconfig-{self._number}"
        write_kubeconfig(kubeconfig, self.home.server.url, token)
        log = self.home.directory / f"operator-{self._number}.log"
        flags = ("--poll-interval", "200ms", *flags)
        started = Operator(kubeconfig, self.aws.url, log, *flags)
        self._stack.callback(started.kill)
        return started.until_ready()

    def running(self, manifest: JsonObject, namespace: str) -> None:
        """Apply a job that runs until it is stopped."""
        self.home.api.create(named(marked(manifest, **LONG), "my-job"), namespace=namespace)
        until_status(self.home.api, "my-job", "InProgress", namespace=namespace)

    def statuses(self) -> list[str]:
        """Of all training jobs at SageMaker."""
        return [each["TrainingJobStatus"] for each in jobs(self.aws.url)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Fresh servers."""
    with ExitStack() as stack:
        yield Scene(tmp_path, stack)


def test_an_installation_that_was_removed_too_early_finishes_when_it_is_installed_again(
    scene: Scene, manifest: JsonObject
) -> None:
    """The operator goes, CRDs and objects wait for it: applying the installer again stops the job and lets them go."""
    home = scene.home
    home.put(INSTALLER)
    operator = scene.operator(home.server.token(NAMESPACE, ACCOUNT))
    scene.running(manifest, "default")

    operator.kill()  # its pod goes with the namespace, here before anything else so that it cannot be fast enough
    home.kubectl("delete", "--wait=false", "--ignore-not-found", "-f", str(INSTALLER))
    seen = home.kubectl("get", "trainingjobs", "-o", "jsonpath={.items[*].metadata.finalizers}")
    assert seen == '["sagemaker-operator-finalizer"]'
    assert "Terminating" in home.kubectl("get", "crd", "trainingjobs.sagemaker.aws.amazon.com", "-o", "yaml")
    assert scene.statuses() == ["InProgress"], "and costs"

    eventually(lambda: not home.has_namespace(NAMESPACE), what="the namespace is gone")
    home.kubectl("apply", "-f", str(INSTALLER))
    scene.operator(home.server.token(NAMESPACE, ACCOUNT))
    eventually(lambda: not home.is_served("trainingjobs"), what="objects and CRD are gone")
    assert scene.statuses() == ["Stopped"]
    home.put(INSTALLER)  # the CRDs are there again


def test_a_namespace_that_was_deleted_with_its_operator_is_finished_from_outside(
    scene: Scene, manifest: JsonObject
) -> None:
    """Nothing can be created in a namespace that is going, no pod and no Event: an operator elsewhere serves it."""
    home = scene.home
    home.put_namespaces("team-a")
    home.put(NAMESPACED / "crd.yaml", for_namespace("team-a", home.directory))
    operator = scene.operator(home.server.token("team-a", ACCOUNT), "--namespace=team-a")
    scene.running(manifest, "team-a")

    operator.kill()
    home.kubectl("delete", "namespace", "team-a", "--wait=false")
    assert "finalizers" in home.kubectl("get", "namespace", "team-a", "-o", "jsonpath={.status.conditions}")
    refused = home.kubectl("create", "configmap", "x", "-n", "team-a", code=1)
    assert "being terminated" in refused

    scene.operator("", "--namespace=team-a")  # the administrator's own rights, on any machine
    eventually(lambda: not home.has_namespace("team-a"), what="the namespace is gone")
    assert scene.statuses() == ["Stopped"]
