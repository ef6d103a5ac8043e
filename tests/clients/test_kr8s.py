"""kr8s on our kinds: objects that know their cluster, and `wait` with the conditions of kubectl."""

import asyncio
from collections.abc import Callable
from typing import Any

import kr8s
import pytest
from kr8s.asyncio.objects import new_class as new_async_class
from kr8s.objects import APIObject, new_class

from tests.clients.conftest import Manifest, Scene
from tests.deadline import PATIENCE_S

API_VERSION = "sagemaker.aws.amazon.com/v1"
TrainingJob = new_class(kind="TrainingJob", version=API_VERSION, namespaced=True)
AsyncTrainingJob = new_async_class(kind="TrainingJob", version=API_VERSION, namespaced=True)
Job = Callable[..., Manifest]


@pytest.fixture
def api(scene: Scene) -> Any:
    """A client for the scene."""
    return kr8s.api(kubeconfig=str(scene.kubeconfig))


def test_a_job_is_created_waited_for_and_deleted(api: Any, job: Job) -> None:
    """By condition and by JSONPath, whose expression kr8s wants in quotes."""
    mine = TrainingJob(job(), api=api)
    assert not mine.exists()
    mine.create()
    mine.wait("condition=Complete", timeout=PATIENCE_S)
    mine.wait("jsonpath='{.status.trainingJobStatus}'=Completed", timeout=PATIENCE_S)
    assert mine.status.conditions
    mine.delete()
    mine.wait("delete", timeout=PATIENCE_S)
    assert not mine.exists()


def test_a_job_that_fails_ends_a_wait_for_either_end(api: Any, job: Job) -> None:
    """As of a Job of Kubernetes: `Complete` or `Failed`."""
    mine = TrainingJob(job(environment=[{"name": "SANDBOX_FAIL", "value": "no data"}]), api=api)
    mine.create()
    mine.wait(["condition=Complete", "condition=Failed"], timeout=PATIENCE_S)
    assert mine.status.trainingJobStatus == "Failed"
    mine.delete()


def test_objects_are_found_by_every_name_of_their_kind(api: Any, job: Job) -> None:
    """Discovery gives plural, singular and group; selectors narrow."""
    manifest = job()
    mine = TrainingJob(manifest, api=api)
    mine.create()
    for kind in ("trainingjobs.sagemaker.aws.amazon.com", "trainingjobs", "trainingjob", "TrainingJob"):
        found = list(api.get(kind, namespace=kr8s.ALL, label_selector={"test": mine.name}))
        assert [(type(each).__name__, each.name) for each in found] == [("TrainingJob", mine.name)], kind
    by_field = api.get("trainingjobs", namespace="default", field_selector=f"metadata.name={mine.name}")
    assert [each.name for each in by_field] == [mine.name]
    mine.delete()


def test_an_object_is_patched_labelled_annotated_and_watched(api: Any, job: Job) -> None:
    """Merge patches and JSON patches; a watch from the version that was read begins with the next change."""
    mine = TrainingJob(job(), api=api)
    mine.create()
    mine.wait("condition=Complete", timeout=PATIENCE_S)
    mine.patch({"metadata": {"labels": {"a": "b"}}})
    mine.patch([{"op": "remove", "path": "/metadata/labels/a"}], type="json")
    TrainingJob.get(mine.name, namespace="default", api=api).label({"team": "one"})
    event, seen = next(mine.watch())
    assert (event, seen.labels["team"]) == ("MODIFIED", "one")
    mine.delete()


def test_the_asynchronous_half_waits_for_many_at_once(scene: Scene, job: Job) -> None:
    """Several waits share one event loop, each with a watch of its own."""

    async def live() -> list[str]:
        api = await kr8s.asyncio.api(kubeconfig=str(scene.kubeconfig))
        mine = [await AsyncTrainingJob(job(suffix), api=api) for suffix in ("-1", "-2", "-3")]
        await asyncio.gather(*(each.create() for each in mine))
        await asyncio.gather(*(each.wait("condition=Complete", timeout=PATIENCE_S) for each in mine))
        await asyncio.gather(*(each.delete() for each in mine))
        return [each.status.trainingJobStatus for each in mine]

    assert asyncio.run(live()) == ["Completed"] * 3


def test_a_refusal_has_the_words_of_the_server(api: Any, job: Job) -> None:
    """And no object is made."""
    manifest = job()
    del manifest["spec"]["roleArn"]
    mine: APIObject = TrainingJob(manifest, api=api)
    with pytest.raises(kr8s.ServerError, match=r"spec.roleArn: Required value"):
        mine.create()
    with pytest.raises(kr8s.NotFoundError):
        TrainingJob.get(mine.name, namespace="default", api=api)
