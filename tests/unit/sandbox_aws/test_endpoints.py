"""Endpoints, through boto3: creation, update, roll-back, scaling, deletion, refusals, lists and logs.

An endpoint takes 400 seconds to create, 300 to update, 80 to roll back and 50 to delete.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hack.sandbox.aws.hosting.endpoint_api import EndpointApi
from hack.sandbox.aws.hosting.immutable_api import StaticApi
from hack.sandbox.aws.hosting.scaling import Targets
from hack.sandbox.aws.records.models import ENDPOINT_CONFIG, MODEL
from hack.sandbox.aws.records.resource import Kind, R, Store
from hack.sandbox.aws.records.timeline import Durations
from hack.sandbox.aws.server import RunningServer
from hack.sandbox.aws.wire import ApiError, Call
from tests.unit.sandbox_aws.answers import departures, refusal
from tests.unit.sandbox_aws.test_models import create_config, create_model, variant

PLACE = "arn:aws:sagemaker:us-west-2:123456789012"
ARN = f"{PLACE}:endpoint/endpoint"
IN_PROGRESS = ("ValidationException", f'Cannot update in-progress endpoint "{ARN}".', 400)
Create = Callable[..., str]


@pytest.fixture
def create(aws: RunningServer, sagemaker: Any) -> Create:
    """Create an endpoint with its model and configuration; return its ARN."""
    create_model(sagemaker)

    def made(name: str = "endpoint", config: dict[str, Any] | None = None, **members: Any) -> str:
        create_config(sagemaker, f"{name}-config", **(config or {}))
        request = {"EndpointName": name, "EndpointConfigName": f"{name}-config"} | members
        arn: str = sagemaker.create_endpoint(**request)["EndpointArn"]
        return arn

    return made


@pytest.fixture
def endpoint(aws: RunningServer, create: Create) -> str:
    """An endpoint in service with two variants, `a` (1 instance, weight 1) and `b` (2, weight 3); its ARN."""
    variants = [variant("a"), variant("b", InitialInstanceCount=2, InitialVariantWeight=3.0)]
    arn = create(config={"ProductionVariants": variants})
    aws.clock.advance(400)
    return arn


def seen(sagemaker: Any, name: str = "endpoint") -> Any:
    """The answer of DescribeEndpoint."""
    return sagemaker.describe_endpoint(EndpointName=name)


def status(sagemaker: Any, name: str = "endpoint") -> str:
    """The status of an endpoint."""
    return str(seen(sagemaker, name)["EndpointStatus"])


def fleet(sagemaker: Any) -> dict[str, tuple[float, float, int, int]]:
    """Variant → current and desired weight, current and desired count."""
    members = ("CurrentWeight", "DesiredWeight", "CurrentInstanceCount", "DesiredInstanceCount")
    rows = seen(sagemaker)["ProductionVariants"]
    return {row["VariantName"]: tuple(row[member] for member in members) for row in rows}


def statuses(aws: RunningServer, sagemaker: Any, *waits_s: float) -> list[str]:
    """The status after each wait."""
    found = []
    for wait_s in waits_s:
        aws.clock.advance(wait_s)
        found.append(status(sagemaker))
    return found


def test_an_endpoint_is_created_and_serves(aws: RunningServer, sagemaker: Any, create: Create) -> None:
    """v1-kinds 6.6: Creating without variants, then InService with the variants of the configuration."""
    assert create() == ARN
    before = seen(sagemaker)
    assert (before["EndpointStatus"], before["EndpointConfigName"]) == ("Creating", "endpoint-config")
    assert "ProductionVariants" not in before
    assert statuses(aws, sagemaker, 399, 1) == ["Creating", "InService"]
    after = seen(sagemaker)
    assert fleet(sagemaker) == {"main": (1.0, 1.0, 1, 1)}
    assert (after["LastModifiedTime"] - after["CreationTime"]).total_seconds() == 400
    assert [image["SpecifiedImage"] for image in after["ProductionVariants"][0]["DeployedImages"]] == ["x"]


def test_a_failing_creation_ends_in_failed(aws: RunningServer, sagemaker: Any) -> None:
    """A broken model; all that can be done then is DeleteEndpoint."""
    create_model(sagemaker, PrimaryContainer={"Image": "x", "Environment": {"SANDBOX_FAIL": "no memory"}})
    create_config(sagemaker)
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    aws.clock.advance(400)
    assert (seen(sagemaker)["EndpointStatus"], seen(sagemaker)["FailureReason"]) == ("Failed", "no memory")
    code, message, _ = refusal(sagemaker.update_endpoint, EndpointName="endpoint", EndpointConfigName="config")
    assert (code, "status Failed" in message) == ("ValidationException", True)
    sagemaker.delete_endpoint(EndpointName="endpoint")
    assert status(sagemaker) == "Deleting"


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param({"Tags": [{"Key": "SANDBOX_FAIL", "Value": ""}]}, id="a tag of the endpoint"),
        pytest.param({"config": {"Tags": [{"Key": "SANDBOX_FAIL", "Value": ""}]}}, id="a tag of its configuration"),
        pytest.param({"name": "fail-me"}, id="its name"),
    ],
)
def test_a_marked_creation_fails_in_the_words_of_the_service(
    aws: RunningServer, sagemaker: Any, create: Create, marked: dict[str, Any]
) -> None:
    """Without a text of its own, the marker gives the reason users meet most often."""
    create(**marked)
    aws.clock.advance(400)
    reason = seen(sagemaker, marked.get("name", "endpoint"))["FailureReason"]
    assert reason.startswith("The primary container for production variant main did not pass the ping health check.")


def test_an_update_switches_to_the_new_configuration(aws: RunningServer, sagemaker: Any, endpoint: str) -> None:
    """While it lasts the old configuration is shown and serves, what is to come stands beside it."""
    create_config(sagemaker, "new", ProductionVariants=[variant("a", InitialInstanceCount=5)])
    assert sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="new")["EndpointArn"] == endpoint
    during = seen(sagemaker)
    assert (during["EndpointStatus"], during["EndpointConfigName"]) == ("Updating", "endpoint-config")
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == "new"
    assert statuses(aws, sagemaker, 299, 1) == ["Updating", "InService"]
    after = seen(sagemaker)
    assert after["EndpointConfigName"] == "new"
    assert not {"PendingDeploymentSummary", "FailureReason"} & after.keys()
    assert fleet(sagemaker) == {"a": (1.0, 1.0, 5, 5)}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, (1.0, 1.0, 1, 1), id="by default the new configuration counts"),
        pytest.param({"RetainAllVariantProperties": False}, (1.0, 1.0, 1, 1), id="the default, said"),
        pytest.param({"RetainAllVariantProperties": True}, (7.0, 7.0, 4, 4), id="all retained"),
        pytest.param(
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredInstanceCount"}],
            },
            (7.0, 7.0, 1, 1),
            id="but for the count",
        ),
        pytest.param(
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
            },
            (1.0, 1.0, 4, 4),
            id="but for the weight",
        ),
    ],
)
def test_variant_properties_are_retained_when_asked_for(
    aws: RunningServer, sagemaker: Any, endpoint: str, members: dict[str, Any], expected: tuple[float, ...]
) -> None:
    """v1-kinds 12.4: the default resets what was scaled meanwhile (D-17b)."""
    row = {"VariantName": "a", "DesiredInstanceCount": 4, "DesiredWeight": 7.0}
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="endpoint", DesiredWeightsAndCapacities=[row])
    aws.clock.advance(300)
    create_config(sagemaker, "new", ProductionVariants=[variant("a"), variant("c", InitialInstanceCount=9)])
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="new", **members)
    aws.clock.advance(300)
    assert fleet(sagemaker) == {"a": expected, "c": (1.0, 1.0, 9, 9)}


def test_a_failing_update_rolls_back(aws: RunningServer, sagemaker: Any, endpoint: str) -> None:
    """v1-kinds 12.4 row 6: InService again, on the old configuration, with a reason; the next update clears it."""
    create_config(sagemaker, "bad", Tags=[{"Key": "SANDBOX_FAIL", "Value": "alarm went off"}])
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="bad")
    assert statuses(aws, sagemaker, 300, 80) == ["RollingBack", "InService"]
    after = seen(sagemaker)
    assert (after["FailureReason"], after["EndpointConfigName"]) == ("alarm went off", "endpoint-config")
    assert set(fleet(sagemaker)) == {"a", "b"}
    create_config(sagemaker, "good")
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="good")
    aws.clock.advance(300)
    after = seen(sagemaker)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "good")
    assert "FailureReason" not in after


def test_a_failing_roll_back_can_be_repaired_by_an_update(aws: RunningServer, sagemaker: Any, endpoint: str) -> None:
    """D-16: UpdateRollbackFailed is a settled state in which the endpoint serves."""
    create_config(sagemaker, "bad", Tags=[{"Key": "SANDBOX_ROLLBACK_FAIL", "Value": "no capacity"}])
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="bad")
    assert statuses(aws, sagemaker, 300, 80) == ["RollingBack", "UpdateRollbackFailed"]
    assert seen(sagemaker)["FailureReason"] == "no capacity"
    create_config(sagemaker, "good")
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="good")
    assert statuses(aws, sagemaker, 0, 300) == ["Updating", "InService"]


def test_an_endpoint_can_end_out_of_service(aws: RunningServer, sagemaker: Any, create: Create) -> None:
    """A settled state that does not serve: it can be deleted, not updated."""
    create(config={"Tags": [{"Key": "SANDBOX_OUT_OF_SERVICE", "Value": "1"}]})
    assert statuses(aws, sagemaker, 400) == ["OutOfService"]
    code, _, _ = refusal(sagemaker.update_endpoint, EndpointName="endpoint", EndpointConfigName="endpoint-config")
    assert code == "ValidationException"
    sagemaker.delete_endpoint(EndpointName="endpoint")


def test_weights_and_capacities_change_in_place(aws: RunningServer, sagemaker: Any, endpoint: str) -> None:
    """What is desired shows at once, what is current once the update is over; other variants stay as they are."""
    row = {"VariantName": "a", "DesiredInstanceCount": 4, "DesiredWeight": 0.5}
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="endpoint", DesiredWeightsAndCapacities=[row])
    assert status(sagemaker) == "Updating"
    assert fleet(sagemaker) == {"a": (1.0, 0.5, 1, 4), "b": (3.0, 3.0, 2, 2)}
    aws.clock.advance(300)
    assert fleet(sagemaker) == {"a": (0.5, 0.5, 4, 4), "b": (3.0, 3.0, 2, 2)}
    assert seen(sagemaker)["EndpointConfigName"] == "endpoint-config"
    rows = [{"VariantName": "nobody", "DesiredWeight": 1.0}]
    call = sagemaker.update_endpoint_weights_and_capacities
    code, message, _ = refusal(call, EndpointName="endpoint", DesiredWeightsAndCapacities=rows)
    assert (code, '"nobody" is/are not present' in message) == ("ValidationException", True)


def test_deletion_takes_time_and_leaves_nothing(aws: RunningServer, sagemaker: Any, endpoint: str) -> None:
    """Deleting, then not found; the name is free again, configuration and model stay."""
    sagemaker.delete_endpoint(EndpointName="endpoint")
    assert statuses(aws, sagemaker, 0, 49) == ["Deleting", "Deleting"]
    again = refusal(sagemaker.create_endpoint, EndpointName="endpoint", EndpointConfigName="endpoint-config")
    assert again[1] == f'Cannot create already existing endpoint "{ARN}".'
    aws.clock.advance(1)
    assert refusal(sagemaker.describe_endpoint, EndpointName="endpoint")[1] == f'Could not find endpoint "{ARN}".'
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert refusal(sagemaker.list_tags, ResourceArn=endpoint)[1] == f'Could not find endpoint "{ARN}".'
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="endpoint-config")


def test_an_endpoint_that_is_gone_is_not_listed_even_if_nobody_asked_for_it(
    aws: RunningServer, sagemaker: Any, endpoint: str
) -> None:
    """A deletion is complete by itself: no Describe has to notice it first."""
    sagemaker.delete_endpoint(EndpointName="endpoint")
    aws.clock.advance(50)
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_of_two_updates_at_once_one_is_refused() -> None:
    """The second one was decided on an endpoint that is no longer the same: as if it had come a moment later."""
    store, now = Store(), 1000.0

    def call(operation: str, **params: Any) -> Call:
        return Call("sagemaker", operation, "123456789012", "us-west-2", now, params)

    class Interrupted(Store):
        """Lets another update through between the reading and the writing of one."""

        def get(self, kind: Kind[R], call_: Call, name: str) -> R:
            if call_.operation == "UpdateEndpoint" and kind is ENDPOINT_CONFIG:
                api.update(update)
            return store.get(kind, call_, name)

        def __getattribute__(self, name: str) -> Any:
            return object.__getattribute__(self, name) if name == "get" else getattr(store, name)

    for kind, params in (
        (MODEL, {"ModelName": "m", "PrimaryContainer": {"Image": "x"}}),
        (ENDPOINT_CONFIG, {"EndpointConfigName": "c", "ProductionVariants": [variant(ModelName="m")]}),
    ):
        StaticApi(kind, store).create(call(f"Create{kind.resource}", **params))
    api = EndpointApi(store, Durations(creating_s=1), Targets())
    api.create(call("CreateEndpoint", EndpointName="e", EndpointConfigName="c"))
    now += 1
    update = call("UpdateEndpoint", EndpointName="e", EndpointConfigName="c")
    with pytest.raises(ApiError, match="Cannot update in-progress endpoint"):
        replace(api, store=Interrupted()).update(update)


CALLS = {
    "update_endpoint": {"EndpointConfigName": "endpoint-config"},
    "update_endpoint_weights_and_capacities": {"DesiredWeightsAndCapacities": [{"VariantName": "a"}]},
    "delete_endpoint": {},
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", ["Creating", "Updating", "RollingBack", "Deleting"])
def test_an_endpoint_in_progress_is_left_alone(
    aws: RunningServer, sagemaker: Any, create: Create, state: str, call: str
) -> None:
    """v1-kinds 13.3: wait and retry. The refused call changes nothing."""
    create()
    if state != "Creating":
        aws.clock.advance(400)
    if state in {"Updating", "RollingBack"}:
        create_config(sagemaker, "bad", Tags=[{"Key": "SANDBOX_FAIL", "Value": ""}])
        sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="bad")
        aws.clock.advance(300 if state == "RollingBack" else 0)
    if state == "Deleting":
        sagemaker.delete_endpoint(EndpointName="endpoint")
    before = seen(sagemaker)
    assert before["EndpointStatus"] == state
    assert refusal(getattr(sagemaker, call), EndpointName="endpoint", **CALLS[call]) == IN_PROGRESS
    after = seen(sagemaker)
    assert (after["EndpointStatus"], after["LastModifiedTime"]) == (state, before["LastModifiedTime"])


@pytest.mark.parametrize("call", [*CALLS, "describe_endpoint"])
def test_an_unknown_endpoint_is_not_found(sagemaker: Any, call: str) -> None:
    """v1-kinds 13.1: a prefix that the text of configurations shares."""
    code, message, _ = refusal(getattr(sagemaker, call), EndpointName="nobody", **CALLS.get(call, {}))
    assert (code, message) == ("ValidationException", f'Could not find endpoint "{PLACE}:endpoint/nobody".')


def test_a_missing_configuration_or_model_is_told_apart_from_a_missing_endpoint(
    aws: RunningServer, sagemaker: Any, endpoint: str
) -> None:
    """v1-kinds 13.1: test the longer prefix first."""
    missing = f'Could not find endpoint configuration "{PLACE}:endpoint-config/none".'
    for call, name in ((sagemaker.create_endpoint, "other"), (sagemaker.update_endpoint, "endpoint")):
        assert refusal(call, EndpointName=name, EndpointConfigName="none")[1] == missing
    create_config(sagemaker, "new")
    sagemaker.delete_model(ModelName="model")
    answer = refusal(sagemaker.update_endpoint, EndpointName="endpoint", EndpointConfigName="new")
    assert answer[1] == f'Could not find model "{PLACE}:model/model".'


def test_an_endpoint_outlives_its_configuration_but_cannot_be_updated_any_more(
    aws: RunningServer, sagemaker: Any, endpoint: str
) -> None:
    """D-21: AWS deletes a configuration in use when asked to; the update that follows is what fails."""
    create_config(sagemaker, "new")
    sagemaker.delete_endpoint_config(EndpointConfigName="endpoint-config")
    assert set(fleet(sagemaker)) == {"a", "b"}
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="new")
    aws.clock.advance(380)
    after = seen(sagemaker)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ("InService", "endpoint-config")
    text = f'Could not find endpoint configuration "{PLACE}:endpoint-config/endpoint-config".'
    assert after["FailureReason"] == text


@pytest.mark.parametrize(
    ("deleted", "ends"),
    [
        pytest.param("new", ("InService", "endpoint-config"), id="the new one"),
        pytest.param("endpoint-config", ("Failed", "endpoint-config"), id="the old one"),
        pytest.param("other", ("InService", "new"), id="another one"),
    ],
)
def test_a_configuration_that_is_deleted_during_an_update_makes_it_fail(
    aws: RunningServer, sagemaker: Any, endpoint: str, deleted: str, ends: tuple[str, str]
) -> None:
    """API reference of DeleteEndpointConfig: this must not be done, and it is not refused."""
    for name in ("new", "other"):
        create_config(sagemaker, name)
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="new")
    aws.clock.advance(10)
    sagemaker.delete_endpoint_config(EndpointConfigName=deleted)
    assert status(sagemaker) == "Updating"
    aws.clock.advance(400)
    after = seen(sagemaker)
    assert (after["EndpointStatus"], after["EndpointConfigName"]) == ends
    assert ("FailureReason" in after) is (deleted != "other")


def test_weights_change_though_the_configuration_is_deleted_meanwhile(
    aws: RunningServer, sagemaker: Any, endpoint: str
) -> None:
    """No configuration is changed to."""
    weights = [{"VariantName": "a", "DesiredWeight": 5.0}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="endpoint", DesiredWeightsAndCapacities=weights)
    sagemaker.delete_endpoint_config(EndpointConfigName="endpoint-config")
    aws.clock.advance(400)
    assert status(sagemaker) == "InService"


def test_deployment_settings_are_kept_when_asked_for(aws: RunningServer, sagemaker: Any, endpoint: str) -> None:
    """DeploymentConfig is shown as LastDeploymentConfig; RetainDeploymentConfig carries it over one update."""
    policy = {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}
    guarded = {"BlueGreenUpdatePolicy": policy}
    shown = []
    for number, members in enumerate(
        ({"DeploymentConfig": guarded}, {"RetainDeploymentConfig": True}, {"RetainDeploymentConfig": False})
    ):
        create_config(sagemaker, f"new-{number}")
        sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName=f"new-{number}", **members)
        aws.clock.advance(300)
        shown.append(seen(sagemaker).get("LastDeploymentConfig"))
    assert shown == [guarded, guarded, None]
    both = guarded | {"RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}}}
    both["RollingUpdatePolicy"]["WaitIntervalInSeconds"] = 0
    call = {"EndpointName": "endpoint", "EndpointConfigName": "new-0", "DeploymentConfig": both}
    assert "both BlueGreenUpdatePolicy and RollingUpdatePolicy" in refusal(sagemaker.update_endpoint, **call)[1]


def test_a_tracker_sees_each_transition_in_the_list(aws: RunningServer, sagemaker: Any, create: Create) -> None:
    """DESIGN 4.5: status and times stand in the summaries, LastModifiedTimeAfter brings what moved on."""
    create("one")
    aws.clock.advance(300)
    create("two")

    def names(**members: Any) -> list[str]:
        return [row["EndpointName"] for row in sagemaker.list_endpoints(**members)["Endpoints"]]

    mark = seen(sagemaker, "two")["LastModifiedTime"]
    assert names() == ["two", "one"]
    assert names(LastModifiedTimeAfter=mark) == []
    aws.clock.advance(200)
    assert names(LastModifiedTimeAfter=mark) == ["one"]
    assert names(LastModifiedTimeBefore=seen(sagemaker, "one")["LastModifiedTime"]) == ["two"]
    assert (names(StatusEquals="InService"), names(StatusEquals="Creating")) == (["one"], ["two"])
    assert names(NameContains="T") == ["two"]
    assert names(SortBy="Status", SortOrder="Ascending") == ["two", "one"]
    assert names(CreationTimeAfter=seen(sagemaker, "one")["CreationTime"]) == ["two"]


def test_tags_of_an_endpoint_survive_an_update(aws: RunningServer, sagemaker: Any, create: Create) -> None:
    """Ownership is proved by tags, before and after."""
    arn = create(Tags=[{"Key": "owner", "Value": "me"}])
    aws.clock.advance(400)
    create_config(sagemaker, "new")
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="new")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "owner", "Value": "me"}]


@pytest.mark.parametrize("after_s", [0, 400, 700])
def test_answers_hold_only_what_the_service_model_knows(
    aws: RunningServer, sagemaker: Any, create: Create, after_s: int
) -> None:
    """In each state; with everything configured that Describe repeats."""
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://bucket/x",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    flexible = variant("s", InstanceType=None, InitialInstanceCount=None, ServerlessConfig=serverless)
    config = {"ProductionVariants": [variant(), flexible], "ShadowProductionVariants": [variant("shadow")]}
    create(config=config | {"DataCaptureConfig": capture})
    aws.clock.advance(min(after_s, 400))
    if after_s > 400:
        create_config(sagemaker, "bad", Tags=[{"Key": "SANDBOX_FAIL", "Value": "x"}])
        sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="bad")
        assert departures(aws.url, "DescribeEndpoint", {"EndpointName": "endpoint"}) == []
        aws.clock.advance(1000)
    assert departures(aws.url, "DescribeEndpoint", {"EndpointName": "endpoint"}) == []
    assert departures(aws.url, "ListEndpoints", {}) == []


def test_each_instance_has_a_log_in_the_group_of_its_endpoint(
    aws: RunningServer, sagemaker: Any, endpoint: str, client: Callable[[str], Any]
) -> None:
    """`/aws/sagemaker/Endpoints/<endpoint>`, streams `<variant>/<instance>`: new instances with each configuration."""
    group = "/aws/sagemaker/Endpoints/endpoint"

    def variants() -> list[str]:
        streams = client("logs").describe_log_streams(logGroupName=group)["logStreams"]
        return [stream["logStreamName"].partition("/")[0] for stream in streams]

    assert variants() == ["a", "b", "b"]
    create_config(sagemaker, "new", ProductionVariants=[variant("a")])
    sagemaker.update_endpoint(EndpointName="endpoint", EndpointConfigName="new")
    aws.clock.advance(300)
    assert variants() == ["a", "a", "b", "b"]
    unknown = refusal(client("logs").describe_log_streams, logGroupName=f"{group}-other")
    assert unknown[0] == "ResourceNotFoundException"
