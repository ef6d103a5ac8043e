"""Application Auto Scaling in memory."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from api.v1 import HOSTING_AUTOSCALING_POLICY
from controller.aws.autoscaling import Descriptions
from controller.aws.targets import Target
from tests.fakes.calls import CallLog, Service
from tests.fakes.clock import FakeClock


class FakeAutoscaling(Service):
    """`controller.aws.autoscaling.Scaling` in memory."""

    def __init__(self, clock: FakeClock, log: CallLog) -> None:
        super().__init__(HOSTING_AUTOSCALING_POLICY.kind, clock, log)
        self.bounds: dict[str, int] = {}
        """Maximum capacity by resource id."""
        self.put: set[tuple[str, str]] = set()
        """Resource id and name of the policies that there are."""

    def register(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.register`."""
        with self._call("RegisterScalableTarget", request["ResourceId"]):
            self.bounds[request["ResourceId"]] = request["MaxCapacity"]

    def put_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.put_policy`."""
        with self._call("PutScalingPolicy", request["ResourceId"]):
            assert request["ResourceId"] in self.bounds
            self.put.add((request["ResourceId"], request["PolicyName"]))

    def delete_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.delete_policy`."""
        with self._call("DeleteScalingPolicy", request["ResourceId"]):
            self.put.discard((request["ResourceId"], request["PolicyName"]))

    def deregister(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.deregister`."""
        with self._call("DeregisterScalableTarget", request["ResourceId"]):
            self.bounds.pop(request["ResourceId"], None)

    def targets(self, target: Target, selectors: Sequence[Mapping[str, Any]], *, caller: Hashable) -> Descriptions:
        """See `Scaling.targets`."""
        with self._call("DescribeScalableTargets", target.region):
            ids = [each["ResourceId"] for each in selectors if each["ResourceId"] in self.bounds]
            return {each: {"MaxCapacity": self.bounds[each]} for each in ids}

    def policies(self, target: Target, policy: str, namespace: str, *, caller: Hashable) -> Descriptions:
        """See `Scaling.policies`."""
        with self._call("DescribeScalingPolicies", policy):
            return {resource_id: {} for resource_id, name in self.put if name == policy}
