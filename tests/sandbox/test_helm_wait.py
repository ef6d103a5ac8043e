"""`helm install --wait` (Helm 4), which reads statuses as kstatus does: it ends when the job has, and says how."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hack import tools
from tests.deadline import PATIENCE_S
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY

pytestmark = pytest.mark.sandbox

CHART = REPOSITORY / "hack" / "charts" / "training-jobs"
Install = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def install(world: World, tmp_path: Path) -> Install:
    """Runs `helm install --wait` with the chart of training jobs."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(tools.find("helm")), "install", "job", str(CHART), "--wait", *arguments]
        environment = {**os.environ, "KUBECONFIG": str(world.kubeconfig), "HOME": str(tmp_path)}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
        )

    return run


def test_a_job_that_completes_is_waited_for(world: World, install: Install) -> None:
    """Not only until it is applied: the release is deployed once SageMaker has completed the job."""
    world.operator().until_ready()

    done = install("--timeout", f"{PATIENCE_S:g}s", "--set", "name=waited")

    assert done.returncode == 0, done.stderr
    assert world.api.status("waited")["trainingJobStatus"] == "Completed"


def test_a_job_that_fails_fails_the_release(world: World, install: Install) -> None:
    """At once, with the name of what failed, and not by the time-out."""
    world.operator().until_ready()

    done = install("--timeout", f"{PATIENCE_S:g}s", "--set", "name=fails,spec.hyperparameters.SANDBOX_FAIL=no data")

    assert done.returncode == 1
    assert "fails" in done.stderr
    assert "deadline" not in done.stderr
    assert world.api.status("fails")["trainingJobStatus"] == "Failed"


def test_without_an_operator_the_wait_ends_with_its_time_out(world: World, install: Install) -> None:
    """A second is enough: nothing will ever change."""
    done = install("--timeout", "1s", "--set", "name=alone")

    assert done.returncode == 1
    assert "alone" in done.stderr
    assert world.api.status("alone") == {"observedGeneration": -1}
