"""What the controllers of one process share: each kind has its own queue and reconciler, and they act on each other."""

from contextlib import ExitStack
from typing import Any

import pytest

from api.meta import ObjectKey
from api.v1 import KINDS, MODEL
from controller import app
from controller.kube.access import Address
from controller.kube.config import Cluster
from controller.reconcile.setup import Shared
from controller.runtime.clock import SystemClock
from controller.runtime.manager import Stage
from controller.runtime.threads import Stop
from controller.settings import parse


class Idle:
    """A controller that has nothing to do."""

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        """Take what a controller is made of."""

    def run(self, stop: Stop) -> None:
        """End at once."""


def test_a_check_that_one_kind_requests_is_seen_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment whose update is refused, as a model is missing, makes the Model look for it at SageMaker."""
    given: list[Shared] = []

    def recorded(*args: Any, **kwargs: Any) -> Shared:
        given.append(Shared(*args, **kwargs))
        return given[-1]

    monkeypatch.setattr(app, "Shared", recorded)
    monkeypatch.setattr(app, "Controller", Idle)
    settings = parse(["--aws-region=us-east-2", "--metrics-addr=0", "--health-addr=0"], {})
    with ExitStack() as closing:
        cluster = Cluster(lambda: Address("http://127.0.0.1:1"), source="this test", clock=SystemClock())
        operator = app._Operator(settings, cluster, SystemClock(), closing)
        names = {kind.controller_name for kind in KINDS}
        for part in operator.manager._parts[Stage.LEADING]:
            if part.name in names:
                part.run(Stop())
    key = ObjectKey("default", "m")
    assert len(given) == len(KINDS)
    given[0].check(MODEL, key)
    assert all(each.checks.is_requested(MODEL.kind, key) for each in given)
