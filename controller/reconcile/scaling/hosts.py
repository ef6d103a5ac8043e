"""The objects of what is scaled: deployments, of whose endpoint policies scale variants, and components. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from api.autoscaling import component_id_of, resource_id_of
from api.descriptor import KindDescriptor
from api.meta import JsonObject
from api.v1 import HOSTING_DEPLOYMENT
from controller.reconcile.hosting import CREATING, DELETING, IN_SERVICE, UPDATING
from controller.reconcile.scaling.claims import Claim, Claims, recorded_ids
from controller.reconcile.status.patch import parse_time


@dataclass(frozen=True, slots=True)
class Host:
    """One such object."""

    descriptor: KindDescriptor
    obj: JsonObject

    @property
    def name(self) -> str:
        """Return its name at SageMaker; empty while it has none."""
        return str(self._status.get(self.descriptor.name.status_field) or "")

    @property
    def birth(self) -> str:
        """Return when AWS created it, as the status shows it."""
        return str(self._status.get("creationTime"))

    @property
    def waiting(self) -> str:
        """Return why nothing can be put on it yet, for users; empty if it is in service."""
        value = self._status.get(self.descriptor.status.field)
        if value in {IN_SERVICE, UPDATING, "SystemUpdating"}:
            return ""
        what = "endpoint" if self.descriptor is HOSTING_DEPLOYMENT else "component"
        said = f"is {value}" if value else f"has no {what} yet"
        return f"{self.descriptor.kind} {self.obj['metadata']['name']} {said}"

    def is_near(self, spec: Mapping[str, Any]) -> bool:
        """Return whether it is in the region of a policy."""
        return bool((self.obj.get("spec") or {}).get("region") == spec.get("region"))

    def is_lost(self, policy: JsonObject, claims: Claims) -> bool:
        """Return whether what the policy has put there has gone with it: it was made again since, or will be."""
        own = [claims.get(each, Claim()) for each in recorded_ids(policy) if self._has(each)]
        if not own or self._status.get(self.descriptor.status.field) in {CREATING, DELETING}:
            return bool(own)
        created = parse_time(self.birth) if self._status.get("creationTime") else None
        noted = [time for claim in own for time in (claim.policy, claim.target) if time is not None]
        return created is not None and any(time < created for time in noted)

    def _has(self, resource_id: str) -> bool:
        if self.descriptor is HOSTING_DEPLOYMENT:
            return resource_id.startswith(resource_id_of(self.name, ""))
        return resource_id == component_id_of(self.name)

    @property
    def _status(self) -> Mapping[str, Any]:
        return self.obj.get("status") or {}


def births(hosts: Iterable[Host]) -> tuple[str, ...]:
    """Return when the endpoints or components were created."""
    return tuple(each.birth for each in hosts)
