"""A SageMaker as hostile as the real one can be, and a real operator process (docs/design/hostile-sagemaker.md)."""

import pytest

from api.meta import JsonObject
from hack.sandbox.aws.lists import FILTERS
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, aws_call, condition, marked, named, until_gone, until_status
from tests.sandbox.lost_answers import READ_TIMEOUT

pytestmark = pytest.mark.sandbox

BIG_BYTES = 8_000
"""More than the sample asks for, less than `big` does."""


def big(manifest: JsonObject) -> JsonObject:
    """A job that takes a big request."""
    return marked(named(manifest, "big"), **{f"NOTE_{number}": "x" * 2_000 for number in range(5)})


@pytest.mark.early
def test_in_an_account_where_nothing_is_as_it_should_be_jobs_end_well(world: World, manifest: JsonObject) -> None:
    """Lists go back in time and ignore filters, roles are new, proxies answer, and one name and one size are picked on.

    Those two wait, and hold up no other.
    """
    world.aws.past.add(500, until=world.aws.clock.now())
    world.aws.lists.set(lag_s=0.2, jitter_s=1.0, longest_page=2, token_life_s=0.0, ignored=sorted(FILTERS))
    world.aws.roles.set(lag_s=1.0)
    for fault, operation, details in (
        ("throttle", "*", {"name": "picked-on", "count": None}),
        ("hang-before", "mutating", {"larger_than": BIG_BYTES, "count": None, "delay_s": 1.5}),
        ("unavailable", "CreateTrainingJob", {"retry_after_s": 1, "retry_after_is_date": True}),
        ("html", "reading", {"status": 200, "count": 1}),
        ("html", "reading", {"status": 302, "count": 1}),
        ("cut-within", "ListTags", {"count": 1}),
        ("cut-within", "Describe*", {"count": 1}),
        ("cut-within", "List*Jobs", {"count": 1}),
        ("refused", "StopTrainingJob", {"count": 1}),
    ):
        world.aws.faults.add(operation, fault, **details)  # type: ignore[arg-type]
    operator = world.operator(*READ_TIMEOUT).until_ready()
    stopped = marked(named(manifest, "stopped", trainingJobName="stopped"), **LONG)
    for each in (
        named(manifest, "plain"),
        named(manifest, "picked", trainingJobName="picked-on"),
        big(manifest),
        stopped,
    ):
        world.api.create(each)
    until_status(world.api, "plain", "Completed")
    until_status(world.api, "stopped", "InProgress")
    world.api.delete("stopped")
    until_gone(world.api, "stopped")
    answer = aws_call(world.aws.url, "DescribeTrainingJob", TrainingJobName="stopped")
    assert answer["TrainingJobStatus"] == "Stopped"

    for name in ("picked", "big"):
        assert "awsResource" not in world.api.status(name), f"{name} cannot be there"
        assert condition(world.api.get(name) or {}, "Stalled").get("status") != "True", f"{name} may still succeed"
    assert world.aws.roles.refused()
    struck = {fault for fault, _ in world.aws.faults.struck()}
    assert struck == {"throttle", "hang-before", "unavailable", "html", "cut-within", "refused"}
    world.aws.faults.clear()
    until_status(world.api, "big", "Completed")  # `picked` may wait for two minutes by now
    made = [each.name for each in world.aws.effects.all() if each.operation == "CreateTrainingJob"]
    assert len(made) == len(set(made))
    assert operator.terminate() == 0


def test_names_change_hands_under_the_operators_eyes(world: World, manifest: JsonObject) -> None:
    """Others are faster with one name, and take over another while the job runs; what is theirs stays as it is."""
    world.aws.faults.add("CreateTrainingJob", "taken", name="first")
    world.operator().until_ready()
    for name in ("first", "second"):
        world.api.create(marked(named(manifest, name, trainingJobName=name), **LONG))
    until_status(world.api, "second", "InProgress")
    eventually(lambda: "creationTime" in world.api.status("second").get("awsResource", {}), what="AWS's creation time")
    world.aws.take_over("TrainingJob", "second", "us-east-2")

    def shows(name: str, reason: str) -> bool:
        return condition(world.api.get(name) or {}, "Stalled").get("reason") == reason

    eventually(lambda: shows("first", "AlreadyExists"), what="the first name is theirs")
    eventually(lambda: shows("second", "ForeignResource"), what="the second name is theirs by now")
    for name in ("first", "second"):
        world.api.delete(name)
        until_gone(world.api, name)
        answer = aws_call(world.aws.url, "DescribeTrainingJob", TrainingJobName=name)
        assert answer["TrainingJobStatus"] == "InProgress"
    assert world.aws.requests.count("StopTrainingJob") == 0
