"""Changes of a job that exists: which are sent, when, once, and what becomes of those that AWS does not make."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api.meta import JsonObject
from api.v1 import KINDS, TRAINING_JOB
from controller.aws.errors import AwsError, CallError
from controller.reconcile import observation as o
from controller.reconcile import steps as s
from controller.reconcile.job.changes import change_of, digest_of, nested, step, with_mutable
from controller.reconcile.status.patch import recorded_in, resource_fields
from controller.runtime.errors import ABSENT, ErrorClass
from tests.fakes.calls import refusal
from tests.fakes.job_manifests import KEY, MANIFEST, manifest
from tests.fakes.world import World
from tests.tables import each_row
from tests.unit.reconcile.cells import table

KEEP = "ResourceConfig.KeepAlivePeriodInSeconds"
POOL = {"Status": "Available", "ResourceRetainedBillableTimeInSeconds": 10}
LOST = AwsError(ErrorClass.RETRYABLE, "EndpointUnreachable", "read timed out", ambiguous=True)
DENIED = AwsError(ErrorClass.DENIED, "AccessDeniedException", "not authorized to perform: sagemaker:UpdateTrainingJob")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-2:123456789012:training-job/job"
VALUES: dict[str, tuple[Any, Any]] = {
    "resourceConfig.keepAlivePeriodInSeconds": (600, 3600),
    "profilerConfig": ({"profilingIntervalInMilliseconds": 500}, {"profilingIntervalInMilliseconds": 1000}),
    "profilerRuleConfigurations": (
        [{"ruleConfigurationName": "cpu", "ruleEvaluatorImage": "image"}],
        [{"ruleConfigurationName": "gpu", "ruleEvaluatorImage": "image"}],
    ),
    "remoteDebugConfig": ({"enableRemoteDebug": True}, {"enableRemoteDebug": False}),
}
"""Two values of each mutable field."""


def spec_with(path: str = "", value: Any = None) -> JsonObject:
    """The sample's spec with one mutable field; None: without."""
    spec: JsonObject = manifest()["spec"]
    if value is None:
        return spec
    *outer, name = path.split(".")
    into = spec
    for each in outer:
        into = into[each]
    into[name] = value
    return spec


def sent(spec: JsonObject, other: JsonObject) -> dict[str, Any]:
    """What the edit of a spec sends."""
    change = change_of(TRAINING_JOB, other, digest(spec))
    return nested(change.members) if change else {}


def digest(spec: JsonObject) -> str:
    """What is recorded of a spec once it was sent."""
    change = change_of(TRAINING_JOB, spec, "")
    return change.digest if change else ""


def test_every_mutable_field_is_tried_here() -> None:
    """A field that AWS's operation gains has to be added to the descriptor and to this table."""
    assert TRAINING_JOB.update is not None
    assert {f"spec.{path}" for path in VALUES} == TRAINING_JOB.update.paths()
    assert [kind.kind for kind in KINDS if kind.update] == ["TrainingJob"]


@pytest.mark.parametrize("path", VALUES)
def test_an_edit_sends_the_member_that_it_changes_and_no_other(path: str) -> None:
    """Others may have been changed at AWS, and after the end of the job AWS takes some of them only."""
    one, other = (spec_with(path, value) for value in VALUES[path])
    member = path.partition(".")[0]
    assert set(sent(one, other)) == set(sent(spec_with(), one)) == {member[:1].upper() + member[1:]}
    assert sent(one, one) == {}
    both = one | {"remoteDebugConfig": {"enableRemoteDebug": True}}
    assert set(sent(one, both)) <= {"RemoteDebugConfig"}


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        pytest.param(
            "resourceConfig.keepAlivePeriodInSeconds", {"ResourceConfig": {"KeepAlivePeriodInSeconds": 0}}, id="pool"
        ),
        pytest.param("profilerConfig", {"ProfilerConfig": {"DisableProfiler": True}}, id="profiler"),
        pytest.param("profilerRuleConfigurations", {"ProfilerRuleConfigurations": []}, id="rules"),
        pytest.param("remoteDebugConfig", {"RemoteDebugConfig": {"EnableRemoteDebug": False}}, id="remote debugging"),
    ],
)
def test_a_field_that_is_removed_is_sent_as_what_its_absence_means(path: str, meaning: JsonObject) -> None:
    """AWS leaves alone what a request does not mention."""
    assert sent(spec_with(path, VALUES[path][0]), spec_with()) == meaning


def test_an_empty_structure_is_no_edit_but_in_place_of_another_value_it_asks_for_its_defaults() -> None:
    """`profilerConfig: {}` has SageMaker profile, as `disableProfiler: false` does; its absence turns that off."""
    empty, off = spec_with("profilerConfig", {}), spec_with("profilerConfig", {"disableProfiler": True})
    with_path = spec_with("profilerConfig", {"s3OutputPath": "s3://b/"})
    assert sent(with_path, empty) == {"ProfilerConfig": {"DisableProfiler": False}}
    assert sent(with_path, off) == sent(with_path, spec_with()) == {"ProfilerConfig": {"DisableProfiler": True}}
    assert sent(spec_with(), empty) == sent(empty, spec_with()) == {}, "as for what is immutable"
    assert sent(spec_with(), spec_with("remoteDebugConfig", {})) == {}


def test_a_spec_without_mutable_fields_records_nothing_and_owes_nothing() -> None:
    """The record costs nothing where it is not needed; other fields have no part in it."""
    assert digest_of(TRAINING_JOB, {"RoleArn": "x", "ResourceConfig": {"InstanceCount": 1}}) == ""
    assert change_of(TRAINING_JOB, spec_with(), "") is None
    for kind in KINDS:
        assert kind is TRAINING_JOB or change_of(kind, spec_with("profilerConfig", {}), "") is None


def test_the_record_survives_the_status() -> None:
    """A restart sends nothing again."""
    recorded = o.Recorded("job", "us-east-2", "aws", ARN, changes="...abc")
    assert recorded_in({"awsResource": resource_fields(recorded)}) == recorded


# --- the decision, as a table

DIMENSIONS = {
    "job": ("running", "stopping", "ended", "kept", "gone", "unseen", "listed"),
    "change": ("none", "pool", "profiler", "both", "there"),
    "owner": ("ours", "launched", "foreign"),
}
"""`kept`: ended, with a warm pool. `there`: AWS shows what the spec has, as after a lost answer. `launched`: by a
tuning job, its tags not read yet. `foreign`: launched, by its tags of others."""

TABLE = table(
    """
    job                 | change             | owner         | step
    --------------------+--------------------+---------------+------------------
    *                   | none               | *             | -
    unseen listed       | pool profiler both there | *       | describe
    gone                | pool profiler both there | *       | too late
    running stopping ended kept | pool profiler both there | launched | check tags
    running stopping ended kept | pool profiler both there | foreign  | too late
    running stopping ended kept | there      | ours          | record
    running stopping    | pool               | ours          | send pool
    running stopping    | profiler           | ours          | send profiler
    running stopping    | both               | ours          | send pool profiler
    kept                | pool both          | ours          | send pool
    kept                | profiler           | ours          | too late
    ended               | pool profiler both | ours          | too late
    """,
    DIMENSIONS,
)


def seen(job: str = "running", change: str = "pool", owner: str = "ours", **changes: Any) -> o.Observed:
    """The observation of a cell."""
    external: o.External = None
    if job == "gone":
        external = ABSENT
    elif job != "unseen":
        value = {"running": "InProgress", "listed": "InProgress", "stopping": "Stopping"}.get(job, "Completed")
        external = o.ExternalResource(
            o.Source.SUMMARY if job == "listed" else o.Source.DESCRIPTION,
            value,
            arn=ARN,
            created_at=NOW,
            mutable={KEEP: 600},
            has_warm_pool=job == "kept",
        )
    members = {"pool": {KEEP: 0}, "profiler": {"ProfilerConfig": {"S3OutputPath": "s3://b"}}, "there": {KEEP: 600}}
    members["both"] = members["pool"] | members["profiler"]
    base = o.Observed(
        descriptor=TRAINING_JOB,
        name="job",
        is_name_generated=True,
        is_name_persisted=True,
        has_finalizer=True,
        generation=2,
        now=NOW,
        recorded=o.Recorded("job", "us-east-2", "aws", ARN, creation_time=NOW),
        is_recorded_in_status=True,
        is_ended=job in {"ended", "kept", "gone"},
        is_spawned=owner != "ours",
        owner=o.Ownership.FOREIGN if owner == "foreign" else o.Ownership.UNKNOWN,
        external=external,
        change=None if change == "none" else o.JobChange(members[change], "digest"),
    )
    return replace(base, **changes)


def word_of(decided: object) -> str:
    """The step in the words of the table."""
    match decided:
        case None:
            return "-"
        case s.UpdateJob(members):
            return f"send {' '.join('pool' if each == KEEP else 'profiler' for each in members)}"
        case s.RecordChange(too_late):
            return "too late" if too_late else "record"
        case s.VerifyOwner():
            return "check tags"
    assert isinstance(decided, s.Describe)
    return "describe"


def test_every_cell_has_the_step_of_its_row() -> None:
    """Each combination stands in exactly one row, and no row is idle."""
    assert TABLE.differences(lambda cell: {"step": word_of(step(seen(*cell.values())))}) == ""
    assert TABLE.idle() == []


@each_row(
    "state",
    [
        pytest.param({"is_change_held": True}, id="refused lately"),
        pytest.param({"hold_s": 9.0}, id="AWS refuses everything"),
        pytest.param({"is_recorded_in_status": False}, id="recorded first"),
        pytest.param({"policy": o.Policy(paused=True)}, id="paused"),
        pytest.param({"policy": o.Policy(read_only=True)}, id="read-only"),
        pytest.param({"deleting_for_s": 1.0}, id="being deleted"),
        pytest.param({"external": ABSENT}, id="gone before its end, which is shown"),
    ],
)
def test_nothing_is_sent_while_it_must_not_be(state: dict[str, Any]) -> None:
    """Whatever the job is doing."""
    for job in ("running", "kept") if "external" not in state else ("running",):
        assert step(seen(job, **state)) is None


@each_row(
    ("answer", "has_pool"),
    [
        pytest.param({}, False, id="never had one"),
        pytest.param({"ResourceConfig": {"KeepAlivePeriodInSeconds": 600}}, True, id="not shown yet"),
        pytest.param({"WarmPoolStatus": {"Status": "Available"}}, True, id="available"),
        pytest.param({"WarmPoolStatus": {"Status": "InUse"}}, True, id="in use"),
        pytest.param(
            {"ResourceConfig": {"KeepAlivePeriodInSeconds": 600}, "WarmPoolStatus": {"Status": "Terminated"}},
            False,
            id="terminated",
        ),
        pytest.param({"WarmPoolStatus": {"Status": "Reused"}}, False, id="reused by another job"),
    ],
)
def test_a_pool_counts_as_there_unless_aws_shows_its_end(answer: JsonObject, has_pool: bool) -> None:
    """API reference, WarmPoolStatus."""
    external = o.ExternalResource(o.Source.DESCRIPTION, "Completed")
    assert with_mutable(TRAINING_JOB, external, answer).has_warm_pool is has_pool


def test_what_aws_adds_to_a_value_does_not_count_as_a_change() -> None:
    """DescribeTrainingJob shows a volume size of zero for rules that were given none."""
    rule = {"RuleConfigurationName": "cpu", "RuleEvaluatorImage": "image"}
    change = o.JobChange({"ProfilerRuleConfigurations": [rule]}, "digest")
    state = replace(seen(), change=change)
    assert isinstance(state.external, o.ExternalResource)
    shown = replace(state.external, mutable={"ProfilerRuleConfigurations": [rule | {"VolumeSizeInGB": 0}]})
    assert step(replace(state, external=shown)) == s.RecordChange()
    less = replace(state.external, mutable={"ProfilerRuleConfigurations": [rule | {"InstanceType": "ml.t3.medium"}]})
    assert isinstance(step(replace(state, external=less)), s.UpdateJob)


# --- a job's life


def running(keep_s: int | None = 600) -> World:
    """A job that runs, with a warm pool to come."""
    world = World()
    resources = MANIFEST["spec"]["resourceConfig"]
    kept = {} if keep_s is None else {"keepAlivePeriodInSeconds": keep_s}
    world.cluster.apply(manifest(resourceConfig={**resources, **kept}))
    world.run(10)
    return world


def ended(keep_s: int | None = 600) -> World:
    """A job that has completed, with a warm pool if it has asked for one."""
    world = running(keep_s)
    world.aws.move(world.name, "Completed", **({"WarmPoolStatus": POOL} if keep_s else {}))
    world.run(10)
    assert world.condition("Complete") == ("True", "Completed")
    return world


def keep(world: World, seconds: int | None, *, for_s: float = 30.0) -> None:
    """Edit the time for which the pool is kept."""
    spec = world.obj["spec"]
    resources = spec["resourceConfig"] | {"keepAlivePeriodInSeconds": seconds}
    given = {name: value for name, value in resources.items() if value is not None}
    world.cluster.edit(KEY, spec | {"resourceConfig": given})
    world.run(for_s)


def kept_s(world: World) -> int | None:
    """What AWS has."""
    seconds: int | None = (
        world.aws.jobs["us-east-2", world.name].request["ResourceConfig"].get("KeepAlivePeriodInSeconds")
    )
    return seconds


@each_row("make", [running, ended])
@each_row("seconds", [0, 3600, None], ids=["ended", "prolonged", "removed"])
def test_a_warm_pool_is_ended_and_prolonged_by_an_edit(make: Any, seconds: int | None) -> None:
    """Before and after the end of the job, by one call; its status stays what it was, and the edit is observed."""
    world = make()
    before = {each["type"]: each["status"] for each in world.status["conditions"]}
    keep(world, seconds)
    assert kept_s(world) == (seconds or 0)
    assert world.aws.count("update") == 1
    assert world.reasons().count("Updated") == 1
    assert world.status["observedGeneration"] == world.obj["metadata"]["generation"]
    assert {each["type"]: each["status"] for each in world.status["conditions"]} == before
    calls = len(world.aws.calls)
    world.restart()
    world.run(10)
    assert [each for each, _ in world.aws.calls[calls:]].count("update") == 0
    assert world.errors == []


def test_a_pool_can_be_asked_for_while_the_job_runs() -> None:
    """Nothing was recorded at its creation."""
    world = running(None)
    assert "changesDigest" not in world.status["awsResource"]
    keep(world, 600)
    assert kept_s(world) == 600


@pytest.mark.parametrize("make", [running, ended])
@pytest.mark.parametrize("after", [True, False], ids=["effect", "no effect"])
def test_a_lost_answer_is_followed_by_a_describe_and_not_by_a_second_effect(make: Any, after: bool) -> None:
    """The record is written after the answer; a Describe shows whether the call took effect."""
    world = make()
    value, phase = world.value, world.condition("Ready")
    world.aws.fail("update", LOST, after=after)
    keep(world, 0)
    assert kept_s(world) == 0
    assert world.aws.count("update") == (1 if after else 2)
    assert (world.value, world.condition("Ready")) == (value, phase)
    assert world.condition("Reconciling") == ("True" if make is running else "False", value)


@pytest.mark.parametrize("dies", [False, True], ids=["lost answer", "crash"])
@pytest.mark.parametrize("after", [False, True], ids=["no effect", "effect"])
@pytest.mark.parametrize("make", [running, ended])
def test_a_change_that_is_taken_back_while_it_is_in_doubt_is_taken_back_at_aws(
    make: Any, *, after: bool, dies: bool
) -> None:
    """The record is of the spec before it, to which the spec has come back."""
    world = make()
    if dies:
        world.crash.at, world.crash.after = len(world.crash.seen) + 2, after  # the write that comes first, the call
    else:
        world.aws.fail("update", LOST, after=after)
    keep(world, 900, for_s=1)
    assert (kept_s(world), world.crashes) == (900 if after else 600, int(dies))
    keep(world, 600)
    assert kept_s(world) == 600
    calls = world.aws.count("update")
    world.run(600)
    assert world.aws.count("update") == calls
    assert world.condition("Updated") is None


@pytest.mark.parametrize("make", [running, ended])
def test_a_crash_at_any_effect_changes_the_pool_all_the_same(make: Any) -> None:
    """At least once, and never a third time."""
    undisturbed = make()
    start = len(undisturbed.crash.seen)
    keep(undisturbed, 0)
    points = [point for point in undisturbed.crash.points() if point.n > start]
    assert points
    for point in points:
        world = make()
        world.crash.die_at(point)
        keep(world, 0)
        assert world.crashes == 1
        assert kept_s(world) == 0
        assert world.aws.count("update") <= 2
        assert world.condition("Updated") is None


def test_what_others_change_at_aws_stays() -> None:
    """Jobs have no drift: a pool that was ended in the console must not be charged for again."""
    world = ended()
    world.aws.jobs["us-east-2", world.name].request["ResourceConfig"]["KeepAlivePeriodInSeconds"] = 0
    world.cluster.touch(KEY)
    world.run(60)
    world.restart()
    world.run(60)
    assert world.aws.count("update") == 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(DENIED, "AccessDenied", id="denied"),
        pytest.param(refusal("UpdateTrainingJob", "cannot be updated now"), "UpdateRefused", id="state"),
        pytest.param(refusal("UpdateTrainingJob", "", "ResourceLimitExceeded"), "UpdateRefused", id="quota"),
    ],
)
def test_a_refusal_is_shown_and_does_not_hold_up_the_job(error: CallError, reason: str) -> None:
    """One Warning; the end of the job is shown all the same; tried again after minutes, and when the spec changes."""
    world = running()
    world.aws.fail("update", error)
    keep(world, 0)
    assert world.condition("Updated") == ("False", reason)
    assert world.recorder.events.count(("Warning", "UpdateRefused")) == 1
    world.aws.move(world.name, "Completed", WarmPoolStatus=POOL)
    world.run(30)
    assert world.condition("Complete") == ("True", "Completed")
    world.run(700, step_s=5)
    assert kept_s(world) == 0
    assert world.condition("Updated") is None
    assert world.aws.count("update") == 2


def test_a_refused_change_that_is_taken_back_is_forgotten() -> None:
    """Nothing is sent, and the condition goes."""
    world = running()
    world.aws.fail("update", DENIED)
    keep(world, 0)
    assert world.condition("Updated") == ("False", "AccessDenied")
    keep(world, 600)
    assert world.condition("Updated") is None
    assert world.aws.count("update") == 1
    assert kept_s(world) == 600


def test_a_change_that_comes_too_late_is_reported_once_and_costs_one_describe() -> None:
    """An ended job without a pool: nothing is sent, now or after a restart."""
    world = ended(None)
    calls = len(world.aws.calls)
    keep(world, 600)
    world.restart()
    world.run(700, step_s=5)
    assert [operation for operation, _ in world.aws.calls[calls:]] == ["describe"]
    assert world.condition("Updated") == ("False", "UpdateRefused")
    assert world.recorder.events.count(("Warning", "UpdateRefused")) == 1
    assert world.condition("Complete") == ("True", "Completed")
    keep(world, None)
    assert world.condition("Updated") is None


def test_others_jobs_are_not_changed() -> None:
    """Others have deleted the job, and have one under its name."""
    world = ended()
    job = world.aws.jobs["us-east-2", world.name]
    world.clock.advance(60)
    job.created, job.request["Tags"] = world.clock.utcnow(), []
    keep(world, 0)
    assert world.aws.count("update") == 0
    assert world.condition("Updated") == ("False", "UpdateRefused")
