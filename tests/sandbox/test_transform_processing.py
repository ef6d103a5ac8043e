"""Whole lives of batch transform and processing jobs through HTTP, with a real operator process."""

import json
from dataclasses import dataclass

import pytest
import yaml

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import PLURALS, REPOSITORY, aws_call, condition, until_gone, until_status

pytestmark = pytest.mark.sandbox


@dataclass(frozen=True)
class Kind:
    """What differs between the two kinds, as a user sees it."""

    kind: str
    sample: str
    value: str
    """Field of the status value."""
    name: str
    """Field of the name at AWS."""
    member: str
    """How AWS's operations call the job."""
    log_group: str

    @property
    def plural(self) -> str:
        """As in URLs."""
        return PLURALS[self.kind]

    def manifest(self, name: str, **markers: str) -> JsonObject:
        """The sample, with markers that tell the embedded SageMaker how the job shall go."""
        loaded: JsonObject = yaml.safe_load((REPOSITORY / "samples" / self.sample).read_text())
        loaded["metadata"]["name"] = name
        loaded["spec"].setdefault("environment", []).extend({"name": n, "value": v} for n, v in markers.items())
        return loaded

    def jobs(self, world: World) -> list[JsonObject]:
        """All jobs of the kind that SageMaker knows."""
        listed: list[JsonObject] = aws_call(world.aws.url, f"List{self.member}s")[f"{self.member}Summaries"]
        return listed


TRANSFORM = Kind(
    "BatchTransformJob",
    "xgboost-mnist-batchtransform.yaml",
    "transformJobStatus",
    "sageMakerTransformJobName",
    "TransformJob",
    "/aws/sagemaker/TransformJobs",
)
PROCESSING = Kind(
    "ProcessingJob",
    "kmeans-mnist-processingjob.yaml",
    "processingJobStatus",
    "sageMakerProcessingJobName",
    "ProcessingJob",
    "/aws/sagemaker/ProcessingJobs",
)
KINDS = [pytest.param(kind, id=kind.kind) for kind in (TRANSFORM, PROCESSING)]
LONG = {"SANDBOX_SECONDS": "86400"}


@pytest.fixture
def ready(world: World) -> World:
    """A world with an operator, and with the model that the transform sample names."""
    aws_call(
        world.aws.url,
        "CreateModel",
        ModelName="xgboost-mnist",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole",
        PrimaryContainer={"Image": "image", "ModelDataUrl": "s3://my-bucket/model.tar.gz"},
    )
    world.operator().until_ready()
    return world


def _until(world: World, kind: Kind, name: str, value: str) -> JsonObject:
    return until_status(world.api, name, value, field=kind.value, plural=kind.plural)


def _operations(world: World) -> list[str]:
    return [request.operation for request in world.to_aws.requests if not request.operation.startswith("List")]


def _reasons(world: World, name: str, count: int) -> list[str]:
    def look() -> list[str] | None:
        reasons = [event["reason"] for event in world.api.events(name)]
        return reasons if len(reasons) >= count else None

    return eventually(look, what=f"{count} events about {name}")


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_created_followed_and_completed(ready: World, kind: Kind) -> None:
    """Guide B-38 to B-42: one Create and one Describe; the name is in the status and, of a transform job, the spec."""
    ready.api.create(kind.manifest("job"), plural=kind.plural)
    done = _until(ready, kind, "job", "Completed")
    name = f"job-{done['metadata']['uid'].replace('-', '')}"
    status = done["status"]
    assert status[kind.name] == name
    assert status["lastCheckTime"]
    assert condition(done, "Complete")["status"] == condition(done, "Ready")["status"] == "True"
    assert done["metadata"]["finalizers"] == ["sagemaker-operator-finalizer"]
    assert done["metadata"]["generation"] == (2 if kind is TRANSFORM else 1)
    assert done["spec"].get("transformJobName") == (name if kind is TRANSFORM else None)
    assert f"group={kind.log_group};prefix={name};" in status["cloudWatchLogUrl"]
    assert [job[f"{kind.member}Name"] for job in kind.jobs(ready)] == [name]
    assert _operations(ready)[-2:] == [f"Create{kind.member}", f"Describe{kind.member}"]
    assert sorted(_reasons(ready, "job", 2)) == ["Completed", "Created"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_the_environment_reaches_the_job(ready: World, kind: Kind) -> None:
    """D-06: the predecessor's manager crashed at it."""
    ready.api.create(kind.manifest("job", **LONG, COLOUR="blue"), plural=kind.plural)
    shown = _until(ready, kind, "job", "InProgress")
    described = aws_call(ready.aws.url, f"Describe{kind.member}", **{f"{kind.member}Name": shown["status"][kind.name]})
    assert described["Environment"]["COLOUR"] == "blue"


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_job_tells_why(ready: World, kind: Kind) -> None:
    """D-32: in `additional`, the condition and an event."""
    ready.api.create(kind.manifest("job", SANDBOX_FAIL="no memory"), plural=kind.plural)
    failed = _until(ready, kind, "job", "Failed")
    assert "no memory" in failed["status"]["additional"]
    assert condition(failed, "Failed")["status"] == condition(failed, "Stalled")["status"] == "True"
    assert "no memory" in condition(failed, "Failed")["message"]
    assert "Failed" in _reasons(ready, "job", 2)


@pytest.mark.parametrize("kind", KINDS)
def test_deleting_a_running_job_stops_it_waits_and_lets_go(ready: World, kind: Kind) -> None:
    """Guide B-43b."""
    ready.api.create(kind.manifest("job", **LONG), plural=kind.plural)
    _until(ready, kind, "job", "InProgress")
    ready.api.delete("job", plural=kind.plural)
    until_gone(ready.api, "job", plural=kind.plural)
    assert [job[f"{kind.member}Status"] for job in kind.jobs(ready)] == ["Stopped"]
    assert _operations(ready).count(f"Stop{kind.member}") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_trouble_is_not_the_end(ready: World, kind: Kind) -> None:
    """D-12: an error of AWS is told and retried, and no client takes it for the job's failure."""
    ready.aws.faults.add(f"Create{kind.member}", "error", count=2)
    ready.api.create(kind.manifest("job"), plural=kind.plural)
    _until(ready, kind, "job", "Completed")
    written = [json.loads(each.body) for each in ready.to_kube.requests if each.path.endswith("/job/status")]
    seen = {each["status"].get(kind.value) for each in written}
    assert "Completed" in seen
    assert not {"Failed", "Error"} & seen
    assert len(kind.jobs(ready)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_throttling_leaves_no_trace(ready: World, kind: Kind) -> None:
    """DESIGN 4.6."""
    ready.aws.faults.add(f"Create{kind.member}", "throttle", count=2)
    ready.api.create(kind.manifest("job"), plural=kind.plural)
    _until(ready, kind, "job", "Completed")
    assert _operations(ready).count(f"Create{kind.member}") == 3


def test_a_transform_job_waits_for_its_model(world: World) -> None:
    """v1-kinds.md 13.4: a missing dependency may appear at any time: slow retry, told, and not Failed (D-12)."""
    world.operator().until_ready()
    world.api.create(TRANSFORM.manifest("job"), plural=TRANSFORM.plural)

    def look() -> JsonObject | None:
        obj = world.api.get("job", plural=TRANSFORM.plural)
        return obj if obj and condition(obj, "Reconciling").get("reason") == "DependencyMissing" else None

    waiting = eventually(look, what="DependencyMissing")
    assert waiting["status"]["transformJobStatus"] == "SynchronizingK8sJobWithSageMaker"
    assert "model" in waiting["status"]["additional"].lower()
    world.api.delete("job", plural=TRANSFORM.plural)
    until_gone(world.api, "job", plural=TRANSFORM.plural)


def test_a_transform_job_that_is_not_ours_is_left_alone(ready: World) -> None:
    """D-03: two objects with one name; the second is refused, and its deletion touches nothing."""
    for name in ("first", "second"):
        manifest = TRANSFORM.manifest(name, **LONG)
        manifest["spec"]["transformJobName"] = "taken"
        ready.api.create(manifest, plural=TRANSFORM.plural)
        if name == "first":
            _until(ready, TRANSFORM, "first", "InProgress")

    def stalled() -> JsonObject | None:
        obj = ready.api.get("second", plural=TRANSFORM.plural)
        return obj if obj and condition(obj, "Stalled").get("status") == "True" else None

    assert condition(eventually(stalled, what="second is refused"), "Stalled")["reason"] == "AlreadyExists"
    ready.api.delete("second", plural=TRANSFORM.plural)
    until_gone(ready.api, "second", plural=TRANSFORM.plural)
    assert [job["TransformJobStatus"] for job in TRANSFORM.jobs(ready)] == ["InProgress"]
    assert "StopTransformJob" not in _operations(ready)


def test_a_processing_job_that_aws_refuses_shows_error(ready: World) -> None:
    """v1-kinds.md 6.4: `Error` for what does not pass by itself; the object can be deleted."""
    manifest = PROCESSING.manifest("job")
    ready.aws.faults.add("CreateProcessingJob", "invalid", count=5)
    ready.api.create(manifest, plural=PROCESSING.plural)
    refused = _until(ready, PROCESSING, "job", "Error")
    assert condition(refused, "Stalled")["reason"] == "InvalidSpec"
    assert refused["status"]["additional"]
    ready.api.delete("job", plural=PROCESSING.plural)
    until_gone(ready.api, "job", plural=PROCESSING.plural)
