"""A cluster with authorization on, and kubectl and helm to install into it as the guides do."""

import itertools
import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from hack import tools
from hack.sandbox.kube import server as kube_server
from hack.sandbox.kubeapi import KubeApi, manifests
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.crds import write_state
from tests.sandbox.harness import REPOSITORY, Api
from tests.sandbox.kubectl import UNCOLLECTED

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
        return self._run("make", "RUNS=", *arguments, code=code)

    def apply(self, *files: Path | str) -> str:
        """`kubectl apply` of files, then until every CRD in them is served."""
        said = self.kubectl("apply", *(part for file in files for part in ("-f", str(file))))
        for plural in re.findall(r"^customresourcedefinition\S*/(\w+)\.", said, re.MULTILINE):
            eventually(lambda plural=plural: self.is_served(plural), what=f"{plural} served")  # type: ignore[misc]
        return said

    def put(self, *files: Path) -> None:
        """Have there what is in the files, at a fifth of kubectl's CPU: where a test needs it, and no word about it."""
        self.put_all(itertools.chain.from_iterable(map(_manifests, files)))

    def put_all(self, manifests: Iterable[Mapping[str, Any]]) -> None:
        """Do the same for manifests, until every CRD among them is served."""
        kube = KubeApi(self.server.url)
        plurals = []
        for manifest in manifests:
            kube.apply(manifest)
            if manifest["kind"] == "CustomResourceDefinition":
                plurals.append(manifest["spec"]["names"]["plural"])
        for plural in plurals:
            eventually(partial(self.is_served, plural), what=f"{plural} served")

    def put_namespaces(self, *names: str) -> None:
        """Have these namespaces."""
        self.put_all({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names)

    def has_namespace(self, name: str) -> bool:
        """Whether there is a namespace of that name."""
        return name in {each["metadata"]["name"] for each in self.api.call("GET", "/api/v1/namespaces")["items"]}

    def is_served(self, plural: str) -> bool:
        """Whether a kind of ours can be listed."""
        return self.api.is_served(f"/apis/sagemaker.aws.amazon.com/v1/{plural}")

    def _run(self, tool: str, *arguments: str, code: int = 0, given: str = "") -> str:
        environment = {
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.directory),
            "PATH": os.environ["PATH"],
            **UNCOLLECTED,
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


@cache
def _manifests(file: Path) -> list[dict[str, Any]]:
    """What is in a file; parsed once, for our CRDs are long."""
    return list(manifests(file))


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
