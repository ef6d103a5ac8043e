"""Status queues that namespaces name, end to end: two teams with a queue and a role each, and a real operator."""

import re
import urllib.request

import pytest

from api.meta import JsonObject
from hack.sandbox import status_queue
from tests.deadline import eventually
from tests.sandbox.apiserver import open_url
from tests.sandbox.conftest import World
from tests.sandbox.harness import condition, for_any_region, marked, named, until_status
from tests.sandbox.interceptor import Request

pytestmark = pytest.mark.sandbox

KEY = "sagemaker.aws.amazon.com/status-queue"
EARNING = 3
"""Changes that are announced and confirmed before sweeps become rare."""


class Team:
    """A namespace with a role, in an account and region of its own, and a queue there."""

    def __init__(self, world: World, manifest: JsonObject, name: str, account: str, region: str) -> None:
        self.name = name
        self.role = f"arn:aws:iam::{account}:role/{name}"
        self.label = f"{account}/{region}/{status_queue.NAME}"
        self.url = status_queue.create(world.aws.url, region, self.role)
        self._world = world
        self._manifest = manifest
        self._region = region
        said = {"role-arn": self.role, "default-region": region, "status-queue": self.url}
        annotations = {f"sagemaker.aws.amazon.com/{each}": text for each, text in said.items()}
        metadata = {"name": name, "annotations": annotations}
        world.api.call("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def annotate(self, text: str | None) -> None:
        """Let the namespace name another queue; none if there is no text."""
        body = {"metadata": {"annotations": {KEY: text}}}
        self._world.api.call("PATCH", f"/api/v1/namespaces/{self.name}", body, "application/merge-patch+json")

    def job(self, name: str, **marks: str) -> None:
        """Create a job in the team's region."""
        job = marked(named(for_any_region(self._manifest), name), **marks)
        job["metadata"]["namespace"] = self.name
        del job["spec"]["region"]
        self._world.api.create(job, namespace=self.name)

    def until_ended(self, name: str) -> None:
        """Wait until the object of a job shows the end."""
        until_status(self._world.api, name, "Completed", namespace=self.name)

    def earn(self) -> None:
        """Have jobs end until sweeps are rare: after three, or more where one was announced late."""
        names = (f"earning-{number}" for number in range(10_000))

        def is_earned() -> bool:
            batch = [next(names) for _ in range(EARNING)]
            for name in batch:
                self.job(name)
            for name in batch:
                self.until_ended(name)
            return self.trusted() == 1.0

        eventually(is_earned, what="sweeps are rare")

    def trusted(self) -> float | None:
        """The metric of trust in events, in the team's region; None where none are expected."""
        labels = rf'kind="trainingjob",region="{self._region}",source="events"'
        return self._sample("accelerator_trusted", labels)

    def failing(self) -> float | None:
        """The metric of a queue that cannot be read; None for one that is not read."""
        return self._sample("status_queue_failing", f'queue="{self.label}"')

    def _sample(self, name: str, labels: str) -> float | None:
        (operator,) = self._world.operators
        text = open_url(urllib.request.Request(operator.url("metrics") + "/metrics")).decode()
        wanted = set(labels.split(","))
        for found in re.finditer(rf"^sagemaker_operator_{name}{{(.*)}} (.*)$", text, re.MULTILINE):
            if wanted <= set(found[1].split(",")):
                return float(found[2])
        return None

    def ignored(self, name: str) -> str:
        """What an object shows of annotations without effect; empty if it shows nothing."""
        found = condition(self._world.api.get(name, namespace=self.name) or {}, "AnnotationIgnored")
        return str(found.get("message", ""))


def receives(world: World, team: Team) -> list[Request]:
    """The calls that asked for messages of a team's queue."""
    return [each for each in world.to_aws.requests if team.url.encode() in each.body]


def test_each_team_has_a_queue_of_its_own(world: World, manifest: JsonObject) -> None:
    """One of them is denied, and then taken away: who does without polls, and the other team notices nothing."""
    if not world.kube.is_ours:
        pytest.skip("needs an operator that serves all namespaces")
    team_a = Team(world, manifest, "team-a", "111111111111", "eu-west-1")
    team_b = Team(world, manifest, "team-b", "222222222222", "us-west-2")
    world.operator().until_ready()
    for team in (team_a, team_b):
        team.earn()
        assert team.failing() == 0.0

    world.aws.faults.add("ReceiveMessage", "deny", None, contains=team_b.url)
    eventually(lambda: team_b.failing() == 1.0, what="the operator has seen that it may not read the queue")
    team_b.job("unannounced", SANDBOX_TRAIN_SECONDS="3600")
    text = eventually(lambda: team_b.ignored("unannounced"), what="the object shows why")
    assert f"namespace's status-queue: {team_b.url} may not be read" in text
    assert f"allow sqs:ReceiveMessage and sqs:DeleteMessage on it to {team_b.role}" in text
    team_b.job("polled")
    team_b.until_ended("polled")
    assert (team_a.failing(), team_b.trusted()) == (0.0, 0.0)

    team_b.annotate(None)
    eventually(lambda: team_b.failing() is None, what="the queue is not read any more")
    eventually(lambda: not team_b.ignored("unannounced"), what="nothing is wrong any more")
    assert team_b.trusted() is None
    world.to_aws.forget()
    team_b.job("without-a-queue")
    team_b.until_ended("without-a-queue")
    assert receives(world, team_b) == []

    world.aws.faults.clear()
    team_b.annotate(team_b.url)
    eventually(lambda: team_b.failing() == 0.0, what="the queue is read again")
    team_b.annotate("status")
    eventually(lambda: "'status' is not URLs of SQS queues" in team_b.ignored("unannounced"), what="the mistake")
    assert team_a.failing() == 0.0
    assert world.operators[0].terminate() == 0
