"""The client's logs: which lines, in which order, and when following ends. How lines are found is tests/unit/smlogs."""

import copy
from collections.abc import Mapping
from itertools import islice
from typing import Any

import pytest
from botocore.exceptions import ClientError as AwsError
from botocore.exceptions import NoCredentialsError

from api.client import (
    Client,
    ClientError,
    HostingDeployment,
    HyperparameterTuningJob,
    Model,
    TrainingJob,
    UnreachableError,
)
from api.meta import JsonObject
from controller.smlogs.cluster import GIVE_UP_S
from controller.smlogs.reading import milliseconds
from hack.crds import ROOT
from tests.documents import document
from tests.fakes.clock import FakeClock
from tests.fakes.refused import Refused
from tests.tables import each_row


def sample(name: str) -> Any:
    """A manifest of samples/."""
    return copy.deepcopy(document(ROOT / "samples" / f"xgboost-mnist-{name}.yaml"))


JOB: TrainingJob = sample("trainingjob")
MODEL: Model = sample("model")
ENDPOINT: HostingDeployment = sample("hostingdeployment")
TUNING: HyperparameterTuningJob = sample("hpo")
DELETED = Refused(404)
AWAY = Refused(503)
AT_AWS = {"awsResource": {"name": "foo", "region": "eu-west-1"}}
RUNS = {**AT_AWS, "trainingJobStatus": "InProgress"}
ENDED = {**AT_AWS, "trainingJobStatus": "Completed"}


def aws_error(code: str) -> AwsError:
    """What botocore raises for an error of AWS."""
    return AwsError({"Error": {"Code": code, "Message": "words"}}, "FilterLogEvents")


class Scene:
    """A client whose pauses move the clock. Its object and the log change with the seconds since the beginning."""

    def __init__(self, *course: tuple[float, JsonObject | Refused]) -> None:
        """`course`: from which second on the object has which status, or the API server refuses to say."""
        self.clock = FakeClock()
        self.start_ms = milliseconds(self.clock.utcnow())
        self.course = course
        self.uid = "1"
        self.events: list[JsonObject] = []
        self.refusals: dict[int, Exception] = {}
        """By the number of the request at AWS."""
        self.members: list[str] = []
        self.connections: list[tuple[str, dict[str, str]]] = []
        self.requests: list[dict[str, Any]] = []
        self.said: list[str] = []
        self.client = Client("here", api=self, boto=self.connect, progress=self.said.append)
        self.client._clock, self.client._pause = self.clock, self.clock.advance

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return (milliseconds(self.clock.utcnow()) - self.start_ms) / 1000

    def write(self, at_s: float, text: str, stream: str = "foo/algo-1") -> None:
        """A line, visible from then on."""
        time_ms = self.start_ms + int(at_s * 1000)
        self.events.append({"timestamp": time_ms, "message": text, "logStreamName": stream, "eventId": text})

    def get_namespaced_custom_object(self, **place: Any) -> JsonObject:
        """See CustomObjectsApi."""
        assert self.elapsed_s < 3600, "it does not end"
        status = next(status for since_s, status in reversed(self.course) if since_s <= self.elapsed_s)
        if isinstance(status, Refused):
            raise status.error()
        metadata = {"name": place["name"], "namespace": place["namespace"], "uid": self.uid}
        return {"metadata": metadata, "spec": {"region": "us-east-2"}, "status": status}

    def connect(self, service: str, **options: str) -> "Scene":
        """See `boto3.client`."""
        self.connections.append((service, options))
        return self

    def filter_log_events(self, **request: Any) -> JsonObject:
        """See CloudWatch Logs: two lines a page."""
        self.requests.append(request)
        if len(self.requests) in self.refusals:
            raise self.refusals[len(self.requests)]
        now_ms = milliseconds(self.clock.utcnow())
        found = [
            event
            for event in sorted(self.events, key=lambda event: int(event["timestamp"]))
            if request["startTime"] <= event["timestamp"] <= min(now_ms, request.get("endTime", now_ms))
            and event["logStreamName"].startswith(request.get("logStreamNamePrefix", ""))
        ]
        begin = int(request.get("nextToken", 0))
        more = {"nextToken": str(begin + 2)} if begin + 2 < len(found) else {}
        return {"events": found[begin : begin + 2], **more}

    def list_training_jobs_for_hyper_parameter_tuning_job(self, **request: Any) -> JsonObject:
        """See SageMaker."""
        return {"TrainingJobSummaries": [{"TrainingJobName": name} for name in self.members]}


def test_the_log_is_that_of_the_job_at_aws_in_order_of_time() -> None:
    """By the recorded name and region; the slash keeps `foo` apart from `foo-bar` (D-48)."""
    scene = Scene((0, RUNS))
    for at_s, text, stream in (
        (-1, "c\n", "foo/algo-1"),
        (-3, "a", "foo/algo-2"),
        (-2, "b", "foo/algo-1"),
        (-1, "other", "foo-bar/algo-1"),
    ):
        scene.write(at_s, text, stream)
    assert [*scene.client.logs(JOB)] == ["a", "b", "c"]
    assert scene.connections == [("logs", {"region_name": "eu-west-1"})]
    assert {request["logGroupName"] for request in scene.requests} == {"/aws/sagemaker/TrainingJobs"}
    assert scene.elapsed_s == 0


def test_an_endpoint_has_a_group_of_its_own() -> None:
    """Its name is the last part."""
    scene = Scene((0, AT_AWS))
    scene.write(-1, "a", "AllTraffic/i-1")
    assert [*scene.client.logs(ENDPOINT)] == ["a"]
    assert scene.requests[0]["logGroupName"] == "/aws/sagemaker/Endpoints/foo"


def test_the_lines_of_a_tuning_job_are_those_of_its_training_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """SageMaker says which they are, at the endpoint that is set for it; the log is not there."""
    monkeypatch.setenv("AWS_DEFAULT_SAGEMAKER_ENDPOINT", "http://sagemaker")
    scene = Scene((0, AT_AWS))
    scene.members = ["foo-001"]
    scene.write(-1, "a", "foo-001/algo-1")
    scene.write(-1, "other", "foo-bar/algo-1")
    assert [*scene.client.logs(TUNING)] == ["a"]
    assert scene.connections == [
        ("logs", {"region_name": "eu-west-1"}),
        ("sagemaker", {"region_name": "eu-west-1", "endpoint_url": "http://sagemaker"}),
    ]


@each_row(
    ("wanted", "lines"),
    [
        ({"tail": 2}, ["c", "d"]),
        ({"tail": 0}, []),
        ({"since_s": 25}, ["c", "d"]),
        ({"since_s": 35, "tail": 1}, ["d"]),
        ({"since_s": 5}, []),
    ],
    ids=str,
)
def test_the_latest_lines_can_be_had_alone(wanted: dict[str, Any], lines: list[str]) -> None:
    """As with the flags of `kubectl smlogs`."""
    scene = Scene((0, RUNS))
    for age_s, text in ((40, "a"), (30, "b"), (20, "c"), (10, "d")):
        scene.write(-age_s, text)
    assert [*scene.client.logs(JOB, **wanted)] == lines


def test_following_waits_for_the_job_and_ends_with_its_last_line() -> None:
    """Why it is not there yet is said once; no line comes twice, and the last ones may be late."""
    waits = {"additional": "Waits for Secret default/key"}
    scene = Scene((0, {}), (5, waits), (30, RUNS), (100, ENDED))
    for at_s in (31, 50, 99, 101, 104):
        scene.write(at_s, str(at_s))
    assert [*scene.client.logs(JOB, follow=True)] == ["31", "50", "99", "101", "104"]
    assert 104 < scene.elapsed_s < 115
    first, second = scene.said
    assert "not been created in SageMaker yet: it has no status" in first
    assert "not been created in SageMaker yet: Waits for Secret default/key" in second


def test_a_job_that_has_ended_is_read_to_its_end() -> None:
    """Without waiting, if that was long ago."""
    complete = {"type": "Complete", "status": "True", "lastTransitionTime": "2000-01-01T00:00:00Z"}
    scene = Scene((0, {**ENDED, "conditions": [complete]}))
    scene.write(-9, "a")
    assert [*scene.client.logs(JOB, follow=True)] == ["a"]
    assert scene.elapsed_s == 0


def test_following_survives_throttling_and_goes_on_where_it_was() -> None:
    """Of CloudWatch, with each line once; that it is waited for is said."""
    scene = Scene((0, RUNS), (60, ENDED))
    for at_s in range(1, 60, 5):
        scene.write(at_s, str(at_s))
    scene.refusals = dict.fromkeys((1, *range(9, 14)), aws_error("ThrottlingException"))
    assert [*scene.client.logs(JOB, follow=True)] == [str(at_s) for at_s in range(1, 60, 5)]
    assert len([line for line in scene.said if "ThrottlingException" in line]) == 6


def test_throttling_without_end_is_an_exception() -> None:
    """It says what was refused."""
    scene = Scene((0, RUNS))
    scene.refusals = dict.fromkeys(range(1, 100), aws_error("ThrottlingException"))
    with pytest.raises(ClientError, match="ThrottlingException: AWS goes on refusing logs:FilterLogEvents"):
        [*scene.client.logs(JOB, follow=True)]


def test_an_api_server_that_is_away_does_not_stop_the_lines() -> None:
    """They come from CloudWatch; after a while it is an exception."""
    scene = Scene((0, RUNS), (10, AWAY), (90, ENDED))
    for at_s in (5, 50, 80):
        scene.write(at_s, str(at_s))
    assert [*scene.client.logs(JOB, follow=True)] == ["5", "50", "80"]
    scene = Scene((0, RUNS), (10, AWAY))
    with pytest.raises(UnreachableError):
        [*scene.client.logs(JOB, follow=True)]
    assert GIVE_UP_S < scene.elapsed_s < GIVE_UP_S + 30


def test_an_object_that_is_gone_ends_the_iteration() -> None:
    """With the last lines; one that is gone before anything was created is an exception."""
    scene = Scene((0, RUNS), (20, DELETED))
    scene.write(22, "last")
    assert [*scene.client.logs(JOB, follow=True)] == ["last"]
    with pytest.raises(ClientError, match=r"Deleted: TrainingJob .* was deleted"):
        [*Scene((0, {}), (20, DELETED)).client.logs(JOB, follow=True)]


def test_another_object_of_the_name_is_another_log() -> None:
    """It is not followed instead."""
    scene = Scene((0, {}))

    def replace(words: str) -> None:
        scene.uid = "2"

    scene.client._progress = replace
    with pytest.raises(ClientError, match="Deleted"):
        [*scene.client.logs(JOB, follow=True)]


def test_a_loop_may_end_following() -> None:
    """It is an iterator, and holds nothing."""
    scene = Scene((0, RUNS))
    for at_s in range(-9, 0):
        scene.write(at_s, str(at_s))
    assert [*islice(scene.client.logs(JOB, follow=True), 2)] == ["-9", "-8"]


STALLED = {"conditions": [{"type": "Stalled", "status": "True", "reason": "AccessDenied", "message": "no role"}]}


@each_row(
    ("obj", "course", "refusal", "words"),
    [
        (JOB, {}, None, "Pending: .*not been created in SageMaker yet"),
        (JOB, STALLED, None, "NotCreated: .*AccessDenied: no role"),
        (MODEL, AT_AWS, None, "NoLogs: a Model writes no log"),
        (JOB, RUNS, aws_error("AccessDeniedException"), "AccessDenied.*lacks the IAM action logs:FilterLogEvents"),
        (JOB, RUNS, NoCredentialsError(), "no usable AWS credentials"),
    ],
)
@each_row("follow", [False, True])
def test_what_prevents_a_log_is_an_exception(
    obj: Any, course: Mapping[str, Any], refusal: Exception | None, words: str, follow: bool
) -> None:
    """At once; only what will come by itself is waited for."""
    scene = Scene((0, dict(course)), *([(9, dict(STALLED))] if not course else []))
    scene.refusals = {1: refusal} if refusal else {}
    with pytest.raises(ClientError, match=words if course or not follow else "NotCreated"):
        [*scene.client.logs(obj, follow=follow)]


def test_a_log_that_does_not_exist_yet_is_empty() -> None:
    """Its group appears with the first line."""
    scene = Scene((0, RUNS))
    scene.refusals = {1: aws_error("ResourceNotFoundException")}
    assert [*scene.client.logs(JOB)] == []
