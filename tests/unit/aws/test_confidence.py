"""When an accelerator is trusted: it earns that by what the API confirms, and a change that it missed ends it."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.aws.polling.confidence import Confidence, ConfidenceSettings

SETTINGS = ConfidenceSettings(needed=3, grace_s=15.0, confirm_s=120.0, heard_s=900.0, forgive_s=3600.0)


class Bench:
    """A confidence with a clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.confidence = Confidence(SETTINGS)

    def confirm(self, times: int = 1) -> None:
        """Announce changes and have the API show them two seconds later."""
        for _ in range(times):
            what = f"job-{self.now}"
            self.confidence.announced(what, "Completed", now=self.now)
            self.now += 2.0
            self.confidence.observed(what, "Completed", is_change=True, now=self.now)

    def find(self, what: str) -> None:
        """Have the API show a change that nothing announced."""
        self.confidence.observed(what, "Completed", is_change=True, now=self.now)

    def reason(self) -> str:
        """Why it is trusted or not, deadlines included."""
        self.confidence.is_trusted(now=self.now)
        return self.confidence.reason(now=self.now)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_has_announced_nothing_is_not_trusted(bench: Bench) -> None:
    """That it delivers does not prove that it delivers everything."""
    bench.confidence.heard(now=0.0)
    assert not bench.confidence.is_trusted(now=0.0)
    assert bench.reason() == "new"


def test_nothing_is_expected_of_what_is_suspended(bench: Bench) -> None:
    """What was found or announced before is no miss and no lie, and the trust stays as it was."""
    bench.confirm(SETTINGS.needed)
    bench.find("a")
    bench.confidence.announced("b", "Completed", now=bench.now)
    bench.confidence.suspend()
    bench.now += SETTINGS.confirm_s + 1
    assert bench.confidence.is_trusted(now=bench.now)
    assert bench.confidence.counts["missed"] == bench.confidence.counts["refuted"] == 0


def test_confirmed_announcements_in_a_row_earn_trust(bench: Bench) -> None:
    """As many as are needed, and no fewer."""
    bench.confirm(SETTINGS.needed - 1)
    assert not bench.confidence.is_trusted(now=bench.now)
    bench.confirm()
    assert bench.confidence.is_trusted(now=bench.now)
    assert bench.confidence.counts["confirmed"] == SETTINGS.needed
    assert bench.confidence.lag_s == -2.0


def test_a_change_that_nothing_announced_ends_trust_after_the_grace_period(bench: Bench) -> None:
    """The API may show a change a moment earlier."""
    bench.confirm(3)
    bench.find("missed")
    bench.now += SETTINGS.grace_s
    assert bench.confidence.is_trusted(now=bench.now)
    bench.now += 1.0
    assert bench.reason() == "missed"
    assert bench.confidence.counts["missed"] == 1


def test_an_announcement_within_the_grace_period_counts_as_one(bench: Bench) -> None:
    """Late by seconds is no miss, and is measured."""
    bench.confirm(3)
    bench.find("late")
    bench.now += 10.0
    assert bench.confidence.is_awaited("late")
    bench.confidence.announced("late", "Completed", now=bench.now)
    bench.now += 60.0
    assert bench.reason() == "earned"
    assert bench.confidence.counts["late"] == 1
    assert bench.confidence.lag_s == 10.0


def test_an_announcement_after_the_grace_period_is_a_miss(bench: Bench) -> None:
    """Even if nothing asked in between."""
    bench.confirm(3)
    bench.find("late")
    bench.now += SETTINGS.grace_s + 1
    bench.confidence.announced("late", "Completed", now=bench.now)
    assert bench.reason() == "missed"


def test_a_found_change_of_what_is_not_followed_any_more_is_still_a_miss(bench: Bench) -> None:
    """A job that has ended is forgotten at once: that must not hide that its end was not announced."""
    bench.confirm(3)
    bench.find("ended")
    bench.confidence.forget("ended")
    bench.now += SETTINGS.grace_s + 1
    assert bench.reason() == "missed"


def test_an_announcement_that_the_api_does_not_confirm_ends_trust(bench: Bench) -> None:
    """Forged or wrong: each costs a call."""
    bench.confirm(3)
    bench.confidence.announced("job", "Failed", now=bench.now)
    bench.now += SETTINGS.confirm_s
    assert bench.reason() == "earned"
    bench.now += 1.0
    assert bench.reason() == "refuted"


def test_what_was_forgotten_needs_no_confirmation(bench: Bench) -> None:
    """An object that was deleted meanwhile says nothing about the accelerator."""
    bench.confirm(3)
    bench.confidence.announced("job", "Failed", now=bench.now)
    bench.confidence.forget("job")
    bench.now += SETTINGS.confirm_s + 1
    assert bench.reason() == "earned"


def test_an_announced_state_that_is_past_is_not_held_against_it(bench: Bench) -> None:
    """`Stopping` was announced, the API shows `Stopped`: only that one is awaited."""
    bench.confirm(3)
    bench.confidence.announced("job", "Stopping", now=bench.now)
    bench.confidence.observed("job", "Stopped", is_change=True, now=bench.now)
    bench.now += 1.0
    bench.confidence.announced("job", "Stopped", now=bench.now)
    bench.now += SETTINGS.confirm_s + 1
    assert bench.reason() == "earned"
    assert bench.confidence.counts == {"confirmed": 3, "late": 1, "missed": 0, "refuted": 0}


def test_an_announced_state_after_the_one_that_was_found_excuses_it(bench: Bench) -> None:
    """States that last for a moment may be left out: what counts is that the change did not remain unknown."""
    bench.confirm(3)
    bench.confidence.observed("job", "Stopping", is_change=True, now=bench.now)
    assert bench.confidence.is_in_doubt
    bench.confidence.announced("job", "Stopped", now=bench.now + 1.0)
    assert not bench.confidence.is_in_doubt
    bench.confidence.observed("job", "Stopped", is_change=True, now=bench.now + 2.0)
    assert bench.confidence.counts == {"confirmed": 4, "late": 0, "missed": 0, "refuted": 0}


def test_an_answer_older_than_the_announcement_changes_nothing(bench: Bench) -> None:
    """Lists lag: what they show unchanged neither confirms nor refutes."""
    bench.confidence.announced("job", "Completed", now=0.0)
    bench.confidence.observed("job", "InProgress", is_change=False, now=1.0)
    bench.confidence.observed("job", "Completed", is_change=True, now=2.0)
    assert bench.confidence.counts["confirmed"] == 1


def test_a_repeated_announcement_keeps_its_first_time(bench: Bench) -> None:
    """Replayed messages must not put off the deadline."""
    bench.confidence.announced("job", "Completed", now=0.0)
    bench.confidence.announced("job", "Completed", now=100.0)
    bench.now = SETTINGS.confirm_s + 1
    assert bench.reason() == "refuted"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        pytest.param(lambda bench: bench.confidence.failed(), "failed", id="failed"),
        pytest.param(lambda bench: setattr(bench, "now", bench.now + SETTINGS.heard_s + 1), "silent", id="silent"),
    ],
)
def test_what_fails_or_is_silent_is_not_trusted_until_it_is_heard_again(
    bench: Bench, act: Callable[[Bench], None], reason: str
) -> None:
    """It has not been wrong: what it earned before still counts."""
    bench.confirm(3)
    act(bench)
    assert bench.reason() == reason
    bench.confidence.heard(now=bench.now)
    assert bench.reason() == "earned"


def test_each_loss_of_trust_doubles_what_is_needed_until_it_is_forgiven(bench: Bench) -> None:
    """An accelerator that misses every tenth change must not switch sweeps to and fro."""
    bench.confirm(3)
    bench.find("missed")
    bench.now += SETTINGS.grace_s + 1
    assert bench.reason() == "missed"
    bench.confirm(5)
    assert bench.reason() == "missed"
    bench.confirm(1)
    assert bench.reason() == "earned"
    bench.find("missed again")
    bench.now += SETTINGS.grace_s + 1
    assert bench.reason() == "missed"
    bench.now += SETTINGS.forgive_s
    bench.confirm(3)
    assert bench.reason() == "earned"


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["announce", "observe", "change", "forget", "fail", "hear"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["InProgress", "Completed"]),
        st.floats(0.0, 200.0),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_a_miss_ends_trust_and_memory_is_bounded(steps: list[tuple[str, str, str, float]]) -> None:
    """After any history: a change that stays unannounced beyond the grace period is followed by distrust."""
    confidence, now = Confidence(SETTINGS), 0.0
    for act, what, value, passed_s in steps:
        now += passed_s
        match act:
            case "announce":
                confidence.announced(what, value, now=now)
            case "observe" | "change":
                confidence.observed(what, value, is_change=act == "change", now=now)
            case "forget":
                confidence.forget(what)
            case "fail":
                confidence.failed()
            case _:
                confidence.heard(now=now)
        trusted = confidence.is_trusted(now=now)
        assert not trusted or sum(confidence.counts[kept] for kept in ("confirmed", "late")) >= SETTINGS.needed
        assert len(confidence._announced) + len(confidence._unannounced) <= 6
    confidence.observed("new", "Completed", is_change=True, now=now)
    now += SETTINGS.grace_s + 0.1
    confidence.heard(now=now)
    assert not confidence.is_trusted(now=now)
