"""`kubectl apply -f samples/`: every sample ends well, in whatever order the files come."""

import pytest

from hack.sandbox.samples import create_pipeline
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY
from tests.sandbox.kubectl import TIMEOUT, Kubectl

pytestmark = pytest.mark.sandbox

SAMPLES = REPOSITORY / "samples"


@pytest.mark.early
def test_every_sample_ends_well(world: World, kubectl: Kubectl) -> None:
    """What a sample names is in another sample: a Model, a tuning job that has to end, a deployment."""
    create_pipeline(world.aws)
    world.operator().until_ready()
    kubectl("apply", "-f", str(SAMPLES))
    ready = kubectl("wait", "--for=condition=Ready", "-f", str(SAMPLES), TIMEOUT).stdout.splitlines()
    assert len(ready) == len(list(SAMPLES.glob("*.yaml")))
