"""Crashes of the operator at every effect in the life of an autoscaling policy (D-25)."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from api.annotations import DRIFT_POLICY, PAUSED, RECONCILE_AT
from api.meta import ObjectKey
from api.v1 import HOSTING_AUTOSCALING_POLICY
from controller.aws.errors import AwsError, CallError
from controller.runtime.errors import ErrorClass
from tests.fakes.turns import limited
from tests.faults.scaling_world import KEY, A, B, C, ScalingWorld, adopting, manifest

DEPLOYMENT = ObjectKey("default", "e")


def life(world: ScalingWorld) -> None:
    """Two variants; another list and other bounds; deleted. Somebody else's target is put back."""
    world.aws.bounds[C] = 9
    world.cluster.apply(adopting(manifest("ab")))
    world.run(900, step_s=30)
    assert world.aws.bounds == {A: 4, B: 4, C: 9}
    assert world.aws.put == {(A, "busy"), (B, "busy")}
    world.edit(manifest("bc", 6))
    world.run(900, step_s=30)
    assert world.aws.bounds == {B: 6, C: 6}
    assert world.aws.put == {(B, "busy"), (C, "busy")}
    obj = world.cluster.get(KEY)
    assert obj is not None
    assert obj["status"]["resourceIDList"] == [B, C]
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert world.cluster.get(KEY) is None
    assert world.aws.put == set()
    assert world.aws.bounds == {C: 9}, "it was there before us, with these bounds"


def test_a_crash_at_any_effect_leaves_nothing_half_applied(subtests: pytest.Subtests) -> None:
    """Whatever was applied is known, and in the end there is what the spec says, or nothing."""
    undisturbed = ScalingWorld()
    life(undisturbed)
    for point in undisturbed.crash.points():
        with subtests.test(str(point)):
            world = ScalingWorld()
            world.crash.die_at(point)
            life(world)
            assert world.crashes == 1


def test_an_object_that_has_applied_nothing_removes_nothing() -> None:
    """Deleted before its first status: a policy of its name on its variant is somebody else's."""
    world = ScalingWorld()
    world.aws.bounds[A] = 9
    world.aws.put.add((A, "busy"))
    obj = copy.deepcopy(manifest("a"))
    obj["metadata"]["finalizers"] = ["sagemaker-operator-finalizer"]
    world.cluster.apply(obj)
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert world.cluster.get(KEY) is None
    assert world.aws.put == {(A, "busy")}


def test_a_policy_that_somebody_else_has_put_there_is_left_alone() -> None:
    """D-03: PutScalingPolicy would overwrite it without a word, and the deletion of the object would remove it."""
    world = ScalingWorld()
    world.aws.bounds[A] = 9
    world.aws.put.add((A, "busy"))
    world.cluster.apply(manifest("ab"))
    world.run(900, step_s=30)
    seen = world.cluster.get(KEY) or {}
    assert seen["status"]["hostingAutoscalingPolicyStatus"] == "Error"
    assert "An owner outside of this cluster has put a policy named busy" in seen["status"]["additional"]
    assert (world.aws.bounds, world.aws.put) == ({A: 9}, {(A, "busy")})
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert world.cluster.get(KEY) is None
    assert (world.aws.bounds, world.aws.put) == ({A: 9}, {(A, "busy")})


def test_a_policy_that_is_there_is_taken_over_where_that_is_asked_for() -> None:
    """modern-expectations.md 4: adoption-policy; its target was there before, and stays."""
    world = ScalingWorld()
    world.aws.bounds[A] = 9
    world.aws.put.add((A, "busy"))
    obj = manifest("a")
    obj["metadata"]["annotations"] = {"sagemaker.aws.amazon.com/adoption-policy": "adopt"}
    world.cluster.apply(obj)
    world.run(900, step_s=30)
    status = (world.cluster.get(KEY) or {})["status"]
    assert status["hostingAutoscalingPolicyStatus"] == "Created"
    assert "AnnotationIgnored" not in {each["type"] for each in status["conditions"]}
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert (set(world.aws.bounds), world.aws.put) == ({A}, set())


@pytest.mark.parametrize("is_paused_first", [False, True])
def test_what_the_predecessor_has_put_there_is_ours(*, is_paused_first: bool) -> None:
    """modern-expectations.md 10: its objects name a policy and record no identity, also under our conditions."""
    world = ScalingWorld()
    world.aws.bounds[A] = 4
    world.aws.put.add((A, "busy"))
    obj = manifest("a")
    obj["status"] = {"hostingAutoscalingPolicyStatus": "Created", "policyName": "busy"}
    if is_paused_first:
        world.cluster.apply({**obj, "metadata": {**obj["metadata"], "annotations": {PAUSED.key: "true"}}})
        world.run(900, step_s=30)
    world.cluster.apply(obj)
    world.run(900, step_s=30)
    assert (world.cluster.get(KEY) or {})["status"]["resourceIDList"] == [A]
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert world.aws.put == set()


@pytest.mark.parametrize("leaves", ["deleted", "edited"])
def test_a_target_that_was_there_before_the_first_policy_outlives_the_last(leaves: str) -> None:
    """Two policies on one variant of somebody else's: the second one knows from the first whose the target is."""
    world = ScalingWorld()
    world.aws.bounds[A] = 9
    world.cluster.apply(adopting(manifest("a")))
    world.run(900, step_s=30)
    second = manifest("a", name="second")
    second["spec"]["policyName"] = "idle"
    world.cluster.apply(second)
    world.run(900, step_s=30)
    assert world.aws.put == {(A, "busy"), (A, "idle")}
    if leaves == "deleted":
        world.cluster.delete(KEY)
    else:
        world.edit(manifest("b"))
    world.run(900, step_s=30)
    world.cluster.delete(ObjectKey("default", "second"))
    world.run(900, step_s=30)
    assert world.aws.bounds[A] == 9


@pytest.mark.parametrize("edited", ["ab", "bd"])
def test_what_was_applied_is_still_ours_where_the_status_is_emptied(edited: str) -> None:
    """Whoever clears it by hand does not turn our policy into somebody else's (D-03, D-25)."""
    world = ScalingWorld()
    world.aws.bounds[B] = 9
    world.cluster.apply(adopting(manifest("ab")))
    world.run(900, step_s=30)
    world.cluster.lose_status(KEY)
    world.edit(manifest(edited, 6))
    world.run(900, step_s=30)
    assert (world.cluster.get(KEY) or {})["status"]["hostingAutoscalingPolicyStatus"] == "Created"
    assert world.aws.put == {(f"endpoint/e/variant/{variant}", "busy") for variant in edited}
    world.cluster.lose_status(KEY)
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert world.cluster.get(KEY) is None
    assert (world.aws.put, world.aws.bounds) == (set(), {B: 9})


def test_what_was_taken_off_the_list_is_ours_no_more_where_the_status_is_emptied() -> None:
    """D-03: somebody else may have put a policy there since."""
    world = ScalingWorld()
    world.cluster.apply(manifest("ab"))
    world.run(900, step_s=30)
    world.edit(manifest("b"))
    world.run(900, step_s=30)
    world.aws.put.add((A, "busy"))
    world.cluster.lose_status(KEY)
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert world.aws.put == {(A, "busy")}


def test_a_copy_of_an_object_has_applied_nothing() -> None:
    """Annotations are copied with an object; its uid is not."""
    world = ScalingWorld()
    world.cluster.apply(manifest("a"))
    world.run(900, step_s=30)
    annotations = (world.cluster.get(KEY) or {})["metadata"]["annotations"]
    world.cluster.remove(KEY)
    copied = manifest("a")
    copied["metadata"]["annotations"] = annotations
    world.cluster.apply(copied)
    world.run(900, step_s=30)
    assert (world.cluster.get(KEY) or {})["status"]["hostingAutoscalingPolicyStatus"] == "Error"
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert world.aws.put == {(A, "busy")}


def test_it_is_a_kind_with_a_name_for_all() -> None:
    """v1-kinds.md 4.1: the constant name is written into the spec, and kept there."""
    world = ScalingWorld()
    obj = manifest("a")
    del obj["spec"]["policyName"]
    world.cluster.apply(obj)
    world.run(900, step_s=30)
    seen = world.cluster.get(KEY)
    assert seen is not None
    assert seen["spec"]["policyName"] == HOSTING_AUTOSCALING_POLICY.name.constant
    assert seen["status"]["policyName"] == HOSTING_AUTOSCALING_POLICY.name.constant


def test_what_was_refused_before_the_deployment_came_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Applied in the wrong order: the pause after AWS's refusal ends with what it was about."""
    world = ScalingWorld()

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise AwsError(ErrorClass.QUOTA, "ValidationException", "SageMaker endpoint doesn't exist")

    monkeypatch.setattr(world.aws, "register", refuse)
    world.cluster.apply(manifest("a"))
    for _ in range(3):
        world.reconciler.reconcile(KEY)
    assert (world.cluster.get(KEY) or {})["status"]["hostingAutoscalingPolicyStatus"] == "Error"
    deployment = {"metadata": {"namespace": "default", "name": "e"}, "spec": {}}
    world.deployments.apply({**deployment, "status": {"endpointStatus": "Creating"}})
    world.reconciler.reconcile(KEY)
    conditions = {each["type"]: each for each in (world.cluster.get(KEY) or {})["status"]["conditions"]}
    assert conditions["Reconciling"]["message"] == "HostingDeployment e is Creating"
    monkeypatch.undo()
    world.deployments.remove(DEPLOYMENT)
    world.deployments.apply({**deployment, "status": {"endpointStatus": "InService", "endpointName": "e"}})
    for _ in range(3):
        world.reconciler.reconcile(KEY)
    assert (world.cluster.get(KEY) or {})["status"]["hostingAutoscalingPolicyStatus"] == "Created"


def test_more_variants_than_calls_go_out_at_once_are_all_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 4.6: a throttled call waits its turn; calls that went out are not made again, or none were the last."""
    world, calls = ScalingWorld(), 0

    def budgeted(act: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any, **kwargs: Any) -> None:
            nonlocal calls
            calls += 1
            if calls % 3 == 0:
                raise AwsError(ErrorClass.THROTTLED, "BudgetExhausted", "waits for its turn", retry_after_s=1.0)
            act(*args, **kwargs)

        return call

    for name in ("register", "put_policy", "delete_policy", "deregister"):
        monkeypatch.setattr(world.aws, name, budgeted(getattr(world.aws, name)))
    variants = "abdefg"
    world.cluster.apply(manifest(variants))
    world.run(900, step_s=30)
    assert len(world.aws.put) == len(variants)
    world.cluster.delete(KEY)
    world.run(900, step_s=30)
    assert (world.aws.put, world.aws.bounds, world.cluster.get(KEY)) == (set(), {}, None)


def test_a_correction_that_has_to_wait_its_turn_comes_when_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 4.6: the pause between corrections is for those that were made, and were undone by somebody."""
    world = ScalingWorld()
    world.cluster.apply(manifest("a"))
    world.run(900, step_s=30)
    put_policy, calls = world.aws.put_policy, 0

    def throttled_once(*args: Any, **kwargs: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise AwsError(ErrorClass.THROTTLED, "BudgetExhausted", "waits for its turn", retry_after_s=1.0)
        put_policy(*args, **kwargs)

    monkeypatch.setattr(world.aws, "put_policy", throttled_once)
    world.aws.requests.clear()  # others have put another policy of this name
    obj = world.cluster.get(KEY) or {}
    obj["metadata"]["annotations"] |= {DRIFT_POLICY.key: "correct", RECONCILE_AT.key: "now"}
    world.cluster.apply(obj)
    world.reconciler.reconcile(KEY)
    with pytest.raises(CallError):
        world.reconciler.reconcile(KEY)
    world.clock.advance(1.0)
    world.reconciler.reconcile(KEY)
    assert calls == 2


def test_one_call_of_each_operation_in_a_pass_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 4.6: where an account allows no more, an edit is applied, and what it leaves is removed."""
    world = ScalingWorld()
    operations = ("register", "put_policy", "delete_policy", "deregister", "policies", "targets")
    limited(world, world.aws, operations, monkeypatch)
    world.cluster.apply(manifest("ab"))
    world.run(120)
    assert world.value == "Created"
    assert {each for each, _ in world.aws.put} == {A, B}
    world.edit(manifest("bc"))
    world.run(120)
    assert world.value == "Created"
    assert {each for each, _ in world.aws.put} == {B, C}
    calls = len(world.sagemaker.calls)
    world.run(300)
    assert len(world.sagemaker.calls) == calls
    world.cluster.delete(KEY)
    world.run(120)
    assert (world.aws.put, world.aws.bounds, world.cluster.get(KEY)) == (set(), {}, None)


@pytest.mark.parametrize("error_class", [ErrorClass.INVALID, ErrorClass.REFUSED])
def test_a_policy_that_aws_has_never_accepted_can_be_deleted(error_class: ErrorClass) -> None:
    """AWS refuses to remove a scalable dimension that it does not know, in the same words as to register it."""
    world = ScalingWorld()
    refused = AwsError(error_class, "ValidationException", "Unsupported service namespace, resource type or dimension")
    changing = ("RegisterScalableTarget", "DeleteScalingPolicy", "DeregisterScalableTarget")
    world.aws.always = lambda operation: refused if operation in changing else None
    world.cluster.apply(manifest("ab"))
    world.run(60)
    world.cluster.delete(KEY)
    world.run(60)
    assert world.cluster.get(KEY) is None


def test_a_refusal_to_remove_what_was_applied_keeps_the_object() -> None:
    """It is at AWS, described or not."""
    world = ScalingWorld()
    world.cluster.apply(manifest("ab"))
    world.run(60)
    refused = AwsError(ErrorClass.REFUSED, "ValidationException", "the endpoint is being updated")
    world.aws.always = lambda operation: refused if operation == "DeregisterScalableTarget" else None
    world.cluster.delete(KEY)
    world.run(60)
    assert world.cluster.get(KEY) is not None
