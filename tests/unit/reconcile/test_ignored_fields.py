"""What a spec asks for and AWS does not get is named in a condition and a Warning, never dropped silently."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.convert import repeated_names, to_request
from api.descriptor import KindDescriptor, LifeCycle
from api.fields import Field, installed
from api.form import Form
from api.meta import GROUP, JsonObject
from api.v1 import KINDS
from tests.fakes.job_manifests import SPECS, manifest, manifest_of
from tests.fakes.world import World
from tests.faults import hosting_world
from tests.faults.hosting_world import HostingWorld
from tests.tables import each_row

JOBS = [kind for kind in KINDS if kind.kind in SPECS]
each_job = each_row("kind", JOBS, ids=lambda kind: kind.kind)
RESERVED = f"the tag '{GROUP}/uid': the prefix {GROUP}/ is the operator's"


def message(status: JsonObject) -> str:
    """What the condition says; empty without one."""
    return next((each["message"] for each in status.get("conditions", ()) if each["type"] == "FieldsIgnored"), "")


def tagged(*tags: tuple[str, str]) -> list[dict[str, str]]:
    """`spec.tags`."""
    return [{"key": key, "value": value} for key, value in tags]


TAGS = [
    pytest.param(tagged((f"{GROUP}/uid", "forged")), RESERVED, id="our own key"),
    pytest.param(tagged((f"{GROUP}/else", "x")), f"'{GROUP}/else'", id="our prefix"),
    pytest.param(
        tagged(*((f"t{n:02}", "x") for n in range(50))), f"allows 50 on a resource: {GROUP}/uid", id="no room for ours"
    ),
    pytest.param(tagged(("team", "a"), ("Team", "b")), "", id="keys that differ by case are two"),
    pytest.param(tagged(*((f"t{n:02}", "x") for n in range(44))), "", id="as many as fit"),
]


@each_job
@pytest.mark.parametrize(("tags", "said"), TAGS)
def test_tags_that_are_not_set_are_named(kind: KindDescriptor, tags: list[dict[str, str]], said: str) -> None:
    """In a condition for as long as it is so, and in one Warning; the job is made."""
    world = World(kind)
    obj = manifest_of(kind)
    world.cluster.apply({**obj, "spec": {**obj["spec"], "tags": tags}})
    world.run(30)
    world.restart()
    world.run(30)

    assert world.aws.count("create") == 1
    assert said in message(world.status)
    assert world.condition("FieldsIgnored") == (("True", "NotSent") if said else None)
    assert world.recorder.events.count(("Warning", "FieldsIgnored")) == bool(said)
    assert world.errors == []


REFUSED = [
    pytest.param(tagged(*((f"t{n:02}", "x") for n in range(51))), "51 tags", id="more than AWS allows"),
    pytest.param(tagged(("team", "a"), ("team", "b")), "a key is given more than once: team", id="a key twice"),
]


@each_job
@pytest.mark.parametrize(("tags", "said"), REFUSED)
def test_tags_that_aws_refuses_are_refused_before_it_is_asked(
    kind: KindDescriptor, tags: list[dict[str, str]], said: str
) -> None:
    """As a spec that cannot be right: the message says what to correct, and nothing is created without some of them."""
    world = World(kind)
    obj = manifest_of(kind)
    world.cluster.apply({**obj, "spec": {**obj["spec"], "tags": tags}})
    world.run(30)

    assert world.aws.count("create") == 0
    assert world.condition("Stalled") == ("True", "InvalidSpec")
    assert said in world.status["additional"]
    assert world.recorder.events.count(("Warning", "CreateFailed")) == 1


@pytest.mark.parametrize(("tags", "said"), REFUSED)
def test_tags_of_a_deployment_that_aws_refuses_are_shown_by_it(tags: list[dict[str, str]], said: str) -> None:
    """It waits for its children, which are refused; and while it serves, what it has is not changed."""
    world = HostingWorld()
    world.apply(hosting_world.manifest(tags=tags))
    world.run(60)
    assert said in str(world.status)
    assert world.sagemaker.hosting.left == []

    world = HostingWorld()
    world.apply(hosting_world.manifest())
    world.until(world.is_at_rest)
    world.cluster.edit(world.key, hosting_world.manifest(tags=tags)["spec"])
    world.run(60)
    assert world.condition("Tagged") == ("False", "TagsRefused")
    assert world.condition("Ready") == ("True", "InService")
    assert "AddTags" not in world.sagemaker.operations


@each_row(("tags", "said"), TAGS)
def test_tags_of_a_deployment_are_named(tags: list[dict[str, str]], said: str) -> None:
    """And of each child that it makes, as they have the same tags."""
    world = HostingWorld()
    world.apply(hosting_world.manifest(tags=tags))
    world.until(world.is_at_rest)

    there = [
        cluster.peek(key)
        for cluster in world.clusters.values()
        for key in cluster.keys()  # noqa: SIM118 (no mapping)
    ]
    messages = [message((each or {}).get("status") or {}) for each in there]
    assert len(messages) == 3
    assert all(said in each and bool(each) == bool(said) for each in messages)


def test_the_condition_goes_when_the_spec_is_corrected() -> None:
    """Tags of a job cannot be edited into another job; the condition follows the spec."""
    world = World()
    world.cluster.apply(manifest(hyperParameters=[{"name": "eta", "value": "1"}, {"name": "eta", "value": "2"}]))
    world.run(10)
    assert message(world.status) == "spec.hyperParameters has 'eta' 2 times: the last one counts"

    world.cluster.apply(manifest(trainingJobName=world.name, hyperParameters=[{"name": "eta", "value": "2"}]))
    world.run(10)

    assert world.condition("FieldsIgnored") is None


def test_a_value_is_not_shown() -> None:
    """It may be a secret; the name is enough to find it."""
    world = World()
    pair = {"name": "PASSWORD", "value": "fakeword"}
    world.cluster.apply(manifest(environment=[pair, pair]))
    world.run(10)

    assert message(world.status) == "spec.environment has 'PASSWORD' 2 times: the last one counts"
    assert "fakeword" not in str(world.recorder.messages)


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_list_that_becomes_a_map_is_looked_at(kind: KindDescriptor) -> None:
    """By the kind's fields: hyperparameters, environments, parameters of rules, and what AWS will add."""
    given: Any = [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}, {"name": "a", "value": "3"}]
    for pairs in [field for field in installed(kind).spec.walk() if field.form is Form.PAIRS]:
        *above, name = pairs.path.split(".")[1:]
        spec = {name: given}
        for segment in reversed(above):
            key = segment.removesuffix("[]")
            spec = {key: [spec] if segment.endswith("[]") else spec}

        found = list(repeated_names(kind, spec))

        assert found == [f"{pairs.path.replace('[]', '[0]')} has 'a' 2 times"]
        if kind.life_cycle is not LifeCycle.ENDPOINT:  # whose containers are in the requests of its children
            assert "'3'" in str(to_request(kind, spec, next(_sending(kind, pairs)))), pairs.path


def _sending(kind: KindDescriptor, field: Field) -> Iterator[str]:
    top = field.path.split(".")[1].removesuffix("[]")
    yield from next(each.sent_by for each in installed(kind).spec.fields if each.name == top)
