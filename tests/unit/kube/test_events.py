"""Events in the form that `kubectl describe` shows with count and age."""

from datetime import UTC, datetime

import pytest

from controller.kube import errors
from controller.kube.client import KubeClient
from controller.kube.events import KubeEventSink
from controller.runtime.record.events import EventRecord, EventRef, Regarding
from tests.unit.kube.scripted import ScriptedServer, refusal, reply

REGARDING = Regarding("sagemaker.aws.amazon.com/v1", "TrainingJob", "ml", "train", "u-1", "42")
FIRST = datetime(2030, 1, 2, 3, 4, 5, 999999, tzinfo=UTC)
LAST = datetime(2030, 1, 2, 3, 5, 5, tzinfo=UTC)


def record(message: str = "created job", regarding: Regarding = REGARDING) -> EventRecord:
    """An Event that occurred twice."""
    return EventRecord(regarding, "Normal", "Created", message, count=2, first_seen=FIRST, last_seen=LAST)


@pytest.fixture
def sink(client: KubeClient) -> KubeEventSink:
    """The sink under test."""
    return KubeEventSink(client, instance="pod-1")


def test_an_event_says_about_what_by_whom_how_often_and_when(sink: KubeEventSink, server: ScriptedServer) -> None:
    """core/v1, in the namespace of its object (V1)."""
    server.will(reply({}, 201))

    ref = sink.create(record())

    (request,) = server.received
    assert (request.method, request.path) == ("POST", "/api/v1/namespaces/ml/events")
    body = request.json
    assert body["metadata"] == {"namespace": "ml", "name": ref.name}
    assert ref.name.startswith("train.")
    assert body["involvedObject"] == {
        "apiVersion": "sagemaker.aws.amazon.com/v1",
        "kind": "TrainingJob",
        "namespace": "ml",
        "name": "train",
        "uid": "u-1",
        "resourceVersion": "42",
    }
    assert (body["type"], body["reason"], body["message"], body["count"]) == ("Normal", "Created", "created job", 2)
    assert (body["firstTimestamp"], body["lastTimestamp"]) == ("2030-01-02T03:04:05Z", "2030-01-02T03:05:05Z")
    assert body["reportingComponent"] == body["source"]["component"] == "sagemaker.aws.amazon.com/operator"
    assert body["reportingInstance"] == "pod-1"


def test_events_about_cluster_scoped_objects_go_to_default(sink: KubeEventSink, server: ScriptedServer) -> None:
    """V1."""
    server.will(reply({}, 201))

    assert sink.create(record(regarding=Regarding("v1", "Namespace", "", "ml", "u"))).namespace == "default"
    assert "namespace" not in server.received[0].json["involvedObject"]


def test_names_stay_within_the_limit_and_differ(sink: KubeEventSink, server: ScriptedServer) -> None:
    """Object names may have 253 characters, and so may names of Events."""
    server.will(reply({}, 201), reply({}, 201))
    regarding = Regarding("v1", "X", "ml", "a" * 235 + "-" + "b" * 17, "u")

    names = {sink.create(record(regarding=regarding)).name for _ in range(2)}

    assert len(names) == 2
    assert all(len(name) <= 253 and "-." not in name for name in names)


def test_a_repeated_event_raises_count_and_time(sink: KubeEventSink, server: ScriptedServer) -> None:
    """V2: by patch; the message too, which differs for combined Events (V3)."""
    server.will(reply({}), refusal(404, "NotFound"))
    ref = EventRef("ml", "train.1")

    sink.update(ref, record())

    assert (server.received[0].method, server.received[0].path) == ("PATCH", "/api/v1/namespaces/ml/events/train.1")
    assert server.received[0].json == {"count": 2, "lastTimestamp": "2030-01-02T03:05:05Z", "message": "created job"}
    with pytest.raises(errors.NotFound):
        sink.update(ref, record())


def test_presigned_urls_do_not_reach_an_event(sink: KubeEventSink, server: ScriptedServer) -> None:
    """DESIGN 5: whoever may read Events may not read the bucket."""
    server.will(reply({}, 201))

    sink.create(record("see https://b.s3.amazonaws.com/k?X-Amz-Signature=abc123&X-Amz-Expires=60"))

    assert server.received[0].json["message"].endswith("?X-Amz-Signature=[redacted]&X-Amz-Expires=60")
