"""How much code one pass enters: what somebody has to read who wants to know what happens to an object."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from tests.faults.world import KEY, World, manifest

ROOT = Path(__file__).parents[2]
PRODUCT = tuple(f"{ROOT / top}/" for top in ("api", "controller"))


@contextmanager
def traced() -> Iterator[Counter[tuple[str, str]]]:
    """Counts calls of the product's functions by file and name; what comprehensions hide is no function."""
    calls: Counter[tuple[str, str]] = Counter()

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PRODUCT) and not code.co_name.startswith("<"):
            calls[code.co_filename.removeprefix(f"{ROOT}/"), code.co_qualname] += 1

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def test_a_change_that_a_list_shows_is_a_short_way() -> None:
    """From the key to the status in 120 calls: a list shows that the job stops, and the object shows it."""
    world = World()
    world.cluster.apply(manifest())
    world.run(20)
    world.aws.move(world.job_name, "Stopping")
    while KEY not in world.woken:
        world.clock.advance(2)
        while world.tracker.step():
            pass
    writes = len(world.cluster.writes)
    with traced() as calls:
        world.reconciler.reconcile(KEY)

    assert len(world.cluster.writes) == writes + 1
    assert world.value == "Stopping"
    assert sum(calls.values()) <= 120, calls
    assert len({file for file, _ in calls}) <= 25, sorted({file for file, _ in calls})
