"""lightkube on our kinds: generic resources, server-side apply, waits for conditions, watches."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from lightkube import ApiError, AsyncClient, Client, KubeConfig, codecs
from lightkube.core.exceptions import ConditionError
from lightkube.generic_resource import get_generic_resource, load_in_cluster_generic_resources
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import ConfigMap
from lightkube.types import CascadeType, PatchType

from tests.clients.conftest import Manifest, Scene

Job = Callable[..., Manifest]


@pytest.fixture
def client(scene: Scene) -> Client:
    """A client that knows the kinds of the cluster's CRDs."""
    made = Client(config=KubeConfig.from_file(scene.kubeconfig), field_manager="lightkube-tests")
    load_in_cluster_generic_resources(made)
    return made


@pytest.fixture
def training_job(client: Client) -> Any:
    """The class that lightkube has made of our CRD."""
    made = get_generic_resource("sagemaker.aws.amazon.com/v1", "TrainingJob")
    assert made is not None
    return made


def test_a_job_is_applied_waited_for_and_deleted(client: Client, training_job: Any, job: Job) -> None:
    """Applied twice, which changes nothing; then its fields belong to the client's manager."""
    obj = codecs.from_dict(job(trainingJobName="lightkube-apply"))
    first, second = client.apply(obj), client.apply(obj)
    assert (first.metadata.uid, first.metadata.generation) == (second.metadata.uid, second.metadata.generation)
    assert "lightkube-tests" in {entry.manager for entry in second.metadata.managedFields}
    name = first.metadata.name
    done = client.wait(training_job, name, for_conditions=["Complete"], raise_for_conditions=["Failed"])
    assert done.status["trainingJobStatus"] == "Completed"
    client.delete(training_job, name, cascade=CascadeType.FOREGROUND)
    for operation, _ in client.watch(training_job, fields={"metadata.name": name}):
        if operation == "DELETED":
            break
    with pytest.raises(ApiError) as gone:
        client.get(training_job, name)
    assert gone.value.status.reason == "NotFound"


def test_a_job_that_fails_raises_from_the_wait(client: Client, training_job: Any, job: Job) -> None:
    """With what the condition says."""
    made = client.create(codecs.from_dict(job(environment=[{"name": "SANDBOX_FAIL", "value": "no data"}])))
    with pytest.raises(ConditionError, match="no data"):
        client.wait(training_job, made.metadata.name, for_conditions=["Complete"], raise_for_conditions=["Failed"])
    client.delete(training_job, made.metadata.name)


def test_patches_replacements_and_their_refusals(client: Client, training_job: Any, job: Job) -> None:
    """The default of the client is a strategic merge patch, which custom objects do not have."""
    made = client.create(codecs.from_dict(job(trainingJobName="lightkube-patch")))
    name = made.metadata.name
    client.wait(training_job, name, for_conditions=["Complete"])
    merged = client.patch(training_job, name, {"metadata": {"labels": {"a": "b"}}}, patch_type=PatchType.MERGE)
    change = [{"op": "replace", "path": "/metadata/labels/a", "value": "c"}]
    replaced = client.patch(training_job, name, change, patch_type=PatchType.JSON)
    assert [each.metadata.labels["a"] for each in (merged, replaced)] == ["b", "c"]
    with pytest.raises(ApiError, match="the body of the request was in an unknown format") as unknown:
        client.patch(training_job, name, {"metadata": {"labels": {"a": "d"}}})
    assert unknown.value.status.code == 415
    with pytest.raises(ApiError, match="the object has been modified") as conflict:
        client.replace(merged)
    assert conflict.value.status.reason == "Conflict"
    client.delete(training_job, name)


def test_lists_are_read_in_chunks_and_by_selectors(client: Client, training_job: Any, job: Job) -> None:
    """`chunk_size` is the limit of each request; the pages join without a gap."""
    names = []
    for suffix in ("-1", "-2", "-3", "-4", "-5"):
        made = client.create(codecs.from_dict(job(suffix)))
        names.append(made.metadata.name)
    mine = {"test": made.metadata.labels["test"]}
    found = client.list(training_job, namespace="*", labels=mine, chunk_size=2)
    assert sorted(each.metadata.name for each in found) == sorted(names)
    assert [each.metadata.name for each in client.list(training_job, fields={"metadata.name": names[2]})] == [names[2]]
    listed = client.list(training_job, labels=mine)
    assert len(list(listed)) == len(names)
    version = listed.resourceVersion
    for name in names:
        client.delete(training_job, name)
    changes = client.watch(training_job, labels=mine, resource_version=version)
    gone = (obj.metadata.name for operation, obj in changes if operation == "DELETED")
    assert sorted(itertools.islice(gone, 5)) == sorted(names)


def test_a_built_in_kind_is_applied_by_its_typed_model(client: Client) -> None:
    """Here a strategic merge patch is right."""
    wanted = ConfigMap(metadata=ObjectMeta(name="lightkube", namespace="default"), data={"a": "1", "b": "1"})
    client.apply(wanted)
    client.patch(ConfigMap, "lightkube", {"data": {"a": "2", "b": None}})
    assert client.get(ConfigMap, "lightkube").data == {"a": "2"}
    client.delete(ConfigMap, "lightkube")


def test_the_asynchronous_client_waits_for_many_at_once(scene: Scene, training_job: Any, job: Job) -> None:
    """Several waits share one event loop."""

    async def live() -> list[str]:
        client = AsyncClient(config=KubeConfig.from_file(scene.kubeconfig))
        made = [await client.create(codecs.from_dict(job(suffix))) for suffix in ("-1", "-2")]
        names = [each.metadata.name for each in made]
        done = await asyncio.gather(*(client.wait(training_job, name, for_conditions=["Complete"]) for name in names))
        await asyncio.gather(*(client.delete(training_job, name) for name in names))
        await client.close()
        return [each.status["trainingJobStatus"] for each in done]

    assert asyncio.run(live()) == ["Completed", "Completed"]
