"""A training job's ordinary life, from manifest to Completed, and what it costs."""

import pytest
from structlog.testing import capture_logs

from api.annotations import PAUSED
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import BATCH_TRANSFORM_JOB, PROCESSING_JOB
from controller.aws.errors import AwsError, CallError
from controller.runtime.errors import ErrorClass
from tests.fakes.job_manifests import KEY, manifest
from tests.fakes.world import World
from tests.tables import each_row


def test_a_job_is_created_followed_and_completed() -> None:
    """v1-kinds.md 12.1 rows 1, 5 and 10: one Create, status by List deltas, one Describe at the end."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    assert world.status["trainingJobStatus"] == "InProgress"
    world.aws.move(world.name, "InProgress", "Training")
    world.run(20)
    assert world.status["secondaryStatus"] == "Training"
    world.aws.move(
        world.name, "Completed", ModelArtifacts={"S3ModelArtifacts": "s3://bucket/xgboost/output/model.tar.gz"}
    )
    world.run(10)
    assert world.status["trainingJobStatus"] == "Completed"
    assert world.status["modelPath"] == "s3://bucket/xgboost/output/model.tar.gz"
    assert world.condition("Complete") == ("True", "Completed")
    assert world.condition("Ready") == ("True", "Completed")
    assert world.recorder.events == [("Normal", "Created"), ("Normal", "Completed")]
    assert (world.aws.count("create"), world.aws.count("describe"), world.aws.count("tags")) == (1, 1, 0)
    assert len(world.cluster.writes) <= 4 + 3
    assert world.errors == []


def test_a_job_s_life_is_in_the_log_in_one_line_an_event() -> None:
    """docs/monitoring.md: at level info, what its object is told, and that it was let go."""
    world = World()
    with capture_logs() as logs:
        world.cluster.apply(manifest())
        world.run(10)
        world.aws.move(world.name, "Completed")
        world.run(10)
        world.cluster.delete(KEY)
        world.run(10)
    lines = [f"{each['event']} {each.get('reason', '')}" for each in logs if each["log_level"] != "debug"]
    assert lines == ["event Created", "event Completed", "object released "]


def test_deleting_a_running_job_stops_it_waits_and_lets_go() -> None:
    """Rows 7, 8 and 11."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    name = world.name
    world.cluster.delete(KEY)
    world.run(10)
    assert world.status["trainingJobStatus"] == "Stopping"
    assert world.aws.count("stop") == 1
    world.aws.move(name, "Stopped")
    world.run(10)
    assert world.cluster.get(KEY) is None
    assert world.aws.count("stop") == 1
    assert world.errors == []


def test_the_first_write_is_finalizer_and_name_together_before_anything_is_created() -> None:
    """DESIGN 4.3: names first; one write for both."""
    world = World()
    world.cluster.apply(manifest())
    world.crash.at = 2
    world.run(1)
    first = world.cluster.writes[0]
    assert first["metadata"]["finalizers"] == ["sagemaker-operator-finalizer"]
    assert first["spec"] == {"trainingJobName": f"xgboost-{world.obj['metadata']['uid'].replace('-', '')}"}
    assert set(first) == {"metadata", "spec"}


def test_the_request_carries_the_users_tags_and_ours() -> None:
    """modern-expectations.md 5: proof of ownership on everything created."""
    world = World()
    world.cluster.apply(manifest(tags=[{"key": "team", "value": "a"}]))
    world.run(5)
    tags = world.aws.jobs["us-east-2", world.name].tags
    assert tags["team"] == "a"
    assert tags["sagemaker.aws.amazon.com/uid"] == world.obj["metadata"]["uid"]
    assert tags["sagemaker.aws.amazon.com/cluster"] == "cluster-1"


def test_the_status_links_to_the_logs_and_records_the_resource() -> None:
    """The record of creation is what protects against a second one (D-08)."""
    world = World()
    world.cluster.apply(manifest())
    world.run(5)
    assert world.status["awsResource"] == {
        "arn": f"arn:aws:sagemaker:us-east-2:123456789012:training-job/{world.name}",
        "name": world.name,
        "accountId": "123456789012",
        "region": "us-east-2",
        "partition": "aws",
        "createdAt": world.status["awsResource"]["createdAt"],
        "ownerUid": world.obj["metadata"]["uid"],
        "contentDigest": world.status["awsResource"]["contentDigest"],
        "tagsDigest": world.status["awsResource"]["tagsDigest"],
    }
    assert world.name in world.status["cloudWatchLogUrl"]
    assert world.status["sageMakerTrainingJobName"] == world.name


def test_a_failed_job_tells_why() -> None:
    """Row 9."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    world.aws.move(world.name, "Failed", FailureReason="AlgorithmError: out of memory")
    world.run(10)
    assert world.status["additional"] == "AlgorithmError: out of memory"
    assert world.condition("Failed") == ("True", "Failed")
    assert world.condition("Stalled") == ("True", "Failed")
    assert world.recorder.events[-1] == ("Warning", "Failed")
    assert world.recorder.messages[-1] == "The job failed: AlgorithmError: out of memory"


def test_an_ended_job_costs_nothing_ever_again() -> None:
    """Neither polling nor a look after a restart (D-01)."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    world.aws.move(world.name, "Completed")
    world.run(30)
    world.sagemaker.calls.clear()
    world.cluster.writes.clear()
    world.restart()
    world.run(600, step_s=5)
    assert world.aws.calls == ()
    assert world.cluster.writes == []


def test_a_restart_with_running_jobs_lists_and_writes_nothing() -> None:
    """What the status says already is not written again."""
    world = World()
    world.cluster.apply(manifest())
    world.run(30)
    world.sagemaker.calls.clear()
    world.cluster.writes.clear()
    world.restart()
    world.run(60)
    assert {operation for operation, _ in world.aws.calls} == {"list"}
    assert world.cluster.writes == []


def rules(value: str, **more: str) -> list[dict[str, str]]:
    """What AWS shows of one debugger rule."""
    return [{"RuleConfigurationName": "overfit", "RuleEvaluationStatus": value, **more}]


RULES = [{"ruleConfigurationName": "overfit", "ruleEvaluatorImage": "image"}]


def test_debugger_rules_are_followed_after_the_end() -> None:
    """v1-kinds.md 6.8: polled while any runs, soon at first; findings are told once, in an event and a condition."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    world.aws.move(world.name, "Completed", DebugRuleEvaluationStatuses=rules("InProgress"))
    world.run(200)
    assert world.status["trainingJobStatus"] == "Completed"
    assert world.aws.count("describe") == 1 + 5
    world.aws.move(world.name, "Completed", DebugRuleEvaluationStatuses=rules("IssuesFound", StatusDetails="why"))
    world.run(100)
    (shown,) = world.status["debugRuleEvaluationStatuses"]
    assert (shown["ruleEvaluationStatus"], shown["statusDetail"]) == ("IssuesFound", "why")
    assert world.recorder.events.count(("Warning", "RuleIssuesFound")) == 1
    assert world.condition("RuleIssues") == ("True", "RuleIssuesFound")
    count = world.aws.count("describe")
    world.run(300)
    assert world.aws.count("describe") == count


def test_debugger_rules_are_shown_within_a_minute_while_the_job_trains() -> None:
    """What they find is worth most while the job costs money. A Describe a minute; none for jobs without rules."""
    world = World()
    world.cluster.apply(manifest(debugRuleConfigurations=RULES))
    world.run(10)
    world.aws.move(world.name, "InProgress", "Training", DebugRuleEvaluationStatuses=rules("InProgress"))
    world.run(60)
    assert world.status["debugRuleEvaluationStatuses"][0]["ruleEvaluationStatus"] == "InProgress"
    assert world.condition("RuleIssues") is None
    # as at AWS: neither the status of the job nor its time of modification changes
    world.aws.jobs["us-east-2", world.name].extra["DebugRuleEvaluationStatuses"] = rules("IssuesFound")
    world.run(60)
    assert world.condition("RuleIssues") == ("True", "RuleIssuesFound")
    assert world.condition("Reconciling") == ("True", "InProgress")
    assert world.recorder.events.count(("Warning", "RuleIssuesFound")) == 1
    count = world.aws.count("describe")
    assert count <= 130 // 45 + 1
    world.run(300, step_s=5)
    assert world.aws.count("describe") == count, "all rules have ended"


def test_a_restart_looks_at_the_rules_of_jobs_that_run() -> None:
    """When the last look was is not stored."""
    world = World()
    world.cluster.apply(manifest(debugRuleConfigurations=RULES))
    world.run(100)
    world.restart()
    world.aws.jobs["us-east-2", world.name].extra["DebugRuleEvaluationStatuses"] = rules("IssuesFound")
    world.run(10)
    assert world.condition("RuleIssues") == ("True", "RuleIssuesFound")


def test_a_job_that_vanished_is_reported_and_not_created_again() -> None:
    """Row 3, D-08: another account, or a deleted record."""
    world = World()
    world.cluster.apply(manifest())
    world.run(100)
    world.aws.jobs.clear()
    world.restart()
    world.run(600, step_s=5)
    assert world.aws.count("create") == 1
    assert world.aws.count("describe") == 1
    assert world.status["trainingJobStatus"] == "InProgress"
    assert world.condition("Stalled") == ("True", "NotFound")
    assert "not created again" in world.status["additional"]


def test_an_edit_of_the_region_looks_nowhere_else() -> None:
    """D-04: the recorded identity counts; the edit is told and has no effect."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    world.cluster.apply(manifest(region="eu-west-1", trainingJobName=world.name))
    world.aws.move(world.name, "InProgress", "Training")
    world.run(30)
    assert world.condition("Synced") == ("False", "SpecImmutable")
    assert "spec.region" in world.status["additional"]
    assert list(world.aws.jobs) == [("us-east-2", world.name)]
    world.aws.move(world.name, "Completed")
    world.run(30)
    assert world.status["trainingJobStatus"] == "Completed"


def test_an_unknown_status_is_shown_as_it_is() -> None:
    """Row 12, D-34: AWS adds values."""
    world = World()
    world.cluster.apply(manifest())
    world.run(10)
    world.aws.move(world.name, "Hibernating")
    world.run(30)
    assert world.status["trainingJobStatus"] == "Hibernating"
    assert world.condition("Ready") == ("False", "Hibernating")
    assert world.errors == []


# --- objects of the predecessor


def _legacy(world: World, value: str, **status: object) -> JsonObject:
    """An object as the predecessor leaves it: finalizer, name, its status, nothing of ours."""
    obj = manifest(trainingJobName="old-job")
    obj["metadata"]["finalizers"] = ["sagemaker-operator-finalizer"]
    obj["status"] = {"trainingJobStatus": value, "sageMakerTrainingJobName": "old-job", **status}
    world.cluster.apply(obj)
    return obj


def test_a_running_job_of_the_predecessor_is_taken_over() -> None:
    """modern-expectations.md 10: its status names the job, so it is ours, tags or not; no Create, and a Describe
    before it is recorded and before it is tagged.
    """
    world = World()
    world.aws.existing("old-job")
    _legacy(world, "InProgress")
    world.run(30)
    assert world.status["awsResource"]["arn"].endswith("training-job/old-job")
    assert (world.aws.count("create"), world.aws.count("describe"), world.aws.count("tags")) == (0, 2, 0)
    world.aws.move("old-job", "Completed")
    world.run(30)
    assert world.condition("Complete") == ("True", "Completed")
    assert world.recorder.events == [("Normal", "Completed")]


def test_an_ended_job_of_the_predecessor_gets_its_conditions_with_one_look() -> None:
    """So that `kubectl wait` works on old objects, too."""
    world = World()
    world.aws.existing("old-job", "Completed")
    _legacy(world, "Completed")
    world.run(300)
    assert world.condition("Complete") == ("True", "Completed")
    assert (world.aws.count("create"), world.aws.count("describe")) == (0, 1)


@pytest.mark.parametrize(
    "error",
    [
        AwsError(ErrorClass.DENIED, "AccessDeniedException", "no"),
        AwsError(ErrorClass.RETRYABLE, "ReadTimeout", "no answer", ambiguous=True),
    ],
    ids=lambda error: error.code,
)
@pytest.mark.parametrize("is_there", [True, False])
def test_trouble_at_the_first_look_leaves_the_predecessors_job_its_objects(error: CallError, *, is_there: bool) -> None:
    """D-08, modern-expectations.md 10: who moves with wrong credentials has no job disowned, or run a second time."""
    world = World()
    if is_there:
        world.aws.existing("old-job")
    _legacy(world, "InProgress")
    world.aws.always = lambda operation: error if operation == "describe" else None
    world.run(30)
    assert world.value == "InProgress"
    world.restart()
    world.aws.always = lambda operation: None
    world.run(400)
    assert world.aws.count("create") == 0
    assert world.condition("Synced") == (("True", "Synced") if is_there else ("False", "NotFound"))


def test_the_predecessors_job_is_taken_over_after_a_pause() -> None:
    """A move under `paused` is the careful one."""
    world = World()
    world.aws.existing("old-job")
    obj = _legacy(world, "InProgress")
    obj["metadata"]["annotations"] = {PAUSED.key: "true"}
    world.cluster.apply(obj)
    world.run(30)
    assert world.condition("Reconciling") == ("False", "Paused")
    obj["metadata"]["annotations"] = {}
    world.cluster.apply(obj)
    world.run(30)
    assert world.condition("Synced") == ("True", "Synced")
    assert world.aws.count("create") == 0


def test_a_job_of_the_predecessor_of_which_nobody_names_the_region_is_told() -> None:
    """v1 took the region from its own environment: the user is told, and the queue hears of no error of ours."""
    world = World()
    obj = _legacy(world, "InProgress")
    del obj["spec"]["region"]
    world.cluster.apply(obj)
    world.run(60)
    assert world.condition("Reconciling") == ("True", "RequestRefused")
    assert world.errors == []


def test_a_job_of_the_predecessor_that_is_gone_is_not_created_again() -> None:
    """D-08 after the migration, e.g. with a role of another account."""
    world = World()
    _legacy(world, "Completed")
    world.run(300)
    assert world.aws.count("create") == 0
    assert world.status["trainingJobStatus"] == "Completed"
    assert world.condition("Stalled") == ("True", "NotFound")
    world.cluster.delete(KEY)
    world.run(30)
    assert world.cluster.get(KEY) is None


# --- annotations


def _annotated(name: str, value: str, **spec: object) -> dict[str, object]:
    obj = manifest(**spec)
    obj["metadata"]["annotations"] = {f"sagemaker.aws.amazon.com/{name}": value}
    return obj


def test_an_annotation_without_effect_is_told_once_and_as_long_as_it_stands() -> None:
    """A typo in deletion-policy is found out before the data is gone; restarts do not tell it again."""
    world = World()
    world.cluster.apply(_annotated("deletion-polcy", "retain"))
    world.run(30)
    assert world.condition("AnnotationIgnored") == ("True", "NoEffect")
    assert world.recorder.events.count(("Warning", "AnnotationIgnored")) == 1
    writes = len(world.cluster.writes)
    world.restart()
    world.run(30)
    assert (len(world.cluster.writes), world.recorder.events.count(("Warning", "AnnotationIgnored"))) == (writes, 1)
    world.cluster.apply(_annotated("deletion-policy", "Retain", trainingJobName=world.name))
    world.run(30)
    assert world.recorder.messages[-1] == "deletion-policy: 'Retain' is not delete or retain"
    world.cluster.apply(_annotated("deletion-policy", "retain", trainingJobName=world.name))
    world.run(30)
    assert world.condition("AnnotationIgnored") is None
    assert world.recorder.events.count(("Warning", "AnnotationIgnored")) == 2
    assert world.errors == []


def test_an_ended_or_paused_object_is_told_of_an_annotation_without_effect_too() -> None:
    """Both are at rest; the condition is all that is written."""
    world = World()
    world.cluster.apply(_annotated("paused", "true"))
    world.run(5)
    obj = _annotated("paused", "true")
    obj["metadata"]["annotations"]["sagemaker.aws.amazon.com/read-olny"] = "true"  # type: ignore[index]
    world.cluster.apply(obj)
    world.run(5)
    assert world.condition("AnnotationIgnored") == ("True", "NoEffect")
    world.cluster.apply(manifest())
    world.run(10)
    world.aws.move(world.name, "Completed")
    world.run(30)
    world.cluster.apply(_annotated("read-olny", "true", trainingJobName=world.name))
    world.run(5)
    assert world.condition("AnnotationIgnored") == ("True", "NoEffect")
    assert world.condition("Complete") == ("True", "Completed")


def test_the_predecessors_object_stays_known_as_such_with_an_annotation_of_no_effect() -> None:
    """Its status has no conditions, by which it is told from ours: none may be added before it is taken over."""
    world = World()
    _legacy(world, "InProgress")
    obj = _annotated("typo", "x", trainingJobName="old-job")
    world.aws.fail("describe", AwsError(ErrorClass.THROTTLED, "ThrottlingException", "Rate exceeded"))
    world.cluster.apply(obj)
    world.aws.existing("old-job")
    world.run(60)
    assert world.status["awsResource"]["arn"].endswith("training-job/old-job")
    assert world.condition("AnnotationIgnored") == ("True", "NoEffect")
    assert world.aws.count("create") == 0


def test_an_ended_object_goes_after_its_time_and_its_job_stays() -> None:
    """batch/v1 ttlSecondsAfterFinished: only the object is cleaned up; restarts do not start the time anew."""
    world = World()
    world.cluster.apply(_annotated("ttl-seconds-after-finished", "600"))
    world.run(10)
    name = world.name
    world.aws.move(name, "Completed")
    world.run(300, step_s=5)
    world.restart()
    world.sagemaker.calls.clear()
    world.run(280, step_s=5)
    assert world.condition("Complete") == ("True", "Completed")
    world.run(60, step_s=5)
    assert world.cluster.get(KEY) is None
    assert world.recorder.events[-1] == ("Normal", "Expired")
    assert (world.aws.jobs["us-east-2", name].value, world.aws.calls) == ("Completed", ())
    assert world.errors == []


def test_an_object_that_changes_while_it_expires_is_decided_on_anew() -> None:
    """The deletion is of the version that was seen: whoever takes the annotation off in time keeps the object."""
    world = World()
    world.cluster.apply(_annotated("ttl-seconds-after-finished", "60"))
    world.run(10)
    world.aws.move(world.name, "Completed")
    world.run(30)
    seen = world.obj
    world.cluster.apply(manifest(trainingJobName=world.name))
    world.cluster.store.freeze(KEY, seen)
    world.run(60)
    assert world.cluster.get(KEY) is not None
    assert world.errors
    world.cluster.store.thaw()
    world.run(60)
    assert "deletionTimestamp" not in world.obj["metadata"]


def test_a_foreign_job_is_adopted_when_asked_for() -> None:
    """modern-expectations.md 4: recorded, followed, and from then on stopped with its object."""
    world = World()
    world.aws.existing("my-job")
    world.cluster.apply(manifest(trainingJobName="my-job"))
    world.run(30)
    assert world.condition("Stalled") == ("True", "AlreadyExists")
    world.cluster.apply(_annotated("adoption-policy", "adopt", trainingJobName="my-job"))
    world.run(30)
    assert world.status["trainingJobStatus"] == "InProgress"
    assert ("Normal", "Adopted") in world.recorder.events
    world.cluster.delete(KEY)
    world.run(30)
    assert world.aws.count("stop") == 1


def test_adoption_creates_only_when_asked_for() -> None:
    """`adopt` needs something to adopt; `adopt-or-create` does not."""
    world = World()
    world.cluster.apply(_annotated("adoption-policy", "adopt", trainingJobName="my-job"))
    world.run(30)
    assert world.aws.count("create") == 0
    assert world.condition("Stalled") == ("True", "NotFound")
    world.cluster.apply(_annotated("adoption-policy", "adopt-or-create", trainingJobName="my-job"))
    world.run(30)
    assert world.status["trainingJobStatus"] == "InProgress"


def test_retain_lets_the_job_run_when_its_object_goes() -> None:
    """No Stop, no look."""
    world = World()
    world.cluster.apply(_annotated("deletion-policy", "retain"))
    world.run(30)
    world.sagemaker.calls.clear()
    world.cluster.delete(KEY)
    world.run(1)
    assert world.cluster.get(KEY) is None
    assert world.aws.count("stop") == world.aws.count("describe") == 0
    assert world.recorder.events[-1] == ("Normal", "Retained")


def test_a_read_only_object_watches_and_never_touches() -> None:
    """It shows a job that others own, and its deletion leaves it alone."""
    world = World()
    world.aws.existing("my-job")
    world.cluster.apply(_annotated("read-only", "true", trainingJobName="my-job"))
    world.run(30)
    assert world.status["trainingJobStatus"] == "InProgress"
    world.cluster.delete(KEY)
    world.run(30)
    assert world.cluster.get(KEY) is None
    assert (world.aws.count("create"), world.aws.count("stop")) == (0, 0)


def test_a_paused_object_asks_nobody_until_it_is_resumed() -> None:
    """Its deletion waits, too."""
    world = World()
    world.cluster.apply(_annotated("paused", "true"))
    world.run(30)
    world.cluster.apply(manifest())
    assert world.aws.calls == ()
    assert world.condition("Reconciling") == ("False", "Paused")
    world.run(30)
    assert world.status["trainingJobStatus"] == "InProgress"
    assert world.condition("Reconciling") == ("True", "InProgress")


def test_quiet_objects_take_no_memory() -> None:
    """What a reconciler remembers is for objects in motion or in trouble; the tracker's is for unfinished jobs."""
    world = World()
    world.cluster.apply(manifest())
    world.run(30)
    assert len(world.reconciler._states) == 0
    assert world.tracker.last(KEY) is not None
    world.aws.move(world.name, "Completed")
    world.run(30)
    assert len(world.reconciler._states) == 0
    assert world.tracker.last(KEY) is None


# --- other kinds of jobs


@pytest.mark.parametrize("job", [BATCH_TRANSFORM_JOB, PROCESSING_JOB], ids=lambda each: each.kind)
def test_every_kind_of_job_costs_one_create_and_one_describe(job: KindDescriptor) -> None:
    """Request counts: at most 1 Create and 2 Describe per life; writes: visible changes + 3."""
    world = World(job)
    world.cluster.apply(world.manifest())
    world.run(30)
    (created,) = world.aws.jobs.values()
    assert world.value == "InProgress"
    assert created.request["Environment"] == {"LEVEL": "info"}
    world.aws.move(created.name, "Completed")
    world.run(30)
    assert world.value == "Completed"
    assert world.status[job.name.status_field] == created.name
    assert created.name in world.status["cloudWatchLogUrl"]
    assert (world.aws.count("create"), world.aws.count("describe"), world.aws.count("tags")) == (1, 1, 0)
    assert len(world.cluster.writes) <= 2 + 3
    assert world.recorder.events == [("Normal", "Created"), ("Normal", "Completed")]


def test_a_processing_job_has_no_name_in_its_spec() -> None:
    """v1-kinds.md 9: the name is recomputed; nothing is written into the spec."""
    world = World(PROCESSING_JOB)
    world.cluster.apply(world.manifest())
    world.run(30)
    assert world.obj["spec"] == world.manifest()["spec"]
    assert world.obj["metadata"]["generation"] == 1
    assert world.status["sageMakerProcessingJobName"] == f"xgboost-{world.obj['metadata']['uid'].replace('-', '')}"


@each_row("job", [BATCH_TRANSFORM_JOB, PROCESSING_JOB], ids=lambda each: each.kind)
@each_row(
    ("error", "transform", "processing"),
    [
        (ErrorClass.RETRYABLE, "SynchronizingK8sJobWithSageMaker", "Reconciling"),
        (ErrorClass.DENIED, "SynchronizingK8sJobWithSageMaker", "Error"),
        (ErrorClass.QUOTA, "SynchronizingK8sJobWithSageMaker", "Error"),
        (ErrorClass.INVALID, "SynchronizingK8sJobWithSageMaker", "Error"),
    ],
)
def test_trouble_before_the_creation_is_told_as_v1_does_and_is_never_failed(
    job: KindDescriptor, error: ErrorClass, transform: str, processing: str
) -> None:
    """v1-kinds.md 6.3, 6.4, D-12; the text is in `additional` and in a condition."""
    world = World(job)
    refusal = AwsError(error, "SomeCode", "some words")
    world.aws.always = lambda operation: refusal if operation == "create" else None
    world.cluster.apply(world.manifest())
    world.run(20)
    assert world.value == (transform if job is BATCH_TRANSFORM_JOB else processing)
    assert "SomeCode: some words" in world.status["additional"]
    assert (world.condition("Synced") or ("",))[0] == "False"
    assert world.condition("Failed") is None


@pytest.mark.parametrize("job", [BATCH_TRANSFORM_JOB, PROCESSING_JOB], ids=lambda each: each.kind)
def test_why_a_job_failed_is_in_additional(job: KindDescriptor) -> None:
    """D-32."""
    world = World(job)
    world.cluster.apply(world.manifest())
    world.run(20)
    (created,) = world.aws.jobs.values()
    world.aws.move(created.name, "Failed", FailureReason="AlgorithmError: out of memory")
    world.run(20)
    assert world.value == "Failed"
    assert world.status["additional"] == "AlgorithmError: out of memory"
    assert world.recorder.events[-1] == ("Warning", "Failed")
