"""Application Auto Scaling in memory."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from api.v1 import HOSTING_AUTOSCALING_POLICY
from controller.aws.autoscaling import Descriptions
from controller.aws.errors import AwsError
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass
from tests.fakes.calls import CallLog, Service
from tests.fakes.clock import FakeClock

_SUSPENSIONS: Final = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


class FakeAutoscaling(Service):
    """`controller.aws.autoscaling.Scaling` in memory."""

    def __init__(self, clock: FakeClock, log: CallLog) -> None:
        super().__init__(HOSTING_AUTOSCALING_POLICY.kind, clock, log)
        self.bounds: dict[str, int] = {}
        """Maximum capacity by resource id."""
        self.least: dict[str, int] = {}
        """Minimum capacity, if it is not 1."""
        self.created: dict[object, datetime] = {}
        """When targets and policies were created, by what they are listed under here; else when first described."""
        self.refused: set[str] = set()
        """Names of policies that AWS refuses."""
        self.put: set[tuple[str, str]] = set()
        """Resource id and name of the policies that there are."""
        self.requests: dict[tuple[str, str], Mapping[str, Any]] = {}
        """What they were put with, unless others have put them."""

    def register(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.register`."""
        with self._call("RegisterScalableTarget", request["ResourceId"]):
            self.bounds[request["ResourceId"]] = request["MaxCapacity"]
            self.least[request["ResourceId"]] = request["MinCapacity"]
            self._date(request["ResourceId"])

    def put_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.put_policy`."""
        with self._call("PutScalingPolicy", request["ResourceId"]):
            assert request["ResourceId"] in self.bounds
            if request["PolicyName"] in self.refused:
                message = "Only one TargetTrackingScaling policy for a given metric specification is allowed."
                raise AwsError(ErrorClass.INVALID, "ValidationException", message)
            policy = (request["ResourceId"], request["PolicyName"])
            self.put.add(policy)
            self.requests[policy] = request
            self._date(policy)

    def delete_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.delete_policy`."""
        with self._call("DeleteScalingPolicy", request["ResourceId"]):
            self.put.discard((request["ResourceId"], request["PolicyName"]))
            self.created.pop((request["ResourceId"], request["PolicyName"]), None)

    def deregister(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.deregister`."""
        with self._call("DeregisterScalableTarget", request["ResourceId"]):
            for each in (self.bounds, self.least, self.created):
                each.pop(request["ResourceId"], None)

    def targets(self, target: Target, selectors: Sequence[Mapping[str, Any]], *, caller: Hashable) -> Descriptions:
        """See `Scaling.targets`."""
        with self._call("DescribeScalableTargets", target.region):
            ids = [each["ResourceId"] for each in selectors if each["ResourceId"] in self.bounds]
            return {each: self._target(each) for each in ids}

    def policies(self, target: Target, policy: str, namespace: str, *, caller: Hashable) -> Descriptions:
        """See `Scaling.policies`."""
        with self._call("DescribeScalingPolicies", policy):
            found = [(resource_id, name) for resource_id, name in self.put if name == policy]
            return {each[0]: {**self.requests.get(each, {}), "CreationTime": self._date(each)} for each in found}

    def others_register(self, resource_id: str, most: int) -> None:
        """Others remove the target of a variant, and register their own."""
        self.bounds[resource_id], self.least[resource_id] = most, 1
        self.created[resource_id] = self._clock.utcnow()

    def others_put(self, resource_id: str, name: str) -> None:
        """Others remove the policy of this name from a variant, and put their own there."""
        self.put.add((resource_id, name))
        self.created[resource_id, name] = self._clock.utcnow()

    def _target(self, resource_id: str) -> Mapping[str, Any]:
        return {
            "MinCapacity": self.least.get(resource_id, 1),
            "MaxCapacity": self.bounds[resource_id],
            "SuspendedState": dict.fromkeys(_SUSPENSIONS, False),
            "CreationTime": self._date(resource_id),
        }

    def _date(self, what: object) -> datetime:
        return self.created.setdefault(what, self._clock.utcnow())
