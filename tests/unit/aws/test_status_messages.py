"""What messages of a status queue say: the spelling of each kind, and whatever else a queue may hold."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.descriptor import LifeCycle
from api.v1 import (
    BATCH_TRANSFORM_JOB,
    HOSTING_DEPLOYMENT,
    HYPERPARAMETER_TUNING_JOB,
    KINDS,
    MODEL_PACKAGE,
    PROCESSING_JOB,
    TRAINING_JOB,
)
from controller.aws.events.message import (
    DETAIL_TYPES,
    MOST_BYTES,
    Dropped,
    Heartbeat,
    StatusEvent,
    api_spelling,
    parse,
    time_of,
)
from tests.tables import each_row

NOW = datetime(2026, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)
MILLIS = "1777636800250"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/my-job"


def envelope(detail: object, detail_type: str = "SageMaker Training Job State Change", **changes: Any) -> str:
    """A message as EventBridge sends it."""
    return json.dumps(
        {
            "version": "0",
            "id": "844e2571-85d4-695f-b930-0153b71dcb42",
            "detail-type": detail_type,
            "source": "aws.sagemaker",
            "account": "123456789012",
            "time": "2026-05-01T12:00:01Z",
            "region": "us-east-1",
            "resources": [ARN],
            "detail": detail,
        }
        | changes
    )


TRAINING = {
    "TrainingJobName": "my-job",
    "TrainingJobArn": ARN,
    "TrainingJobStatus": "InProgress",
    "SecondaryStatus": "Training",
    "LastModifiedTime": MILLIS,
    "Tags": {"team": "a"},
}


def event_of(body: str) -> StatusEvent:
    """The event of a message that has one."""
    found = parse(body)
    assert isinstance(found, StatusEvent), found
    return found


def test_a_training_jobs_change_is_read() -> None:
    """Times are text of epoch milliseconds, tags are a map."""
    assert event_of(envelope(TRAINING)) == StatusEvent(
        descriptor=TRAINING_JOB,
        arn=ARN,
        name="my-job",
        region="us-east-1",
        account="123456789012",
        status="InProgress",
        secondary="Training",
        modified=NOW,
        sent=datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("detail_type", "segment", "detail", "descriptor", "status"),
    [
        (
            "SageMaker HyperParameter Tuning Job State Change",
            "hyper-parameter-tuning-job",
            {
                "HyperParameterTuningJobName": "my-job",
                "HyperParameterTuningJobStatus": "Completed",
                "LastModifiedTime": MILLIS,
                "TrainingJobStatusCounters": {"Completed": 1},
            },
            HYPERPARAMETER_TUNING_JOB,
            "Completed",
        ),
        (
            "SageMaker Transform Job State Change",
            "transform-job",
            {
                "TransformJobName": "my-job",
                "TransformJobStatus": "Failed",
                "LastModifiedTime": "2026-05-01T12:00:00.250Z",
            },
            BATCH_TRANSFORM_JOB,
            "Failed",
        ),
        (
            "SageMaker Processing Job State Change",
            "processing-job",
            {"ProcessingJobName": "my-job", "ProcessingJobStatus": "Stopped", "LastModifiedTime": MILLIS},
            PROCESSING_JOB,
            "Stopped",
        ),
        (
            "SageMaker Endpoint State Change",
            "endpoint",
            {"EndpointName": "my-job", "EndpointStatus": "IN_SERVICE", "LastModifiedTime": 1777636800250.0},
            HOSTING_DEPLOYMENT,
            "InService",
        ),
    ],
)
def test_each_kind_has_its_own_spelling(
    detail_type: str, segment: str, detail: dict[str, Any], descriptor: object, status: str
) -> None:
    """And is returned in the API's."""
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:{segment}/my-job"
    event = event_of(envelope(detail, detail_type, resources=[arn]))
    assert (event.descriptor, event.name, event.status, event.arn) == (descriptor, "my-job", status, arn)
    assert event.modified == NOW


PACKAGE_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/{}"


@pytest.mark.parametrize(
    ("last", "naming"),
    [
        ("my-group/12", {"ModelPackageGroupName": "my-group", "ModelPackageVersion": 12}),
        ("my-package", {"ModelPackageName": "my-package"}),
    ],
    ids=["a version", "a package with a name"],
)
def test_a_package_is_known_by_its_arn(last: str, naming: dict[str, Any]) -> None:
    """Versions have no names. An approval is news while the status stays as it is."""
    arn = PACKAGE_ARN.format(last)
    detail = {
        **naming,
        "ModelPackageArn": arn,
        "CreationTime": "2026-05-01T11:00:00Z",
        "InferenceSpecification": {"Containers": [{"Image": "image", "ModelDataUrl": "s3://b/m"}]},
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "ModelApprovalStatus": "Rejected",
        "LastModifiedTime": "2026-05-01T12:00:00.250Z",
    }
    event = event_of(envelope(detail, "SageMaker Model Package State Change", resources=[arn]))
    assert (event.descriptor, event.name, event.arn) == (MODEL_PACKAGE, arn, arn)
    assert (event.status, event.secondary, event.modified) == ("Completed", "Rejected", NOW)
    assert event_of(envelope(detail, "SageMaker Model Package State Change", resources=[])) == event
    del detail["ModelPackageArn"]
    dropped = parse(envelope(detail, "SageMaker Model Package State Change", resources=[]))
    assert dropped == Dropped("no_name", "modelpackage")


def test_every_kind_that_is_followed_has_events() -> None:
    """Or its sweeps would never become rare; packages, which others approve, are described when they say so."""
    followed = {kind for kind in KINDS if kind.life_cycle in {LifeCycle.JOB, LifeCycle.ENDPOINT}}
    assert set(DETAIL_TYPES.values()) == followed | {MODEL_PACKAGE}


@each_row(
    ("text", "status"),
    [
        ("IN_SERVICE", "InService"),
        ("OUT_OF_SERVICE", "OutOfService"),
        ("ROLLING_BACK", "RollingBack"),
        ("UPDATE_ROLLBACK_FAILED", "UpdateRollbackFailed"),
        ("SYSTEM_UPDATING", "SystemUpdating"),
        ("DELETING", "Deleting"),
        ("InProgress", "InProgress"),
        ("", ""),
    ],
)
def test_states_in_capitals_are_spelled_as_the_api_does(text: str, status: str) -> None:
    """Endpoints have them."""
    assert api_spelling(text) == status


@each_row(
    ("value", "time"),
    [
        (MILLIS, NOW),
        (f"{MILLIS}.0", NOW),
        (int(MILLIS), NOW),
        (float(MILLIS), NOW),
        ("2026-05-01T12:00:00.250Z", NOW),
        ("2026-05-01T14:00:00.250+02:00", NOW),
        ("2026-05-01T12:00:00.250", NOW),
        ("soon", None),
        ("", None),
        ("9" * 5_000, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        (True, None),
        (None, None),
        ([], None),
    ],
)
def test_times_are_read_in_every_format(value: object, time: datetime | None) -> None:
    """In UTC; what is no time is none."""
    assert time_of(value) == time


def test_the_arn_says_where_a_resource_is() -> None:
    """Rules may forward events from other regions and accounts; a missing account is that of the ARN."""
    arn = "arn:aws-cn:sagemaker:cn-north-1:210987654321:training-job/my-job"
    event = event_of(envelope(TRAINING, resources=[arn]))
    assert (event.region, event.account) == ("cn-north-1", "210987654321")


def test_without_an_arn_the_envelope_says_it() -> None:
    """The name is in the detail then."""
    detail = {name: value for name, value in TRAINING.items() if name != "TrainingJobArn"}
    event = event_of(envelope(detail, resources=[]))
    assert (event.arn, event.name, event.region, event.account) == ("", "my-job", "us-east-1", "123456789012")


def test_without_a_name_the_arn_has_it() -> None:
    """Matched by ARN in any case."""
    detail = {name: value for name, value in TRAINING.items() if name != "TrainingJobName"}
    assert event_of(envelope(detail)).name == "my-job"


def test_without_a_time_of_change_the_events_own_counts() -> None:
    """It is later by moments."""
    detail = {name: value for name, value in TRAINING.items() if name != "LastModifiedTime"}
    event = event_of(envelope(detail, time=1777636801000))
    assert event.modified == event.sent == datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC)


def test_a_message_that_came_through_sns_is_unwrapped() -> None:
    """For rules that are fanned out to several clusters by a topic."""
    assert event_of(json.dumps({"Type": "Notification", "Message": envelope(TRAINING)})).name == "my-job"


def test_a_scheduled_rule_is_a_heartbeat() -> None:
    """It proves that EventBridge reaches the queue."""
    body = envelope({}, "Scheduled Event", source="aws.events", resources=["arn:aws:events:us-east-1:1:rule/x"])
    assert parse(body) == Heartbeat("us-east-1", "123456789012", datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC))


@each_row(
    ("body", "reason"),
    [
        ("", "unreadable"),
        ("null", "unreadable"),
        ("[" * 100_000, "unreadable"),
        ('{"Type": "Notification", "Message": 5}', "unreadable"),
        ("x" * (MOST_BYTES + 1), "oversized"),
        ("{}", "foreign_source"),
        (envelope(TRAINING, source="aws.ec2"), "foreign_source"),
        (envelope(TRAINING, "SageMaker Notebook Instance State Change"), "unknown_detail_type"),
        (envelope(TRAINING, detail_type=["x"]), "unknown_detail_type"),
        (envelope("text", resources=[]), "no_name"),
        (envelope(TRAINING | {"TrainingJobName": "../../x", "TrainingJobArn": ""}, resources=[]), "no_name"),
        (envelope(TRAINING | {"TrainingJobStatus": {"a": 1}}), "no_status"),
        (envelope(TRAINING | {"TrainingJobStatus": "x" * 65}), "no_status"),
        (envelope(TRAINING | {"TrainingJobArn": ""}, resources=[], region="nowhere"), "no_region"),
        (envelope(TRAINING | {"LastModifiedTime": "?"}, time="?"), "no_time"),
        (envelope({}, "Scheduled Event", source="aws.events", region=""), "no_region"),
        (envelope({}, "Scheduled Event", source="aws.events", time=None), "no_time"),
    ],
)
def test_what_says_nothing_is_dropped_for_a_reason(body: str, reason: str) -> None:
    """Metrics count by it."""
    found = parse(body)
    assert isinstance(found, Dropped)
    assert found.reason == reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
MEMBERS = st.sampled_from(
    [name for kind in DETAIL_TYPES.values() for name in (kind.name.member, kind.status.member, kind.status.arn_member)]
    + ["SecondaryStatus", "LastModifiedTime"]
)


@given(st.text() | JSON.map(json.dumps))
def test_no_body_raises(body: str) -> None:
    """Anybody who may send may send anything."""
    parse(body)


@given(
    st.dictionaries(MEMBERS, JSON | st.sampled_from(["my-job", ARN, MILLIS, "Completed"]), max_size=6),
    st.sampled_from([*DETAIL_TYPES]),
    st.dictionaries(st.sampled_from(["time", "region", "account", "resources"]), JSON, max_size=3),
)
def test_no_envelope_of_ours_raises(detail: dict[str, Any], detail_type: str, changes: dict[str, Any]) -> None:
    """And what is returned is bounded and spelled as names, states and times are."""
    found = parse(envelope(detail, detail_type, **changes))
    if isinstance(found, StatusEvent):
        assert len(found.name) <= 63
        assert len(found.status) <= 64
        assert found.modified.tzinfo is UTC
