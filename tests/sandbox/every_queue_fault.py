"""`make queue-faults`: ten thousand junk messages through moto's SQS, which takes some four minutes."""

import pytest

from tests.sandbox.moto_queue import MotoBench, moto, play_junk

pytestmark = pytest.mark.sandbox


def test_ten_thousand_messages_without_use_cost_no_call_of_sagemaker() -> None:
    """Whoever may send to a queue cannot make the operator call SageMaker, nor hold up what is true."""
    with moto() as server:
        bench = MotoBench(server)
        bench.trusted()
        play_junk(bench, 10_000)
