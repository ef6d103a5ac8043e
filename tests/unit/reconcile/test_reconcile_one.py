"""What the shell around a pass says of objects that went too early."""

import pytest
from structlog.testing import capture_logs

from api.meta import JsonObject, ObjectKey
from controller.reconcile.managed.local_state import LocalStates
from controller.reconcile.observation import Recorded
from controller.reconcile.passes.reconciler import reconcile_one
from controller.runtime.controller import DONE

KEY = ObjectKey("default", "job")
ARN = "arn:aws:sagemaker:us-east-2:123456789012:training-job/job-1"


class OneObject:
    """A store that holds one object, or none."""

    def __init__(self, uid: str | None) -> None:
        self._uid = uid

    def get(self, key: ObjectKey) -> JsonObject | None:
        """See `ObjectReader.get`."""
        return {"metadata": {"name": key.name, "uid": self._uid, "resourceVersion": "7"}} if self._uid else None


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
    states = LocalStates()
    recorded = Recorded(name="job-1", region="us-east-2", partition="aws", arn=ARN)
    states.of(KEY, "uid-1").recorded = recorded if is_recorded else None
    with capture_logs() as logs:
        reconcile_one(KEY, OneObject(now_there), states, lambda _obj, _state: DONE)
    assert [each["resource"] for each in logs if each["log_level"] == "warning"] == ([ARN] if warns else [])
