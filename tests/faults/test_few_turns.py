"""AWS allows few calls: each pass has a turn for one call of an operation, and is throttled at the next.

A pass that begins again with what it has done already would never end (DESIGN 4.6).
"""

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.aws.errors import AwsError, LocalRefusal
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import KEY
from tests.fakes.turns import limited
from tests.fakes.world import World
from tests.faults.test_reused_names import alone, edited, respecified
from tests.faults.test_tuning_ownership import PARENT_UID, announced, tags_of

OPERATIONS = ("create", "describe", "delete", "stop", "tags", "add_tags", "delete_tags")


@pytest.mark.parametrize("theirs", [(), (0,), (1,), (0, 1)], ids=["none", "the first", "the second", "both"])
@pytest.mark.parametrize("kind", [MODEL, ENDPOINT_CONFIG], ids=lambda each: each.kind)
def test_an_object_of_two_resources_is_deleted(
    kind: KindDescriptor, theirs: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was edited, and the resource that it replaced is still there. Others have taken some of the names."""
    world, cluster, key, there = alone(kind)
    with monkeypatch.context() as patch:
        patch.setattr(world.sagemaker, "delete", unavailable)
        edited(cluster, key, lambda obj: obj["spec"].update(respecified(kind)))
        world.run(30)
    names = [name for name in there if name != "m"]
    assert len(names) == 2
    world.clock.advance(3600)
    for each in theirs:
        world.aws.others(kind, names[each])
    world.restart()
    limited(world, world.sagemaker, OPERATIONS, monkeypatch)
    cluster.delete(key)
    world.run(600)
    assert cluster.get(key) is None
    assert [name for name in there if name != "m"] == [names[each] for each in theirs]


def unavailable(*_args: object, **_kwargs: object) -> None:
    """What an outage does to a call."""
    raise LocalRefusal(ErrorClass.RETRYABLE, "ServiceUnavailable", "try again")


@pytest.mark.parametrize("kind", [MODEL, ENDPOINT_CONFIG], ids=lambda each: each.kind)
def test_an_object_with_unreadable_tags_is_deleted(kind: KindDescriptor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is an answer, too, before and after the Describe: the creation time proves whose the resource is."""
    world, cluster, key, there = alone(kind)
    names = [name for name in there if name != "m"]
    asked: list[object] = []

    def denied(*args: object, **_kwargs: object) -> None:
        asked.append(args)
        raise AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized to perform: sagemaker:ListTags")

    monkeypatch.setattr(world.sagemaker, "tags", denied)
    limited(world, world.sagemaker, OPERATIONS, monkeypatch)
    cluster.delete(key)
    world.run(60)
    assert cluster.get(key) is None
    assert not set(names) & set(there)
    assert len(asked) <= 2


@pytest.mark.parametrize("tags", [[], tags_of(PARENT_UID, KEY.namespace)], ids=["theirs", "ours"])
def test_a_launched_job_is_let_go(tags: list[JsonObject], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tags are those of its tuning job."""
    world = World()
    job = world.aws.existing("foreign-prod-job", Tags=tags)
    obj = announced(job.name, job.arn)
    obj["metadata"]["name"] = job.name
    limited(world, world.sagemaker, OPERATIONS, monkeypatch)
    world.cluster.apply(obj)
    world.run(30)
    world.cluster.delete(ObjectKey.of(obj))
    world.run(120)
    assert world.sagemaker.operations.count("stop") == bool(tags)
    world.aws.move(job.name, "Stopped")
    world.run(120)
    assert world.cluster.get(ObjectKey.of(obj)) is None
