"""Events instead of polling, end to end: EventBridge, SQS and SageMaker of the sandbox, and a real operator process."""

import copy
import itertools
import re
import urllib.request
from collections import Counter

import boto3
import pytest

from api.meta import JsonObject
from hack.sandbox import status_queue
from hack.sandbox.aws.state_changes import EventFlaws
from tests.deadline import eventually
from tests.documents import document
from tests.sandbox.apiserver import open_url
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY, Operator, aws_call, named, until_status

pytestmark = pytest.mark.sandbox

EARNING = 3
"""Ends that were announced before sweeps become rare."""
REGION = "us-east-2"


class Queue:
    """A queue of state changes in the embedded AWS, and the operator that reads it."""

    def __init__(self, world: World, manifest: JsonObject) -> None:
        self.world = world
        self._manifest = manifest
        self.url = status_queue.create(world.aws.url, REGION)
        self.sqs = boto3.session.Session("sandbox", "sandbox", region_name=REGION).client(
            "sqs", endpoint_url=world.aws.url
        )
        flags = ("--enable-leader-election", "--status-queue", self.url, "--aws-region", REGION)
        self.operator: Operator = world.electing_operator(*flags).until_ready()

    def job(self, name: str) -> None:
        """Create a job."""
        self.world.api.create(named(self._manifest, name))

    def until_ended(self, name: str) -> None:
        """Wait until the object shows the end."""
        until_status(self.world.api, name, "Completed")

    def earn(self) -> "Queue":
        """Have jobs end as announced, until sweeps are rare: after three, or more where one was announced late."""
        numbers = itertools.count()

        def is_earned() -> bool:
            names = [f"earning-{next(numbers)}" for _ in range(EARNING)]
            for name in names:
                self.job(name)
            for name in names:
                self.until_ended(name)
            return self.trusted() == 1.0

        eventually(is_earned, what="sweeps are rare")
        return self

    def trusted(self) -> float | None:
        """The metric of trust in events; Search has one of its own."""
        return self._sample("sagemaker_operator_accelerator_trusted", 'source="events"')

    def failing(self) -> float | None:
        """The metric of a queue that cannot be read."""
        return self._sample("sagemaker_operator_status_queue_failing")

    def _sample(self, name: str, label: str = "") -> float | None:
        text = open_url(urllib.request.Request(self.operator.url("metrics") + "/metrics")).decode()
        values = [float(found[1]) for found in re.finditer(rf"^{name}{{.*{label}.*}} (.*)$", text, re.MULTILINE)]
        return min(values, default=None)


@pytest.fixture
def queue(world: World, manifest: JsonObject) -> Queue:
    return Queue(world, manifest)


def test_with_events_a_job_costs_one_create_and_one_describe(world: World, queue: Queue) -> None:
    """No List of its own but the sweep that was due already; every message is taken from the queue."""
    queue.earn()
    world.to_aws.forget()
    queue.job("announced")
    queue.until_ended("announced")
    asked = Counter(request.operation for request in world.to_aws.requests)
    assert (asked["CreateTrainingJob"], asked["DescribeTrainingJob"]) == (1, 1)
    assert asked["ListTrainingJobs"] <= 1

    def is_empty() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
        return all(found[name] == "0" for name in names)

    eventually(is_empty, what="the queue is empty")
    assert world.operators[0].terminate() == 0


@pytest.mark.parametrize("fault", ["denied", "deleted"])
def test_a_queue_that_fails_meanwhile_loses_nothing(world: World, queue: Queue, fault: str) -> None:
    """Sweeps are as frequent as without it, and no object waits for an event."""
    queue.earn()
    if fault == "denied":
        world.aws.faults.add("ReceiveMessage", "deny", count=None)
    else:
        queue.sqs.delete_queue(QueueUrl=queue.url)
    queue.job("unannounced")
    eventually(lambda: queue.failing() == 1.0, what="the operator has seen that the queue fails")
    queue.until_ended("unannounced")
    assert queue.trusted() == 0.0
    path = f"/api/v1/namespaces/{world.api.namespace}/events"

    def about_the_lease() -> list[JsonObject]:
        events: list[JsonObject] = world.api.call("GET", path)["items"]
        return [each for each in events if each["reason"] == "StatusQueueUnreliable"]

    (event, *_) = eventually(about_the_lease, what="an Event of the operator's Lease")
    assert (event["type"], event["involvedObject"]["kind"]) == ("Warning", "Lease")
    assert "the status queue cannot be read" in event["message"]


def approve_a_version(world: World) -> None:
    """Have others approve a version, and wait until its object shows that: without events it would take minutes."""
    eventually(lambda: world.aws.events._known is not None, what="events are published from now on")
    aws_call(world.aws.url, "CreateModelPackageGroup", ModelPackageGroupName="g")
    package = copy.deepcopy(document(REPOSITORY / "samples" / "modelpackage.yaml"))
    package["metadata"] = {"name": "version"}
    package["spec"] = {"region": REGION, "modelPackageGroupName": "g", "sourceUri": "s3://b/m"}
    where = {"plural": "modelpackages"}
    world.api.create(package, **where)
    shown = until_status(world.api, "version", "Completed", field="modelPackageStatus", **where)
    arn = shown["status"]["modelPackageArn"]
    aws_call(world.aws.url, "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    until_status(world.api, "version", "Approved", field="modelApprovalStatus", **where)


def test_events_that_stop_coming_are_noticed_by_the_sweep_that_finds_a_change(
    world: World, manifest: JsonObject
) -> None:
    """While they come, an approval by others shows at once. Before trust is earned nothing waits: an operator with a
    queue that stays empty is one without a queue.
    """
    queue = Queue(world, manifest)
    approve_a_version(world)
    events = boto3.session.Session("sandbox", "sandbox", region_name=REGION).client(
        "events", endpoint_url=world.aws.url
    )
    events.remove_targets(Rule=status_queue.NAME, Ids=["queue"])
    queue.job("unannounced")
    queue.until_ended("unannounced")
    assert queue.trusted() == 0.0


def test_whatever_becomes_of_events_no_end_is_lost(world: World, queue: Queue) -> None:
    """EventBridge promises one delivery at least, in no order; here they are late and twice, some never come at all."""
    world.aws.events.flaws = EventFlaws(lag_s=0.5, repeats=1, lost=0.4, is_reversed=True)
    names = [f"job-{number}" for number in range(4)]
    for name in names:
        queue.job(name)
    for name in names:
        queue.until_ended(name)
    statuses = ("InProgress", "Completed")
    arns = [(world.api.get(name) or {})["status"]["awsResource"]["arn"] for name in names]
    announced = [not world.aws.events.flaws.loses(arn, status) for arn in arns for status in statuses]
    if any(announced):
        eventually(lambda: world.aws.requests.count("DeleteMessageBatch"), what="events are taken")
    created = [each.name for each in world.aws.effects.all() if each.operation == "CreateTrainingJob"]
    assert len(created) == len(set(created)) == len(names)
