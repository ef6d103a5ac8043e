"""One scene (scene.py) for all clients, each of which works on objects with names of its own."""

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("PROJECT_PYTHON", str(REPOSITORY / ".venv" / "bin" / "python"))
"""Of the project's environment."""
ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"
IMAGE = "825641698319.dkr.ecr.us-east-2.amazonaws.com/xgboost:1"
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """Where the servers are. The variables of AWS and KUBECONFIG are set in this process, too."""

    kubeconfig: Path
    aws_url: str
    operator_log: Path


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """API server, SageMaker and operator; what clients may find in the environment leads to them only."""
    directory = tmp_path_factory.mktemp("scene")
    command = [PYTHON, "-m", "tests.clients.scene", str(directory)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the scene ended with exit code {process.wait()}"
        ready = json.loads(line)
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("AWS_", "KUBE"))]:
                patch.delenv(name)
            for name, value in ready["environment"].items():
                patch.setenv(name, value)
            patch.setenv("AWS_CONFIG_FILE", os.devnull)
            patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            patch.setenv("KUBECONFIG", str(directory / "kubeconfig"))
            patch.setenv("HOME", str(directory))
            patch.setenv("NO_PROXY", "127.0.0.1")
            yield Scene(directory / "kubeconfig", ready["aws_url"], directory / "operator.log")
        process.communicate()  # closes its standard input, and waits
    assert process.returncode == 0


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> None:
    """Take the place of the rule for our own code: kr8s keeps a thread for its event loop, others keep pools."""


@pytest.fixture
def job(request: pytest.FixtureRequest) -> Callable[..., Manifest]:
    """Builds the guide's TrainingJob under a name that this test alone has."""
    test = f"{request.node.path.stem}-{request.node.name}".removeprefix("test_").replace("_", "-")
    legible = "".join(each if each.isalnum() or each == "-" else "-" for each in test.lower())[:40].rstrip("-")
    prefix = f"{legible}-{zlib.crc32(test.encode()):08x}"  # tests with long names may begin alike

    def build(suffix: str = "", **spec: Any) -> Manifest:
        made: Manifest = yaml.safe_load((REPOSITORY / "samples" / "xgboost-mnist-trainingjob.yaml").read_text())
        made["metadata"] = {"name": f"{prefix}{suffix}", "namespace": "default", "labels": {"test": prefix}}
        made["spec"] |= spec
        return made

    return build


@pytest.fixture(scope="session")
def client_command() -> Callable[[str], str]:
    """Returns the path of a command of the clients' environment."""
    return lambda name: str(Path(sys.executable).parent / name)
