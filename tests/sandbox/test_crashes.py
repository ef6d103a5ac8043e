"""The operator is killed, and whatever it had done or not, one object leads to one training job."""

import json
from pathlib import Path

import pytest

from api.meta import JsonObject
from tests.deadline import PATIENCE_S, eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, SLOW, SLOW_S, jobs, marked, until_gone, until_status
from tests.sandbox.interceptor import Cut, Phase, Request

pytestmark = pytest.mark.sandbox


def is_effect(request: Request) -> bool:
    """Whether a request changes the world outside of the operator, its Lease apart."""
    return request.is_write and "/leases" not in request.path


class Killer:
    """A hook that kills the operator at the n-th effect: before it happens, or after, with the answer lost."""

    def __init__(self, world: World, nth: int, phase: Phase) -> None:
        self._world, self._nth, self._phase = world, nth, phase
        self._count = 0
        self.victim: Request | None = None
        self.world_process = world.operators[-1]

    def __call__(self, request: Request, phase: Phase) -> None:
        """See `Interceptor.on_request`."""
        if self.victim is not None:
            raise Cut
        if not is_effect(request) or phase is not self._phase:
            return
        self._count += 1
        if self._count == self._nth:
            self.victim = request
            self.world_process.kill()
            raise Cut


@pytest.mark.parametrize("phase", [Phase.RECEIVED, Phase.COMMITTED], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, 6))
def test_killed_at_any_effect_of_a_creation_there_is_one_job(
    world: World, manifest: JsonObject, nth: int, phase: Phase
) -> None:
    """DESIGN 5, first rule: crash before or after any effect, restart, and it converges without a human."""
    world.operator().until_ready()
    killer = Killer(world, nth, phase)
    world.to_kube.on_request(killer)
    world.to_aws.on_request(killer)
    name = world.api.create(manifest)["metadata"]["name"]
    eventually(lambda: killer.victim, what=f"effect {nth} is reached")
    world.to_kube.on_request(None)
    world.to_aws.on_request(None)

    world.operator().until_ready()
    until_status(world.api, name, "Completed")
    assert [job["TrainingJobStatus"] for job in jobs(world.aws.url)] == ["Completed"]


@pytest.mark.parametrize("phase", [Phase.RECEIVED, Phase.COMMITTED], ids=["before", "after"])
@pytest.mark.parametrize("nth", range(1, 4))
def test_killed_at_any_effect_of_a_deletion_the_job_is_stopped_and_the_object_goes(
    world: World, manifest: JsonObject, nth: int, phase: Phase
) -> None:
    """Likewise while a running job is stopped: nothing keeps running, nothing hangs."""
    world.operator().until_ready()
    name = world.api.create(marked(manifest, **LONG))["metadata"]["name"]
    until_status(world.api, name, "InProgress")
    killer = Killer(world, nth, phase)
    world.to_kube.on_request(killer)
    world.to_aws.on_request(killer)
    world.api.delete(name)
    eventually(lambda: killer.victim or world.api.get(name) is None, what=f"effect {nth} is reached, or the end")
    world.to_kube.on_request(None)
    world.to_aws.on_request(None)

    world.operator().until_ready()
    until_gone(world.api, name)
    (job,) = jobs(world.aws.url)
    assert job["TrainingJobStatus"] == "Stopped"


ELECTION = (
    "--enable-leader-election",
    *("--leader-election-lease-duration", "30s"),
    *("--leader-election-renew-deadline", "25s"),
    *("--leader-election-retry-period", "500ms"),
)
"""Quick to take over, and not so quick that a busy machine loses the lease: it stalls for ten seconds."""


def holder(world: World) -> str:
    """Who holds the lease; empty where nobody does."""
    leases = world.api.call("GET", f"/apis/coordination.k8s.io/v1/namespaces/{world.api.namespace}/leases")["items"]
    return (leases[0]["spec"].get("holderIdentity") or "") if leases else ""


@pytest.mark.early
def test_when_the_leader_is_killed_the_standby_takes_over_and_creates_nothing_twice(
    world: World, manifest: JsonObject
) -> None:
    """E2, E8: a dead leader's lease is waited out; the new leader continues the same job."""
    leader = world.electing_operator(*ELECTION).until_ready()
    first = eventually(lambda: holder(world), what="a leader")
    world.electing_operator(*ELECTION).until_ready()
    name = world.api.create(marked(manifest, **SLOW))["metadata"]["name"]
    until_status(world.api, name, "InProgress")
    leader.kill()
    world.aws.clock.advance(SLOW_S)
    until_status(world.api, name, "Completed")
    assert holder(world) not in {"", first}
    assert len(jobs(world.aws.url)) == 1


def test_a_clean_shutdown_releases_the_lease_and_exits_with_zero(world: World) -> None:
    """E15, M2: SIGTERM drains, then the holder is emptied, so that the next one need not wait."""
    leader = world.electing_operator(*ELECTION).until_ready()
    eventually(lambda: holder(world), what="a leader")
    assert leader.terminate() == 0, leader.log_tail()
    assert holder(world) == ""


@pytest.mark.early
def test_a_leader_that_cannot_renew_ends_without_another_effect(world: World, manifest: JsonObject) -> None:
    """E14, E20: losing the lease ends the process with a non-zero code; the fence is closed before."""
    leader = world.electing_operator(*ELECTION).until_ready()
    eventually(lambda: holder(world), what="a leader")

    def no_lease(request: Request, _: Phase) -> None:
        if "/leases" in request.path:
            raise Cut

    world.to_kube.on_request(no_lease)
    assert leader.process.wait(PATIENCE_S) != 0
    world.api.create(manifest)
    # Not all writes: the Event about the lost Lease may reach the recorder after the process has ended.
    assert [each for each in world.to_kube.requests if is_effect(each) and "/trainingjobs" in each.path] == []


def test_a_log_holds_no_secret_and_no_whole_spec(world: World, manifest: JsonObject, tmp_path: Path) -> None:
    """D-42: hyperparameters and environment values are nobody's business in a log."""
    operator = world.operator().until_ready()
    manifest["spec"]["hyperParameters"].append({"name": "api_token", "value": "tell-nobody"})
    name = world.api.create(manifest)["metadata"]["name"]
    until_status(world.api, name, "Completed")
    operator.terminate()
    log = operator.log.read_text()
    assert "tell-nobody" not in log
    assert all(isinstance(json.loads(line), dict) for line in log.splitlines()), "every line is JSON"
