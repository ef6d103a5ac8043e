"""What an operator costs that has nothing to do."""

import json

import pytest

from api.meta import JsonObject
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, eventually, marked, named

pytestmark = pytest.mark.sandbox

JOBS = 1000
POLLS = 5


def test_a_thousand_running_jobs_cost_one_list_call_an_interval(world: World, manifest: JsonObject) -> None:
    """DESIGN 4.5, 4.8: no Kubernetes write, no Describe, no second page; nothing grows with the jobs."""
    world.operator("--workers", "8").until_ready()
    running = marked(manifest, **LONG)
    for number in range(JOBS):
        world.api.create(named(running, f"job-{number}"))

    def all_training() -> bool:
        items = world.api.call("GET", world.api.path())["items"]
        return all((item.get("status") or {}).get("secondaryStatus") == "Training" for item in items)

    eventually(all_training, what="all jobs are training", within_s=240)
    world.aws.clock.advance(3600)  # past the overlap in which a poll looks again at what is new

    def settled() -> bool:
        answered = [request for request in world.to_aws.requests if request.operation == "ListTrainingJobs"]
        return len(answered) >= POLLS and not any("NextToken" in json.loads(each.body) for each in answered)

    def forget_and_wait() -> bool:
        world.to_aws.forget()
        world.to_kube.forget()
        eventually(lambda: len(world.to_aws.requests) >= POLLS, what=f"{POLLS} polls")
        return settled()

    eventually(forget_and_wait, what="an interval without a second page", within_s=60)
    assert {request.operation for request in world.to_aws.requests} == {"ListTrainingJobs"}
    writes = [f"{each.method} {each.path}" for each in world.to_kube.requests if each.is_write]
    assert writes == []
