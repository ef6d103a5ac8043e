"""`make hostile`: each mutating operation loses its answer in each way that there is. It takes some ten minutes."""

import pytest

from tests.mutations import FATES
from tests.sandbox.conftest import World
from tests.sandbox.lost_answers import play

pytestmark = pytest.mark.sandbox


@pytest.mark.parametrize("turn", range(len(FATES)))
def test_each_change_is_made_once_however_its_answer_is_lost(world: World, turn: int) -> None:
    """In each turn, an operation meets another fault."""
    play(world, turn)
