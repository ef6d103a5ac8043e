"""What an operator costs that has nothing to do."""

import copy
import json

import pytest

from api.convert import to_request
from api.meta import JsonObject
from api.v1 import TRAINING_JOB
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, aws_call, eventually, marked

pytestmark = pytest.mark.sandbox

JOBS = 1000
POLLS = 5


def test_a_thousand_running_jobs_cost_one_list_call_an_interval(world: World, manifest: JsonObject) -> None:
    """DESIGN 4.5, 4.8: no Kubernetes write, no Describe, no second page; nothing grows with the jobs.

    The operator starts anew with a thousand jobs that it created earlier: none is created again, none is written.
    """
    first = world.operator().until_ready()
    name = world.api.create(marked(manifest, **LONG))["metadata"]["name"]
    model = eventually(lambda: training(world, name), what="the first job is training")
    first.kill()
    for number in range(1, JOBS):
        clone(world, model, f"job-{number}")
    world.aws.clock.advance(3600)  # all of them train, and are past the time in which a poll looks at them again
    world.to_aws.forget()
    world.to_kube.forget()

    world.operator().until_ready()
    listed = eventually(lambda: world.aws.requests.count("ListTrainingJobs") > POLLS, what="the first sweep")
    assert listed

    def is_one_page_an_interval() -> bool:
        """Whether the next polls need no second page."""
        world.to_aws.forget()
        eventually(lambda: len(world.to_aws.requests) >= POLLS, what=f"{POLLS} polls")
        return not any("NextToken" in json.loads(request.body) for request in world.to_aws.requests)

    eventually(is_one_page_an_interval, what="intervals without a second page", within_s=60)
    assert {request.operation for request in world.to_aws.requests} == {"ListTrainingJobs"}
    assert world.aws.requests.count("CreateTrainingJob") == JOBS
    assert world.aws.requests.count("DescribeTrainingJob") == 0
    writes = [f"{each.method} {each.path}" for each in world.to_kube.requests if each.is_write]
    assert writes == []


def training(world: World, name: str) -> JsonObject | None:
    """The object once its job is training."""
    obj = world.api.get(name)
    return obj if obj and (obj.get("status") or {}).get("secondaryStatus") == "Training" else None


def clone(world: World, model: JsonObject, name: str) -> None:
    """Another object like `model`, with a job of its own, as the operator would have left it."""
    spec = copy.deepcopy(model["spec"]) | {"trainingJobName": name}
    request = to_request(TRAINING_JOB, spec) | {"TrainingJobName": name}
    arn = aws_call(world.aws.url, "CreateTrainingJob", **request)["TrainingJobArn"]
    metadata = {"name": name, "finalizers": model["metadata"]["finalizers"]}
    world.api.create({**{key: model[key] for key in ("apiVersion", "kind")}, "metadata": metadata, "spec": spec})
    status = copy.deepcopy(model["status"]) | {"sageMakerTrainingJobName": name}
    status["awsResource"] |= {"arn": arn, "name": name}
    status["observedGeneration"] = 1
    for each in status["conditions"]:
        each["observedGeneration"] = 1
    status["cloudWatchLogUrl"] = status["cloudWatchLogUrl"].replace(model["spec"]["trainingJobName"], name)
    world.api.call(
        "PATCH", world.api.path(name) + "/status", {"status": status}, content="application/merge-patch+json"
    )
