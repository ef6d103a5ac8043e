"""Crashes of the operator at every effect in the life of an inference component, and answers that are lost."""

from collections.abc import Callable
from typing import Final

import pytest

from api.meta import JsonObject
from controller.aws.errors import AwsError
from controller.reconcile.effects import Effect
from controller.runtime.errors import ErrorClass
from tests.fakes.crashes import CrashPoint
from tests.faults.component_world import ComponentWorld, manifest
from tests.tables import each_row

pytestmark = pytest.mark.long

SILENCE: Final = AwsError(ErrorClass.RETRYABLE, "ConnectionBroken", "connection reset by peer", ambiguous=True)


def _ends(world: ComponentWorld) -> None:
    world.delete()
    world.until(world.is_gone)
    assert world.sagemaker.hosting.endpoints, "the endpoint is not the component's"


def lives(world: ComponentWorld) -> None:
    """Created, given another image, given other copies, deleted."""
    world.apply(manifest())
    world.serves("image:1")
    world.apply(manifest(image="image:2"))
    world.serves("image:2")
    world.apply(manifest(image="image:2", copies=3))
    world.serves("image:2", 3)
    _ends(world)


def waits(world: ComponentWorld) -> None:
    """Changed twice before it is in service: only the newest counts."""
    world.apply(manifest())
    world.until(lambda: world.status.get("inferenceComponentStatus") == "Creating")
    world.apply(manifest(image="image:2"))
    world.run(2)
    world.apply(manifest(image="image:3"))
    world.serves("image:3")
    assert world.sagemaker.operations.count("UpdateInferenceComponent") == 1


def fails(world: ComponentWorld) -> None:
    """An update that is rolled back is not repeated; another spec cures it."""
    world.apply(manifest())
    world.serves("image:1")
    world.sagemaker.components.bad_image = "bad"
    world.apply(manifest(image="bad"))
    world.until(lambda: "it does not start" in world.status.get("additional", ""))
    world.run(600, step_s=20)
    # A process that dies between the record of what it is about to ask and the call asks once more.
    assert world.sagemaker.operations.count("UpdateInferenceComponent") <= 1 + world.crashes
    world.apply(manifest(image="image:2"))
    world.serves("image:2")


def is_deleted_early(world: ComponentWorld) -> None:
    """Deleted while it is being created: AWS refuses that for a while."""
    world.apply(manifest())
    world.until(lambda: bool(world.sagemaker.components.components) or world.crashes > 0)
    _ends(world)


def _points(life: Callable[[ComponentWorld], None]) -> list[CrashPoint]:
    """Where the undisturbed run can die; events apart, as nothing depends on them."""
    world = ComponentWorld()
    life(world)
    return world.crash.points(besides=frozenset({Effect.EMIT_EVENT}))


@pytest.mark.parametrize("life", [lives, waits, fails, is_deleted_early], ids=lambda life: life.__name__)
def test_a_crash_at_any_effect_changes_nothing_in_the_end(
    life: Callable[[ComponentWorld], None], subtests: pytest.Subtests
) -> None:
    """Nothing is made twice, orphaned or lost."""
    points = _points(life)
    assert points
    for point in points:
        with subtests.test(str(point)):
            world = ComponentWorld()
            world.crash.die_at(point)
            life(world)
            assert world.crashes == 1
            assert len(world.sagemaker.components.components) <= 1


FIRST, IMAGE, COPIES = manifest(), manifest(image="image:2"), manifest(copies=3)
OTHER = manifest(image="image:9", copies=2)
CALLS: Final[list[tuple[str, JsonObject | None, JsonObject]]] = [
    ("CreateInferenceComponent", None, FIRST),
    ("UpdateInferenceComponent", FIRST, IMAGE),
    ("UpdateInferenceComponentRuntimeConfig", FIRST, COPIES),
]
"""Operation, what is served before, and what the user applies then."""


@pytest.mark.parametrize("after", [True, False], ids=["with effect", "without effect"])
@each_row("follows", ["new", "old", "other", "deletion"])
@each_row(("operation", "old", "new"), CALLS, ids=lambda each: each if isinstance(each, str) else "")
def test_a_component_reaches_its_newest_spec_whatever_answer_is_lost(
    operation: str, old: JsonObject | None, new: JsonObject, follows: str, *, after: bool
) -> None:
    """The call takes effect, or does not; then the user goes on, goes back, edits again or deletes."""
    world = ComponentWorld()
    if old is not None:
        world.apply(old)
        world.serves("image:1")
    wanted = {"new": new, "old": old or new, "other": OTHER, "deletion": new}[follows]
    world.sagemaker.components.fail(operation, SILENCE, after=after, then=lambda: world.apply(wanted))
    world.apply(new)
    world.until(lambda: not world.sagemaker.components.faults)
    if follows == "deletion":
        _ends(world)
        return
    spec = wanted["spec"]
    world.serves(spec["specification"]["container"]["image"], spec["runtimeConfig"]["copyCount"])
    assert "Drifted" not in [reason for _, reason in world.recorder.events]
    assert world.sagemaker.operations.count("CreateInferenceComponent") <= 2


@pytest.mark.parametrize("after", [True, False], ids=["with effect", "without effect"])
def test_a_deletion_is_complete_whatever_answer_is_lost(*, after: bool) -> None:
    """Asked again, and nothing is left."""
    world = ComponentWorld()
    world.apply(FIRST)
    world.serves("image:1")
    world.sagemaker.components.fail("DeleteInferenceComponent", SILENCE, after=after)
    _ends(world)


def test_a_component_at_rest_costs_nothing_but_lists() -> None:
    """No Describe, no write to Kubernetes."""
    world = ComponentWorld()
    world.apply(manifest())
    world.serves("image:1")
    calls, writes = len(world.sagemaker.operations), len(world.cluster.writes)
    world.run(3600, step_s=5.0)
    assert set(world.sagemaker.operations[calls:]) == {"ListInferenceComponents"}
    assert len(world.cluster.writes) == writes
