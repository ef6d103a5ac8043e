"""Metrics about users' objects, as a scrape shows them."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from api.meta import JsonObject
from api.v1 import MODEL, TRAINING_JOB
from controller.controllers import CONTROLLERS
from controller.reconcile.object_metrics import ObjectMetrics, state_of
from tests.fakes.job_manifests import manifest
from tests.fakes.world import World
from tests.tables import each_row


def with_conditions(**conditions: tuple[str, str]) -> JsonObject:
    """An object with these conditions, each as status and reason."""
    shown = [{"type": name, "status": status, "reason": reason} for name, (status, reason) in conditions.items()]
    return {"metadata": {"name": "a", "resourceVersion": "1"}, "status": {"conditions": shown}}


@each_row(
    ("obj", "state"),
    [
        pytest.param({"metadata": {}}, "Unknown Unknown", id="not seen yet"),
        pytest.param(
            with_conditions(Ready=("True", "InService"), Reconciling=("False", "InService")),
            "Ready InService",
            id="serves",
        ),
        pytest.param(
            with_conditions(Ready=("True", "InService"), Reconciling=("True", "Updating")),
            "Ready InService",
            id="serves, and is updated",
        ),
        pytest.param(
            with_conditions(Ready=("True", "UpdateFailed"), Stalled=("True", "UpdateFailed")),
            "Stalled UpdateFailed",
            id="serves, but not what was applied",
        ),
        pytest.param(
            with_conditions(Ready=("False", "AccessDenied"), Reconciling=("True", "AccessDenied")),
            "Reconciling AccessDenied",
            id="is tried again",
        ),
        pytest.param(with_conditions(Ready=("False", "Paused")), "Unknown Paused", id="paused"),
        pytest.param(with_conditions(Reconciling=("True", "Whatever12")), "Reconciling Other", id="a state of others"),
    ],
)
def test_an_object_has_one_state(obj: JsonObject, state: str) -> None:
    """As kstatus has it; reasons that no table has do not make new labels."""
    assert list(state_of(obj)) == [state]


def test_a_scrape_counts_objects_by_kind_state_and_reason() -> None:
    """By an index of the store: no object is decoded for it."""
    registry = CollectorRegistry()
    metrics, store = ObjectMetrics(registry), CONTROLLERS.new_store(MODEL)
    metrics.add(MODEL, store)

    def count(state: str, reason: str) -> float | None:
        labels = {"kind": "Model", "state": state, "reason": reason}
        return registry.get_sample_value("sagemaker_operator_objects", labels)

    for name in ("a", "b", "c"):
        obj = with_conditions(Ready=("True", "Created"))
        store.upsert({**obj, "metadata": {"name": name, "namespace": "x", "resourceVersion": "1"}})
    assert count("Ready", "Created") == 3
    stalled = with_conditions(Ready=("False", "InvalidSpec"), Stalled=("True", "InvalidSpec"))
    store.upsert({**stalled, "metadata": {"name": "c", "namespace": "x", "resourceVersion": "2"}})
    assert (count("Ready", "Created"), count("Stalled", "InvalidSpec")) == (2, 1)


@pytest.mark.parametrize("result", ["Completed", "Failed", "Stopped"])
def test_the_end_of_a_job_is_counted_once_and_its_start_is_timed(result: str) -> None:
    """Also after a restart; counters are there from the start, at zero."""
    registry = CollectorRegistry()
    world = World()
    metrics = ObjectMetrics(registry)
    world.metrics = metrics
    world.restart()

    def sample(name: str, **labels: str) -> Any:
        return registry.get_sample_value(name, {"kind": TRAINING_JOB.kind, **labels})

    assert sample("sagemaker_operator_jobs_finished_total", result=result) == 0
    world.cluster.apply(manifest())
    world.run(10)
    assert sample("sagemaker_operator_creation_delay_seconds_count") == 1
    world.aws.move(world.name, result)
    world.until(lambda: world.value == result, within_s=60)
    world.restart()
    world.run(60)
    assert sample("sagemaker_operator_jobs_finished_total", result=result) == 1
