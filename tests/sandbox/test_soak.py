"""A short soak: users and accidents at random, always the same ones, and everything that must hold at the end."""

from pathlib import Path

import pytest

from tests.sandbox.soak.driver import Soak
from tests.sandbox.soak.scene import Scene

pytestmark = pytest.mark.sandbox


@pytest.mark.early
def test_whatever_happens_nothing_is_made_twice_left_behind_or_taken_from_others(tmp_path: Path) -> None:
    """DESIGN 5, all rules at once, for one seed; `make soak` tries others, for longer."""
    with Scene(tmp_path, replicas=1) as scene:
        soak = Soak(scene, seed=7)
        soak.prepare()
        soak.act(10)
        wrong = soak.judge(quiet_s=1.5)
    assert not wrong, "\n".join(wrong)
