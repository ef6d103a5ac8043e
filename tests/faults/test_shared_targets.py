"""Scalable targets and policies that others have put on a variant: never overwritten without adoption, and put back."""

import copy
import json
from collections.abc import Callable

import pytest

from api.annotations import ADOPTION_POLICY, CLAIMED_VARIANTS, FOUND_TARGETS, RECONCILE_AT
from api.meta import JsonObject, ObjectKey
from tests.faults.scaling_world import KEY, A, B, ScalingWorld, adopting, manifest
from tests.tables import each_row

SECOND = ObjectKey("default", "second")
CHANGES = {"RegisterScalableTarget", "PutScalingPolicy", "DeleteScalingPolicy", "DeregisterScalableTarget"}


def changes(world: ScalingWorld) -> list[str]:
    """The operations that changed something, so far."""
    return [each for each in world.sagemaker.operations if each in CHANGES]


def status(world: ScalingWorld, key: ObjectKey = KEY) -> tuple[str, str]:
    """The v1 status of a policy, and what it says."""
    shown = (world.cluster.get(key) or {})["status"]
    return shown["hostingAutoscalingPolicyStatus"], shown.get("additional", "")


def applied(world: ScalingWorld, obj: JsonObject) -> None:
    """`kubectl apply`, and time for it."""
    world.cluster.apply(obj)
    world.run(900, step_s=30)


def annotated(world: ScalingWorld, change: Callable[[dict[str, str]], None]) -> None:
    """`kubectl annotate`, and time for it."""
    obj = copy.deepcopy(world.cluster.get(KEY)) or {}
    change(obj["metadata"].setdefault("annotations", {}))
    applied(world, obj)


def named(name: str, maximum: int = 4) -> JsonObject:
    """A second policy on the first variant."""
    obj = manifest("a", maximum, name="second")
    obj["spec"]["policyName"] = name
    return obj


def deleted(world: ScalingWorld, key: ObjectKey = KEY) -> None:
    """`kubectl delete`, and time for it."""
    world.cluster.delete(key)
    world.run(900, step_s=30)
    assert world.cluster.get(key) is None


# --- targets that were there before


def test_a_target_of_others_with_other_bounds_is_not_overwritten() -> None:
    """It says what to do, and neither the object nor its deletion changes anything."""
    world = ScalingWorld()
    world.aws.bounds[A] = 9
    applied(world, manifest("ab"))
    value, message = status(world)
    assert value == "Error"
    assert "has registered endpoint/e/variant/a as a scalable target with a capacity of 1 to 9" in message
    assert "adoption-policy=adopt" in message
    assert ("Warning", "AlreadyExists") in world.recorder.events
    deleted(world)
    assert changes(world) == []


def test_a_target_of_others_with_the_same_bounds_is_shared() -> None:
    """Nothing is overwritten: the policy is put on it, and the target outlives the object."""
    world = ScalingWorld()
    world.aws.bounds[A] = 4
    applied(world, manifest("a"))
    assert status(world)[0] == "Created"
    deleted(world)
    assert changes(world) == ["PutScalingPolicy", "DeleteScalingPolicy"]
    assert world.aws.bounds == {A: 4}


def test_an_edit_does_not_change_the_bounds_of_a_shared_target() -> None:
    """The target is still that of others: the edit needs adoption, which may also be asked for later."""
    world = ScalingWorld()
    world.aws.bounds[A] = 4
    applied(world, manifest("a"))
    world.edit(manifest("a", 6))
    world.run(900, step_s=30)
    assert status(world)[0] == "Error"
    assert world.aws.bounds == {A: 4}
    annotated(world, lambda each: each.update({ADOPTION_POLICY.key: "adopt"}))
    assert status(world)[0] == "Created"
    assert world.aws.bounds == {A: 6}
    deleted(world)
    assert world.aws.bounds == {A: 4}, "put back"


@pytest.mark.parametrize("leaves", ["is deleted", "leaves the list"])
def test_an_adopted_target_is_put_back_when_it_is_released(leaves: str) -> None:
    """With its bounds, which were not the spec's."""
    world = ScalingWorld()
    world.aws.bounds[A], world.aws.least[A] = 9, 2
    applied(world, adopting(manifest("ab")))
    assert world.aws.bounds == {A: 4, B: 4}
    if leaves == "is deleted":
        deleted(world)
        assert world.aws.bounds == {A: 9}
    else:
        world.edit(manifest("b"))
        world.run(900, step_s=30)
        assert world.aws.bounds == {A: 9, B: 4}
    assert world.aws.least[A] == 2


def test_an_edit_that_was_not_applied_yet_does_not_keep_a_target_from_being_put_back() -> None:
    """What was applied last is not what the spec says."""
    world = ScalingWorld()
    world.aws.bounds[A] = 9
    applied(world, adopting(manifest("a")))
    world.edit(manifest("a", 6))
    deleted(world)
    assert world.aws.bounds == {A: 9}


def test_an_adopted_target_is_put_back_by_the_last_policy_on_it() -> None:
    """The second one knows from the first what it was."""
    world = ScalingWorld()
    world.aws.bounds[A] = 9
    applied(world, adopting(manifest("a")))
    applied(world, named("idle", maximum=7))
    deleted(world)
    assert world.aws.bounds == {A: 7}
    deleted(world, SECOND)
    assert world.aws.bounds == {A: 9}


def test_what_an_earlier_version_has_noted_is_neither_removed_nor_put_back() -> None:
    """Its list of targets names no bounds, its list of claims no times."""
    world = ScalingWorld()
    applied(world, manifest("a"))
    uid = (world.cluster.get(KEY) or {})["metadata"]["uid"]
    old = {CLAIMED_VARIANTS.key: json.dumps({uid: [A]}), FOUND_TARGETS.key: json.dumps([A])}
    annotated(world, lambda each: each.update(old))
    world.restart()
    deleted(world)
    assert (world.aws.put, world.aws.bounds) == (set(), {A: 4})


# --- two policies of ours


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
def test_a_policy_that_is_refused_leaves_the_bounds_of_another_one(*, restarts: bool) -> None:
    """AWS refuses a second target tracking policy on a metric only when it is put."""
    world = ScalingWorld()
    applied(world, manifest("a"))
    world.aws.refused.add("idle")
    applied(world, named("idle", maximum=17))
    if restarts:
        world.restart()
        world.run(3600, step_s=60)
    assert status(world, SECOND)[0] == "Error"
    assert world.aws.bounds == {A: 4}
    deleted(world, SECOND)
    assert (world.aws.bounds, world.aws.put) == ({A: 4}, {(A, "busy")})


def test_a_policy_that_is_accepted_sets_its_bounds() -> None:
    """As before: the last one applied."""
    world = ScalingWorld()
    applied(world, manifest("a"))
    applied(world, named("idle", maximum=17))
    assert world.aws.bounds == {A: 17}


# --- names that change hands


def is_deleted(world: ScalingWorld) -> None:
    """`kubectl delete`."""
    deleted(world)


def is_edited(world: ScalingWorld) -> None:
    """Other bounds."""
    world.edit(manifest("a", 6))
    world.run(900, step_s=30)


def leaves_the_list(world: ScalingWorld) -> None:
    """Another variant."""
    world.edit(manifest("b"))
    world.run(900, step_s=30)


def is_asked_for(world: ScalingWorld) -> None:
    """A look."""
    annotated(world, lambda each: each.update({RECONCILE_AT.key: "now"}))


ACTS = [is_deleted, is_edited, leaves_the_list, is_asked_for]


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "is restarted"])
@each_row("act", ACTS, ids=lambda each: each.__name__)
def test_a_policy_and_target_that_others_have_put_in_place_of_ours_are_left_alone(
    act: Callable[[ScalingWorld], None], *, restarts: bool
) -> None:
    """As after others have deleted the endpoint and created their own: AWS dates them otherwise."""
    world = ScalingWorld()
    applied(world, manifest("a"))
    world.clock.advance(3600)
    world.aws.others_register(A, 9)
    world.aws.others_put(A, "busy")
    done = len(world.sagemaker.calls)
    if restarts:
        world.restart()
    act(world)
    touched = [call for call in world.sagemaker.calls[done:] if call.operation in CHANGES and call.what == A]
    assert touched == []
    if act in {is_edited, is_asked_for}:
        assert status(world)[0] == "Error"
        assert "has put a policy named busy" in status(world)[1]
        deleted(world)
    assert (world.aws.bounds[A], (A, "busy") in world.aws.put) == (9, True)


def test_a_target_alone_that_others_have_put_in_place_of_ours_is_left_alone() -> None:
    """Its bounds are theirs; our policy is taken off it."""
    world = ScalingWorld()
    applied(world, manifest("a"))
    world.clock.advance(3600)
    world.aws.others_register(A, 9)
    world.edit(manifest("a", 6))
    world.run(900, step_s=30)
    assert status(world)[0] == "Error"
    deleted(world)
    assert (world.aws.bounds, world.aws.put) == ({A: 9}, set())


def test_what_was_removed_and_put_again_by_the_operator_is_its_own() -> None:
    """The note of the old time is dropped before the new one is put, so that a crash in between loses nothing."""
    world = ScalingWorld()
    applied(world, manifest("a"))
    world.aws.put.clear()
    del world.aws.created[A, "busy"]
    annotated(world, lambda each: each.update({RECONCILE_AT.key: "now"}))
    assert world.aws.put == {(A, "busy")}
    deleted(world)
    assert (world.aws.bounds, world.aws.put) == ({}, set())


def test_a_policy_costs_six_looks_however_many_variants_it_has() -> None:
    """Two before they are claimed, two before anything is put there, two after that; two more ten minutes later, as no
    deployment of the cluster shows whether the endpoint was made again.
    """
    world = ScalingWorld()
    applied(world, manifest("abdefg"))
    looks = [each for each in world.sagemaker.operations if each not in CHANGES]
    assert len(looks) == 6 + 2
    assert len(changes(world)) == 12
