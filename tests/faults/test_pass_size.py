"""How much code one pass enters: what somebody has to read who wants to know what happens to an object."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from api.meta import ObjectKey
from api.v1 import HOSTING_DEPLOYMENT, TRAINING_JOB
from controller.aws.accounts import Accounts
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.faults import hosting_world
from tests.faults.hosting_world import HostingWorld

ROOT = Path(__file__).parents[2]
PRODUCT = tuple(f"{ROOT / top}/" for top in ("api", "controller"))
COPIES = f"{ROOT}/controller/runtime/frozen.py"
"""Stands for `dataclasses.replace`, of which nothing is counted either."""


@contextmanager
def traced() -> Iterator[Counter[tuple[str, str]]]:
    """Counts calls of the product's functions by file and name; what comprehensions hide is no function."""
    calls: Counter[tuple[str, str]] = Counter()

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        is_ours = code.co_filename.startswith(PRODUCT) and code.co_filename != COPIES
        if event == "call" and is_ours and not code.co_name.startswith("<"):
            calls[code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname] += 1

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def test_a_change_that_a_list_shows_is_a_short_way() -> None:
    """From the key to the status in 105 calls: a list shows that the job stops, and the object shows it.

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
    assert sum(calls.values()) <= 105, calls
    assert len(calls) <= 88, calls
    assert len({file for file, _ in calls}) <= 21, sorted({file for file, _ in calls})


def test_a_deployment_is_not_looked_at_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit makes a model, a configuration, an update and two deletions; each pass of the deployment does something.

    The last one finds that the last superfluous child has gone. Before, 6 of 13 passes found nothing to do: its own
    writes, and those of children that it waited for, had enqueued it.
    """
    world = HostingWorld()
    world.apply(hosting_world.manifest(version="1"))
    world.until(world.is_at_rest)
    world.run(60)
    passes: list[tuple[bool, bool]] = []
    reconcile = world.reconcile

    def counted(key: ObjectKey, kind: str) -> None:
        effects, looks = len(world.crash.seen), len(world.sagemaker.calls)
        with traced() as calls:
            reconcile(key, kind)
        if kind == HOSTING_DEPLOYMENT.kind and any(name == "EndpointLifeCycle.observe" for _, name in calls):
            passes.append((len(world.crash.seen) > effects, len(world.sagemaker.calls) > looks))

    monkeypatch.setattr(world, "reconcile", counted)
    world.apply(hosting_world.manifest(version="2"))
    world.until(world.is_at_rest)
    world.run(60)

    assert passes[:-1] == [each for each in passes if any(each)]
    assert len(passes) == 8
