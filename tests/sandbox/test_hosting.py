"""The hosting guide's chapter, and what it promises, through HTTP with a real operator process."""

import pytest

from api.meta import JsonObject
from tests.deadline import eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import aws_call, condition
from tests.sandbox.hosting_scene import (
    CONFIGURATIONS,
    DEPLOYMENTS,
    MODELS,
    children,
    configurations,
    deployment,
    endpoints,
    left_at_sagemaker,
    marked,
    models,
    operations,
    replace_spec,
    sample,
    until,
    until_gone,
    with_variant,
)

pytestmark = pytest.mark.sandbox

NAME = "host-xgboost"


def test_the_guides_chapter(world: World) -> None:
    """Create, describe, update (InService → ReconcilingEndpoint → Updating → InService), delete."""
    world.operator().until_ready()
    world.api.create(deployment(), plural=DEPLOYMENTS)
    created = until(world.api, NAME, "InService")
    uid = created["metadata"]["uid"].replace("-", "")
    status = created["status"]

    assert created["metadata"]["generation"] == 1, "nothing is written into the spec"
    assert created["metadata"]["finalizers"] == ["sagemaker-operator-finalizer"]
    assert status["endpointName"] == f"{NAME}-{uid}"
    url = f"https://runtime.sagemaker.us-east-2.amazonaws.com/endpoints/{NAME}-{uid}/invocations"
    assert status["endpointUrl"] == url
    assert status["endpointArn"].endswith(f":endpoint/{NAME}-{uid}")
    assert status["endpointConfigName"] == configurations(world)[0]["EndpointConfigName"]
    assert [(pair["name"], pair["value"]) for pair in status["modelNames"]] == [
        ("xgboost-model", models(world)[0]["ModelName"])
    ]
    assert {"creationTime", "lastModifiedTime", "lastCheckTime"} <= status.keys()
    assert status["productionVariants"][0]["currentInstanceCount"] == 1
    assert condition(created, "Ready")["status"] == "True"
    assert "additional" not in status

    with world.time.stopped():
        replace_spec(world.api, with_variant(deployment(), initialInstanceCount=2))
        until(world.api, NAME, "Updating", observed=False)

    def updated() -> JsonObject | None:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        assert obj is not None
        value = obj["status"]["endpointStatus"]
        counts = [variant.get("currentInstanceCount") for variant in obj["status"].get("productionVariants", ())]
        return obj if value == "InService" and counts == [2] else None

    after = eventually(updated, what="two instances")
    assert after["status"]["endpointName"] == f"{NAME}-{uid}"
    assert operations(world).count("UpdateEndpointWeightsAndCapacities") == 1, "only a count has changed"
    assert operations(world).count("UpdateEndpoint") == 0

    world.api.delete(NAME, plural=DEPLOYMENTS)
    until_gone(world.api, NAME)
    assert left_at_sagemaker(world) == []
    assert children(world) == []


def test_a_new_model_is_switched_to_and_the_old_one_goes(world: World) -> None:
    """Row 5: new children beside the old ones, UpdateEndpoint, then the old ones are removed."""
    world.operator().until_ready()
    world.api.create(deployment(), plural=DEPLOYMENTS)
    before = until(world.api, NAME, "InService")
    replace_spec(world.api, marked(deployment(), VERSION="2"))

    def switched() -> JsonObject | None:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        status = obj["status"] if obj else {}
        is_new = status.get("endpointConfigName") not in {None, before["status"]["endpointConfigName"]}
        return obj if is_new and status["endpointStatus"] == "InService" else None

    after = eventually(switched, what="new configuration")
    eventually(lambda: len(models(world)) == 1 and len(configurations(world)) == 1, what="old ones are removed")
    assert after["status"]["modelNames"][0]["value"] == models(world)[0]["ModelName"]
    assert after["status"]["modelNames"] != before["status"]["modelNames"]
    assert operations(world).count("UpdateEndpoint") == 1
    world.api.delete(NAME, plural=DEPLOYMENTS)
    until_gone(world.api, NAME)
    assert left_at_sagemaker(world) == []


def test_edits_that_change_nothing_for_sagemaker_update_nothing(world: World) -> None:
    """D-13: tags, which are changed in place, and a default that is spelt out."""
    world.operator().until_ready()
    tags = [{"key": "team", "value": "a"}, {"key": "stage", "value": "test"}]
    world.api.create(deployment(tags=tags), plural=DEPLOYMENTS)
    until(world.api, NAME, "InService")
    before = children(world)
    edited = with_variant(deployment(), initialVariantWeight=1)
    edited["spec"] |= {"tags": [{"key": "team", "value": "b"}], "retainAllVariantProperties": True}
    replace_spec(world.api, edited)
    until(world.api, NAME, "InService")
    assert children(world) == before
    eventually(lambda: [given_tags(world, each) for each in arns(world)] == [{"team": "b"}] * 3, what="the new tags")
    eventually(lambda: operations(world).count("DeleteTags") == 3, what="the old tags are taken off")
    assert children(world) == before
    assert not {"UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"} & set(operations(world))
    assert operations(world).count("AddTags") == 3


def arns(world: World) -> list[str]:
    """Of everything that a deployment has at SageMaker."""
    return (
        [each["EndpointArn"] for each in endpoints(world)]
        + [each["EndpointConfigArn"] for each in configurations(world)]
        + [each["ModelArn"] for each in models(world)]
    )


def given_tags(world: World, arn: str) -> dict[str, str]:
    """The tags of a resource, without the operator's."""
    tags = aws_call(world.aws.url, "ListTags", ResourceArn=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags if "/" not in tag["Key"]}


@pytest.mark.guide("F-8c")
def test_an_edit_before_in_service_waits_and_only_the_newest_counts(world: World) -> None:
    """Row 3 and the guide: the operator waits until the endpoint is InService before it applies the update."""
    world.operator().until_ready()
    with world.time.stopped():
        world.api.create(deployment(), plural=DEPLOYMENTS)
        until(world.api, NAME, "Creating")
        replace_spec(world.api, marked(deployment(), VERSION="2"))
        pending = until(world.api, NAME, "Creating")
        assert condition(pending, "Synced")["reason"] == "UpdatePending"
        assert len(models(world)) == 1, "nothing is made for a wish that has to wait"
        replace_spec(world.api, marked(deployment(), VERSION="3"))
        until(world.api, NAME, "Creating")

    def newest() -> bool:
        names = [each["ModelName"] for each in models(world)]
        if len(names) != 1:
            return False  # the old one may go between a List and a Describe
        described = [aws_call(world.aws.url, "DescribeModel", ModelName=name) for name in names]
        versions = [each["PrimaryContainer"].get("Environment", {}).get("VERSION") for each in described]
        status = world.api.status(NAME, plural=DEPLOYMENTS)
        return versions == ["3"] and status["endpointStatus"] == "InService"

    eventually(newest, what="only the newest")
    assert operations(world).count("UpdateEndpoint") == 1


def test_a_failed_update_is_told_not_repeated_and_cured_by_another_spec(world: World) -> None:
    """Row 6, D-15."""
    world.operator().until_ready()
    world.api.create(deployment(), plural=DEPLOYMENTS)
    until(world.api, NAME, "InService")
    replace_spec(world.api, marked(deployment(), SANDBOX_FAIL="the model does not load"))

    def failed() -> JsonObject | None:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        return obj if obj and condition(obj, "Stalled").get("reason") == "UpdateFailed" else None

    told = eventually(failed, what="UpdateFailed")
    assert "the model does not load" in told["status"]["additional"]
    assert told["status"]["endpointStatus"] == "InService"
    assert condition(told, "Ready")["status"] == "True", "the previous configuration serves"
    world.api.call(
        "PATCH",
        world.api.path(NAME, plural=DEPLOYMENTS),
        {"metadata": {"labels": {"touched": "yes"}}},
        "application/merge-patch+json",
    )
    assert operations(world).count("UpdateEndpoint") == 1
    replace_spec(world.api, marked(deployment(), VERSION="good"))
    eventually(lambda: operations(world).count("UpdateEndpoint") == 2, what="another update")

    def cured() -> JsonObject | None:
        obj = world.api.get(NAME, plural=DEPLOYMENTS)
        ready = (
            obj and obj["status"]["endpointStatus"] == "InService" and condition(obj, "Stalled")["status"] == "False"
        )
        return obj if ready else None

    assert "additional" not in eventually(cured, what="cured")["status"]
    eventually(lambda: len(models(world)) == 1, what="one model is left")


@pytest.mark.parametrize(
    ("markers", "state"),
    [
        pytest.param({"SANDBOX_FAIL": "no"}, "Failed", id="Failed"),
        pytest.param({"SANDBOX_OUT_OF_SERVICE": "1"}, "OutOfService", id="OutOfService"),
    ],
)
def test_deletion_of_what_does_not_serve_leaves_nothing(world: World, markers: dict[str, str], state: str) -> None:
    """Rows 9 and 10."""
    world.operator().until_ready()
    world.api.create(marked(deployment(), **markers), plural=DEPLOYMENTS)
    until(world.api, NAME, state)
    world.api.delete(NAME, plural=DEPLOYMENTS)
    until_gone(world.api, NAME)
    assert left_at_sagemaker(world) == []
    assert children(world) == []


def test_deletion_while_creating_is_waited_for_and_leaves_nothing(world: World) -> None:
    """Rows 9 and 10, D-16: SageMaker refuses it for so long."""
    world.operator().until_ready()
    with world.time.stopped():
        world.api.create(deployment(), plural=DEPLOYMENTS)
        until(world.api, NAME, "Creating")
        world.api.delete(NAME, plural=DEPLOYMENTS)
        until(world.api, NAME, "Deleting", observed=False)
        assert [each["EndpointStatus"] for each in endpoints(world)] == ["Creating"]
    until_gone(world.api, NAME)
    assert left_at_sagemaker(world) == []
    assert children(world) == []


def test_deletion_while_updating_leaves_nothing(world: World) -> None:
    """Row 10."""
    world.operator().until_ready()
    world.api.create(deployment(), plural=DEPLOYMENTS)
    until(world.api, NAME, "InService")
    with world.time.stopped():
        replace_spec(world.api, marked(deployment(), VERSION="2"))
        until(world.api, NAME, "Updating", observed=False)
        world.api.delete(NAME, plural=DEPLOYMENTS)
        until(world.api, NAME, "Deleting", observed=False)
    until_gone(world.api, NAME)
    assert left_at_sagemaker(world) == []


def test_deletion_at_once_leaves_nothing(world: World) -> None:
    """Before anything, or with some of the children made."""
    world.operator().until_ready()
    for name in ("a", "b", "c"):
        world.api.create(deployment(name), plural=DEPLOYMENTS)
        world.api.delete(name, plural=DEPLOYMENTS)
    for name in ("a", "b", "c"):
        until_gone(world.api, name)
    assert left_at_sagemaker(world) == []
    assert children(world) == []


def test_the_second_deployment_of_one_endpoint_name_is_refused(world: World) -> None:
    """D-03, row 13: it says why, and its deletion does not touch the first one's endpoint."""
    world.operator().until_ready()
    world.api.create(deployment("first", endpointName="shared"), plural=DEPLOYMENTS)
    until(world.api, "first", "InService")
    world.api.create(deployment("second", endpointName="shared"), plural=DEPLOYMENTS)

    def refused() -> JsonObject | None:
        obj = world.api.get("second", plural=DEPLOYMENTS)
        return obj if obj and condition(obj, "Stalled").get("reason") == "AlreadyExists" else None

    obj = eventually(refused, what="refusal")
    assert obj["status"]["endpointStatus"] == "ReconcilingEndpoint"
    assert "was not created by this object" in obj["status"]["additional"]
    world.api.delete("second", plural=DEPLOYMENTS)
    until_gone(world.api, "second")
    assert [each["EndpointStatus"] for each in endpoints(world)] == ["InService"]
    assert len(models(world)) == len(configurations(world)) == 1


def test_a_killed_operator_is_followed_by_one_that_goes_on(world: World) -> None:
    """Nothing is made twice, nothing forgotten."""
    operator = world.operator().until_ready()
    with world.time.stopped():
        world.api.create(deployment(), plural=DEPLOYMENTS)
        until(world.api, NAME, "Creating")
        operator.kill()
        world.operator().until_ready()
    until(world.api, NAME, "InService")
    assert len(endpoints(world)) == len(models(world)) == len(configurations(world)) == 1


def test_a_model_and_a_configuration_of_their_own(world: World) -> None:
    """v1-kinds.md 12.3: created; a changed one gets another name, the old one goes; deleted."""
    world.operator().until_ready()
    model = sample("xgboost-mnist-model")
    name = model["metadata"]["name"]
    world.api.create(model, plural=MODELS)
    created = until(world.api, name, "Created", plural=MODELS, field="status")
    uid = created["metadata"]["uid"].replace("-", "")
    assert created["status"]["sageMakerModelName"] == f"{name}-{uid}"
    assert created["status"]["modelArn"].endswith(f"/{name}-{uid}")
    assert created["status"]["lastUpdateTime"]
    assert condition(created, "Ready")["status"] == "True"

    configuration = sample("xgboost-mnist-endpointconfig")
    configuration["spec"]["productionVariants"][0]["modelName"] = created["status"]["sageMakerModelName"]
    world.api.create(configuration, plural=CONFIGURATIONS)
    used = configuration["metadata"]["name"]
    until(world.api, used, "Created", plural=CONFIGURATIONS, field="status")

    changed = {**model, "spec": {**model["spec"], "enableNetworkIsolation": True}}
    replace_spec(world.api, changed, MODELS)

    def replaced() -> bool:
        status = world.api.status(name, plural=MODELS)
        return bool(status["sageMakerModelName"] != f"{name}-{uid}" and status["status"] == "Created")

    eventually(replaced, what="another name")
    assert len(models(world)) == 2, "the configuration uses the old one"
    world.api.delete(used, plural=CONFIGURATIONS)
    until_gone(world.api, used, CONFIGURATIONS)
    eventually(lambda: len(models(world)) == 1, what="the old model goes")
    world.api.delete(name, plural=MODELS)
    until_gone(world.api, name, MODELS)
    assert left_at_sagemaker(world) == []
