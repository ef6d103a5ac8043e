"""Application Auto Scaling's operations as plain calls. The writes are idempotent: they replace or remove."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from controller.aws.errors import CallError
from controller.aws.sagemaker import Api
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

SERVICE: Final = "application-autoscaling"
_IDS_AT_ONCE: Final = 50
"""Maximum number of ResourceIds in one DescribeScalableTargets."""

Descriptions: TypeAlias = Mapping[str, Mapping[str, Any]]
"""AWS's descriptions by ResourceId."""


class Scaling(Protocol):
    """The calls that reconcilers make about scalable targets and policies. Thread-safe; may raise `CallError`."""

    def register(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """RegisterScalableTarget. CONFLICT: the endpoint is not InService."""
        ...

    def put_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """PutScalingPolicy."""
        ...

    def delete_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """DeleteScalingPolicy; ignores a policy that does not exist."""
        ...

    def deregister(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """DeregisterScalableTarget; ignores a target that does not exist."""
        ...

    def targets(self, target: Target, selectors: Sequence[Mapping[str, Any]], *, caller: Hashable) -> Descriptions:
        """Return the existing targets that match `selectors` (one service)."""
        ...

    def policies(self, target: Target, policy: str, namespace: str, *, caller: Hashable) -> Descriptions:
        """Return the policies of this name."""
        ...


class ApplicationAutoScaling:
    """`Scaling` over an `Api`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def register(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.register`."""
        self._api.call(target, SERVICE, "RegisterScalableTarget", request, caller=caller)

    def put_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.put_policy`."""
        self._api.call(target, SERVICE, "PutScalingPolicy", request, caller=caller)

    def delete_policy(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.delete_policy`."""
        self._remove(target, "DeleteScalingPolicy", request, caller)

    def deregister(self, target: Target, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Scaling.deregister`."""
        self._remove(target, "DeregisterScalableTarget", request, caller)

    def targets(self, target: Target, selectors: Sequence[Mapping[str, Any]], *, caller: Hashable) -> Descriptions:
        """See `Scaling.targets`."""
        found: dict[str, Mapping[str, Any]] = {}
        for some in _at_once(selectors):
            request = {
                "ServiceNamespace": some[0]["ServiceNamespace"],
                "ScalableDimension": some[0]["ScalableDimension"],
                "ResourceIds": [selector["ResourceId"] for selector in some],
            }
            found.update(self._described(target, "DescribeScalableTargets", "ScalableTargets", request, caller))
        return found

    def policies(self, target: Target, policy: str, namespace: str, *, caller: Hashable) -> Descriptions:
        """See `Scaling.policies`."""
        request = {"ServiceNamespace": namespace, "PolicyNames": [policy]}
        return dict(self._described(target, "DescribeScalingPolicies", "ScalingPolicies", request, caller))

    def _described(
        self, target: Target, operation: str, items: str, request: dict[str, Any], caller: Hashable
    ) -> Iterable[tuple[str, Mapping[str, Any]]]:
        while True:
            answer = self._api.call(target, SERVICE, operation, request, caller=caller)
            yield from ((str(item["ResourceId"]), item) for item in answer.get(items, ()))
            if not answer.get("NextToken"):
                return
            request = {**request, "NextToken": answer["NextToken"]}

    def _remove(self, target: Target, operation: str, request: Mapping[str, Any], caller: Hashable) -> None:
        try:
            self._api.call(target, SERVICE, operation, request, caller=caller)
        except CallError as error:
            if error.error_class is not ErrorClass.NOT_FOUND:
                raise


def _at_once(selectors: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the selectors in groups for one call each: of one dimension, and of so many as AWS takes."""
    by_dimension: dict[str, list[Mapping[str, Any]]] = {}
    for each in selectors:
        by_dimension.setdefault(str(each["ScalableDimension"]), []).append(each)
    for alike in by_dimension.values():
        yield from (alike[start : start + _IDS_AT_ONCE] for start in range(0, len(alike), _IDS_AT_ONCE))
