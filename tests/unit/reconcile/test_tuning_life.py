"""A tuning job's life: counters, the best training job, and an object for each training job that SageMaker launches."""

import json

import pytest

from api.meta import GROUP, ObjectKey, Resource
from controller.aws.errors import AwsError
from controller.kube.errors import Invalid
from controller.runtime.errors import ErrorClass
from tests.faults.tuning_world import KEY, TuningWorld, manifest

DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized")


def started(count: int = 2, **metadata: object) -> tuple[TuningWorld, list[str]]:
    """A tuning job that has launched `count` training jobs."""
    world = TuningWorld()
    world.tunings.apply(manifest(**metadata))
    world.run(10)
    names = world.aws.launch(world.name, count)
    world.run(20)
    return world, names


def test_a_tuning_job_runs_from_manifest_to_completed() -> None:
    """v1-kinds.md 12.1 and 12.2: one Create, one Describe at the end; zeros are printed (guide B-34)."""
    world, (first, second) = started()
    assert world.status["trainingJobStatusCounters"] == {
        "completed": 0,
        "inProgress": 2,
        "nonRetryableError": 0,
        "retryableError": 0,
        "stopped": 0,
        "totalError": 0,
    }
    assert "bestTrainingJob" not in world.status
    assert world.shown() == {first: "InProgress", second: "InProgress"}
    world.aws.end(first, "Completed", 0.4)
    world.aws.end(second, "Failed")
    (third,) = world.aws.launch(world.name)
    world.run(30)
    assert world.status["bestTrainingJob"]["trainingJobName"] == first
    assert world.status["trainingJobStatusCounters"]["totalError"] == 1
    world.aws.end(third, "Completed", 0.25)
    world.aws.end_all(world.name, "Completed")
    world.run(30)
    status = world.status
    assert status["hyperParameterTuningJobStatus"] == "Completed"
    assert status["sageMakerHyperParameterTuningJobName"] == world.name
    best = status["bestTrainingJob"]
    assert best["trainingJobName"] == third
    assert best["finalHyperParameterTuningJobObjectiveMetric"] == {"metricName": "validation:error", "value": "0.25"}
    assert best["tunedHyperParameters"] == [{"name": "num_round", "value": "18"}]
    assert world.shown() == {first: "Completed", second: "Failed", third: "Completed"}
    assert (world.aws.count("create"), world.aws.count("describe")) == (1, 1)
    assert world.errors == []


def test_a_spawned_object_is_an_ordinary_one_that_tells_where_it_comes_from() -> None:
    """12.2: named as AWS names it, spec from AWS's description, owned and protected; D-20."""
    world, (name, _) = started()
    obj = world.training(name)
    metadata = obj["metadata"]
    assert metadata["finalizers"] == ["sagemaker-operator-finalizer", "sagemaker-operator-hpo-trainingjob"]
    assert metadata["labels"] == {"team": "a", "sagemaker.aws.amazon.com/tuning-job": world.name}
    (owner,) = metadata["ownerReferences"]
    parent = world.tunings.get(KEY) or {}
    assert owner == {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "HyperparameterTuningJob",
        "name": "hpo",
        "uid": parent["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": False,
    }
    assert obj["spec"] == {
        "trainingJobName": name,
        "region": "us-east-2",
        "sageMakerEndpoint": "https://vpce.example.com",
        "roleArn": "arn:aws:iam::123456789012:role/training",
        "algorithmSpecification": {"trainingImage": "image", "trainingInputMode": "File"},
        "outputDataConfig": {"s3OutputPath": "s3://bucket/xgboost"},
        "resourceConfig": {"instanceCount": 1, "instanceType": "ml.m4.xlarge", "volumeSizeInGB": 5},
        "stoppingCondition": {"maxRuntimeInSeconds": 3600},
        "hyperParameters": [
            {"name": "_tuning_objective_metric", "value": "validation:error"},
            {"name": "num_round", "value": "18"},
        ],
    }
    announced = json.loads(metadata["annotations"]["sagemaker.aws.amazon.com/aws-resource"])
    assert announced.pop("launchedBy") == f"default/{world.tunings.objects[KEY]['metadata']['uid']}"
    assert obj["status"]["awsResource"] == {**announced, "ownerUid": metadata["uid"]}
    assert obj["status"]["awsResource"]["arn"] == world.aws_training.jobs["us-east-2", name].arn


def test_what_a_life_costs_is_bounded_per_launched_job() -> None:
    """Per training job: no Create, two Describes, two writes beside its status; per change one listing, no write."""
    world, names = started(10)
    for name in names:
        world.aws.end(name, "Completed", 0.5)
        world.run(20)
    world.aws.end_all(world.name, "Completed")
    world.run(30)
    assert world.aws_training.count("create") == 0
    assert world.aws_training.count("tags") == 0
    assert world.aws_training.count("describe") == 2 * len(names)
    assert world.aws.count("launched") <= len(names) + 3
    assert world.reasons().count("TrainingJobSpawned") == 1
    assert world.reasons().count("Created") == 1, "that of the tuning job"


def test_jobs_that_change_together_are_listed_together() -> None:
    """D-50: at most one listing in ten seconds, however many jobs come and go."""
    world, _ = started(1)
    before = world.aws.count("launched")
    for _ in range(30):
        world.aws.end(world.aws.launch(world.name)[0], "Completed", 0.5)
        world.run(1)
    assert world.aws.count("launched") - before <= 5
    world.run(20)
    assert len(world.shown()) == 31
    assert world.status["trainingJobStatusCounters"]["completed"] == 30


def test_a_tuning_job_at_rest_costs_no_listing_and_a_restart_costs_none_either() -> None:
    """The status itself tells what was listed for."""
    world, _ = started()
    world.sagemaker.calls.clear()
    world.sagemaker.calls.clear()
    writes = len(world.tunings.writes) + len(world.trainings.writes)
    world.restart()
    world.run(300)
    assert {operation for operation, _ in world.aws.calls + world.aws_training.calls} == {"list"}
    assert len(world.tunings.writes) + len(world.trainings.writes) == writes


def test_counters_are_noticed_even_if_sagemaker_does_not_date_them() -> None:
    """AWS does not say whether counters count as a modification: a minute is the longest that they can go unseen."""
    world, _ = started()
    world.aws.is_dating = False
    (late,) = world.aws.launch(world.name)
    world.run(80)
    assert late in world.shown()
    assert world.status["trainingJobStatusCounters"]["inProgress"] == 3


def test_long_lists_are_paged_through() -> None:
    """All pages, each once."""
    world = TuningWorld()
    world.aws.page_size = 4
    world.tunings.apply(manifest())
    world.run(10)
    before = world.aws.count("launched")
    world.aws.launch(world.name, 10)
    world.run(20)
    assert len(world.shown()) == 10
    assert world.aws.count("launched") - before == 3


def test_a_throttled_list_goes_on_where_it_was() -> None:
    """Neither page nor object twice, and no longer a wait than the budget asks for."""
    world = TuningWorld()
    world.aws.page_size = 1
    world.tunings.apply(manifest())
    world.run(10)
    before = world.aws.count("launched")
    turns = iter(range(1000))
    refused = AwsError(ErrorClass.THROTTLED, "BudgetExhausted", "later", retry_after_s=1.0)
    world.aws.always = lambda operation: refused if operation == "launched" and next(turns) % 2 else None
    world.aws_training.always = lambda operation: refused if operation == "describe" and next(turns) % 2 else None
    world.aws.launch(world.name, 6)
    world.run(25)
    assert len(world.shown()) == 6
    assert world.aws.count("launched") - before <= 2 * 6
    assert world.aws_training.count("describe") <= 2 * 6
    assert world.status["trainingJobStatusCounters"]["inProgress"] == 6
    assert world.errors
    assert "additional" not in world.status


def test_jobs_launched_while_a_list_waited_are_not_missed_at_the_end() -> None:
    """A list that was begun before the end is followed by another one."""
    world = TuningWorld()
    world.tunings.apply(manifest())
    world.run(10)
    refused = AwsError(ErrorClass.THROTTLED, "BudgetExhausted", "later", retry_after_s=1.0)
    world.aws_training.always = lambda operation: refused if operation == "describe" else None
    world.aws.launch(world.name, 2)
    world.run(10)
    world.aws.launch(world.name, 2)
    world.aws.end_all(world.name, "Completed")
    world.run(10)
    world.aws_training.always = lambda operation: None
    world.run(10)
    assert len(world.shown()) == 4
    assert world.status["hyperParameterTuningJobStatus"] == "Completed"


def test_counters_wait_for_the_objects_that_they_count() -> None:
    """A job that Describe does not show yet is looked for again; what is there is shown."""
    world = TuningWorld()
    world.tunings.apply(manifest())
    world.run(10)
    world.aws_training.lag_s = 15.0
    names = world.aws.launch(world.name, 2)
    world.run(8)
    assert world.shown() == {}
    assert world.status["trainingJobStatusCounters"]["inProgress"] == 0
    world.run(30)
    assert set(world.shown()) == set(names)
    assert world.status["trainingJobStatusCounters"]["inProgress"] == 2


def test_an_object_of_the_same_name_is_left_as_it_is() -> None:
    """12.2: of any origin."""
    world = TuningWorld()
    world.tunings.apply(manifest())
    world.run(10)
    taken = f"{world.name}-001-00000000"
    world.trainings.apply(
        {
            "apiVersion": "sagemaker.aws.amazon.com/v1",
            "kind": "TrainingJob",
            "metadata": {
                "namespace": "default",
                "name": taken,
                "annotations": {"sagemaker.aws.amazon.com/paused": "true"},
            },
            "spec": {"region": "us-east-2"},
        }
    )
    world.aws.launch(world.name, 2)
    world.run(30)
    assert len(world.shown()) == 2
    assert "ownerReferences" not in world.training(taken)["metadata"]
    assert world.status["trainingJobStatusCounters"]["inProgress"] == 2


def test_a_job_that_the_schema_cannot_hold_does_not_hide_the_others() -> None:
    """It is told once."""
    world = TuningWorld()
    create = world.writer.create

    def refuse_first(resource: object, namespace: object, body: dict[str, object]) -> object:
        if "-001-" in body["metadata"]["name"]:  # type: ignore[index]
            raise Invalid("Invalid", "spec.enum: Unsupported value", status=422)
        return create(resource, namespace, body)  # type: ignore[arg-type]

    world.writer.create = refuse_first  # type: ignore[assignment, method-assign]
    world.tunings.apply(manifest())
    world.run(10)
    names = world.aws.launch(world.name, 2)
    world.run(40)
    assert set(world.shown()) == {names[1]}
    assert world.reasons().count("SpawnFailed") == 1
    assert world.status["trainingJobStatusCounters"]["inProgress"] == 2


def denied(world: TuningWorld) -> None:
    """From now on, nobody may list what a tuning job has launched."""
    world.aws.always = lambda operation: DENIED if operation == "launched" else None


def test_a_list_that_is_denied_is_told_and_the_tuning_job_shown_without() -> None:
    """Its own status comes by other calls; the right may be granted at any time, and what lacks is then made."""
    world, names = started()
    denied(world)
    world.aws.end(names[0], "Completed", 0.5)
    (late,) = world.aws.launch(world.name)
    world.run(60)
    assert world.status["trainingJobStatusCounters"]["completed"] == 1
    assert world.condition("Synced") == ("False", "SpawnFailed")
    assert "AccessDenied" in world.status["additional"]
    assert set(world.shown()) == set(names)
    world.restart()
    world.run(600, step_s=5)
    assert world.recorder.events.count(("Warning", "SpawnFailed")) == 1
    calls = world.aws.count("launched")
    world.run(3000, step_s=5)
    assert world.aws.count("launched") <= calls + 11, "every five minutes"
    world.aws.always = lambda operation: None
    world.run(400)
    assert set(world.shown()) == {*names, late}
    assert world.condition("Synced") == ("True", "Synced")
    assert "additional" not in world.status
    assert world.errors == []


@pytest.mark.parametrize("value", ["Completed", "Failed", "Stopped"])
def test_a_tuning_job_whose_list_is_denied_for_good_ends(value: str) -> None:
    """And says why the last of its training jobs have no objects."""
    world, names = started()
    denied(world)
    world.aws.launch(world.name)
    world.run(600, step_s=5)
    world.aws.end_all(world.name, value)
    world.run(30)
    assert world.status["hyperParameterTuningJobStatus"] == value
    assert world.condition("Synced") == ("False", "SpawnFailed")
    assert set(world.shown()) == set(names)
    calls = len(world.aws.calls)
    world.run(1000, step_s=5)
    assert len(world.aws.calls) == calls


def test_the_end_waits_a_little_for_rights_that_come_late() -> None:
    """Nothing is listed after the end: a role that changes just then must not hide jobs for good."""
    world, names = started()
    late = world.aws.launch(world.name)
    denied(world)
    world.aws.end_all(world.name, "Completed")
    world.run(50)
    assert world.status["hyperParameterTuningJobStatus"] == "InProgress"
    world.aws.always = lambda operation: None
    world.run(60)
    assert world.status["hyperParameterTuningJobStatus"] == "Completed"
    assert set(world.shown()) == {*names, *late}
    assert world.condition("Synced") == ("True", "Synced")


def test_a_change_of_the_object_has_a_denied_list_tried_at_once() -> None:
    """As everywhere: whoever has cured it says so by any annotation of ours."""
    world, names = started()
    denied(world)
    late = world.aws.launch(world.name)
    world.run(600, step_s=5)
    world.aws.always = lambda operation: None
    obj = manifest(annotations={"sagemaker.aws.amazon.com/reconcile-at": "now"})
    obj["spec"] = (world.tunings.get(KEY) or {})["spec"]
    world.tunings.apply(obj)
    world.run(3)
    assert set(world.shown()) == {*names, *late}


def test_deleting_the_tuning_job_stops_it_waits_and_removes_what_it_has_launched() -> None:
    """Guide B-37: the tuning job is stopped, which stops its jobs; then all objects go."""
    world, names = started()
    world.tunings.delete(KEY)
    world.run(30)
    assert world.status["hyperParameterTuningJobStatus"] == "Stopping"
    assert len(world.shown()) == 2
    world.aws.end_all(world.name, "Stopped")
    world.run(60)
    assert world.tunings.get(KEY) is None
    assert world.shown() == {}
    assert (world.aws.count("stop"), world.aws_training.count("stop")) == (1, 0)
    assert names


@pytest.mark.parametrize("is_collected", [True, False], ids=["garbage collector", "none"])
def test_deleting_a_tuning_job_that_sagemaker_does_not_know_removes_the_objects_too(is_collected: bool) -> None:
    """D-18: their finalizer goes in every path."""
    world, _ = started()
    world.has_garbage_collector = is_collected
    world.run(100)
    world.aws.jobs.clear()
    world.aws_training.jobs.clear()
    world.restart()
    world.tunings.delete(KEY)
    world.run(120)
    assert world.tunings.get(KEY) is None
    assert world.shown() == {}


def test_a_tuning_job_without_its_finalizer_leaves_objects_that_can_go() -> None:
    """Somebody took the finalizer off, as the guides tell: garbage collection deletes the rest, and nothing hangs."""
    world, names = started()
    obj = world.tunings.get(KEY) or {}
    world.tunings.delete(KEY)
    version = (world.tunings.get(KEY) or {})["metadata"]["resourceVersion"]
    body = {"metadata": {"resourceVersion": version, "finalizers": []}}
    world.writer.patch(_resource("HyperparameterTuningJob"), KEY, body)
    world.run(30)
    assert obj
    assert world.tunings.get(KEY) is None
    for name in names:
        world.aws_training.move(name, "Stopped")
    world.run(60)
    assert world.shown() == {}


def test_a_spawned_object_can_be_deleted_alone_and_does_not_come_back() -> None:
    """D-19: its job is stopped, the tuning job goes on and remembers."""
    world, (first, second) = started()
    world.trainings.delete(ObjectKey("default", first))
    world.run(20)
    assert world.aws_training.count("stop") == 1
    world.aws.end(first, "Stopped")
    (third,) = world.aws.launch(world.name)
    world.run(60)
    assert set(world.shown()) == {second, third}
    assert world.status["removedTrainingJobs"] == [first]
    world.restart()
    world.aws.end_all(world.name, "Completed")
    world.run(60)
    assert set(world.shown()) == {second, third}
    assert world.aws_training.count("create") == 0


def test_an_object_of_an_ended_tuning_job_can_be_deleted_with_one_write() -> None:
    """Nothing is spawned any more, so nothing needs to be remembered."""
    world, (first, second) = started()
    world.aws.end_all(world.name, "Completed")
    world.run(40)
    writes = len(world.tunings.writes)
    world.trainings.delete(ObjectKey("default", first))
    world.run(20)
    assert set(world.shown()) == {second}
    assert len(world.tunings.writes) == writes


def test_launched_jobs_expire_with_their_tuning_job_unless_asked_for_one_by_one() -> None:
    """The annotation of a tuning job is about the tuning job's object; what it has launched goes with it."""
    annotations = {"sagemaker.aws.amazon.com/ttl-seconds-after-finished": "600"}
    world, (first, second) = started(annotations=annotations)
    world.aws.end(first, "Completed")
    world.aws.end(second, "Completed")
    world.run(30)
    key = ObjectKey("default", first)
    body = {
        "metadata": {
            "resourceVersion": world.training(first)["metadata"]["resourceVersion"],
            "annotations": dict.fromkeys(annotations, "60"),
        }
    }
    world.writer.patch(_resource("TrainingJob"), key, body)
    world.run(120)
    assert set(world.shown()) == {second}
    assert world.status["removedTrainingJobs"] == [first]
    world.aws.end_all(world.name, "Completed")
    world.run(500, step_s=5)
    assert set(world.shown()) == {second}
    world.run(200, step_s=5)
    assert (world.tunings.get(KEY), world.shown()) == (None, {})
    assert (world.aws.count("stop"), world.aws_training.count("stop")) == (0, 0)


def test_retain_lets_the_launched_jobs_run_too() -> None:
    """modern-expectations.md 4: children likewise."""
    world, _ = started(annotations={"sagemaker.aws.amazon.com/deletion-policy": "retain"})
    world.tunings.delete(KEY)
    world.run(30)
    assert world.tunings.get(KEY) is None
    assert world.shown() == {}
    assert (world.aws.count("stop"), world.aws_training.count("stop")) == (0, 0)


def test_a_policy_that_comes_late_holds_for_objects_that_were_there_before() -> None:
    """Retain is asked of the tuning job when it is deleted."""
    world, _ = started()
    world.tunings.apply(manifest(annotations={"sagemaker.aws.amazon.com/deletion-policy": "retain"}))
    world.tunings.delete(KEY)
    world.run(30)
    assert world.shown() == {}
    assert world.aws_training.count("stop") == 0


def test_orphans_stay() -> None:
    """`kubectl delete --cascade=orphan`: the owner is taken off, and the objects live on without it."""
    world, names = started()
    for name in names:
        key = ObjectKey("default", name)
        version = world.training(name)["metadata"]["resourceVersion"]
        body = {"metadata": {"resourceVersion": version, "ownerReferences": None}}
        world.writer.patch(_resource("TrainingJob"), key, body)
    world.tunings.delete(KEY)
    world.run(10)
    world.aws.end_all(world.name, "Stopped")
    world.run(60)
    assert world.tunings.get(KEY) is None
    assert world.shown() == dict.fromkeys(names, "Stopped")
    assert all(world.training(name)["metadata"]["finalizers"] == ["sagemaker-operator-finalizer"] for name in names)


def test_objects_that_are_to_be_orphaned_are_not_deleted_before_they_are() -> None:
    """An ended tuning job could be let go at once: garbage collection comes first."""
    world, names = started()
    world.aws.end_all(world.name, "Completed")
    world.run(40)
    version = (world.tunings.get(KEY) or {})["metadata"]["resourceVersion"]
    body = {"metadata": {"resourceVersion": version, "finalizers": ["orphan", "sagemaker-operator-finalizer"]}}
    world.writer.patch(_resource("HyperparameterTuningJob"), KEY, body)
    world.tunings.delete(KEY)
    world.run(30)
    assert set(world.shown()) == set(names)
    for name in names:
        version = world.training(name)["metadata"]["resourceVersion"]
        freed = {"metadata": {"resourceVersion": version, "ownerReferences": None}}
        world.writer.patch(_resource("TrainingJob"), ObjectKey("default", name), freed)
    version = (world.tunings.get(KEY) or {})["metadata"]["resourceVersion"]
    done = {"metadata": {"resourceVersion": version, "finalizers": ["sagemaker-operator-finalizer"]}}
    world.writer.patch(_resource("HyperparameterTuningJob"), KEY, done)
    world.run(30)
    assert world.tunings.get(KEY) is None
    assert set(world.shown()) == set(names)


def test_an_object_that_is_refused_its_name_takes_no_objects_of_the_first_along() -> None:
    """D-03 with the predecessor's objects, which name no owner."""
    world = TuningWorld()
    name = _legacy(world)
    world.run(30)
    second = manifest(name="second")
    second["spec"]["hyperParameterTuningJobName"] = "old-hpo"
    world.tunings.apply(second)
    world.run(60)
    world.tunings.delete(ObjectKey("default", "second"))
    world.run(60)
    assert world.tunings.get(ObjectKey("default", "second")) is None
    assert world.shown() == {name: "InProgress"}
    assert "sagemaker-operator-hpo-trainingjob" in world.training(name)["metadata"]["finalizers"]
    assert world.aws.count("stop") == 0


def test_a_copy_of_a_spawned_object_owns_nothing() -> None:
    """Without an owner that controls it the announcement is not believed: the job's name is taken (D-03)."""
    world, (name, _) = started()
    copied = world.training(name)
    del copied["metadata"]["ownerReferences"]
    copied["metadata"] |= {"namespace": "other", "finalizers": []}
    del copied["status"]
    world.trainings.apply(copied)
    world.run(30)
    key = ObjectKey("other", name)
    assert (world.trainings.get(key) or {})["status"]["trainingJobStatus"] == "ReconcilingTrainingJob"
    world.trainings.delete(key)
    world.run(30)
    assert world.trainings.get(key) is None
    assert world.aws_training.count("stop") == 0


# --- objects of the predecessor


def _legacy(world: TuningWorld) -> str:
    """A tuning job of the predecessor with one spawned object that names no owner."""
    world.aws.existing("old-hpo")
    (name,) = world.aws.launch("old-hpo")
    obj = manifest(finalizers=["sagemaker-operator-finalizer"])
    obj["spec"]["hyperParameterTuningJobName"] = "old-hpo"
    obj["status"] = {
        "hyperParameterTuningJobStatus": "InProgress",
        "sageMakerHyperParameterTuningJobName": "old-hpo",
        "trainingJobStatusCounters": {},
    }
    world.tunings.apply(obj)
    world.trainings.apply(
        {
            "apiVersion": "sagemaker.aws.amazon.com/v1",
            "kind": "TrainingJob",
            "metadata": {
                "namespace": "default",
                "name": name,
                "finalizers": ["sagemaker-operator-hpo-trainingjob", "sagemaker-operator-finalizer"],
            },
            "spec": {"region": "us-east-2", "trainingJobName": name},
            "status": {"trainingJobStatus": "InProgress", "sageMakerTrainingJobName": name},
        }
    )
    return name


def test_the_predecessors_tuning_job_goes_with_its_objects() -> None:
    """D-18, D-20: known by their names."""
    world = TuningWorld()
    name = _legacy(world)
    world.run(30)
    assert set(world.shown()) == {name}
    assert world.aws.count("create") == 0
    world.tunings.delete(KEY)
    world.run(10)
    world.aws.end_all("old-hpo", "Stopped")
    world.run(60)
    assert world.tunings.get(KEY) is None
    assert world.shown() == {}


def test_the_predecessors_object_can_be_deleted_alone() -> None:
    """D-19 for what the predecessor has left."""
    world = TuningWorld()
    name = _legacy(world)
    world.run(30)
    world.trainings.delete(ObjectKey("default", name))
    world.run(20)
    world.aws.end(name, "Stopped")
    world.run(60)
    assert world.shown() == {}
    assert world.status["removedTrainingJobs"] == [name]


def test_the_predecessors_object_whose_tuning_job_is_gone_can_be_deleted() -> None:
    """D-18: it hung for ever."""
    world = TuningWorld()
    name = _legacy(world)
    world.tunings.delete(KEY)
    version = (world.tunings.get(KEY) or {})["metadata"]["resourceVersion"]
    body = {"metadata": {"resourceVersion": version, "finalizers": []}}
    world.writer.patch(_resource("HyperparameterTuningJob"), KEY, body)
    world.trainings.delete(ObjectKey("default", name))
    world.run(20)
    world.aws.end(name, "Stopped")
    world.run(60)
    assert world.shown() == {}


def _resource(kind: str) -> Resource:
    return Resource(GROUP, "v1", f"{kind.lower()}s", kind)
