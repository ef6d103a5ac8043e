"""A cluster with authorization on, and kubectl and helm to install into it as the guides do."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hack import tools
from hack.sandbox.kube import server as kube_server
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.crds import write_state
from tests.sandbox.harness import REPOSITORY, Api

NAMESPACE = "sagemaker-k8s-operator-system"
ACCOUNT = "sagemaker-k8s-operator-default"
INSTALLER = REPOSITORY / "release" / "rolebased" / "installer.yaml"
NAMESPACED = REPOSITORY / "release" / "rolebased" / "namespaced"
CHARTS = REPOSITORY / "hack" / "charts"
LIMIT_S = PATIENCE_S


class Cluster:
    """An API server that enforces RBAC on service accounts; what comes without a token is the administrator's."""

    def __init__(self, server: kube_server.RunningServer, directory: Path) -> None:
        self.server = server
        self.directory = directory
        self.api = Api(server.url)
        self.kubeconfig = server.write_kubeconfig(directory / "admin-kubeconfig")

    def kubectl(self, *arguments: str, code: int = 0, given: str = "") -> str:
        """Output of a kubectl command that must end with `code`: stdout, or stderr where it fails."""
        return self._run("kubectl", *arguments, code=code, given=given)

    def helm(self, *arguments: str, code: int = 0) -> str:
        """The same for helm."""
        return self._run("helm", *arguments, code=code)

    def make(self, *arguments: str, code: int = 0) -> str:
        """The same for make, in the repository, with the environment as it is."""
        return self._run("make", "READY=", *arguments, code=code)

    def apply(self, *files: Path | str) -> str:
        """`kubectl apply` of files, then until every CRD in them is served."""
        said = self.kubectl("apply", *(part for file in files for part in ("-f", str(file))))
        for plural in re.findall(r"^customresourcedefinition\S*/(\w+)\.", said, re.MULTILINE):
            eventually(lambda plural=plural: self.is_served(plural), what=f"{plural} served")  # type: ignore[misc]
        return said

    def is_served(self, plural: str) -> bool:
        """Whether a kind of ours can be listed."""
        return self.api.is_served(f"/apis/sagemaker.aws.amazon.com/v1/{plural}")

    def _run(self, tool: str, *arguments: str, code: int = 0, given: str = "") -> str:
        environment = {
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.directory),
            "PATH": os.environ["PATH"],
        }
        command = [tool, "--silent"] if tool == "make" else [str(tools.find(tool))]
        done = subprocess.run(
            [*command, *arguments],
            env=environment,
            cwd=REPOSITORY,
            input=given,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == code, f"{tool} {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr


@contextmanager
def cluster(directory: Path, *, has_kinds: bool = False) -> Iterator[Cluster]:
    """A fresh cluster for one test; `has_kinds`: somebody has installed our CRDs."""
    with kube_server.start(rbac=True, state=write_state(directory) if has_kinds else None) as server:
        yield Cluster(server, directory)


def for_namespace(namespace: str, directory: Path) -> Path:
    """operator.yaml after the guide's `sed -i -e 's/PLACEHOLDER-NAMESPACE/<YOUR NAMESPACE>/g'`."""
    path = directory / f"operator-{namespace}.yaml"
    path.write_text((NAMESPACED / "operator.yaml").read_text().replace("PLACEHOLDER-NAMESPACE", namespace))
    return path
