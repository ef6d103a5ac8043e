"""The leader's record as a Lease."""

import pytest

from api.meta import JsonObject, ObjectKey
from controller.kube import errors
from controller.kube.client import KubeClient
from controller.kube.lease import LeaseLock, from_spec, to_spec
from controller.runtime.election.leader_election import LeaseRecord, Versioned
from controller.runtime.errors import ABSENT
from tests.deadline import PATIENCE_S
from tests.unit.kube.scripted import ScriptedServer, refusal, reply

RECORD = LeaseRecord("me", 15, 3, "2030-01-02T03:04:05.000000Z", "2030-01-02T03:04:06.000000Z")
SPEC = {
    "holderIdentity": "me",
    "leaseDurationSeconds": 15,
    "leaseTransitions": 3,
    "acquireTime": "2030-01-02T03:04:05.000000Z",
    "renewTime": "2030-01-02T03:04:06.000000Z",
}


def lease(version: str = "7", **spec: object) -> JsonObject:
    """A Lease as stored."""
    return {"metadata": {"name": "l", "namespace": "ns", "uid": "u", "resourceVersion": version}, "spec": spec}


@pytest.fixture
def lock(client: KubeClient) -> LeaseLock:
    """The lock under test."""
    return LeaseLock(client, ObjectKey("ns", "l"))


def test_the_record_survives_the_round_trip() -> None:
    """Times are kept as written: they are compared for change (E4)."""
    assert to_spec(RECORD) == SPEC
    assert from_spec(SPEC) == RECORD
    assert from_spec({}) == LeaseRecord("", 0, 0, "", "")


def test_a_lease_that_does_not_exist_is_absent(lock: LeaseLock, server: ScriptedServer) -> None:
    """E5 starts from there; any other failure is none."""
    server.will(refusal(404, "NotFound"), refusal(403, "Forbidden"))

    assert lock.get(timeout_s=PATIENCE_S) is ABSENT
    with pytest.raises(errors.Forbidden):
        lock.get(timeout_s=PATIENCE_S)


def test_what_is_read_has_a_version_and_fills_the_reference(lock: LeaseLock, server: ScriptedServer) -> None:
    """Events on the Lease name its uid."""
    server.will(reply(lease(**SPEC)))

    assert lock.get(timeout_s=PATIENCE_S) == Versioned(RECORD, "7")
    assert (lock.regarding.kind, lock.regarding.name, lock.regarding.uid) == ("Lease", "l", "u")


def test_an_update_carries_the_version_it_was_decided_on(lock: LeaseLock, server: ScriptedServer) -> None:
    """E10: the API server refuses it when anything changed; labels of others stay, since it is a merge patch."""
    server.will(reply(lease("8", **SPEC)), refusal(409, "Conflict"))

    assert lock.update(RECORD, "7", timeout_s=PATIENCE_S) == Versioned(RECORD, "8")
    with pytest.raises(errors.Conflict):
        lock.update(RECORD, "7", timeout_s=PATIENCE_S)
    assert server.received[0].method == "PATCH"
    assert server.received[0].json == {"metadata": {"resourceVersion": "7"}, "spec": SPEC}


def test_a_new_lease_is_created_in_its_namespace(lock: LeaseLock, server: ScriptedServer) -> None:
    """Losing the race shows as AlreadyExists (E5)."""
    server.will(reply(lease(**SPEC), 201), refusal(409, "AlreadyExists"))

    assert lock.create(RECORD, timeout_s=PATIENCE_S) == Versioned(RECORD, "7")
    with pytest.raises(errors.AlreadyExists):
        lock.create(RECORD, timeout_s=PATIENCE_S)
    assert server.received[0].path == "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
    assert server.received[0].json["metadata"] == {"name": "l", "namespace": "ns"}


def test_a_reply_without_a_version_is_an_error(lock: LeaseLock, server: ScriptedServer) -> None:
    """Updating without one would overwrite blindly."""
    server.will(reply({"metadata": {}, "spec": {}}))

    with pytest.raises(errors.ServerError):
        lock.get(timeout_s=PATIENCE_S)
