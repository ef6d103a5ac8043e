"""Status in an account as real ones are: with a long past, Lists that are late or denied, and other users.

The rules are tested with a fake clock in tests/unit/aws/test_tracker.py; here is the whole: an operator's process, both
servers, and the List calls that SageMaker gets. Calls are counted by poll, not by second, so no machine is too slow.
"""

import json

import pytest
import yaml

from api.meta import JsonObject
from hack.sandbox.aws.records.search import Flaws
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import (
    LONG,
    PLURALS,
    REPOSITORY,
    SLOW,
    SLOW_S,
    aws_call,
    condition,
    marked,
    named,
    until_status,
)
from tests.sandbox.hosting_scene import DEPLOYMENTS, deployment, until
from tests.sandbox.hosting_scene import marked as slowly
from tests.sandbox.multitude import MERGE

pytestmark = pytest.mark.sandbox

LAG_S = 75.0
POLLS = 5


def running(world: World, *manifests: JsonObject) -> list[str]:
    """Create jobs; return their names once they train."""
    names = [world.api.create(each)["metadata"]["name"] for each in manifests]
    for name in names:
        until_status(world.api, name, "Training", field="secondaryStatus")
    return names


def asked(world: World, operation: str) -> list[JsonObject]:
    """The requests of an operation since the last look, oldest first."""
    return [json.loads(each.body) for each in world.to_aws.requests if each.operation == operation]


def poll(world: World, operation: str = "ListTrainingJobs", times: int = POLLS) -> None:
    """Let the operator poll some times more."""
    before = len(asked(world, operation))
    eventually(lambda: len(asked(world, operation)) >= before + times, what=f"{times} polls")


@pytest.mark.parametrize("past", [20_000, 1_000_000])
def test_a_long_past_costs_nothing_and_delays_nothing(world: World, manifest: JsonObject, past: int) -> None:
    """One page a poll, whatever the account has had before; the one Describe of a job is that of its end."""
    world.aws.past.add(past, until=world.aws.clock.now())
    world.operator().until_ready()
    names = running(world, *(named(marked(manifest, **SLOW), f"job-{number}") for number in range(3)))
    world.to_aws.forget()
    poll(world)
    assert asked(world, "DescribeTrainingJob") == []
    world.aws.clock.advance(SLOW_S)
    for name in names:
        until_status(world.api, name, "Completed")
    assert not any("NextToken" in each for each in asked(world, "ListTrainingJobs"))
    assert len(asked(world, "DescribeTrainingJob")) == len(names)


def test_an_old_job_below_the_newer_ones_of_others_is_described(world: World, manifest: JsonObject) -> None:
    """Paging down to it would take 100 calls a poll; a Describe of it takes one."""
    world.operator().until_ready()
    (old,) = running(world, named(marked(manifest, **LONG), "old"))
    world.aws.clock.advance(36_000)
    world.aws.past.add(10_000, until=world.aws.clock.now(), step_s=1.0)
    (new,) = running(world, named(marked(manifest, **LONG), "new"))
    world.to_aws.forget()
    poll(world)
    eventually(lambda: len(asked(world, "DescribeTrainingJob")) >= POLLS, what="Describes of the old job")
    name = (world.api.get(old) or {})["spec"]["trainingJobName"]
    assert {each["TrainingJobName"] for each in asked(world, "DescribeTrainingJob")} == {name}
    assert not any("NextToken" in each for each in asked(world, "ListTrainingJobs"))
    aws_call(world.aws.url, "StopTrainingJob", TrainingJobName=name)
    world.aws.clock.advance(60)
    until_status(world.api, old, "Stopped")
    assert world.api.status(new)["trainingJobStatus"] == "InProgress"


@pytest.mark.parametrize("flaw", ["honest", "lagging, with gaps", "denied"])
def test_whatever_search_shows_no_end_is_lost(world: World, manifest: JsonObject, flaw: str) -> None:
    """It is called where a sweep costs more than a search, and what it hides shows as without it."""
    if flaw == "denied":
        world.aws.faults.add("Search", "deny", count=None)
    elif flaw != "honest":
        world.aws.search.flaws = Flaws(lag_s=SLOW_S, gap=0.5)
    world.operator().until_ready()
    (old,) = running(world, named(marked(manifest, **LONG), "old"))
    world.aws.clock.advance(36_000)
    world.aws.past.add(10_000, until=world.aws.clock.now(), step_s=1.0)
    names = running(world, *(named(marked(manifest, **SLOW), f"job-{number}") for number in range(4)))
    eventually(lambda: world.aws.requests.count("Search"), what="a search")
    world.aws.clock.advance(SLOW_S)
    for name in names:
        until_status(world.api, name, "Completed")
    assert world.api.status(old)["trainingJobStatus"] == "InProgress"


def test_late_lists_delay_a_job_by_their_lag(world: World, manifest: JsonObject) -> None:
    """It has ended before a List shows that it was created."""
    world.aws.lists.lag_s = LAG_S
    world.operator().until_ready()
    with world.time.stopped():
        name = world.api.create(manifest)["metadata"]["name"]
        until_status(world.api, name, "InProgress")
        world.aws.clock.advance(LAG_S / 2)
        poll(world)
        assert world.api.status(name)["trainingJobStatus"] == "InProgress"
        world.aws.clock.advance(LAG_S)
        assert until_status(world.api, name, "Completed")["status"]["modelPath"]


def until_visible(world: World) -> None:
    """Wait until Describe has shown the endpoint: from then on, Lists are asked."""
    what = "a description"
    eventually(lambda: world.api.status("host-xgboost", plural=DEPLOYMENTS).get("creationTime"), what=what)
    assert world.api.status("host-xgboost", plural=DEPLOYMENTS)["endpointStatus"] == "Creating"


def test_late_lists_delay_an_endpoint_by_their_lag(world: World) -> None:
    """It is in service, and the List says Creating; once the List shows it, so does the object."""
    world.aws.lists.lag_s = LAG_S
    world.operator().until_ready()
    with world.time.stopped():
        world.api.create(slowly(deployment(), **SLOW), plural=DEPLOYMENTS)
        until_visible(world)
        world.aws.clock.advance(SLOW_S)
        poll(world, "ListEndpoints")
        assert world.api.status("host-xgboost", plural=DEPLOYMENTS)["endpointStatus"] == "Creating"
        world.aws.clock.advance(LAG_S)
        until(world.api, "host-xgboost", "InService")


def test_an_endpoint_that_others_delete_is_created_again(world: World) -> None:
    """docs/drift.md: what no longer exists is recreated; meanwhile the object is not Ready."""
    world.operator().until_ready()
    world.api.create(slowly(deployment(), **SLOW), plural=DEPLOYMENTS)
    until_visible(world)
    world.aws.clock.advance(SLOW_S)
    first = until(world.api, "host-xgboost", "InService")
    poll(world, "ListEndpoints", 2)
    aws_call(world.aws.url, "DeleteEndpoint", EndpointName=first["status"]["endpointName"])
    world.aws.clock.advance(60)
    again = until(world.api, "host-xgboost", "Creating")
    assert condition(again, "Ready")["status"] == "False"
    world.aws.clock.advance(SLOW_S)
    assert condition(until(world.api, "host-xgboost", "InService"), "Ready")["status"] == "True"


def test_a_tuning_job_that_others_delete_is_reported(world: World) -> None:
    """It cannot be told how it ended, and it is not created again: the object says so, and is not Ready."""
    kind = "HyperparameterTuningJob"
    field, plural = "hyperParameterTuningJobStatus", PLURALS[kind]
    manifest: JsonObject = yaml.safe_load((REPOSITORY / "samples" / "xgboost-mnist-hpo.yaml").read_text())
    markers = [{"name": name, "value": value} for name, value in LONG.items()]
    manifest["spec"]["trainingJobDefinition"].setdefault("staticHyperParameters", []).extend(markers)
    world.operator().until_ready()
    name = world.api.create(manifest, plural=plural)["metadata"]["name"]
    obj = until_status(world.api, name, "InProgress", field=field, plural=plural)
    poll(world, "ListHyperParameterTuningJobs", 2)
    # A young job that is not found is not believed to be gone, and the operator's time cannot be skipped.
    aged = {"status": {"awsResource": {"createdAt": "2026-01-01T00:00:00Z"}}}
    world.api.call("PATCH", world.api.path(name, plural=plural) + "/status", aged, content=MERGE)
    world.aws.lists.lag_s = LAG_S  # so that no List shows how it ended
    at_aws = {"HyperParameterTuningJobName": obj["spec"]["hyperParameterTuningJobName"]}
    with world.time.stopped():
        aws_call(world.aws.url, "StopHyperParameterTuningJob", **at_aws)
        world.aws.clock.advance(LAG_S / 2)
        aws_call(world.aws.url, "DeleteHyperParameterTuningJob", **at_aws)
        world.aws.clock.advance(LAG_S)

    def is_reported() -> JsonObject | None:
        seen = condition(world.api.get(name, plural=plural) or {}, "Ready")
        return seen if seen.get("reason") == "NotFound" else None

    assert eventually(is_reported, what="the object says that the tuning job is gone")["status"] == "False"


def test_jobs_end_although_list_is_denied(world: World, manifest: JsonObject) -> None:
    """A policy or an SCP may allow Describe only: jobs are described in turn, until Lists come again."""
    world.operator().until_ready()
    names = running(world, *(named(marked(manifest, **SLOW), f"job-{number}") for number in range(3)))
    world.aws.faults.add("List*Jobs", "deny", count=None)
    world.aws.clock.advance(SLOW_S)
    for name in names:
        until_status(world.api, name, "Completed")
    world.aws.faults.clear()
    (last,) = running(world, named(marked(manifest, **LONG), "last"))
    refused = world.aws.requests.errors("ListTrainingJobs", "AccessDeniedException")
    assert refused
    eventually(lambda: world.aws.requests.count("ListTrainingJobs") > refused, what="Lists again")
    assert world.api.status(last)["trainingJobStatus"] == "InProgress"
