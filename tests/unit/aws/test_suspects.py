"""A mute target costs one worker at a time, and nobody else anything (DESIGN 5)."""

import pytest

from controller.aws.circuit_breaker import TURN_S, Suspects
from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

MUTE = Target("us-east-1")
WELL = Target("eu-west-1")


def fail(suspects: Suspects, code: str, target: Target = MUTE) -> None:
    """One call that ends with an error."""
    with pytest.raises(AwsError), suspects.call(target):
        raise AwsError(ErrorClass.RETRYABLE, code, "no more")


@pytest.mark.parametrize("code", ["ReadTimeout", "ConnectTimeout"])
def test_while_one_call_tries_a_mute_target_others_wait_their_turn(code: str) -> None:
    """THROTTLED: no failure of the object, no word in its status."""
    suspects = Suspects()
    fail(suspects, code)
    with suspects.call(MUTE):
        with pytest.raises(AwsError) as refused, suspects.call(MUTE):
            pytest.fail("a second call went out")
        assert refused.value.error_class is ErrorClass.THROTTLED
        assert refused.value.retry_after_s == TURN_S
        with suspects.call(WELL):
            pass  # other targets are not concerned


def test_any_answer_clears_a_target() -> None:
    """A refusal is an answer, too."""
    suspects = Suspects()
    fail(suspects, "ReadTimeout")
    fail(suspects, "AccessDeniedException")
    with suspects.call(MUTE), suspects.call(MUTE):
        pass


def test_a_target_that_stays_mute_stays_a_suspect() -> None:
    """Each try that fails leaves it to the next one to try, one at a time."""
    suspects = Suspects()
    fail(suspects, "ReadTimeout")
    fail(suspects, "ReadTimeout")
    with suspects.call(MUTE), pytest.raises(AwsError), suspects.call(MUTE):
        pytest.fail("a second call went out")


def test_a_healthy_target_takes_calls_side_by_side() -> None:
    """Nothing is limited before somebody got no answer."""
    suspects = Suspects()
    with suspects.call(WELL), suspects.call(WELL), suspects.call(WELL):
        pass
