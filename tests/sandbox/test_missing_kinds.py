"""A cluster without the CRD of a kind: the others are served, and that one from its installation on."""

import urllib.request

import pytest

from api.meta import JsonObject
from api.v1 import PROCESSING_JOB, TRAINING_JOB
from tests.deadline import eventually
from tests.documents import document
from tests.sandbox.apiserver import open_url
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY, Operator, named, until_status
from tests.sandbox.hosting_scene import sample

pytestmark = pytest.mark.sandbox

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAME = f"{PROCESSING_JOB.plural}.sagemaker.aws.amazon.com"
WHERE = {"plural": PROCESSING_JOB.plural}


def kinds_line(operator: Operator) -> str:
    """The line of `/readyz?verbose` about kinds; the operator is ready in any case."""
    answer = open_url(urllib.request.Request(operator.url("health") + "/readyz?verbose")).decode()
    assert "readyz check passed" in answer
    return next(line for line in answer.splitlines() if line.startswith("[+]kinds"))


def test_a_kind_is_served_from_the_installation_of_its_crd_on(world: World, manifest: JsonObject) -> None:
    """No restart; until then the log has one line about it, and readiness says so."""
    world.api.call("DELETE", f"{CRDS}/{NAME}")
    collection = world.api.path(**WHERE)
    eventually(lambda: not world.api.is_served(collection), what="the kind is gone")

    operator = world.operator("--kinds=trainingjobs,ProcessingJob").until_ready()
    world.api.create(named(manifest, "job"))
    until_status(world.api, "job", "Completed")
    assert NAME in kinds_line(operator)
    log = operator.log.read_text()
    assert log.count("kind not installed") == 1
    assert "list or watch failed" not in log

    world.api.call(
        "POST", CRDS, document(REPOSITORY / f"config/crd/bases/sagemaker.aws.amazon.com_{WHERE['plural']}.yaml")
    )
    eventually(lambda: world.api.is_served(collection), what="the kind is served")
    name = world.api.create(sample("kmeans-mnist-processingjob"), **WHERE)["metadata"]["name"]
    until_status(world.api, name, "Completed", field="processingJobStatus", **WHERE)
    assert kinds_line(operator) == "[+]kinds ok"
    watched = {request.path.rpartition("/")[2] for request in world.to_kube.requests if request.is_watch}
    assert watched - {"namespaces"} == {TRAINING_JOB.plural, PROCESSING_JOB.plural}
