"""Notes in annotations that others have written: whatever they are, they count as absent, and no pass fails."""

from typing import Final

import pytest

from api.annotations import AWS_RESOURCE, CLAIMED_VARIANTS, CREATED_NAMES, FOUND_TARGETS, LAST_UPDATE_ATTEMPT
from api.meta import JsonObject
from controller.reconcile.endpoint import last_update
from controller.reconcile.endpoint.observation import LastUpdate
from controller.reconcile.mutable.compared import attempt
from controller.reconcile.mutable.compared.attempt import Attempt
from controller.reconcile.scaling.claims import claims_of, prior_targets
from controller.reconcile.status.copies import are_claims_of_another, own_claims
from controller.reconcile.status.notes import parsed
from controller.reconcile.status.patch import noted_resource
from tests.faults.component_world import KEY, ComponentWorld, manifest

UNREADABLE: Final = {
    "no JSON": "{]",
    "nested too deep": "[" * 200_000,
    "objects too deep": '{"id":' * 40_000,
    "too many digits": '{"copies":' + "1" * 5_000 + "}",
    "no object": "7",
    "a text": '"x"',
}
OF_NO_TYPE: Final = {
    "infinite": '{"id":"a","copies":Infinity,"numbers":{"v":[1,"inf"]},"serves":7}',
    "no number": '{"id":"a","number":NaN,"numbers":{"v":[1,{}]}}',
    "larger than a float": '{"id":"a","copies":1e999,"numbers":{"v":[1,' + "1" * 400 + "]}}",
    "lists": '{"id":"a","copies":[],"numbers":[],"intent":[]}',
}


def noting(text: str) -> JsonObject:
    """An object with all notes that there are."""
    notes = (AWS_RESOURCE, CLAIMED_VARIANTS, CREATED_NAMES, FOUND_TARGETS, LAST_UPDATE_ATTEMPT)
    return {"metadata": {"uid": "u", "name": "a", "annotations": {each.key: text for each in notes}}}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_note_counts_as_absent(text: str) -> None:
    """Passes of other objects read it, too: it must not hold those up."""
    obj = noting(text)
    assert parsed(text) == {}
    assert attempt.parse(text, "u") == Attempt()
    assert last_update.parse(text, "u") == LastUpdate()
    assert (claims_of(obj), prior_targets(obj), own_claims(obj["metadata"])) == ({}, {}, {})
    assert not are_claims_of_another(obj)
    assert noted_resource(obj["metadata"]) is None


@pytest.mark.parametrize("text", OF_NO_TYPE.values(), ids=OF_NO_TYPE)
def test_a_note_with_values_of_another_kind_counts_as_absent(text: str) -> None:
    """The update is tried again, as without it."""
    assert attempt.parse(text, "u") == Attempt()
    assert last_update.parse(text, "u") == LastUpdate()


@pytest.mark.parametrize("text", [UNREADABLE["nested too deep"], OF_NO_TYPE["infinite"]], ids=["too deep", "infinite"])
def test_an_object_with_such_a_note_goes_on_and_can_be_deleted(text: str) -> None:
    """What AWS shows is as the spec wants it, so nothing is sent."""
    world = ComponentWorld()
    world.apply(manifest())
    world.until(lambda: world.condition("Ready") == ("True", "InService"))
    obj = world.obj
    obj["metadata"]["annotations"][LAST_UPDATE_ATTEMPT.key] = text
    world.apply(obj)
    world.run(120)
    assert world.condition("Ready") == ("True", "InService")
    world.delete()
    world.until(lambda: world.cluster.get(KEY) is None)
    assert world.sagemaker.operations.count("CreateInferenceComponent") == 1
    assert "UpdateInferenceComponent" not in world.sagemaker.operations
