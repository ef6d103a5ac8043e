"""What the shell around a pass says of objects that went too early."""

from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.meta import JsonObject, ObjectKey
from api.v1 import TRAINING_JOB
from controller.reconcile.context import Context
from controller.reconcile.managed.managed_object import ManagedObject
from controller.reconcile.observation import Recorded
from controller.reconcile.passes.reconciler import ObjectReconciler
from controller.reconcile.settings import ReconcilerSettings
from controller.runtime.controller import DONE, Result
from tests.fakes.clock import FakeClock

KEY = ObjectKey("default", "job")
ARN = "arn:aws:sagemaker:us-east-2:123456789012:training-job/job-1"


class OneObject:
    """A store that holds one object, or none."""

    def __init__(self, uid: str | None) -> None:
        self.uid = uid

    def get(self, key: ObjectKey) -> JsonObject | None:
        """See `ObjectReader.get`."""
        return {"metadata": {"name": key.name, "uid": self.uid, "resourceVersion": "7"}} if self.uid else None


@pytest.mark.parametrize(
    ("now_there", "is_recorded", "warns"),
    [
        pytest.param(None, True, True, id="gone before its status could say what was created"),
        pytest.param("uid-2", True, True, id="replaced by another object of the same name"),
        pytest.param("uid-1", True, False, id="still there"),
        pytest.param(None, False, False, id="gone, nothing was created"),
    ],
)
def test_what_is_left_at_aws_is_named_in_the_log(now_there: str | None, is_recorded: bool, warns: bool) -> None:
    """Whoever removed the finalizer by hand owns the resource now; nobody shall have to guess that it is there."""

    def creates(managed: ManagedObject) -> Result:
        if is_recorded and managed.obj["metadata"]["uid"] == "uid-1":
            managed.state.recorded = Recorded(name="job-1", region="us-east-2", partition="aws", arn=ARN)
        return DONE

    store: Any = OneObject("uid-1")
    no_effects: Any = None
    settings = ReconcilerSettings(cluster_id="cluster-1", manager="test/1")
    context = Context(TRAINING_JOB, no_effects, FakeClock(), settings)
    life_cycle: Any = SimpleNamespace(forget=lambda _: None)
    reconciler: ObjectReconciler[Any, Any] = ObjectReconciler(context, store, life_cycle, creates)
    reconciler.reconcile(KEY)
    store.uid = now_there
    with capture_logs() as logs:
        reconciler.reconcile(KEY)
    assert [each["resource"] for each in logs if each["log_level"] == "warning"] == ([ARN] if warns else [])
