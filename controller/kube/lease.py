"""Stores leader election's record in a `coordination.k8s.io/v1` Lease.

Updates are merge patches of `spec` with the version that they are based on, so labels and annotations that others set
on the Lease are kept (E10). The role needs get, create and patch on leases.
"""

from typing import Final

from api.meta import JsonObject, ObjectKey, Resource
from controller.kube.client import KubeClient
from controller.kube.errors import NotFound, ServerError
from controller.runtime.election.leader_election import LeaseRecord, Versioned
from controller.runtime.errors import ABSENT, Absent
from controller.runtime.record.events import Regarding

LEASES: Final = Resource(group="coordination.k8s.io", version="v1", plural="leases", kind="Lease")


class LeaseLock:
    """Implements `runtime.election.leader_election.Lock`. Needs a client of its own without a rate limit."""

    def __init__(self, client: KubeClient, key: ObjectKey) -> None:
        self._client = client
        self._key = key
        self.regarding = Regarding(LEASES.api_version, LEASES.kind, key.namespace, key.name, uid="")

    def get(self, *, timeout_s: float) -> Versioned | Absent:
        """See `Lock.get`."""
        try:
            return self._take(self._client.get(LEASES, self._key, timeout_s=timeout_s))
        except NotFound:
            return ABSENT

    def create(self, record: LeaseRecord, *, timeout_s: float) -> Versioned:
        """See `Lock.create`."""
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._key.name, "namespace": self._key.namespace},
            "spec": to_spec(record),
        }
        return self._take(self._client.create(LEASES, self._key.namespace, body, timeout_s=timeout_s))

    def update(self, record: LeaseRecord, version: str, *, timeout_s: float) -> Versioned:
        """See `Lock.update`."""
        body = {"metadata": {"resourceVersion": version}, "spec": to_spec(record)}
        return self._take(self._client.patch(LEASES, self._key, body, timeout_s=timeout_s))

    def _take(self, lease: JsonObject) -> Versioned:
        metadata = lease.get("metadata") or {}
        if not metadata.get("resourceVersion"):
            raise ServerError("UnreadableReply", f"lease {self._key} came without a resourceVersion")
        uid = metadata.get("uid") or ""
        self.regarding = Regarding(LEASES.api_version, LEASES.kind, self._key.namespace, self._key.name, uid)
        return Versioned(from_spec(lease.get("spec") or {}), metadata["resourceVersion"])


def to_spec(record: LeaseRecord) -> JsonObject:
    """Return the `spec` of the Lease."""
    return {
        "holderIdentity": record.holder,
        "leaseDurationSeconds": record.duration_s,
        "leaseTransitions": record.transitions,
        "acquireTime": record.acquire_time,
        "renewTime": record.renew_time,
    }


def from_spec(spec: JsonObject) -> LeaseRecord:
    """Return the record in a `spec`; missing members get client-go's defaults."""
    return LeaseRecord(
        holder=spec.get("holderIdentity") or "",
        duration_s=spec.get("leaseDurationSeconds") or 0,
        transitions=spec.get("leaseTransitions") or 0,
        acquire_time=spec.get("acquireTime") or "",
        renew_time=spec.get("renewTime") or "",
    )
