"""May this process act? Closed by time alone, so also while the electing thread hangs (E20)."""

from controller.runtime.election.fence import LeaseFence, UnfencedUntil
from controller.runtime.threads import Stop
from tests.fakes import FakeClock


def make_fence(clock: FakeClock) -> LeaseFence:
    """A fence with the default renew deadline."""
    return LeaseFence(clock, renew_deadline_s=10)


def test_a_fence_is_closed_before_the_lease_was_ever_ours() -> None:
    """A standby acts on nothing."""
    assert not make_fence(FakeClock()).may_act()


def test_a_fence_closes_when_the_renew_deadline_passes_without_renewal() -> None:
    """Counted from before the renewing request was sent."""
    clock = FakeClock()
    fence = make_fence(clock)
    sent_at = clock.monotonic()
    clock.advance(3)
    fence.renewed(sent_at=sent_at)

    clock.advance(6.9)
    assert fence.may_act()
    clock.advance(0.1)
    assert not fence.may_act()


def test_a_late_renewal_opens_it_again() -> None:
    """The lease was still ours: nobody else could take it before it expired."""
    clock = FakeClock()
    fence = make_fence(clock)
    fence.renewed(sent_at=clock.monotonic())
    clock.advance(11)

    fence.renewed(sent_at=clock.monotonic())

    assert fence.may_act()


def test_a_fence_closed_for_good_stays_closed() -> None:
    """After a loss or before a release no straggling renewal opens it."""
    clock = FakeClock()
    fence = make_fence(clock)
    fence.renewed(sent_at=clock.monotonic())

    fence.close()
    fence.renewed(sent_at=clock.monotonic())

    assert not fence.may_act()


def test_without_election_a_process_may_act_until_it_stops() -> None:
    """One replica needs no lease."""
    stop = Stop()
    fence = UnfencedUntil(stop)

    assert fence.may_act()
    stop.set()
    assert not fence.may_act()
