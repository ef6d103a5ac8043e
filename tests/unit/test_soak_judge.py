"""What the soak's judge makes of the order in which resources were created, changed and deleted at AWS."""

from typing import Any

import pytest

from api.meta import GROUP
from hack.sandbox.aws.call_log import Effect
from hack.sandbox.aws.hostile.kinds import FAULTS
from tests.sandbox.soak.disturbances import DRAWN
from tests.sandbox.soak.invariants import effects_complaints, last_creations, theirs
from tests.sandbox.soak.manifests import ADOPTABLE
from tests.sandbox.soak.registry import problem
from tests.sandbox.soak.scene import OPERATOR, Ledger
from tests.tables import each_row

ARN = "arn:aws:sagemaker:us-east-2:123456789012:"
TARGET = "endpoint/e/variant/v0"


def effect(at: float, operation: str, name: str, *, by_us: bool = True, uid: str = "") -> Effect:
    """A call that took effect, so many seconds after the start."""
    tags = {f"{GROUP}/uid": uid, f"{GROUP}/name": "x"} if uid else {}
    return Effect(at, operation, "1", "us-east-2", name, tags, f"Boto3 {OPERATOR}/1" if by_us else "Python-urllib")


def complaints(*effects: Effect, **deleted: float) -> list[str]:
    """What is wrong with them; `deleted` are the times at which the deletion of objects was asked for, by uid."""
    return effects_complaints(Ledger(started=0.0, deleted=dict(deleted)), effects)


def handed_over(resource: str, name: str = "n") -> list[Effect]:
    """We create, others delete and create."""
    return [
        effect(1, f"Create{resource}", name, uid="u"),
        effect(2, f"Delete{resource}", name, by_us=False),
        effect(3, f"Create{resource}", name, by_us=False),
    ]


@each_row(
    ("resource", "operation", "name"),
    [
        ("Endpoint", "UpdateEndpoint", "n"),
        ("Endpoint", "UpdateEndpointWeightsAndCapacities", "n"),
        ("Endpoint", "DeleteEndpoint", "n"),
        ("Endpoint", "AddTags", f"{ARN}endpoint/n"),
        ("EndpointConfig", "DeleteEndpointConfig", "n"),
        ("EndpointConfig", "DeleteTags", f"{ARN}endpoint-config/n"),
        ("Model", "DeleteModel", "n"),
        ("Model", "AddTags", f"{ARN}model/n"),
        ("TrainingJob", "StopTrainingJob", "n"),
        ("TrainingJob", "AddTags", f"{ARN}training-job/n"),
    ],
)
def test_what_others_have_created_under_our_name_is_never_changed(resource: str, operation: str, name: str) -> None:
    """Even where the object is being deleted. A call that was on its way then could not know."""
    before = handed_over(resource)
    assert not complaints(*before, u=0.0)
    assert not complaints(*before, effect(4, operation, name), u=0.0)
    (told,) = complaints(*before, effect(20, operation, name), u=0.0)
    assert "others had made it" in told
    assert not complaints(*before, effect(20, operation, name, by_us=False), u=0.0)


def test_what_others_delete_is_no_deletion_by_the_operator() -> None:
    """The object is wanted: the operator must not delete what it has made, others may."""
    made = effect(1, "CreateEndpoint", "n", uid="u")
    assert not complaints(made, effect(9, "DeleteEndpoint", "n", by_us=False))
    (told,) = complaints(made, effect(9, "DeleteEndpoint", "n"))
    assert "was wanted" in told


def test_a_name_is_theirs_until_it_is_ours_again() -> None:
    """By the last creation; what may be adopted never counts."""
    place = ("Model", "us-east-2", "n")
    assert theirs(handed_over("Model")) == {place}
    assert theirs([*handed_over("Model"), effect(9, "CreateModel", "n", uid="v")]) == set()
    assert theirs(handed_over("TrainingJob", ADOPTABLE)) == set()


def test_a_job_may_run_under_a_name_for_one_object_after_another_but_once_for_each() -> None:
    """Others can delete a job that has ended, and with that free its name."""
    first, again = effect(1, "CreateTrainingJob", "n", uid="u"), effect(9, "CreateTrainingJob", "n", uid="u")
    assert not complaints(first, effect(9, "CreateTrainingJob", "n", uid="v"))
    (told,) = complaints(first, again)
    assert "created 2 times" in told


@pytest.mark.parametrize("operation", ["RegisterScalableTarget", "DeregisterScalableTarget"])
def test_a_target_that_others_have_registered_again_is_theirs(operation: str) -> None:
    """Until its endpoint goes, and the target with it."""
    taken = [
        effect(1, "RegisterScalableTarget", TARGET),
        effect(2, "DeregisterScalableTarget", TARGET, by_us=False),
        effect(3, "RegisterScalableTarget", TARGET, by_us=False),
    ]
    (told,) = complaints(*taken, effect(20, operation, TARGET))
    assert "others had registered it" in told
    assert not complaints(*taken, effect(10, "DeleteEndpoint", "e", by_us=False), effect(20, operation, TARGET))
    bounds_only: list[Any] = [taken[0], taken[2], effect(20, operation, TARGET)]
    assert not complaints(*bounds_only), "bounds that others changed do not make the target theirs"


@pytest.mark.parametrize(
    ("found", "approval", "reasons", "what"),
    [
        ({"A": "1"}, "Approved", set(), ""),
        ({"A": "1", "B": "2"}, "Approved", set(), "['environment']"),
        ({}, "Rejected", set(), "['environment', 'approval']"),
        ({}, "Rejected", {"Drifted"}, ""),
    ],
)
def test_a_package_has_what_its_spec_asks_for_and_no_more(
    found: dict[str, str], approval: str, reasons: set[Any], what: str
) -> None:
    """Unless the object says that others have changed it."""
    container = {"image": "image", "environment": [{"name": "A", "value": "1"}]}
    spec = {"inferenceSpecification": {"containers": [container]}, "modelApprovalStatus": "Approved"}
    there = {"InferenceSpecification": {"Containers": [{"Environment": found}]}, "ModelApprovalStatus": approval}
    complaint = problem({"kind": "ModelPackage", "metadata": {}, "spec": spec}, there, reasons)
    assert what in complaint
    assert bool(what) == bool(complaint)


def test_a_soak_draws_every_fault_that_there_is() -> None:
    """But the one that no state excuses: what can never succeed is not tried again, and the judge would wait for it."""
    assert FAULTS.keys() - {"invalid"} == DRAWN


def test_what_is_there_is_of_the_last_object_that_had_the_name() -> None:
    """It may be retained, where that of the first was deleted."""
    first, last = effect(1, "CreateEndpoint", "n", uid="u"), effect(3, "CreateEndpoint", "n", uid="v")
    other = effect(2, "CreateEndpoint", "m", uid="w")
    deleted = effect(2, "DeleteEndpoint", "n")

    assert [each for each in last_creations([first, deleted, other, last]) if each.operation == "CreateEndpoint"] == [
        last,
        other,
    ]
