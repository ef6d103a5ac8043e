"""The Kubernetes project's client for Python (`kubernetes`) on our kinds: generated, dynamic, watch, informer."""

import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client, config, utils, watch
from kubernetes.client import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError, UnprocessibleEntityError
from kubernetes.dynamic.resource import Resource
from kubernetes.informer import SharedInformer

from tests.clients.conftest import REPOSITORY, Manifest, Scene
from tests.deadline import PATIENCE_S, eventually

JOBS = ("sagemaker.aws.amazon.com", "v1", "default", "trainingjobs")


@pytest.fixture
def api(scene: Scene) -> Iterator[client.ApiClient]:
    """A client of its own, closed with the test. The module has read KUBECONFIG already when it was imported."""
    with config.new_client_from_config(str(scene.kubeconfig)) as made:
        yield made


@pytest.fixture
def objects(api: client.ApiClient) -> client.CustomObjectsApi:
    """The generated calls for custom objects."""
    return client.CustomObjectsApi(api)


@pytest.fixture
def jobs(api: client.ApiClient) -> Resource:
    """TrainingJobs by the dynamic client, which reads what is served from discovery."""
    return DynamicClient(api).resources.get(api_version="sagemaker.aws.amazon.com/v1", kind="TrainingJob")


def condition(obj: Any, kind: str) -> str:
    """The status of a condition, or nothing."""
    found = [each for each in (obj.get("status") or {}).get("conditions", ()) if each["type"] == kind]
    return str(found[0]["status"]) if found else ""


def test_a_job_is_created_watched_until_complete_and_deleted(
    objects: client.CustomObjectsApi, job: Callable[..., Manifest]
) -> None:
    """The client's own example of a watch: each event is the whole object, and the last one is its end."""
    manifest = job()
    name = manifest["metadata"]["name"]
    made = objects.create_namespaced_custom_object(*JOBS, manifest, field_manager="tests")
    assert made["metadata"]["managedFields"][0]["manager"] == "tests"
    with pytest.raises(ApiException) as refused:
        objects.create_namespaced_custom_object(*JOBS, manifest)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")

    mine = f"metadata.name={name}"
    seen = []
    stream = watch.Watch()
    for event in stream.stream(
        objects.list_namespaced_custom_object, *JOBS, field_selector=mine, _request_timeout=PATIENCE_S
    ):
        seen.append(event["type"])
        if condition(event["object"], "Complete") == "True":
            stream.stop()
    assert (seen[0], {*seen[1:]}) == ("ADDED", {"MODIFIED"})

    listed = objects.list_namespaced_custom_object(*JOBS, label_selector=f"test={name}")
    assert [each["metadata"]["name"] for each in listed["items"]] == [name]
    since = listed["metadata"]["resourceVersion"]
    objects.delete_namespaced_custom_object(*JOBS, name)
    for event in stream.stream(
        objects.list_namespaced_custom_object,
        *JOBS,
        field_selector=mine,
        resource_version=since,
        _request_timeout=PATIENCE_S,
    ):
        if event["type"] == "DELETED":
            stream.stop()
    with pytest.raises(ApiException) as gone:
        objects.get_namespaced_custom_object(*JOBS, name)
    assert gone.value.status == 404


@pytest.mark.parametrize(
    ("content", "change"),
    [
        ("application/merge-patch+json", {"metadata": {"labels": {"a": "b"}}}),
        ("application/json-patch+json", [{"op": "add", "path": "/metadata/labels/a", "value": "b"}]),
        (
            "application/apply-patch+yaml",
            {"apiVersion": "sagemaker.aws.amazon.com/v1", "kind": "TrainingJob", "metadata": {"labels": {"a": "b"}}},
        ),
    ],
    ids=["merge", "json", "apply"],
)
def test_patches_of_every_type_that_custom_objects_have(
    objects: client.CustomObjectsApi, job: Callable[..., Manifest], content: str, change: Any
) -> None:
    """Strategic merge patches are for built-in kinds only."""
    manifest = job()
    name = manifest["metadata"]["name"]
    objects.create_namespaced_custom_object(*JOBS, manifest)
    manager = {"field_manager": "tests"} if "apply" in content else {}
    patched = objects.patch_namespaced_custom_object(*JOBS, name, change, _content_type=content, **manager)
    assert patched["metadata"]["labels"] == {"a": "b", "test": name}
    with pytest.raises(ApiException) as refused:
        objects.patch_namespaced_custom_object(
            *JOBS, name, {}, _content_type="application/strategic-merge-patch+json", _request_timeout=PATIENCE_S
        )
    assert refused.value.status == 415
    objects.delete_namespaced_custom_object(*JOBS, name)


def test_the_dynamic_client_applies_with_conflicts_between_managers(
    jobs: Resource, job: Callable[..., Manifest]
) -> None:
    """Server-side apply as documented: a field of another manager needs force."""
    manifest = job(trainingJobName="dynamic-apply")  # else the operator adds it, a change of the spec
    name = manifest["metadata"]["name"]
    jobs.server_side_apply(body=manifest, namespace="default", field_manager="one")
    manifest["metadata"]["labels"]["test"] = "two"
    with pytest.raises(ConflictError, match=r'conflict with \\"one\\": .metadata.labels.test'):
        jobs.server_side_apply(body=manifest, namespace="default", field_manager="two")
    forced = jobs.server_side_apply(body=manifest, namespace="default", field_manager="two", force_conflicts=True)
    assert forced.metadata.labels.test == "two"
    assert forced.metadata.generation == 1, "a label is no change of the spec"
    jobs.delete(name=name, namespace="default")


def test_the_dynamic_client_reads_refusals_and_subresources(jobs: Resource, job: Callable[..., Manifest]) -> None:
    """Every class of refusal has an exception of its own, with the server's words."""
    with pytest.raises(UnprocessibleEntityError, match=r"spec.resourceConfig.volumeSizeInGB: Required value"):
        jobs.create(body=job(resourceConfig={"instanceCount": 1, "instanceType": "ml.m4.xlarge"}), namespace="default")
    with pytest.raises(NotFoundError):
        jobs.get(name="nothing", namespace="default")
    manifest = job(trainingJobName="dynamic-subresources")
    name = manifest["metadata"]["name"]
    jobs.create(body=manifest, namespace="default")
    eventually(
        lambda: jobs.status.get(name=name, namespace="default").status.trainingJobStatus == "Completed",
        what="the job completes",
    )
    stale = jobs.get(name=name, namespace="default").to_dict()
    jobs.patch(
        name=name,
        namespace="default",
        body={"metadata": {"labels": {"a": "b"}}},
        content_type="application/merge-patch+json",
    )
    with pytest.raises(ConflictError, match="the object has been modified"):
        jobs.replace(body=stale, namespace="default")
    for event in jobs.watch(namespace="default", field_selector=f"metadata.name={name}", timeout=int(PATIENCE_S)):
        assert event["object"].metadata.labels.a == "b"
        break
    jobs.delete(name=name, namespace="default")


def test_samples_are_applied_from_their_files(api: client.ApiClient, jobs: Resource) -> None:
    """`utils.create_from_yaml(apply=True)`, the client's `kubectl apply`: the second time finds nothing to change."""
    path = REPOSITORY / "samples" / "xgboost-mnist-trainingjob-spot.yaml"
    made, again = (utils.create_from_yaml(api, str(path), apply=True)[0][0].metadata for _ in range(2))
    assert (again.name, again.uid) == (made.name, made.uid)
    jobs.delete(name=made.name, namespace="default")


def test_the_informer_of_the_client_follows_the_events_of_an_object(
    api: client.ApiClient, objects: client.CustomObjectsApi, job: Callable[..., Manifest]
) -> None:
    """List, watch, cache and handlers. Of a built-in kind: it cannot read the lists of custom objects."""
    manifest = job()
    name = manifest["metadata"]["name"]
    seen: queue.Queue[str] = queue.Queue()
    events = client.CoreV1Api(api).list_namespaced_event
    informer = SharedInformer(events, "default", field_selector=f"involvedObject.name={name}")
    informer.add_event_handler("ADDED", lambda event: seen.put(event.reason))
    informer.start()
    try:
        objects.create_namespaced_custom_object(*JOBS, manifest)
        while seen.get(timeout=PATIENCE_S) != "Completed":
            pass
        assert "Completed" in {event.reason for event in informer.cache.list()}
    finally:
        informer.stop()
    objects.delete_namespaced_custom_object(*JOBS, name)
