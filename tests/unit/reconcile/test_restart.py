"""After a restart of the operator: what users did meanwhile comes before what is at rest."""

from typing import Any

from prometheus_client import CollectorRegistry

from api.meta import FINALIZER, ObjectKey
from api.v1 import KINDS, TRAINING_JOB
from controller.controllers import CONTROLLERS
from controller.reconcile.served import Served
from controller.runtime.queue.queue_metrics import QueueMetrics
from controller.runtime.queue.work_queue import WorkQueue
from tests.fakes import FakeClock
from tests.fakes.job_manifests import manifest
from tests.tables import each_row

AT_REST: dict[str, Any] = {"finalizers": ["other", FINALIZER]}


@each_row(
    ("metadata", "is_first"),
    [
        ({}, True),
        ({"finalizers": []}, True),
        ({"finalizers": None}, True),
        ({"finalizers": ["other"]}, True),
        (AT_REST | {"deletionTimestamp": "2026-11-30T12:00:00Z"}, True),
        (AT_REST, False),
    ],
    ids=["new", "emptied", "null", "another's finalizer", "deleted", "at rest"],
)
def test_what_waits_to_be_acted_on_is_handed_out_first(metadata: dict[str, Any], is_first: bool) -> None:
    """Ten thousand objects at rest take seconds to look at."""
    queue = WorkQueue[ObjectKey]("jobs", metrics=QueueMetrics(CollectorRegistry()), clock=FakeClock())
    served = {each.kind: Served(each, CONTROLLERS.new_store(each), queue) for each in KINDS}[TRAINING_JOB.kind]
    own, *_ = CONTROLLERS.handlers(served, {})
    for name, each in (("at-rest", AT_REST), ("other", metadata)):
        obj = manifest()
        obj["metadata"] = {"name": name, "namespace": "ns", "uid": name, "resourceVersion": "1", **each}
        own.on_add(served.store.upsert(obj).new, initial=True)

    handed = queue.get()

    assert handed is not None
    assert handed.key.name == ("other" if is_first else "at-rest")
