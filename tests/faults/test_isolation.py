"""One object cannot stop the others: callers over the real budgets, and an AWS that picks on one of them."""

import heapq
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from prometheus_client import CollectorRegistry

from controller.aws.clients import AwsApi
from controller.aws.errors import CallError
from controller.aws.limits.budgets import Budgets
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from tests.fakes.clock import FakeClock

HERE = Target("us-east-2")
RETRY_S = 90.0
"""The pause of an object that keeps failing, in the end."""


def error_of(code: str, status: int = 400, **headers: str) -> ClientError:
    """What botocore raises for such an answer."""
    meta = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": meta}, "CreateModel")


class Account:
    """An AWS that answers `CreateModel` by `verdict`, and callers that come back as the worker loop has them."""

    def __init__(self, verdict: Callable[[str], ClientError | None]) -> None:
        self.clock = FakeClock()
        self.calls: list[tuple[float, str]] = []
        self.created: dict[str, float] = {}
        self._verdict = verdict
        registry = CollectorRegistry()
        clients: Any = SimpleNamespace(get=lambda *_: self._client())
        budgets = Budgets(self.clock, registry, rand=lambda: 0.5)
        self._api = AwsApi(clients, budgets, self.clock, registry)
        self._events: list[tuple[float, int, str]] = []
        self._numbers = count()
        self._start = self.clock.monotonic()

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.clock.monotonic() - self._start

    def apply(self, *names: str, at_s: float = 0.0) -> None:
        """Objects that are new at this time."""
        for name in names:
            heapq.heappush(self._events, (at_s, next(self._numbers), name))

    def run(self, until_s: float) -> None:
        """Let time pass."""
        while self._events and self._events[0][0] < until_s:
            at_s, _, name = heapq.heappop(self._events)
            self.clock.advance(max(0.0, at_s - self.now))
            try:
                self._api.call(HERE, "sagemaker", "CreateModel", {"ModelName": name}, caller=name)
                self.created[name] = self.now
            except CallError as error:
                pause_s = RETRY_S if error.error_class is not ErrorClass.THROTTLED else error.retry_after_s or 0.0
                self.apply(name, at_s=self.now + pause_s)

    def calls_of(self, name: str) -> list[float]:
        """When the calls of an object reached AWS."""
        return [at for at, each in self.calls if each == name]

    def _client(self) -> Any:
        def create_model(**request: Any) -> dict[str, Any]:
            self.calls.append((self.now, request["ModelName"]))
            if error := self._verdict(request["ModelName"]):
                raise error
            return {}

        meta = SimpleNamespace(method_to_api_mapping={"create_model": "CreateModel"})
        return SimpleNamespace(meta=meta, create_model=create_model)


def test_an_object_whose_create_is_always_throttled_does_not_hold_up_four_others() -> None:
    """It kept its place at the head and cut the rate for all; the others waited until it was deleted."""
    aws = Account(lambda name: error_of("ThrottlingException") if name == "bad" else None)
    aws.apply("bad", *(f"good-{n}" for n in range(4)))
    aws.run(60.0)
    assert len(aws.created) == 4
    assert max(aws.created.values()) <= 10.0


def test_an_object_that_is_throttled_for_ever_does_not_slow_down_those_that_come_later() -> None:
    """Others succeed, so it is not the rate that AWS refuses."""
    aws = Account(lambda name: error_of("ThrottlingException") if name == "bad" else None)
    aws.apply("bad")
    for n in range(200):
        aws.apply(f"good-{n}", at_s=20.0 + n * 3)
    aws.run(700.0)
    waits = [aws.created[f"good-{n}"] - 20.0 - n * 3 for n in range(200)]
    assert sorted(waits)[190] <= 1.0
    assert max(waits) <= 30.0
    pauses = [after - before for before, after in zip(aws.calls_of("bad")[8:], aws.calls_of("bad")[9:], strict=False)]
    assert min(pauses) >= 60.0


def test_an_object_that_was_throttled_is_created_when_aws_gives_in() -> None:
    """Its back-off has a cap of two minutes."""
    aws = Account(lambda name: error_of("ThrottlingException") if name == "bad" and aws.now < 1000.0 else None)
    aws.apply("bad")
    aws.run(2000.0)
    assert aws.created["bad"] <= 1120.0


def test_failing_objects_queue_behind_those_that_did_not_fail() -> None:
    """With 300 objects in the line of one operation, a new one waited 75 s for its turn."""
    aws = Account(lambda name: None if name == "new" else error_of("ResourceLimitExceeded"))
    aws.apply(*(f"bad-{n}" for n in range(300)))
    aws.apply("new", at_s=300.0)
    aws.run(400.0)
    assert aws.created["new"] - 300.0 <= 2.0
    assert len(aws.calls) >= 3 * 300, "they get their turns, too"


def test_a_wait_that_aws_asks_for_is_kept_whatever_the_budget_says() -> None:
    """Retry-After comes with 429 and 503."""
    aws = Account(lambda _: error_of("", 429, **{"retry-after": "40"}) if aws.now < 100.0 else None)
    aws.apply("x")
    aws.run(300.0)
    pauses = [after - before for before, after in zip(aws.calls_of("x"), aws.calls_of("x")[1:], strict=False)]
    assert min(pauses) >= 40.0
    assert aws.created["x"] <= 160.0
