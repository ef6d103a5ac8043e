"""A Delete that went unanswered takes effect when something else is wanted already (DESIGN 5)."""

from collections.abc import Callable, Hashable
from typing import Any

import pytest

from api.descriptor import KindDescriptor
from api.meta import JsonObject, ObjectKey
from api.v1 import MODEL
from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.errors import Absent, ErrorClass
from tests.fakes.sagemaker.arns import REGION
from tests.faults.hosting_world import HostingWorld


def model(version: str) -> JsonObject:
    """A model of its own, with `version` in its environment."""
    environment = [{"name": "VERSION", "value": version}]
    return {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "Model",
        "metadata": {"namespace": "default", "name": "m"},
        "spec": {
            "region": REGION,
            "executionRoleArn": "arn:aws:iam::1:role/r",
            "primaryContainer": {"image": "image", "environment": environment},
        },
    }


class Unanswered:
    """SageMaker gets deletions of models, says nothing, and carries them out when it is told to."""

    def __init__(self, world: HostingWorld, answers: Callable[[int], bool]) -> None:
        self._world, self._answers = world, answers
        self._delete = world.aws.delete
        self._due: list[str] = []
        self._asked = 0

    def __call__(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        self._asked += 1
        if self._answers(self._asked):
            return self._delete(descriptor, target, name, caller=caller)
        self._due.append(name)
        raise AwsError(
            ErrorClass.RETRYABLE,
            "ReadTimeoutError",
            "no answer",
        )

    def come_true(self) -> None:
        """Now."""
        for name in self._due:
            self._world.aws.models.pop(name, None)


@pytest.mark.parametrize("answers", [lambda _: False, lambda n: n % 2 == 0], ids=["none", "the second one"])
@pytest.mark.parametrize("restarts", [False, True], ids=["remembered", "restarted"])
def test_a_deletion_that_takes_effect_late_never_hits_what_an_edit_has_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], bool], restarts: bool
) -> None:
    """A name whose deletion was begun stands for nothing any more: who goes back and forth gets new names."""
    world = HostingWorld()
    late = Unanswered(world, answers)
    monkeypatch.setattr(world.aws, "delete", late)
    for version in "ABABA":
        world.clusters[MODEL.kind].apply(model(version))
        world.run(10)
        if restarts:
            world.restart()
    late.come_true()
    shown = world.clusters[MODEL.kind].get(ObjectKey("default", "m"))
    assert shown is not None
    there: dict[str, Any] = world.aws.models[shown["status"]["awsResource"]["name"]]
    assert there["PrimaryContainer"]["Environment"] == {"VERSION": "A"}
