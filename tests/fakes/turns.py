"""An account that allows few calls: each pass has a turn for one call of an operation, and is throttled at the next."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from api.meta import ObjectKey
from controller.aws.errors import AwsError
from controller.runtime.errors import ErrorClass
from tests.fakes.world import World


def limited(world: World, port: object, operations: Iterable[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, each pass of a world may make one call of each of these operations of a fake of AWS."""
    reconcile, made = world.reconcile, set[str]()

    def one_pass(key: ObjectKey, kind: str) -> None:
        made.clear()
        reconcile(key, kind)

    def once(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if name in made:
                raise AwsError(ErrorClass.THROTTLED, "BudgetExhausted", "waits for its turn", retry_after_s=1.0)
            made.add(name)
            return act(*args, **kwargs)

        return call

    monkeypatch.setattr(world, "reconcile", one_pass)
    for name in operations:
        monkeypatch.setattr(port, name, once(name, getattr(port, name)))
