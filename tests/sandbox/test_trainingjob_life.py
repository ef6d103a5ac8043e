"""A TrainingJob's whole life through HTTP, with a real operator process."""

import copy
import json
import urllib.error

import pytest

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import LONG, SLOW, SLOW_S, aws_call, condition, jobs, marked, named, until_gone, until_status
from tests.sandbox.interceptor import Interceptor, Request

pytestmark = pytest.mark.sandbox


def operations(proxy: Interceptor) -> list[str]:
    """AWS operations that were asked for, in order."""
    return [request.operation for request in proxy.requests]


def test_a_job_is_created_followed_and_completed(world: World, manifest: JsonObject) -> None:
    """v1-kinds.md 12.1 rows 1, 5, 10: create, follow the AWS status, show where the model is."""
    world.operator().until_ready()
    name = world.api.create(manifest)["metadata"]["name"]
    done = until_status(world.api, name, "Completed")

    uid = done["metadata"]["uid"].replace("-", "")
    assert done["spec"]["trainingJobName"] == f"{name}-{uid}", "the generated name is written into the spec"
    assert done["metadata"]["generation"] == 2
    assert done["metadata"]["finalizers"] == ["sagemaker-operator-finalizer"]
    status = done["status"]
    assert status["sageMakerTrainingJobName"] == done["spec"]["trainingJobName"]
    assert status["secondaryStatus"] == "Completed"
    assert status["modelPath"].endswith(f"/{name}-{uid}/output/model.tar.gz")
    assert status["lastCheckTime"]
    assert f"prefix={name}-{uid};" in status["cloudWatchLogUrl"]
    assert status["observedGeneration"] == done["metadata"]["generation"]
    assert condition(done, "Ready")["status"] == "True"
    assert condition(done, "Complete")["status"] == "True"
    (job,) = jobs(world.aws.url)
    assert job["TrainingJobName"] == done["spec"]["trainingJobName"]
    reasons = {event["reason"] for event in eventually(lambda: two_events(world, name), what="events")}
    assert {"Created", "Completed"} <= reasons


def two_events(world: World, name: str) -> list[JsonObject]:
    """The events about an object once there are two: they are written behind the status."""
    events = world.api.events(name)
    return events if len(events) >= 2 else []


def test_what_is_created_is_tagged_with_its_owner(world: World, manifest: JsonObject) -> None:
    """Tags name cluster, namespace, name, kind and uid (modern-expectations.md 5)."""
    world.operator().until_ready()
    created = world.api.create(marked(manifest, **LONG))
    until_status(world.api, created["metadata"]["name"], "InProgress")
    (job,) = jobs(world.aws.url)
    tags = {
        tag["Key"]: tag["Value"]
        for tag in aws_call(world.aws.url, "ListTags", ResourceArn=job["TrainingJobArn"])["Tags"]
    }
    kube_system = world.api.call("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"]
    assert tags["sagemaker.aws.amazon.com/cluster"] == kube_system
    assert tags["sagemaker.aws.amazon.com/namespace"] == world.api.namespace
    assert tags["sagemaker.aws.amazon.com/name"] == created["metadata"]["name"]
    assert tags["sagemaker.aws.amazon.com/kind"] == "TrainingJob"
    assert tags["sagemaker.aws.amazon.com/uid"] == created["metadata"]["uid"]


def test_a_failing_job_shows_the_reason(world: World, manifest: JsonObject) -> None:
    """Row 9: Failed, with FailureReason in `additional`, a condition for kubectl wait and a Warning event."""
    world.operator().until_ready()
    world.api.create(marked(named(manifest, "failing"), SANDBOX_FAIL="labels are missing"))
    done = until_status(world.api, "failing", "Failed")
    assert "AlgorithmError: labels are missing" in done["status"]["additional"]
    assert condition(done, "Failed")["status"] == "True"
    assert condition(done, "Stalled")["status"] == "True"
    assert "AlgorithmError" in condition(done, "Failed")["message"]
    warning = eventually(
        lambda: [each for each in world.api.events("failing") if each["reason"] == "Failed"], what="a Failed event"
    )
    assert warning[0]["type"] == "Warning"


def test_deleting_a_running_job_stops_it_and_lets_the_object_go(world: World, manifest: JsonObject) -> None:
    """Rows 7, 8, 11: Stop once, show Stopping, release the object when SageMaker says Stopped; the record stays."""
    world.operator().until_ready()
    name = world.api.create(marked(manifest, **LONG))["metadata"]["name"]
    until_status(world.api, name, "InProgress")
    world.api.delete(name)
    until_gone(world.api, name)
    (job,) = jobs(world.aws.url)
    assert job["TrainingJobStatus"] == "Stopped"
    assert operations(world.to_aws).count("StopTrainingJob") == 1


def test_deleting_a_finished_job_asks_nothing_of_sagemaker_to_stop(world: World, manifest: JsonObject) -> None:
    """Row 11: a terminal job is let go at once."""
    world.operator().until_ready()
    name = world.api.create(manifest)["metadata"]["name"]
    until_status(world.api, name, "Completed")
    world.api.delete(name)
    until_gone(world.api, name)
    assert "StopTrainingJob" not in operations(world.to_aws)


def test_an_invalid_spec_is_refused_with_its_path(world: World, manifest: JsonObject) -> None:
    """Bad input is refused where the user looks first: the answer of kubectl apply."""
    wrong = copy.deepcopy(manifest)
    wrong["spec"]["resourceConfig"]["instanceCount"] = -1
    del wrong["spec"]["roleArn"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        world.api.create(wrong)
    with refused.value as answer:
        status = json.loads(answer.read())
    assert status["reason"] == "Invalid"
    assert {cause["field"] for cause in status["details"]["causes"]} >= {
        "spec.resourceConfig.instanceCount",
        "spec.roleArn",
    }


def test_a_changed_spec_is_refused_saying_what_to_do_but_for_what_sagemaker_can_change(
    world: World, manifest: JsonObject
) -> None:
    """DESIGN 4.13: jobs are immutable where SageMaker is; the late-initialised name passed before. A warm pool is
    asked for by an edit, through the rules of the CRD, the operator and UpdateTrainingJob.
    """
    world.operator().until_ready()
    name = world.api.create(marked(manifest, **LONG))["metadata"]["name"]
    until_status(world.api, name, "InProgress")
    change = {"spec": {"resourceConfig": {"instanceCount": 2}}}
    with pytest.raises(urllib.error.HTTPError) as refused:
        world.api.call("PATCH", world.api.path(name), change, content="application/merge-patch+json")
    with refused.value as answer:
        message = json.loads(answer.read())["message"]
    assert "delete" in message
    assert "name" in message

    change = {"spec": {"resourceConfig": {"keepAlivePeriodInSeconds": 600}}}
    world.api.call("PATCH", world.api.path(name), change, content="application/merge-patch+json")
    eventually(lambda: "UpdateTrainingJob" in operations(world.to_aws), what="the change is sent")
    eventually(lambda: "changesDigest" in world.api.status(name)["awsResource"], what="the change is recorded")
    (job,) = jobs(world.aws.url)
    shown = aws_call(world.aws.url, "DescribeTrainingJob", TrainingJobName=job["TrainingJobName"])
    assert shown["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 600
    assert operations(world.to_aws).count("UpdateTrainingJob") == 1


def test_what_sagemaker_refuses_stands_in_the_status_and_is_not_repeated(world: World, manifest: JsonObject) -> None:
    """Row 16 and DESIGN 5: an invalid request ends in a condition, not in a loop."""
    world.operator().until_ready()
    world.aws.faults.add("CreateTrainingJob", "invalid")
    name = world.api.create(manifest)["metadata"]["name"]
    stalled = eventually(
        lambda: obj if (obj := world.api.get(name)) and condition(obj, "Stalled").get("status") == "True" else None,
        what="Stalled",
    )
    assert condition(stalled, "Stalled")["reason"] == "InvalidSpec"
    assert stalled["status"]["additional"]
    world.api.delete(name)
    until_gone(world.api, name)
    assert operations(world.to_aws).count("CreateTrainingJob") == 1
    assert jobs(world.aws.url) == []


def test_denied_access_is_shown_and_tried_again_slowly(world: World, manifest: JsonObject) -> None:
    """DENIED: a condition and a Warning event that name the cause; the finalizer stays."""
    world.operator().until_ready()
    world.aws.faults.add("CreateTrainingJob", "deny")
    name = world.api.create(manifest)["metadata"]["name"]
    denied = eventually(
        lambda: obj if (obj := world.api.get(name)) and "AccessDenied" in json.dumps(obj.get("status")) else None,
        what="AccessDenied in status",
    )
    assert denied["status"]["trainingJobStatus"] == "ReconcilingTrainingJob"
    assert denied["metadata"]["finalizers"] == ["sagemaker-operator-finalizer"]
    eventually(
        lambda: [each for each in world.api.events(name) if each["reason"] == "AccessDenied"], what="an event says so"
    )
    assert operations(world.to_aws).count("CreateTrainingJob") == 1


def test_a_throttled_create_waits_its_turn_without_a_word(world: World, manifest: JsonObject) -> None:
    """DESIGN 4.6: throttling is not an error of the object; at most, its status says that it waits."""
    world.operator().until_ready()
    world.aws.faults.add("CreateTrainingJob", "throttle", count=2)
    name = world.api.create(manifest)["metadata"]["name"]
    until_status(world.api, name, "Completed")
    assert operations(world.to_aws).count("CreateTrainingJob") == 3
    written = [json.loads(request.body) for request in world.to_kube.requests if request.path.endswith("/status")]
    shown = {each["status"].get("trainingJobStatus") for each in written} - {None}
    assert shown - {"SynchronizingK8sJobWithSageMaker"} == {"InProgress", "Completed"}
    assert "Throttl" not in json.dumps(written)


@pytest.mark.parametrize("when", ["cut-before", "cut-after", "hang-before", "hang-after", "error-after"])
def test_an_answer_that_never_comes_leads_to_one_job(world: World, manifest: JsonObject, when: str) -> None:
    """A Create may have taken effect although no answer came: try again, then recognise one's own."""
    world.operator("--aws-read-timeout", "1s").until_ready()
    world.aws.faults.add("CreateTrainingJob", when)
    name = world.api.create(manifest)["metadata"]["name"]
    until_status(world.api, name, "Completed")
    assert len(jobs(world.aws.url)) == 1


def test_a_job_that_is_not_ours_is_neither_stopped_nor_shown_as_ours(world: World, manifest: JsonObject) -> None:
    """Rows 13, 14 and D-03: refuse a taken name; deleting the object leaves the foreign job alone."""
    world.operator().until_ready()
    world.api.create(marked(named(manifest, "first", trainingJobName="taken"), **SLOW))
    until_status(world.api, "first", "InProgress")
    world.api.create(named(manifest, "second", trainingJobName="taken"))
    refused = eventually(
        lambda: obj if (obj := world.api.get("second")) and condition(obj, "Stalled").get("status") == "True" else None,
        what="second is Stalled",
    )
    assert condition(refused, "Stalled")["reason"] == "AlreadyExists"
    assert "taken" in refused["status"]["additional"]
    world.api.delete("second")
    until_gone(world.api, "second")
    world.aws.clock.advance(SLOW_S)
    until_status(world.api, "first", "Completed")
    assert "StopTrainingJob" not in operations(world.to_aws)


def test_a_server_that_restarts_and_drops_watches_costs_nothing(world: World, manifest: JsonObject) -> None:
    """R6-R10: what happens while the connection is broken is not missed."""
    world.operator().until_ready()

    def unreachable(*_: object) -> None:
        raise ConnectionError

    world.to_kube.on_request(unreachable)
    world.to_kube.close_connections()
    name = world.api.create(manifest)["metadata"]["name"]
    world.to_kube.on_request(None)
    until_status(world.api, name, "Completed")
    assert len(jobs(world.aws.url)) == 1


def test_expired_watches_are_recovered_by_listing(world: World, manifest: JsonObject) -> None:
    """R8, R10: history is compacted while the watch is down; the relist finds what was missed."""
    if not world.kube.is_sandbox:
        pytest.skip("a real kube-apiserver forgets history on its own schedule only")
    world.operator().until_ready()
    world.api.create(marked(manifest, **LONG))
    until_status(world.api, manifest["metadata"]["name"], "InProgress")

    def unreachable(*_: object) -> None:
        raise ConnectionError

    world.to_kube.on_request(unreachable)
    world.to_kube.close_connections()
    world.api.delete(manifest["metadata"]["name"])
    world.api.create(named(manifest, "born-meanwhile"))
    world.api.call("POST", "/sandbox/faults", {"compact": True})
    world.to_kube.on_request(None)
    until_status(world.api, "born-meanwhile", "Completed")
    until_gone(world.api, manifest["metadata"]["name"])
    assert len(jobs(world.aws.url)) == 2


def writes_of_objects(requests: list[Request]) -> list[Request]:
    """Writes to the Kubernetes API, elections apart: a Lease is no cost of a job."""
    return [each for each in requests if each.is_write and "/leases" not in each.path]


def test_a_whole_life_costs_few_calls_and_few_writes(world: World, manifest: JsonObject) -> None:
    """At most 1 Create, 2 Describes, no other call of its own; writes: visible changes + 4.

    Those are the finalizer, two Events, and AWS's creation time, once a List has shown it.
    """
    world.operator().until_ready()
    name = world.api.create(manifest)["metadata"]["name"]
    until_status(world.api, name, "Completed")
    eventually(lambda: two_events(world, name), what="events")
    asked = [each for each in operations(world.to_aws) if not each.startswith("List")]
    assert asked.count("CreateTrainingJob") == 1
    assert asked.count("DescribeTrainingJob") <= 2
    assert set(asked) <= {"CreateTrainingJob", "DescribeTrainingJob"}
    assert "ListTags" not in operations(world.to_aws)
    writes = writes_of_objects(world.to_kube.requests)
    shown: JsonObject = {}
    seen = set()
    for each in writes:
        if each.path.endswith("/status"):
            shown |= json.loads(each.body)["status"]
            seen.add((shown.get("trainingJobStatus"), shown.get("secondaryStatus")))
    assert len(writes) <= len(seen) + 4, [f"{each.method} {each.path}" for each in writes]
    world.to_kube.forget()
    world.api.delete(name)
    until_gone(world.api, name)
    assert len(writes_of_objects(world.to_kube.requests)) == 1, "deletion costs one write: the finalizer goes"
