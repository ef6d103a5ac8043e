"""Versions of a model package group: AWS numbers them, so that their ARN is all that they are known by."""

import copy
from datetime import timedelta
from typing import Any

import pytest

from api.annotations import ADOPTION_POLICY, DELETION_POLICY, READ_ONLY
from api.meta import JsonObject, ObjectKey
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL, MODEL_PACKAGE, MODEL_PACKAGE_GROUP
from controller.aws.polling.announced import MOST_LOOKS
from controller.aws.polling.hints import Hint
from controller.reconcile.effects import Effect
from controller.reconcile.managed.lost_creation import MOST_PAGES, TOKEN_LASTS_S
from tests.fakes.crashes import CrashPoint
from tests.fakes.world import World
from tests.faults.hosting_world import KEY as HOST
from tests.faults.hosting_world import manifest as deployment
from tests.faults.test_in_place import LOST, annotated, edit, is_ready, manifest, resync
from tests.tables import each_row

DELETED = {DELETION_POLICY.key: "delete"}
ARN = "arn:aws:sagemaker:us-east-2:123456789012:model-package/g/{}"


class Registry(World):
    """Packages, the groups and the models; AWS has the group `g`."""

    def __init__(self) -> None:
        super().__init__(MODEL_PACKAGE, MODEL_PACKAGE_GROUP, MODEL)
        self.sagemaker.of(MODEL_PACKAGE_GROUP).others("CreateModelPackageGroup", ModelPackageGroupName="g")

    def versions(self) -> list[str]:
        """Those of the group at AWS."""
        return sorted(self.aws.there)

    def version(self) -> Any:
        """The request of the only one, as it was updated."""
        (there,) = self.aws.there.values()
        return there.request


def package(**given: Any) -> JsonObject:
    """A version of the group `g`."""
    return manifest(MODEL_PACKAGE.kind, "xgboost", **{"modelPackageGroupName": "g", **given})


def registered(**given: Any) -> Registry:
    """A world with this package, at rest."""
    world = Registry()
    world.cluster.apply(package(**given))
    world.until(lambda: is_ready(world))
    return world


def test_a_version_is_made_once_and_shown_with_its_number() -> None:
    """It has no tags, as AWS takes none for a version."""
    world = registered()
    assert world.versions() == ["g/1"]
    assert world.status["modelPackageArn"] == ARN.format(1)
    assert world.status["modelPackageVersion"] == 1
    assert world.status["modelApprovalStatus"] == "PendingManualApproval"
    assert "Tags" not in world.version()
    world.run(3600, step_s=60)
    assert world.sagemaker.operations.count("CreateModelPackage") == 1
    assert "AddTags" not in world.sagemaker.operations


def test_an_approval_in_the_spec_is_sent_and_nothing_else_is() -> None:
    """What AWS has already is not repeated: it may refuse that of an approved version."""
    world = registered()
    edit(world, modelApprovalStatus="Approved", approvalDescription="looks good")
    world.until(lambda: is_ready(world))
    world.run(20)
    assert world.version()["ModelApprovalStatus"] == "Approved"
    assert (world.status["modelApprovalStatus"], world.status["approvalDescription"]) == ("Approved", "looks good")
    assert world.sagemaker.operations.count("UpdateModelPackage") == 1


def test_metadata_that_leave_the_spec_leave_aws() -> None:
    """By their keys; those that the spec does not speak of stay."""
    world = registered()
    edit(world, customerMetadataProperties=[{"name": "run", "value": "7"}])
    world.until(lambda: is_ready(world))
    assert world.version()["CustomerMetadataProperties"] == {"run": "7"}
    edit(world, customerMetadataProperties=None)
    world.until(lambda: is_ready(world))
    assert world.version()["CustomerMetadataProperties"] == {"run": "7"}


CONTAINER = {"image": "image", "modelDataUrl": "s3://b/m", "environment": [{"name": "A", "value": "1"}]}


def with_containers(*containers: JsonObject, **more: Any) -> JsonObject:
    """An inference specification."""
    return {"inferenceSpecification": {"containers": list(containers), **more}}


@pytest.mark.parametrize(
    ("before", "after", "member", "at_aws"),
    [
        (
            with_containers(CONTAINER, supportedContentTypes=["text/csv"]),
            with_containers(CONTAINER),
            "InferenceSpecification",
            {"Containers": [{"Image": "image", "ModelDataUrl": "s3://b/m", "Environment": {"A": "1"}}]},
        ),
        (
            with_containers(CONTAINER),
            with_containers({**CONTAINER, "environment": [{"name": "A", "value": ""}]}),
            "InferenceSpecification",
            {"Containers": [{"Image": "image", "ModelDataUrl": "s3://b/m", "Environment": {"A": ""}}]},
        ),
        (
            {"modelLifeCycle": {"stage": "Dev", "stageStatus": "Open", "stageDescription": "first"}},
            {"modelLifeCycle": {"stage": "Dev", "stageStatus": "Open"}},
            "ModelLifeCycle",
            {"Stage": "Dev", "StageStatus": "Open"},
        ),
    ],
    ids=["a list of a structure", "a value of a variable", "a text of a structure"],
)
def test_what_an_edit_takes_out_of_a_structure_is_gone_at_aws(
    before: JsonObject, after: JsonObject, member: str, at_aws: JsonObject
) -> None:
    """By one Update, with the structure as it is written."""
    world = registered(**before)
    edit(world, **after)
    world.until(lambda: is_ready(world))
    world.run(3600, step_s=60)
    assert world.version()[member] == at_aws
    assert world.sagemaker.operations.count("UpdateModelPackage") == 1
    assert world.condition("Drifted") is None


@pytest.mark.parametrize("after", [False, True], ids=["without effect", "with effect"])
@pytest.mark.parametrize("is_taken_back", [False, True], ids=["wanted", "taken back"])
def test_what_an_edit_takes_out_of_a_structure_is_settled_after_a_lost_answer(
    *, is_taken_back: bool, after: bool
) -> None:
    """Nothing but the record shows what an edit has taken out, and it is in doubt meanwhile."""
    fuller = with_containers(CONTAINER, supportedContentTypes=["text/csv"])
    world = registered(**fuller)
    world.run(30)
    world.aws.fail("UpdateModelPackage", LOST, after=after)
    edit(world, **with_containers(CONTAINER))
    world.run(1)
    if is_taken_back:
        edit(world, **fuller)
    world.until(lambda: is_ready(world))
    world.run(3600, step_s=60)
    assert is_ready(world)
    assert ("SupportedContentTypes" in world.version()["InferenceSpecification"]) is is_taken_back
    assert world.sagemaker.operations.count("UpdateModelPackage") == (2 if after is is_taken_back else 1)


def test_what_aws_adds_to_a_structure_is_neither_drift_nor_sent_with_an_edit_of_something_else() -> None:
    """Such as the digest of an image: it is no edit, and AWS may refuse what it has already."""
    world = registered(**with_containers(CONTAINER))
    added = copy.deepcopy(world.version()["InferenceSpecification"])
    added["Containers"][0]["ImageDigest"] = "sha256:" + 64 * "0"
    world.aws.others("UpdateModelPackage", ModelPackageArn=ARN.format(1), InferenceSpecification=added)
    edit(world, modelApprovalStatus="Approved")
    world.until(lambda: is_ready(world))
    world.run(3600, step_s=60)
    assert world.version()["InferenceSpecification"] == added
    assert world.version()["ModelApprovalStatus"] == "Approved"


def test_a_property_without_a_value_is_refused_in_an_edit_as_in_a_creation() -> None:
    """AWS takes none: the edit is not passed over in silence."""
    world = registered()
    edit(world, customerMetadataProperties=[{"name": "commit"}])
    world.until(lambda: world.condition("Synced")[0] == "False")
    assert world.version()["CustomerMetadataProperties"] == {"commit": "9f2c1e7"}


def test_an_approval_that_others_give_is_shown_within_minutes() -> None:
    """As drift, if the spec says otherwise; as the state, if it says nothing."""
    for given, condition in (({}, ("True", "Drifted")), ({"modelApprovalStatus": None}, None)):
        world = registered(**given)
        world.aws.others("UpdateModelPackage", ModelPackageArn=ARN.format(1), ModelApprovalStatus="Approved")
        world.run(1300, step_s=10)
        assert world.status["modelApprovalStatus"] == "Approved"
        assert world.condition("Drifted") == condition
        assert world.version()["ModelApprovalStatus"] == "Approved"


def announce(world: Registry, approval: str, *, number: int = 1, ago_s: float = 0.0) -> str:
    """An event about a version, as a status queue passes it on."""
    modified = world.clock.utcnow() - timedelta(seconds=ago_s)
    arn = ARN.format(number)
    hint = Hint(arn, "Completed", approval, modified, arn)
    effect: str = world.announced[MODEL_PACKAGE.kind].hint("events", "us-east-2", "123456789012", hint)
    return effect


def test_an_approval_that_is_announced_is_shown_at_once() -> None:
    """By one Describe; without events it is minutes, as above."""
    world = registered(modelApprovalStatus=None)
    world.run(30)
    described = world.sagemaker.operations.count("DescribeModelPackage")
    world.aws.others("UpdateModelPackage", ModelPackageArn=ARN.format(1), ModelApprovalStatus="Approved")
    assert announce(world, "Approved") == "change"
    world.run(2)
    assert world.status["modelApprovalStatus"] == "Approved"
    assert announce(world, "PendingManualApproval", ago_s=20) == "stale"
    assert announce(world, "Approved", ago_s=2) == "known"
    assert announce(world, "Approved", number=2) == "unfollowed"
    world.run(60)
    assert world.sagemaker.operations.count("DescribeModelPackage") == described + 1


def test_what_the_api_does_not_show_yet_is_looked_at_again() -> None:
    """For some seconds: events are hints, and anybody may have sent them."""
    world = registered(modelApprovalStatus=None)
    world.run(30)
    described = world.sagemaker.operations.count("DescribeModelPackage")
    assert announce(world, "Approved") == "change"
    world.run(2)
    world.aws.others("UpdateModelPackage", ModelPackageArn=ARN.format(1), ModelApprovalStatus="Approved")
    world.run(8)
    assert world.status["modelApprovalStatus"] == "Approved"
    announce(world, "Rejected")
    world.run(120)
    assert world.status["modelApprovalStatus"] == "Approved"
    assert world.sagemaker.operations.count("DescribeModelPackage") == described + 2 + MOST_LOOKS


def lives(world: Registry) -> None:
    """Made, approved, deleted."""
    world.cluster.apply(package(annotations=DELETED))
    world.until(lambda: is_ready(world))
    assert len(world.versions()) == 1
    edit(world, modelApprovalStatus="Approved")
    world.until(lambda: is_ready(world) and world.version()["ModelApprovalStatus"] == "Approved")
    world.run(30)
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert world.versions() == []
    (group,) = world.sagemaker.of(MODEL_PACKAGE_GROUP).there.values()
    assert group.version == 1, "no second number was ever given"


def _points() -> list[CrashPoint]:
    world = Registry()
    lives(world)
    return world.crash.points(besides=frozenset({Effect.EMIT_EVENT}))


def test_a_crash_at_any_effect_makes_no_second_version(subtests: pytest.Subtests) -> None:
    """Not even after the answer that has the number, and before it is recorded: the token is the same."""
    for point in _points():
        with subtests.test(str(point)):
            world = Registry()
            world.crash.die_at(point)
            lives(world)
            assert world.crashes == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@each_row("operation", ["CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "DeleteModelPackage"])
def test_an_answer_that_is_lost_makes_no_second_version(operation: str, *, after: bool) -> None:
    """Whether the call has had its effect or not."""
    world = Registry()
    world.aws.fail(operation, LOST, after=after)
    lives(world)
    assert world.aws.faults == []


HOUR_S = 3600.0


def crowd(world: Registry, count: int = 7) -> None:
    """Others have made versions of the same content."""
    for _ in range(count):
        world.aws.others("CreateModelPackage", ModelPackageGroupName="g", SourceUri="s3://b/m")


@pytest.mark.parametrize("after", [True, False], ids=["with effect", "without effect"])
@pytest.mark.parametrize("down_s", [0.0, 300.0, HOUR_S, 90 * 24 * HOUR_S])
def test_a_lost_answer_and_a_long_absence_make_no_second_version(after: bool, down_s: float) -> None:
    """AWS has forgotten the token, so the version is found by its description among those of others."""
    world = Registry()
    crowd(world)
    world.aws.page_size = 3
    world.aws.fail("CreateModelPackage", LOST, after=after, then=lambda: world.clock.advance(down_s))
    world.cluster.apply(package(modelPackageDescription="first"))
    world.until(lambda: is_ready(world), within_s=down_s + 1500)
    world.run(60)
    assert world.versions() == [f"g/{number}" for number in range(1, 9)]
    assert world.status["modelPackageArn"] == ARN.format(8)
    assert ("ListModelPackages" in world.sagemaker.operations) is (down_s > TOKEN_LASTS_S)
    described = world.aws.there["g/8"].request["ModelPackageDescription"]
    assert described == f"first [Kubernetes default/xgboost {world.obj['metadata']['uid']}]"


@pytest.mark.parametrize("down_s", [0.0, HOUR_S])
@pytest.mark.parametrize("dies", [False, True], ids=["lost answer", "crash"])
def test_an_edit_after_a_creation_that_is_in_doubt_reaches_the_version(*, dies: bool, down_s: float) -> None:
    """AWS answers the repetition with the version of the spec before: that is no change by others."""
    world = Registry()
    if dies:
        world.crash.die_at(*[each for each in _points() if (each.effect, each.after) == (Effect.CREATE, True)])
    else:
        world.aws.fail("CreateModelPackage", LOST, after=True)
    world.cluster.apply(package())
    world.run(1)
    edit(world, modelApprovalStatus="Approved")
    world.clock.advance(down_s)
    world.until(lambda: is_ready(world))
    world.run(1300, step_s=10)
    assert is_ready(world)
    assert world.versions() == ["g/1"]
    assert world.version()["ModelApprovalStatus"] == "Approved"
    assert world.condition("Drifted") is None
    assert world.sagemaker.operations.count("UpdateModelPackage") == 1


def test_an_operator_that_dies_after_the_answer_finds_its_version_days_later() -> None:
    """The record is lost with the process, the token at AWS: the mark is left."""
    (point,) = [each for each in _points() if (each.effect, each.after) == (Effect.CREATE, True)]
    world = Registry()
    world.crash.die_at(point)
    world.cluster.apply(package())
    world.until(lambda: world.crashes == 1)
    crowd(world)
    world.clock.advance(3 * 24 * HOUR_S)
    world.until(lambda: is_ready(world))
    assert world.status["modelPackageArn"] == ARN.format(1)
    assert len(world.versions()) == 8


@pytest.mark.parametrize("down_s", [0.0, HOUR_S])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_what_is_deleted_while_its_creation_is_in_doubt_is_found_and_deleted(*, after: bool, down_s: float) -> None:
    """By its mark: nothing is created for that, and what others have made stays."""
    world = Registry()
    crowd(world, 1)
    world.aws.fail("CreateModelPackage", LOST, after=after)
    world.cluster.apply(package(annotations=DELETED))
    world.run(1)
    assert world.condition("Reconciling") == ("True", "CreationUnconfirmed")
    world.cluster.delete(world.key)
    world.clock.advance(down_s)
    world.until(lambda: world.obj is None)
    assert world.versions() == ["g/1"]
    assert world.sagemaker.operations.count("CreateModelPackage") == 1


def test_more_versions_than_can_be_read_are_no_proof() -> None:
    """A second one would be worse than a message."""
    world = Registry()
    world.aws.page_size = 1
    crowd(world, MOST_PAGES + 1)
    world.cluster.apply(package())
    world.clock.advance(HOUR_S)
    world.run(120)
    assert "CreateModelPackage" not in world.sagemaker.operations
    assert "cannot see whether" in world.status["additional"]


def test_a_version_outlives_its_object_unless_a_policy_says_otherwise() -> None:
    """The registry is a history."""
    world = registered()
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert world.versions() == ["g/1"]
    assert "Retained" in world.reasons()


def test_a_version_that_others_delete_is_not_made_again() -> None:
    """Another one would have another number."""
    world = registered()
    world.run(100)
    world.aws.others("DeleteModelPackage", ModelPackageName=ARN.format(1))
    resync(world)
    assert world.condition("Stalled") == ("True", "NotFound")
    assert world.versions() == []
    assert world.sagemaker.operations.count("CreateModelPackage") == 1


@pytest.mark.parametrize("annotation", [ADOPTION_POLICY.key, READ_ONLY.key])
def test_a_version_that_exists_is_taken_over_or_shown_by_its_arn(annotation: str) -> None:
    """And updated only if it was taken over."""
    world = Registry()
    world.aws.others("CreateModelPackage", ModelPackageGroupName="g", SourceUri="s3://b/m")
    is_adopted = annotation == ADOPTION_POLICY.key
    obj = package(
        annotations={annotation: "adopt" if is_adopted else "true"},
        modelPackageArn=ARN.format(1),
        modelApprovalStatus="Rejected",
    )
    world.cluster.apply(obj)
    world.until(lambda: world.condition("Ready") == ("True", "Created"))
    world.run(60)
    assert world.versions() == ["g/1"]
    assert world.version().get("ModelApprovalStatus") == ("Rejected" if is_adopted else None)
    assert "CreateModelPackage" not in world.sagemaker.operations


@pytest.mark.parametrize("group", ["g", None], ids=["beside a group", "alone"])
def test_an_arn_without_an_annotation_says_what_to_do(group: str | None) -> None:
    """Nothing is created, nor deleted with the object; the annotation that follows is taken up at once."""
    world = Registry()
    world.aws.others("CreateModelPackage", ModelPackageGroupName="g", SourceUri="s3://b/m")
    world.cluster.apply(package(annotations=DELETED, modelPackageArn=ARN.format(1), modelPackageGroupName=group))
    world.run(30)
    refused = world.condition("Stalled"), world.condition("Synced")
    assert refused == (("True", "InvalidSpec"), ("False", "InvalidSpec"))
    for part in ("spec.modelPackageArn", f"{ADOPTION_POLICY.key}=adopt", f"{READ_ONLY.key}=true"):
        assert part in world.status["additional"]
    annotated(world, **DELETED, **{READ_ONLY.key: "true"})
    world.until(lambda: world.condition("Ready") == ("True", "Created"))
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert world.versions() == ["g/1"]
    assert "CreateModelPackage" not in world.sagemaker.operations


@pytest.mark.parametrize("annotation", [{ADOPTION_POLICY.key: "adopt"}, {READ_ONLY.key: "true"}])
def test_an_annotation_without_an_arn_says_what_to_do(annotation: dict[str, str]) -> None:
    """It does not look for what has no name."""
    world = Registry()
    world.cluster.apply(package(annotations=annotation))
    world.run(30)
    assert world.condition("Stalled") == ("True", "NotFound")
    assert "spec.modelPackageArn does not say which" in world.status["additional"]
    assert world.sagemaker.operations == ()


def test_a_package_with_a_name_of_its_own_is_no_version() -> None:
    """It is tagged, and a name that others have is left alone."""
    world = registered(modelPackageGroupName=None, modelPackageName="mine")
    assert world.versions() == ["mine"]
    (there,) = world.aws.there.values()
    assert there.tags["sagemaker.aws.amazon.com/name"] == "xgboost"
    assert "Kubernetes" not in there.request["ModelPackageDescription"]
    other = Registry()
    other.aws.others("CreateModelPackage", ModelPackageName="mine", SourceUri="s3://b/m")
    other.cluster.apply(package(modelPackageGroupName=None, modelPackageName="mine"))
    other.until(lambda: other.condition("Stalled") == ("True", "AlreadyExists"))
    assert not next(iter(other.aws.there.values())).tags


def test_a_package_waits_for_the_object_of_its_group() -> None:
    """And is woken by it."""
    world = Registry()
    group = manifest(MODEL_PACKAGE_GROUP.kind, "churn", modelPackageGroupName="churn-at-aws")
    world.clusters[MODEL_PACKAGE_GROUP.kind].apply(group)
    world.sagemaker.of(MODEL_PACKAGE_GROUP).fail("CreateModelPackageGroup", LOST)
    world.cluster.apply(package(modelPackageGroupName="churn"))
    world.run(1)
    assert world.condition("Reconciling") == ("True", "DependencyMissing")
    world.until(lambda: is_ready(world))
    assert world.versions() == ["churn-at-aws/1"]


def test_a_model_names_a_package_by_its_object() -> None:
    """It waits for the version, and has its ARN."""
    world = Registry()
    role = "arn:aws:iam::123456789012:role/r"
    spec = {"region": "us-east-2", "executionRoleArn": role, "primaryContainer": {"modelPackageName": "xgboost"}}
    model = {**copy.deepcopy(package()), "kind": MODEL.kind, "spec": spec}
    model["metadata"]["name"] = "m"
    world.aws.fail("CreateModelPackage", LOST)
    world.cluster.apply(package())
    world.clusters[MODEL.kind].apply(model)
    world.run(1)
    assert not world.sagemaker.hosting.models
    world.until(lambda: bool(world.sagemaker.hosting.models))
    (made,) = world.sagemaker.hosting.models.values()
    assert made["PrimaryContainer"] == {"ModelPackageName": ARN.format(1)}
    shown = (world.clusters[MODEL.kind].get(ObjectKey("default", "m")) or {})["status"]["conditions"]
    assert ("Ready", "True") in {(each["type"], each["status"]) for each in shown}


def test_a_model_keeps_the_version_when_the_object_of_the_package_goes() -> None:
    """The version stays at AWS; another object of that name is followed."""
    world = registered()
    role = "arn:aws:iam::123456789012:role/r"
    spec = {"region": "us-east-2", "executionRoleArn": role, "primaryContainer": {"modelPackageName": "xgboost"}}
    model = {**copy.deepcopy(package()), "kind": MODEL.kind, "spec": spec}
    model["metadata"]["name"] = "m"
    world.clusters[MODEL.kind].apply(model)
    world.until(lambda: len(world.sagemaker.hosting.models) == 1)
    (first,) = world.sagemaker.hosting.models
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    world.reconcile(ObjectKey("default", "m"), MODEL.kind)
    world.run(60)
    assert set(world.sagemaker.hosting.models) == {first}
    world.cluster.apply(package())
    world.until(lambda: is_ready(world))
    world.until(lambda: set(world.sagemaker.hosting.models).isdisjoint({first}))
    (made,) = world.sagemaker.hosting.models.values()
    assert made["PrimaryContainer"] == {"ModelPackageName": ARN.format(2)}


def test_a_deployment_names_a_package_by_its_object() -> None:
    """Its Model waits for the version, and keeps the one that it was made with."""
    world = World(HOSTING_DEPLOYMENT, MODEL, ENDPOINT_CONFIG, MODEL_PACKAGE, MODEL_PACKAGE_GROUP, key=HOST)
    world.sagemaker.of(MODEL_PACKAGE_GROUP).others("CreateModelPackageGroup", ModelPackageGroupName="g")
    world.sagemaker.of(MODEL_PACKAGE).fail("CreateModelPackage", LOST)
    world.clusters[MODEL_PACKAGE.kind].apply(package())
    host = deployment()
    (container,) = host["spec"]["models"][0]["containers"]
    del container["image"]
    container["modelPackageName"] = "xgboost"
    world.cluster.apply(host)
    world.until(lambda: world.status.get("endpointStatus") == "InService")
    (made,) = world.sagemaker.hosting.models.values()
    assert made["PrimaryContainer"]["ModelPackageName"] == ARN.format(1)
    packages = world.clusters[MODEL_PACKAGE.kind]
    packages.delete(ObjectKey("default", "xgboost"))
    world.run(30)
    assert packages.keys() == []
    packages.apply(package())
    world.run(600, step_s=10)
    assert len(world.sagemaker.of(MODEL_PACKAGE).there) == 2
    (kept,) = world.sagemaker.hosting.models.values()
    assert kept["PrimaryContainer"]["ModelPackageName"] == ARN.format(1)
    assert world.status["endpointStatus"] == "InService"
    assert world.condition("Ready") == ("True", "InService")


def test_an_arn_without_an_annotation_does_not_delete_what_it_names() -> None:
    """The object goes, whatever the policy of deletion."""
    world = Registry()
    world.aws.others("CreateModelPackage", ModelPackageGroupName="g", SourceUri="s3://b/m")
    world.cluster.apply(package(annotations=DELETED, modelPackageArn=ARN.format(1)))
    world.run(30)
    world.cluster.delete(world.key)
    world.until(lambda: world.obj is None)
    assert world.versions() == ["g/1"]
