"""What a write returns has the shape of its schema, as what a watch shows: the API server may hold anything."""

from typing import Any

import pytest

from api.meta import JsonObject, ObjectKey, Resource
from api.v1 import TRAINING_JOB
from controller.reconcile.managed.pruning import PruningWriter

KEY = ObjectKey("ml", "train")
MISFIT = {"trainingJobStatus": 5, "trainingJobName": "train"}


class Writer:
    """Answers every write with an object of a loosened schema."""

    def __init__(self) -> None:
        self.deleted: list[Any] = []

    def create(self, resource: Resource, namespace: str | None, body: JsonObject) -> JsonObject:
        """See `ObjectWriter.create`."""
        return {"kind": resource.kind, "status": dict(MISFIT), "spec": "x"}

    def patch(self, resource: Resource, key: ObjectKey, body: JsonObject, *, subresource: str = "") -> JsonObject:
        """See `ObjectWriter.patch`."""
        return {"kind": resource.kind, "status": dict(MISFIT), "spec": "x"}

    def delete(self, resource: Resource, key: ObjectKey, *, uid: str = "", resource_version: str = "") -> None:
        """See `ObjectWriter.delete`."""
        self.deleted.append((resource, key, uid, resource_version))


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_what_a_write_returns_is_pruned(verb: str) -> None:
    """A pass goes on with it, and relies on the shape."""
    writer = PruningWriter(Writer())

    written = (
        writer.create(TRAINING_JOB.resource, "ml", {})
        if verb == "create"
        else writer.patch(TRAINING_JOB.resource, KEY, {}, subresource="status")
    )

    assert written == {"kind": "TrainingJob", "status": {"trainingJobName": "train"}, "spec": {}}


def test_objects_of_other_kinds_are_returned_as_they_are() -> None:
    """Nothing is known of their schema."""
    written = PruningWriter(Writer()).patch(Resource("", "v1", "configmaps", "ConfigMap"), KEY, {})

    assert written == {"kind": "ConfigMap", "status": MISFIT, "spec": "x"}


def test_a_deletion_keeps_its_preconditions() -> None:
    """It must not meet another object of the name."""
    writer = Writer()
    PruningWriter(writer).delete(TRAINING_JOB.resource, KEY, uid="u", resource_version="7")

    assert writer.deleted == [(TRAINING_JOB.resource, KEY, "u", "7")]
