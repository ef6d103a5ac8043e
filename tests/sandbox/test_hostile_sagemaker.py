"""A SageMaker as hostile as the real one can be, and a real operator process (docs/hostile-sagemaker.md)."""

import pytest

from tests.sandbox.conftest import World
from tests.sandbox.lost_answers import play

pytestmark = pytest.mark.sandbox


def test_each_change_is_made_once_though_its_answer_is_lost_before_or_after_the_effect(world: World) -> None:
    """All mutating operations; `make hostile` plays it so that each of them meets each way of losing an answer."""
    play(world, turn=1)
