"""A tuning job's whole life through HTTP, with a real operator process: guide B-31 to B-37."""

import json

import pytest
import yaml

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import (
    LONG,
    PLURALS,
    REPOSITORY,
    SLOW,
    SLOW_S,
    aws_call,
    condition,
    jobs,
    until_gone,
    until_status,
)
from tests.sandbox.interceptor import Cut, Phase, Request

pytestmark = pytest.mark.sandbox

PLURAL = PLURALS["HyperparameterTuningJob"]
FIELD = "hyperParameterTuningJobStatus"
LABEL = "sagemaker.aws.amazon.com/tuning-job"


def manifest(name: str = "hpo", *, jobs: int = 3, parallel: int = 2, **markers: str) -> JsonObject:
    """The sample, smaller, with markers that tell the embedded SageMaker how its training jobs shall go."""
    loaded: JsonObject = yaml.safe_load((REPOSITORY / "samples" / "xgboost-mnist-hpo.yaml").read_text())
    loaded["metadata"]["name"] = name
    loaded["spec"]["hyperParameterTuningJobConfig"]["resourceLimits"] = {
        "maxNumberOfTrainingJobs": jobs,
        "maxParallelTrainingJobs": parallel,
    }
    static = loaded["spec"]["trainingJobDefinition"].setdefault("staticHyperParameters", [])
    static += [{"name": name, "value": value} for name, value in markers.items()]
    return loaded


def trainings(world: World) -> list[JsonObject]:
    """All TrainingJob objects."""
    listed: list[JsonObject] = world.api.call("GET", world.api.path())["items"]
    return listed


def tunings(world: World) -> list[JsonObject]:
    """All tuning jobs that SageMaker knows."""
    listed: list[JsonObject] = aws_call(world.aws.url, "ListHyperParameterTuningJobs")[
        "HyperParameterTuningJobSummaries"
    ]
    return listed


def until(world: World, value: str, name: str = "hpo") -> JsonObject:
    """Wait for the status of the tuning job."""
    return until_status(world.api, name, value, field=FIELD, plural=PLURAL)


def until_shown(world: World, count: int) -> list[JsonObject]:
    """Wait for so many TrainingJob objects."""
    return eventually(lambda: found if len(found := trainings(world)) >= count else None, what=f"{count} TrainingJobs")


def needs_garbage_collector(world: World) -> None:
    """Skip where nothing but etcd and kube-apiserver runs: propagation is kube-controller-manager's work."""
    if world.kube.is_ours and not world.kube.is_sandbox:
        pytest.skip("no garbage collector runs beside these binaries")


def operations(world: World) -> list[str]:
    """AWS operations asked for, in order."""
    return [request.operation for request in world.to_aws.requests]


def test_a_tuning_job_runs_to_its_end_and_shows_what_it_launches(world: World) -> None:
    """B-34 to B-36: counters with zeros, the best job with its parameters and value, one object per launched job."""
    world.operator().until_ready()
    world.api.create(manifest(), plural=PLURAL)
    done = until(world, "Completed")
    status, uid = done["status"], done["metadata"]["uid"].replace("-", "")
    assert done["spec"]["hyperParameterTuningJobName"] == status["sageMakerHyperParameterTuningJobName"] == uid
    assert done["metadata"]["generation"] == 2
    assert status["trainingJobStatusCounters"] == {
        "completed": 3,
        "inProgress": 0,
        "nonRetryableError": 0,
        "retryableError": 0,
        "stopped": 0,
        "totalError": 0,
    }
    assert condition(done, "Complete")["status"] == condition(done, "Ready")["status"] == "True"

    objects = {obj["metadata"]["name"]: obj for obj in trainings(world)}
    assert set(objects) == {job["TrainingJobName"] for job in jobs(world.aws.url)}
    for name in objects:
        until_status(world.api, name, "Completed")
    best = status["bestTrainingJob"]
    assert best["trainingJobName"] in objects
    assert best["objectiveStatus"] == "Succeeded"
    metric = best["finalHyperParameterTuningJobObjectiveMetric"]
    assert metric["metricName"] == "validation:error"
    assert float(metric["value"]) >= 0
    assert [pair["name"] for pair in best["tunedHyperParameters"]] == ["num_round"]

    spawned = world.api.get(best["trainingJobName"]) or {}
    assert spawned["spec"]["trainingJobName"] == best["trainingJobName"]
    assert spawned["metadata"]["labels"][LABEL] == uid
    assert spawned["status"]["modelPath"].endswith("/output/model.tar.gz")
    assert f"prefix={best['trainingJobName']};" in spawned["status"]["cloudWatchLogUrl"]
    (owner,) = spawned["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "HyperparameterTuningJob",
        done["metadata"]["uid"],
        True,
    )


def test_the_best_job_is_shown_while_others_still_run(world: World) -> None:
    """It is known as soon as one has completed, without a Describe for each."""
    world.operator().until_ready()
    world.api.create(manifest(jobs=8, parallel=2, **SLOW), plural=PLURAL)

    until_shown(world, 2)
    world.aws.clock.advance(SLOW_S)

    def look() -> JsonObject | None:
        status = world.api.status("hpo", plural=PLURAL)
        return status if status.get("bestTrainingJob") and status[FIELD] == "InProgress" else None

    status = eventually(look, what="a best training job")
    assert status["trainingJobStatusCounters"]["completed"] >= 1
    assert "DescribeHyperParameterTuningJob" not in operations(world)


def test_a_life_costs_a_bounded_number_of_calls(world: World) -> None:
    """One Create and two Describes for the tuning job at most; for each launched job no Create and two Describes."""
    world.operator().until_ready()
    world.api.create(manifest(), plural=PLURAL)
    until(world, "Completed")
    for obj in trainings(world):
        until_status(world.api, obj["metadata"]["name"], "Completed")
    asked = operations(world)
    assert asked.count("CreateHyperParameterTuningJob") == 1
    assert asked.count("DescribeHyperParameterTuningJob") <= 2
    assert asked.count("DescribeTrainingJob") <= 2 * 3
    assert asked.count("ListTrainingJobsForHyperParameterTuningJob") <= 3 + 3
    assert "CreateTrainingJob" not in asked
    assert "ListTags" not in asked


def test_events_tell_of_the_launched_jobs(world: World) -> None:
    """modern-expectations.md 3: TrainingJobSpawned on the tuning job; the spawned objects tell of their end only."""
    world.operator().until_ready()
    world.api.create(manifest(), plural=PLURAL)
    until(world, "Completed")

    def reasons(name: str) -> set[str]:
        return {event["reason"] for event in world.api.events(name)}

    eventually(lambda: {"Created", "TrainingJobSpawned", "Completed"} <= reasons("hpo"), what="events")
    name = trainings(world)[0]["metadata"]["name"]
    eventually(lambda: reasons(name) == {"Completed"}, what="one event about the spawned object")


def test_deleting_the_tuning_job_stops_it_and_removes_its_objects(world: World) -> None:
    """B-37."""
    world.operator().until_ready()
    world.api.create(manifest(**LONG), plural=PLURAL)
    until_shown(world, 2)
    world.api.delete("hpo", plural=PLURAL)
    until_gone(world.api, "hpo", plural=PLURAL)
    assert trainings(world) == []
    assert {job["TrainingJobStatus"] for job in jobs(world.aws.url)} == {"Stopped"}
    assert [job["HyperParameterTuningJobStatus"] for job in tunings(world)] == ["Stopped"]
    assert operations(world).count("StopHyperParameterTuningJob") == 1


def test_deleting_an_ended_tuning_job_removes_its_objects_without_a_call(world: World) -> None:
    """Nothing is left at AWS that could be stopped."""
    world.operator().until_ready()
    world.api.create(manifest(), plural=PLURAL)
    until(world, "Completed")
    for obj in trainings(world):
        until_status(world.api, obj["metadata"]["name"], "Completed")
    world.to_aws.forget()
    world.api.delete("hpo", plural=PLURAL)
    until_gone(world.api, "hpo", plural=PLURAL)
    assert trainings(world) == []
    assert {each for each in operations(world) if not each.startswith("List")} == set()


def test_deleting_in_the_foreground_ends_likewise(world: World) -> None:
    """`kubectl delete --cascade=foreground`: garbage collection deletes the objects while the tuning job stops."""
    needs_garbage_collector(world)
    world.operator().until_ready()
    world.api.create(manifest(**LONG), plural=PLURAL)
    until_shown(world, 2)
    path = world.api.path("hpo", plural=PLURAL)
    world.api.call("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"})
    until_gone(world.api, "hpo", plural=PLURAL)
    eventually(lambda: trainings(world) == [], what="all objects are gone")
    assert {job["TrainingJobStatus"] for job in jobs(world.aws.url)} == {"Stopped"}
    assert [job["HyperParameterTuningJobStatus"] for job in tunings(world)] == ["Stopped"]


def test_orphans_outlive_their_tuning_job(world: World) -> None:
    """`kubectl delete --cascade=orphan`: the user keeps the records, and can delete each without help."""
    needs_garbage_collector(world)
    world.operator().until_ready()
    world.api.create(manifest(**LONG), plural=PLURAL)
    names = {obj["metadata"]["name"] for obj in until_shown(world, 2)}
    # Until an object has recorded its job, only its owner shows that it is no copy that a user has made.
    for name in names:
        until_status(world.api, name, "InProgress")
    path = world.api.path("hpo", plural=PLURAL)
    world.api.call("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Orphan"})
    until_gone(world.api, "hpo", plural=PLURAL)
    for name in names:
        until_status(world.api, name, "Stopped")
        world.api.delete(name)
        until_gone(world.api, name)


def test_retain_leaves_everything_at_aws(world: World) -> None:
    """modern-expectations.md 4: the tuning job runs on, and so do its training jobs."""
    world.operator().until_ready()
    obj = manifest(**LONG)
    obj["metadata"]["annotations"] = {"sagemaker.aws.amazon.com/deletion-policy": "retain"}
    world.api.create(obj, plural=PLURAL)
    until_shown(world, 2)
    world.api.delete("hpo", plural=PLURAL)
    until_gone(world.api, "hpo", plural=PLURAL)
    eventually(lambda: trainings(world) == [], what="all objects are gone")
    assert {job["TrainingJobStatus"] for job in jobs(world.aws.url)} == {"InProgress"}
    assert not {each for each in operations(world) if each.startswith("Stop")}


def test_a_spawned_object_can_be_deleted_alone(world: World) -> None:
    """D-19: its job is stopped, and it does not come back, not even after a restart."""
    operator = world.operator().until_ready()
    world.api.create(manifest(jobs=2, **LONG), plural=PLURAL)
    first, second = sorted(obj["metadata"]["name"] for obj in until_shown(world, 2))
    eventually(lambda: world.api.status(first).get("trainingJobStatus") == "InProgress", what="it is followed")
    world.api.delete(first)
    until_gone(world.api, first)
    operator.terminate()
    world.operator().until_ready()

    def look() -> JsonObject | None:
        status = world.api.status("hpo", plural=PLURAL)
        return status if status.get("trainingJobStatusCounters", {}).get("stopped") == 1 else None

    status = eventually(look, what="the counters know")
    assert status["removedTrainingJobs"] == [first]
    assert [obj["metadata"]["name"] for obj in trainings(world)] == [second]
    assert "CreateTrainingJob" not in operations(world)


def test_failed_training_jobs_are_counted_as_errors(world: World) -> None:
    """The guide's ERRORS column: retryable or not."""
    world.operator().until_ready()
    world.api.create(manifest(SANDBOX_FAIL_FIRST="1"), plural=PLURAL)
    status = until(world, "Completed")["status"]
    assert status["trainingJobStatusCounters"]["totalError"] == 1
    failed = [obj for obj in trainings(world) if (obj.get("status") or {}).get("trainingJobStatus") == "Failed"]
    assert len(failed) == 1


def test_two_tuning_jobs_of_one_name_leave_each_other_alone(world: World) -> None:
    """D-03: the second is refused; deleting it touches neither the first's job nor its objects."""
    world.operator().until_ready()
    for name in ("first", "second"):
        obj = manifest(name, jobs=2, **LONG)
        obj["spec"]["hyperParameterTuningJobName"] = "taken"
        world.api.create(obj, plural=PLURAL)
        if name == "first":
            until_shown(world, 2)

    def stalled() -> JsonObject | None:
        obj = world.api.get("second", plural=PLURAL)
        return obj if obj and condition(obj, "Stalled").get("status") == "True" else None

    assert condition(eventually(stalled, what="second is refused"), "Stalled")["reason"] == "AlreadyExists"
    world.api.delete("second", plural=PLURAL)
    until_gone(world.api, "second", plural=PLURAL)
    assert len(trainings(world)) == 2
    assert [job["HyperParameterTuningJobStatus"] for job in tunings(world)] == ["InProgress"]


def _is_effect(request: Request) -> bool:
    return request.is_write and "/leases" not in request.path and "/events" not in request.path


@pytest.mark.parametrize("phase", [Phase.RECEIVED, Phase.COMMITTED], ids=["before", "after"])
@pytest.mark.parametrize("nth", [3, 4, 5])
def test_killed_while_spawning_each_job_gets_one_object(world: World, nth: int, phase: Phase) -> None:
    """DESIGN 5 with children: no object twice, none lost, nothing created at AWS by us."""
    process = world.operator().until_ready()
    seen: list[Request] = []

    def kill(request: Request, at: Phase) -> None:
        if len(seen) >= nth:
            raise Cut
        if not _is_effect(request) or at is not phase:
            return
        seen.append(request)
        if len(seen) == nth:
            process.kill()
            raise Cut

    world.to_kube.on_request(kill)
    world.to_aws.on_request(kill)
    world.api.create(manifest(), plural=PLURAL)
    eventually(lambda: len(seen) >= nth, what=f"effect {nth}")
    world.to_kube.on_request(None)
    world.to_aws.on_request(None)
    world.operator().until_ready()
    until(world, "Completed")
    names = [obj["metadata"]["name"] for obj in trainings(world)]
    assert sorted(names) == sorted(job["TrainingJobName"] for job in jobs(world.aws.url))
    for name in names:
        until_status(world.api, name, "Completed")
    assert len(tunings(world)) == 1
    assert "CreateTrainingJob" not in operations(world)


def test_at_rest_a_tuning_job_costs_nothing_but_its_share_of_the_lists(world: World) -> None:
    """No write, and no call besides the two Lists, while nothing changes."""
    world.operator().until_ready()
    world.api.create(manifest(jobs=2, **LONG), plural=PLURAL)
    for obj in until_shown(world, 2):
        name = obj["metadata"]["name"]
        eventually(
            lambda name=name: world.api.status(name).get("secondaryStatus") == "Training",  # type: ignore[misc]
            what="it trains",
        )
    counted = "trainingJobStatusCounters"
    eventually(
        lambda: world.api.status("hpo", plural=PLURAL).get(counted, {}).get("inProgress") == 2, what="they are counted"
    )
    eventually(lambda: len(world.api.events("hpo")) >= 2, what="events are told")
    world.to_kube.forget()
    world.to_aws.forget()
    eventually(lambda: operations(world).count("ListHyperParameterTuningJobs") >= 5, what="five looks")
    assert set(operations(world)) <= {"ListHyperParameterTuningJobs", "ListTrainingJobs"}
    writes = [request for request in world.to_kube.requests if _is_effect(request)]
    assert writes == [], json.dumps([f"{each.method} {each.path}" for each in writes])
