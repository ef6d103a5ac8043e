"""Tags on what is there already: when they are put on and taken off; while nothing changes, nothing is asked."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.annotations import ADOPTION_POLICY, RECONCILE_AT
from api.meta import GROUP, ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.errors import AwsError
from controller.aws.ownership_tags import OwnerTags
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.managed.aws_identity import wanted_tags as tagging
from controller.reconcile.status.patch import recorded_in, resource_fields
from controller.reconcile.tags.decide import after, step
from controller.runtime.errors import ABSENT, ErrorClass
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults import hosting_world
from tests.faults.hosting_world import HostingWorld
from tests.tables import each_row

ARN = "arn:aws:sagemaker:us-east-2:123456789012:training-job/job"
OWNER = OwnerTags("cluster-1", "TrainingJob", ObjectKey("default", "a"), "uid-1", "test/1")
RECORDED = o.Recorded("job", "us-east-2", "aws", ARN, tags="new", tag_keys=("team",))
WANTED = o.Tagging("new", ("team",), frozenset({"team", f"{GROUP}/uid"}))
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized to perform sagemaker:AddTags")


def seen(**changes: Any) -> o.Observed:
    """An object whose resource is tagged as it wants."""
    base = o.Observed(
        descriptor=TRAINING_JOB,
        name="job",
        is_name_generated=True,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=datetime(2030, 1, 1, tzinfo=UTC),
        recorded=RECORDED,
        is_recorded_in_status=True,
        tags=WANTED,
    )
    return replace(base, **changes)


def noted(digest: str, *keys: str, **changes: Any) -> o.Recorded:
    """A record that notes these tags."""
    return replace(RECORDED, tags=digest, tag_keys=keys, **changes)


OWED = noted("")


@each_row(
    ("state", "expected"),
    [
        pytest.param(seen(), None, id="as wanted"),
        pytest.param(seen(recorded=OWED), s.PutTags(), id="nothing is noted: adopted, or the predecessor's"),
        pytest.param(seen(recorded=noted("old", "team")), s.PutTags(), id="another value"),
        pytest.param(seen(recorded=noted("old", "team", "gone")), s.PutTags(), id="a key vanished: put first"),
        pytest.param(seen(recorded=noted("new", "gone", "team")), s.DropTags(("gone",)), id="then take off"),
        pytest.param(seen(recorded=noted("new", f"{GROUP}/uid")), None, id="a key that the operator's tags have stays"),
        pytest.param(seen(recorded=noted("", "team"), tags=o.Tagging()), s.DropTags(("team",)), id="nothing wanted"),
        pytest.param(seen(recorded=noted("x"), tags=o.Tagging()), None, id="nothing wanted, nothing put"),
        pytest.param(seen(recorded=None), None, id="no resource"),
        pytest.param(seen(recorded=noted("", arn="")), None, id="a resource that nobody has seen"),
        pytest.param(seen(recorded=OWED, is_recorded_in_status=False), None, id="recorded first"),
        pytest.param(seen(recorded=OWED, external=ABSENT), None, id="gone"),
        pytest.param(seen(recorded=OWED, is_ended=True), None, id="a job that has ended"),
        pytest.param(seen(recorded=OWED, is_spawned=True), None, id="launched by a tuning job, whose tags it has"),
        pytest.param(seen(recorded=OWED, policy=o.Policy(read_only=True)), None, id="read-only"),
        pytest.param(seen(recorded=OWED, are_tags_held=True), None, id="refused lately"),
        pytest.param(seen(recorded=OWED, hold_s=9.0), None, id="AWS refuses everything"),
    ],
)
def test_each_state_has_one_answer(state: o.Observed, expected: object) -> None:
    """Put first, then take off what the spec does not have any more, a call each; and rest."""
    assert step(state) == expected


def test_the_steps_end() -> None:
    """From any note to the wanted one, in at most two calls."""
    state = seen(recorded=noted("old", "gone", "team"))
    for expected in (s.PutTags(), s.DropTags(("gone",))):
        todo = step(state)
        assert todo == expected
        assert state.recorded is not None
        assert todo is not None
        state = replace(state, recorded=after(state.recorded, state.tags, todo))
    assert (step(state), state.recorded) == (None, RECORDED)


def test_the_note_survives_the_status() -> None:
    """A restart asks AWS nothing."""
    assert recorded_in({"awsResource": resource_fields(RECORDED)}) == RECORDED


@each_row(
    ("changed", "is_news"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"owner": replace(OWNER, manager="test/2")}, False, id="another version of the operator"),
        pytest.param({"defaults": {"cost-center": "2"}}, False, id="another --resource-tags"),
        pytest.param({"user": [{"Key": "team", "Value": "b"}]}, True, id="another value"),
        pytest.param({"user": []}, True, id="a tag less"),
        pytest.param({"owner": replace(OWNER, uid="uid-2")}, False, id="restored from a backup, maybe as a trial"),
        pytest.param({"owner": None}, True, id="--ownership-tags=false"),
    ],
)
def test_only_what_is_worth_a_call_counts_as_a_change(changed: dict[str, Any], is_news: bool) -> None:
    """An upgrade of the operator must not tag ten thousand endpoints anew."""
    known: dict[str, Any] = {"owner": OWNER, "user": [{"Key": "team", "Value": "a"}], "defaults": {"cost-center": "1"}}
    assert (tagging(**known)[1].digest != tagging(**{**known, **changed})[1].digest) is is_news


def test_users_cannot_note_the_operators_keys_as_theirs() -> None:
    """They would be taken off with the spec's, and the proof of ownership with them."""
    tags, note = tagging(OWNER, [{"Key": f"{GROUP}/uid", "Value": "x"}, {"Key": "team", "Value": "a"}], {})
    assert note.keys == ("team",)
    assert {"Key": f"{GROUP}/uid", "Value": "uid-1"} in tags


def test_all_of_the_users_tags_are_noted_as_put() -> None:
    """AWS allows 50. What is left out, the operator's, is not there to be taken off, nor asked for in every pass."""
    user = [{"Key": f"t{number:02}", "Value": "a"} for number in range(50)]
    tags, note = tagging(OWNER, user, {})
    assert tags == user
    assert note.keys == tuple(f"t{number:02}" for number in range(50))
    assert step(seen(recorded=noted(note.digest, *note.keys), tags=note)) is None


def test_without_any_tags_nothing_is_noted() -> None:
    """An account that forbids extra tags, and a spec without."""
    assert tagging(None, [], {}) == ([], o.Tagging())


def test_objects_with_the_same_tags_share_the_set_of_their_keys() -> None:
    """It is what is largest of what is kept of each object."""
    _, here = tagging(OWNER, [{"Key": "team", "Value": "a"}], {})
    _, there = tagging(replace(OWNER, uid="uid-2"), [{"Key": "team", "Value": "b"}], {})
    assert here.all_keys is there.all_keys


# --- jobs: adopted, and the predecessor's


def adopted(**spec: object) -> World:
    """An object that has adopted somebody's job."""
    world = World()
    world.aws.existing("my-job", Tags=[{"Key": "theirs", "Value": "1"}])
    obj = manifest(trainingJobName="my-job", **spec)
    obj["metadata"]["annotations"] = {ADOPTION_POLICY.key: "adopt-or-create"}
    world.cluster.apply(obj)
    return world


def test_what_is_adopted_is_tagged_once_after_it_is_recorded() -> None:
    """modern-expectations.md 4; a crash in between leaves a record, and no tags that nobody knows of."""
    world = adopted(tags=[{"key": "team", "value": "a"}])
    world.run(30)
    tags = world.aws.jobs["us-east-2", "my-job"].tags
    assert (tags["theirs"], tags["team"], tags[f"{GROUP}/uid"]) == ("1", "a", world.obj["metadata"]["uid"])
    operations = [operation for operation, _ in world.aws.calls]
    assert (operations.count("add tags"), operations.count("tags")) == (1, 1)
    written = [write for write in world.cluster.writes if "awsResource" in write.get("status", {})]
    # what is there, then that tags may be there, and that they are
    assert ["arn" in write["status"]["awsResource"] for write in written] == [True, False, False]
    world.restart()
    world.run(600, step_s=5)
    assert world.aws.count("add tags") == 1
    assert world.errors == []


def test_what_is_created_carries_its_tags_from_the_start() -> None:
    """No call besides the Create, ever."""
    world = World()
    world.cluster.apply(manifest(tags=[{"key": "team", "value": "a"}]))
    world.run(60)
    world.restart()
    world.run(60)
    assert world.aws.count("add tags") == 0


def test_the_predecessors_job_is_tagged_when_it_is_taken_over() -> None:
    """modern-expectations.md 10: accepted as own, then tagged."""
    world = World()
    world.aws.existing("old-job")
    obj = manifest(trainingJobName="old-job")
    obj["status"] = {"trainingJobStatus": "InProgress", "sageMakerTrainingJobName": "old-job"}
    world.cluster.apply(obj)
    world.run(60)
    assert world.aws.jobs["us-east-2", "old-job"].tags[f"{GROUP}/uid"] == world.obj["metadata"]["uid"]
    assert world.aws.count("add tags") == 1


def test_denied_tags_are_told_and_the_adoption_stands() -> None:
    """Not retried in a loop: an hour later, or when the object changes."""
    world = adopted()
    world.aws.always = lambda operation: DENIED if operation == "add tags" else None
    world.run(1800, step_s=5)
    assert world.value == "InProgress"
    assert world.condition("Tagged") == ("False", "AccessDenied")
    assert world.condition("Synced") == ("True", "Synced")
    assert world.recorder.events.count(("Warning", "TagsRefused")) == 1
    assert world.aws.count("add tags") == 1
    world.aws.move("my-job", "InProgress", "Training")
    world.run(30)
    assert world.status["secondaryStatus"] == "Training"
    world.run(3600, step_s=30)
    assert world.aws.count("add tags") == 2
    world.aws.always = lambda operation: None
    obj = manifest(trainingJobName="my-job")
    obj["metadata"]["annotations"] = {ADOPTION_POLICY.key: "adopt", RECONCILE_AT.key: "now"}
    world.cluster.apply(obj)
    world.run(30)
    assert world.condition("Tagged") is None
    assert world.aws.jobs["us-east-2", "my-job"].tags[f"{GROUP}/uid"]
    assert world.errors == []


def test_tags_that_fail_for_a_moment_are_put_a_moment_later() -> None:
    """A broken connection is no refusal."""
    world = adopted()
    world.aws.fail("add tags", AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True), after=True)
    world.run(60)
    assert world.condition("Tagged") is None
    assert world.aws.count("add tags") == 2
    assert world.status["awsResource"]["tagsDigest"]


def test_deletion_does_not_tag() -> None:
    """What goes needs no owner."""
    world = adopted()
    world.aws.always = lambda operation: DENIED if operation == "add tags" else None
    world.run(30)
    world.cluster.delete(KEY)
    world.aws.always = lambda operation: None
    world.run(30)
    world.aws.move("my-job", "Stopped")
    world.run(30)
    assert world.cluster.get(KEY) is None
    assert world.aws.count("add tags") == 1


# --- deployments: edited


def tagged(**tags: str) -> dict[str, Any]:
    """A deployment with tags."""
    return hosting_world.manifest(tags=[{"key": key, "value": value} for key, value in tags.items()])


def user_tags(world: HostingWorld) -> list[dict[str, str]]:
    """Tags of endpoint, configuration and model, without the operator's."""
    there = [*(each.request for each in world.aws.endpoints.values()), *world.aws.configs.values()]
    return [
        {tag["Key"]: tag["Value"] for tag in request["Tags"] if not tag["Key"].startswith(GROUP)}
        for request in [*there, *world.aws.models.values()]
    ]


def test_an_edit_of_tags_reaches_all_that_a_deployment_has_made_and_makes_nothing_new() -> None:
    """D-13: tags are no content; what others have put there stays."""
    world = HostingWorld()
    world.apply(tagged(team="a", stage="test"))
    world.until(world.is_at_rest)
    there = world.aws.left
    (endpoint,) = world.aws.endpoints.values()
    endpoint.request["Tags"] = [*endpoint.request["Tags"], {"Key": "theirs", "Value": "1"}]
    world.sagemaker.calls.clear()
    world.apply(tagged(team="b"))
    world.run(60)
    assert user_tags(world) == [{"team": "b", "theirs": "1"}, {"team": "b"}, {"team": "b"}]
    assert world.aws.left == there
    changes = [call for call in world.sagemaker.operations if not call.startswith(("Describe", "List"))]
    assert sorted(changes) == ["AddTags"] * 3 + ["DeleteTags"] * 3
    world.sagemaker.calls.clear()
    world.restart()
    world.run(200)
    assert {call for call in world.sagemaker.operations if not call.startswith(("Describe", "List"))} == set()
    assert world.is_at_rest()


@each_row("tags", ["team", {"team": "a"}, ["team"], [{"value": "a"}], [None]], ids=str)
def test_tags_of_no_shape_are_refused_in_words(tags: object) -> None:
    """Where no schema is in force, a spec may hold anything: it must not stop the pass."""
    world = World()
    world.cluster.apply(manifest(tags=tags))
    world.run(10)
    assert world.condition("Stalled") == ("True", "InvalidSpec") or world.value == "InProgress"
