"""List does not answer as it should while Describe does: objects stay true, say so, and recover by themselves."""

import urllib.request

import pytest

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.apiserver import open_url
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, SLOW, SLOW_S, Operator, condition, marked, named, until_status
from tests.sandbox.test_status_in_a_real_account import running

pytestmark = pytest.mark.sandbox


def sources(operator: Operator) -> str:
    """The line of `/readyz?verbose` about what the status comes from; the operator is ready in any case."""
    answer = open_url(urllib.request.Request(operator.url("health") + "/readyz?verbose")).decode()
    assert "readyz check passed" in answer
    return next(line for line in answer.splitlines() if "status-sources" in line)


@pytest.mark.parametrize(
    ("fault", "reason", "advice"),
    [
        pytest.param("deny", "ListDenied", "Allow sagemaker:ListTrainingJobs to the role", id="denied"),
        pytest.param("hang-before", "ListFailing", "ListTrainingJobs fails", id="hanging"),
        pytest.param("error", "ListFailing", "ListTrainingJobs fails", id="failing"),
    ],
)
def test_objects_follow_their_jobs_and_say_that_list_is_lost(
    world: World, manifest: JsonObject, fault: str, reason: str, advice: str
) -> None:
    """One condition and one Warning, which name what is missing; both readiness and objects recover with List."""
    operator = world.operator("--aws-read-timeout", "1s").until_ready()
    ending, going_on = running(
        world, named(marked(manifest, **SLOW), "ending"), named(marked(manifest, **LONG), "going-on")
    )
    assert sources(operator) == "[+]status-sources ok"

    def delay(name: str) -> JsonObject:
        return condition(world.api.get(name) or {}, "StatusDelayed")

    world.aws.faults.add("List*Jobs", fault, count=None, delay_s=3.0)
    eventually(lambda: delay(going_on).get("reason") == reason, what="the object says that its status is late")
    assert advice in delay(going_on)["message"]
    assert sources(operator).startswith("[+]status-sources degraded: ListTrainingJobs in us-east-2: ")
    world.aws.clock.advance(SLOW_S)
    until_status(world.api, ending, "Completed")
    eventually(lambda: delay(ending) == {}, what="what has ended is not late any more")
    world.aws.faults.clear()
    eventually(lambda: delay(going_on) == {}, what="the object says no more that its status is late")
    assert sources(operator) == "[+]status-sources ok"
    warnings = [each for each in world.api.events(going_on) if each["reason"] == "StatusDelayed"]
    assert [(each["type"], each.get("count") or 1) for each in warnings] == [("Warning", 1)]
    assert advice in warnings[0]["message"]
