"""What events say of resources that are not polled: what is news, for which objects, and what it costs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.meta import ObjectKey
from api.v1 import MODEL_PACKAGE
from controller.aws.polling.announced import MOST_LOOKS, AnnouncedChanges
from controller.aws.polling.hints import Effect, Hint
from controller.aws.polling.poll_state import RECHECK_S
from controller.aws.polling.tracker import MOST_UNFOLLOWED
from controller.aws.targets import Identity, Target
from tests.fakes import FakeClock

ARN = "arn:aws:sagemaker:us-east-2:123456789012:model-package/g/1"
T0 = datetime(2026, 5, 1, tzinfo=UTC)
KEY, OTHER = ObjectKey("ns", "a"), ObjectKey("ns", "b")
TEAM = Identity("arn:aws:iam::123456789012:role/team")
HERE = Target("us-east-2")


class Bench:
    """Announced changes, and the keys that they woke."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.woken: list[tuple[str, float]] = []
        self.changes = AnnouncedChanges(
            MODEL_PACKAGE, lambda key, after: self.woken.append((key.name, after)), self.clock
        )
        self.follow(KEY)

    def _wake(self, key: ObjectKey, after_s: float) -> None:
        self.woken.append((key.name, after_s))

    def follow(self, key: ObjectKey, target: Target = HERE, arn: str = ARN) -> None:
        """An object shows a version."""
        self.changes.follow(key, target, arn, T0)

    def event(self, approval: str, at_s: float, *, status: str = "Completed", **where: Any) -> Effect:
        """An event, so many seconds after `T0`."""
        hint = Hint(ARN, status, approval, T0 + timedelta(seconds=at_s), ARN)
        place = {"region": "us-east-2", "account": "123456789012", **where}
        return self.changes.hint("events", hint=hint, **place)

    def describe(self, approval: str, at_s: float | None) -> None:
        """A Describe has answered; of what was never modified with the time of its creation alone."""
        modified = {} if at_s is None else {"LastModifiedTime": T0 + timedelta(seconds=at_s)}
        answer = {"CreationTime": T0, "ModelPackageStatus": "Completed", "ModelApprovalStatus": approval}
        self.changes.described(KEY, answer | modified)

    def is_due(self, key: ObjectKey = KEY) -> bool:
        """Whether a Describe is due."""
        known = self.changes.last(key)
        return known is not None and known.is_describe_due


@pytest.mark.parametrize(
    ("described_at_s", "approval", "at_s", "effect"),
    [
        (10.5, "Approved", 20, "change"),
        (10.5, "Approved", 10, "change"),
        (10.5, "Pending", 10, "known"),
        (10.5, "Approved", 9, "stale"),
        (None, "Pending", 0, "known"),
        (None, "Approved", 0.4, "change"),
    ],
    ids=["newer", "in the same second, and another", "the same", "older", "of the creation", "soon after the creation"],
)
def test_what_is_news(described_at_s: float | None, approval: str, at_s: float, effect: Effect) -> None:
    """To the second: some events carry no more."""
    bench = Bench()
    bench.describe("Pending", described_at_s)
    assert bench.event(approval, at_s) == effect
    assert bench.is_due() is (effect == "change")
    assert bench.woken == [("a", 0.0)] * (effect == "change")


def test_it_is_described_once_where_the_api_shows_it() -> None:
    """However often the event comes."""
    bench = Bench()
    bench.describe("Pending", None)
    assert [bench.event("Approved", 20) for _ in range(3)] == ["change", "known", "known"]
    bench.describe("Approved", 20)
    assert not bench.is_due()
    assert bench.event("Approved", 20) == "known"
    assert bench.woken == [("a", 0.0)]


def test_it_is_described_a_few_times_where_the_api_does_not() -> None:
    """Each after some seconds, and then not for this event."""
    bench = Bench()
    bench.event("Approved", 20)
    for _ in range(MOST_LOOKS - 1):
        bench.describe("Pending", 10)
        assert not bench.is_due()
        bench.clock.advance(RECHECK_S)
        assert bench.is_due()
    bench.describe("Pending", 10)
    bench.clock.advance(3600.0)
    assert not bench.is_due()
    assert bench.woken == [("a", 0.0)] + [("a", RECHECK_S)] * (MOST_LOOKS - 1)
    assert bench.event("Approved", 20) == "known"
    assert bench.event("Approved", 30) == "change"


def test_each_object_that_shows_it_is_woken() -> None:
    """The name is the ARN, in which AWS may write small letters; what is not shown any more is forgotten."""
    bench = Bench()
    bench.follow(OTHER, arn=ARN.replace("/g/", "/G/"))
    assert bench.event("Approved", 1) == "change"
    assert sorted(bench.woken) == [("a", 0.0), ("b", 0.0)]
    bench.changes.forget(KEY)
    bench.follow(OTHER, arn=ARN.replace("/1", "/2"))
    assert bench.event("Rejected", 2) == "unfollowed"
    assert (bench.changes.last(KEY), bench.is_due(OTHER)) == (None, False)
    for key in (KEY, OTHER, OTHER):
        bench.changes.forget(key)


def test_what_is_announced_before_it_is_followed_is_not_lost() -> None:
    """An object is followed at the end of the pass that shows it: others may have been as quick."""
    bench = Bench()
    bench.changes.forget(KEY)
    bench.describe("Pending", 10)
    assert bench.event("Approved", 20) == "unfollowed"
    assert bench.woken == []
    bench.follow(KEY)
    assert bench.woken == [("a", 0.0)]
    assert bench.is_due()


@pytest.mark.parametrize(
    ("at_s", "where"), [(10, {}), (-3600, {}), (20, {"region": "eu-west-1"})], ids=["shown", "of another", "elsewhere"]
)
def test_what_was_announced_before_and_is_no_news_costs_nothing(at_s: float, where: dict[str, Any]) -> None:
    """What the pass has described, as the event of the creation; what was before the object; and what is elsewhere."""
    bench = Bench()
    bench.changes.forget(KEY)
    assert bench.event("Pending", at_s, **where) == "unfollowed"
    bench.describe("Pending", 10)
    bench.follow(KEY)
    assert (bench.woken, bench.is_due()) == ([], False)
    assert bench.event("Pending", 10) == "known"


def test_hints_of_what_nobody_follows_are_forgotten() -> None:
    """The oldest first."""
    bench = Bench()
    bench.changes.forget(KEY)
    bench.event("Approved", 20)
    for number in range(MOST_UNFOLLOWED):
        other = ARN.replace("/1", f"/{number + 2}")
        bench.changes.hint("events", "us-east-2", "", Hint(other, "Completed", "Approved", T0, other))
    bench.follow(KEY)
    assert not bench.is_due()


def test_what_is_known_stays_while_it_is_followed() -> None:
    """Every pass follows it again."""
    bench = Bench()
    bench.event("Approved", 1)
    bench.follow(KEY)
    assert bench.is_due()


@pytest.mark.parametrize(
    ("target", "where", "is_ours"),
    [
        (HERE, {}, True),
        (HERE, {"region": "eu-west-1"}, False),
        (HERE, {"account": ""}, True),
        (Target("us-east-2", identity=TEAM), {}, True),
        (Target("us-east-2", identity=TEAM), {"account": "999999999999"}, False),
        (Target("us-east-2", identity=TEAM), {"identities": (TEAM,)}, True),
        (HERE, {"identities": (TEAM,)}, False),
    ],
)
def test_only_news_of_the_targets_region_account_and_identity_count(
    target: Target, where: dict[str, Any], is_ours: bool
) -> None:
    """A queue of a namespace says nothing about the resources of other roles."""
    bench = Bench()
    bench.changes.forget(KEY)
    bench.follow(KEY, target)
    assert bench.event("Approved", 1, **where) == ("change" if is_ours else "unfollowed")
