"""How much code one pass enters: what somebody has to read who wants to know what happens to an object."""

import copy
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from api.meta import FINALIZER, ObjectKey
from api.v1 import HOSTING_DEPLOYMENT, MODEL, TRAINING_JOB
from controller.aws.accounts import Accounts
from controller.reconcile import reasons
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults import hosting_world
from tests.faults.hosting_world import HostingWorld

ROOT = Path(__file__).parents[2]
PRODUCT = tuple(f"{ROOT / top}/" for top in ("api", "controller"))
IN_USE = {"type": reasons.RECONCILING, "status": "True", "reason": reasons.IN_USE}
COPIES = f"{ROOT}/controller/runtime/frozen.py"
"""Stands for `dataclasses.replace`, of which nothing is counted either."""


@contextmanager
def traced() -> Iterator[Counter[tuple[str, str]]]:
    """Counts calls of the product's functions by file and name; what comprehensions hide is no function, nor is a hash,
    which dataclasses make where there is none.
    """
    calls: Counter[tuple[str, str]] = Counter()

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        is_ours = code.co_filename.startswith(PRODUCT) and code.co_filename != COPIES
        if event == "call" and is_ours and not code.co_name.startswith(("<", "__hash__")):
            calls[code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname] += 1

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def test_a_change_that_a_list_shows_is_a_short_way() -> None:
    """From the key to the status in some hundred calls: a list shows that the job stops, and the object shows it.

    Seven of them record AWS's creation time, which has no pass and no write of its own.
    """
    world = World()
    no_calls: Any = None  # the account is that of the job's ARN
    world.settings = replace(world.settings, accounts=Accounts(no_calls, world.clock))
    world.restart()
    world.cluster.apply(manifest())
    world.run(20)
    world.aws.move(world.name, "Stopping")
    while (TRAINING_JOB.kind, KEY) not in world.woken:
        world.clock.advance(2)
        while world.tracker.step():
            pass
    writes = len(world.cluster.writes)
    with traced() as calls:
        world.reconciler.reconcile(KEY)

    assert len(world.cluster.writes) == writes + 1
    assert world.value == "Stopping"
    assert sum(calls.values()) <= 100, calls
    assert len(calls) <= 85, calls
    assert len({file for file, _ in calls}) <= 15, sorted({file for file, _ in calls})


class Passes:
    """The passes over the deployment of a world: whether each had an effect or looked at SageMaker.

    A pass that only finds that nothing has changed since the last one is none. `is_late`: what a pass writes is shown
    once it has ended, as by real informers, which are a little behind.
    """

    def __init__(self, world: HostingWorld, *, is_late: bool = False) -> None:
        self.had_reason: list[bool] = []
        self._world = world
        self._reconcile = world.reconcile
        self._stores = [cluster.store for cluster in world.clusters.values()] if is_late else []
        world.reconcile = self._counted  # type: ignore[assignment, method-assign]

    def _counted(self, key: ObjectKey, kind: str) -> None:
        world, stores = self._world, self._stores
        effects, looks = len(world.crash.seen), len(world.sagemaker.calls)
        for store in stores:
            store.freeze_all()
        with traced() as calls:
            self._reconcile(key, kind)
        for store in stores:
            store.thaw()
        if kind == HOSTING_DEPLOYMENT.kind and any(name == "EndpointLifeCycle.new_observation" for _, name in calls):
            self.had_reason.append(len(world.crash.seen) > effects or len(world.sagemaker.calls) > looks)


def serving(version: str = "1") -> HostingWorld:
    world = HostingWorld()
    world.apply(hosting_world.manifest(version=version))
    world.until(world.is_at_rest)
    world.run(60)
    return world


@pytest.mark.parametrize("is_late", [False, True], ids=["informers show writes at once", "informers are behind"])
def test_a_deployment_is_not_looked_at_in_vain(*, is_late: bool) -> None:
    """An edit makes a model, a configuration, an update and two deletions; each pass of the deployment does something.

    Before, up to 6 of 13 passes found nothing to do: its own writes, and those of children that it waited for or no
    longer needed, had enqueued it.
    """
    world = serving()
    passes = Passes(world, is_late=is_late)
    world.apply(hosting_world.manifest(version="2"))
    world.until(world.is_at_rest)
    world.run(60)

    assert passes.had_reason == [True] * 7


@pytest.fixture
def leaving() -> tuple[HostingWorld, ObjectKey, Passes]:
    """A deployment after an edit; its former model goes, but others hold it with a finalizer of theirs."""
    world = serving()
    models = world.clusters[MODEL.kind]
    (key,) = models.keys()
    held = copy.deepcopy(models.objects[key])
    held["metadata"]["finalizers"].append("example.com/audit")
    models._put(key, held, models.objects[key])
    world.apply(hosting_world.manifest(version="2"))
    world.until(world.is_at_rest)
    world.run(60)
    assert "deletionTimestamp" in models.objects[key]["metadata"]
    return world, key, Passes(world)


def test_what_becomes_of_a_superfluous_child_is_no_matter_of_its_deployment(
    leaving: tuple[HostingWorld, ObjectKey, Passes],
) -> None:
    """Nothing waits for the model: neither what is written to it nor its end makes a pass."""
    world, model, passes = leaving
    world.clusters[MODEL.kind].touch(model)
    world.run(30)
    world.clusters[MODEL.kind].remove(model)
    world.run(30)

    assert passes.had_reason == []
    assert world.is_ready()


def test_a_superfluous_child_that_is_in_use_after_all_matters(
    leaving: tuple[HostingWorld, ObjectKey, Passes],
) -> None:
    """Its own reconciler finds that out, and waits for a child that takes over what it has."""
    world, model, passes = leaving
    models = world.clusters[MODEL.kind]
    models.rewrite_status(model, lambda status: status.update(conditions=[IN_USE]))
    held = copy.deepcopy(models.objects[model])
    held["metadata"]["finalizers"].append(FINALIZER)
    models._put(model, held, models.objects[model])
    world.reconcile(hosting_world.KEY, HOSTING_DEPLOYMENT.kind)

    assert passes.had_reason == [True]


def test_a_child_that_the_operator_has_released_needs_no_other_to_take_over(
    leaving: tuple[HostingWorld, ObjectKey, Passes],
) -> None:
    """Its status says for ever that it is in use. Its successors would be superfluous, one after the other."""
    world, model, passes = leaving
    world.clusters[MODEL.kind].rewrite_status(model, lambda status: status.update(conditions=[IN_USE]))
    world.run(30)

    assert passes.had_reason == []
    assert len(world.clusters[MODEL.kind].keys()) == 2


def test_a_superfluous_child_that_is_wanted_again_is_waited_for(
    leaving: tuple[HostingWorld, ObjectKey, Passes],
) -> None:
    """The edit is taken back while the model goes: the one that is made again gets its name, once that is free."""
    world, model, _ = leaving
    world.apply(hosting_world.manifest(version="1"))
    world.run(60)
    assert world.clusters[MODEL.kind].objects[model]["metadata"]["finalizers"] == ["example.com/audit"]
    assert not world.is_ready()

    world.clusters[MODEL.kind].remove(model)
    world.until(world.is_at_rest)
