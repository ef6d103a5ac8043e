"""The image's own files at work: as its user, below a read-only root, with its Python and its libraries.

`make test-image ROOT_FS=directory` runs this on an image's unpacked root file system (CONTRIBUTING.md tells how to get
one). It needs root on Linux, for mounts and chroot. What needs no image is in tests/unit/manifests/test_dockerfile.py.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from api.meta import JsonObject
from hack.envtest import free_port
from hack.sandbox.aws import server as aws_server
from tests.deadline import PATIENCE_S, eventually
from tests.dockerfile import DOCKERFILE, stages
from tests.sandbox.apiserver import write_kubeconfig
from tests.sandbox.harness import Operator, until_gone, until_status
from tests.sandbox.installation import ACCOUNT, INSTALLER, NAMESPACE, Cluster, cluster
from tests.sandbox.test_metrics_front_end import answers, scrape

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif("IMAGE_ROOT_FS" not in os.environ, reason="no image given: make test-image ROOT_FS=directory"),
]
IMAGE: Final = stages(DOCKERFILE.read_text())[1][-1]
HOME: Final = Path("/home/nonroot")
"""Of the image's user; the test's directory stands in for it, since configuration must come from somewhere."""
CONTAINED: Final = """
set -e
mount --bind "$ROOT_FS" "$ROOT_FS"
mount --bind "$OUTSIDE" "$ROOT_FS$INSIDE"
mount -t proc proc "$ROOT_FS/proc"
mount -t tmpfs -o mode=755 dev "$ROOT_FS/dev"
mkdir -m 1777 "$ROOT_FS/dev/shm"
mount -o remount,bind,ro "$ROOT_FS"
exec chroot --userspec="$AS_USER" "$ROOT_FS" "$@"
"""
"""A container without an engine: own mounts, /dev/shm as runtimes give it, a read-only root, the image's user."""


class Image:
    """Runs commands of the image; `directory` is its user's home."""

    def __init__(self, root: Path, directory: Path) -> None:
        self.variables = {name: value for name, value in IMAGE.variables("ENV").items() if "$" not in value} | {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(HOME),
            "ROOT_FS": str(root),
            "OUTSIDE": str(directory),
            "INSIDE": str(HOME),
            "AS_USER": IMAGE.one("USER"),
        }

    def command(self, *words: str) -> list[str]:
        """What runs `words` in the image, given `variables`."""
        return ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", CONTAINED, "sh", *words]

    def output(self, *words: str) -> str:
        """What a command of the image prints; it must succeed."""
        done = subprocess.run(
            self.command(*words), env=self.variables, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster with the operator's objects."""
    with cluster(tmp_path) as made:
        made.apply(INSTALLER)
        yield made


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """The image that is tested; its user may write into its home."""
    directory = tmp_path / "nonroot"
    directory.mkdir()
    shutil.chown(directory, 65532, 65532)
    return Image(Path(os.environ["IMAGE_ROOT_FS"]), directory)


def test_it_says_what_it_is(image: Image) -> None:
    """The entry point with the two flags that need nothing."""
    assert re.match(r"sagemaker-k8s-operator \d+\.\d+", image.output(*IMAGE.form("ENTRYPOINT"), "--version"))
    assert "--enable-leader-election" in image.output(*IMAGE.form("ENTRYPOINT"), "--help")


@pytest.mark.parametrize("path", ["/", "/app", "/tmp"])
def test_nothing_can_be_written_in_it(image: Image, path: str) -> None:
    """The pod's `readOnlyRootFilesystem`: what follows works all the same."""
    code = f"import pathlib; pathlib.Path({path!r}, 'x').touch()"
    with pytest.raises(AssertionError, match=r"Read-only file system|Permission denied"):
        image.output("python3", "-c", code)


def test_there_is_neither_shell_nor_installer(image: Image) -> None:
    """Nothing for an intruder to work with."""
    code = "import shutil; print([each for each in ('sh', 'bash', 'pip', 'apt', 'gcc') if shutil.which(each)])"
    assert image.output("python3", "-c", code) == "[]\n"


def test_a_job_runs_to_its_end_and_its_metrics_are_served(home: Cluster, image: Image, manifest: JsonObject) -> None:
    """Both containers of the pod, as the operator's service account; SIGTERM ends them."""
    outside = Path(image.variables["OUTSIDE"])
    write_kubeconfig(outside / "kubeconfig", home.server.url, home.server.token(NAMESPACE, ACCOUNT))
    shutil.chown(outside / "kubeconfig", 65532, 65532)
    metrics, https = free_port(), free_port()
    with aws_server.start(speed=4.0) as aws:
        operator = Operator(
            HOME / "kubeconfig",
            aws.url,
            home.directory / "operator.log",
            *("--metrics-addr", f"127.0.0.1:{metrics}", "--poll-interval", "200ms"),
            *("--enable-leader-election", "--leader-election-namespace", NAMESPACE),
            command=image.command(*IMAGE.form("ENTRYPOINT")),
            variables=image.variables,
        )
        front_end = subprocess.Popen(
            image.command(
                *("python3", "-m", "controller.metricsproxy", f"--listen=127.0.0.1:{https}"),
                *(f"--upstream=http://127.0.0.1:{metrics}/metrics", f"--kubeconfig={HOME / 'kubeconfig'}"),
            ),
            env=image.variables,
        )
        try:
            operator.until_ready()
            home.api.create(manifest)
            until_status(home.api, manifest["metadata"]["name"], "Completed")
            home.api.delete(manifest["metadata"]["name"])
            until_gone(home.api, manifest["metadata"]["name"])
            eventually(lambda: answers(f"https://127.0.0.1:{https}"), what="the front end listens")
            home.kubectl("create", "clusterrole", "reader", "--verb=get", "--non-resource-url=/metrics")
            home.kubectl("create", "clusterrolebinding", "r", "--clusterrole=reader", "--serviceaccount=default:reader")
            home.kubectl("create", "serviceaccount", "reader")
            body = scrape(f"https://127.0.0.1:{https}", home.server.token("default", "reader"))
            assert isinstance(body, bytes)
            assert b"sagemaker_operator_build_info{" in body
            assert b'operation="CreateTrainingJob"' in body
            assert operator.terminate() == 0, operator.log_tail()
            front_end.terminate()
            assert front_end.wait(PATIENCE_S) == 0
        finally:
            operator.kill()
            front_end.kill()
            front_end.wait()
    assert [path.name for path in outside.iterdir()] == ["kubeconfig"], "neither process keeps files"
