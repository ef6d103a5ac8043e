"""Describes beyond the budget, which earn trust in Search: how many may be under way, and how each ends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from api.meta import ObjectKey
from api.v1 import TRAINING_JOB
from controller.aws.polling.confidence import Confidence
from controller.aws.polling.hints import Hint
from controller.aws.polling.poll_state import PROOFS, PollSettings, PollState
from controller.aws.polling.search_state import SEARCH, confidence_settings
from tests.tables import each_row

T0 = datetime(2026, 1, 1, tzinfo=UTC)
NOW = 1000.0


class Bench:
    """Jobs of which Search shows one state and Describe another, within one moment: the budget gives nothing."""

    def __init__(self) -> None:
        accelerators = {SEARCH: Confidence(confidence_settings(5.0))}
        self.state = PollState(TRAINING_JOB, PollSettings(), lambda: 0.5, now=NOW, accelerators=accelerators)
        self._seconds: Iterator[int] = count(1)
        self.keys = (ObjectKey("ns", f"job-{n}") for n in count())
        while self.search(self.follow(), "Stopped"):
            pass  # all proofs, and what the budget has saved up
        for n in range(PROOFS):
            self.state.forget(ObjectKey("ns", f"job-{n}"))

    def follow(self) -> ObjectKey:
        """Follow one more job, which runs."""
        key = next(self.keys)
        self.state.follow(key, key.name, T0, now=NOW, age_s=600.0)
        self.describe(key, "InProgress")
        return key

    def search(self, key: ObjectKey, status: str) -> bool:
        """Let Search show a state; returns whether the job is described at once."""
        modified = T0 + timedelta(seconds=next(self._seconds))
        return key in self.state.hint(SEARCH, Hint(key.name, status, "", modified), now=NOW)[1]

    def describe(self, key: ObjectKey, status: str) -> None:
        """Let Describe show a state."""
        times = {"CreationTime": T0, "LastModifiedTime": T0 + timedelta(seconds=next(self._seconds))}
        answer = {"TrainingJobName": key.name, "TrainingJobStatus": status, **times}
        self.state.described(key, answer, now=NOW)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_as_many_are_under_way_as_there_are_proofs(bench: Bench) -> None:
    """Further ones wait for the budget."""
    assert [bench.search(bench.follow(), "Stopped") for _ in range(PROOFS + 2)] == [True] * PROOFS + [False] * 2


@each_row(
    ("described", "is_right"),
    [
        (["Stopping"], True),
        (["Stopped"], True),
        (["InProgress", "Stopping"], True),
        (["InProgress"], False),
        (["InProgress", "InProgress"], False),
    ],
    ids=["the same", "something newer", "the same, on the second look", "no change", "no change, twice"],
)
def test_a_hint_that_proves_right_costs_nothing(described: list[str], *, is_right: bool) -> None:
    """However many: an operator runs for months. Each that is wrong leaves one less."""
    bench, proven = Bench(), 0
    for _ in range(3 * PROOFS):
        key = bench.follow()
        proven += bench.search(key, "Stopping")
        for status in described:
            bench.describe(key, status)

    assert proven == (3 * PROOFS if is_right else PROOFS)


def test_a_job_that_is_followed_no_more_has_nothing_to_prove(bench: Bench) -> None:
    """Whether Describe has shown that its hint was wrong, or nothing yet."""
    for answers in ([], ["InProgress"]):
        keys = [bench.follow() for _ in range(PROOFS)]
        assert [bench.search(key, "Stopped") for key in keys] == [True] * PROOFS
        for key in keys:
            for status in answers:
                bench.describe(key, status)
            bench.state.forget(key)
