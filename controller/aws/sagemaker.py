"""SageMaker's operations as plain calls: maps create, describe, list, stop and delete to a kind's operations.

Absence is the value ABSENT, and only for a reply that states it; every other failure raises `CallError`.
"""

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from api.descriptor import KindDescriptor
from api.meta import JsonObject
from controller.aws.errors import AwsError, CallError
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT, Absent, ErrorClass

PAGE_SIZE: Final = 100
"""Maximum page size of SageMaker's List operations and of Search."""


class Api(Protocol):
    """The part of `clients.AwsApi` that this module needs."""

    def call(
        self,
        target: Target,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        caller: Hashable,
        background: bool = False,
    ) -> dict[str, Any]:
        """See `clients.AwsApi.call`."""
        ...


class TurnApi(Api, Protocol):
    """An `Api` that can reserve budget before the call."""

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """See `clients.AwsApi.reserve`."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a List or Search response."""

    items: tuple[JsonObject, ...]
    """Summaries or records as AWS returned them, times as aware datetimes."""
    next_token: str
    """Empty on the last page."""


class Jobs(Protocol):
    """The job operations for reconcilers and trackers. Thread-safe; every call may raise `CallError`."""

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """Raise THROTTLED if a call of `operation` would have to wait; checked before anything is written for it."""
        ...

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """Create a job; returns its ARN. EXISTS: the name is taken, perhaps by the operator's earlier attempt."""
        ...

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> JsonObject | Absent:
        """Return SageMaker's description of a job."""
        ...

    def stop(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """Request the stop of a job. CONFLICT: its state does not allow that."""
        ...

    def update(
        self, descriptor: KindDescriptor, target: Target, name: str, members: Mapping[str, Any], *, caller: Hashable
    ) -> None:
        """Change members of a job by `descriptor.update`. Idempotent. INVALID, CONFLICT: its state may not allow it."""
        ...

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """Return one page of all jobs, newest creation first."""
        ...

    def search_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """Return one page of the records of a kind that Search knows, latest modification first."""
        ...

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """Return all tags of a resource."""
        ...

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """Set tags (`{"Key", "Value"}`) on a resource, replacing those with the same keys."""
        ...

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """Remove tags from a resource; ignores missing ones."""
        ...


class Resources(Protocol):
    """The operations for resources that exist until deleted. Thread-safe; may raise `CallError`."""

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """Raise THROTTLED if a call of `operation` would have to wait; checked before anything is written for it."""
        ...

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """Create a resource; returns its ARN. EXISTS: the name is taken, perhaps by the operator's earlier attempt."""
        ...

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> JsonObject | Absent:
        """Return SageMaker's description of a resource."""
        ...

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """Delete a resource. CONFLICT: its state does not allow that."""
        ...

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """Return all tags of a resource."""
        ...


class Endpoints(Resources, Protocol):
    """The operations for endpoints, which can be updated."""

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """UpdateEndpoint or UpdateEndpointWeightsAndCapacities. CONFLICT: the endpoint is being updated already."""
        ...


class SageMaker:
    """`Jobs`, `Resources` and `Endpoints` over an `Api`."""

    def __init__(self, api: TurnApi) -> None:
        self._api = api

    def reserve(self, target: Target, operation: str, *, caller: Hashable) -> None:
        """See `Jobs.reserve`."""
        self._api.reserve(target, operation, caller=caller)

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Jobs.create`."""
        operation = descriptor.operations.create
        answer = self._api.call(target, descriptor.service, operation, request, caller=caller)
        arn = answer.get(descriptor.status.arn_member)
        if not arn:  # not SageMaker's response, but the resource may exist: a Describe follows
            message = f"the answer to {operation} names no {descriptor.status.arn_member}"
            raise AwsError(
                ErrorClass.RETRYABLE, "UnreadableAnswer", message, operation=operation, ambiguous=True, known=False
            )
        return str(arn)

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> JsonObject | Absent:
        """See `Jobs.describe`."""
        operation = descriptor.operations.describe
        request = {descriptor.name.member: name}
        try:
            answer = self._api.call(
                target, descriptor.service, operation, request, caller=caller, background=background
            )
        except CallError as error:
            return _absent_if_not_found(error)
        answer.pop("ResponseMetadata", None)
        return answer

    def stop(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Jobs.stop`."""
        request = {descriptor.name.member: name}
        if descriptor.name.token:
            request[descriptor.name.token] = hashlib.sha256(name.encode()).hexdigest()
        try:
            self._api.call(target, descriptor.service, descriptor.operations.stop, request, caller=caller)
        except CallError as error:
            return _absent_if_not_found(error)
        return None

    def update(
        self, descriptor: KindDescriptor, target: Target, name: str, members: Mapping[str, Any], *, caller: Hashable
    ) -> None:
        """See `Jobs.update`."""
        assert descriptor.update is not None  # noqa: S101 (others have no change)
        request = {descriptor.name.member: name, **members}
        self._api.call(target, descriptor.service, descriptor.update.operation, request, caller=caller)

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        request = {descriptor.name.member: name}
        try:
            self._api.call(target, descriptor.service, descriptor.operations.delete, request, caller=caller)
        except CallError as error:
            return _absent_if_not_found(error)
        return None

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        self._api.call(target, "sagemaker", operation, request, caller=caller)

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        request: dict[str, Any] = {
            # No filter: AWS applies them after it has cut a page, which then comes back short or empty.
            "MaxResults": PAGE_SIZE,
            # Creation times never change, so paging neither skips nor repeats items while jobs change.
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
        }
        if next_token:
            request["NextToken"] = next_token
        operations = descriptor.operations
        caller = ("tracker", operations.list)
        answer = self._api.call(target, descriptor.service, operations.list, request, caller=caller, background=True)
        return Page(
            items=tuple(answer.get(operations.list_items, ())),
            next_token=answer.get("NextToken") or "",
        )

    def search_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.search_page`."""
        resource = descriptor.operations.search
        request: dict[str, Any] = {
            "Resource": resource,
            "MaxResults": PAGE_SIZE,
            "SortBy": "LastModifiedTime",
            "SortOrder": "Descending",
        }
        if next_token:
            request["NextToken"] = next_token
        caller = ("tracker", "Search", resource)
        # No user's call waits behind it, as nothing else searches; and calls in the background may not use a burst.
        answer = self._api.call(target, descriptor.service, "Search", request, caller=caller)
        return Page(
            items=tuple(record[resource] for record in answer.get("Results", ()) if resource in record),
            next_token=answer.get("NextToken") or "",
        )

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Jobs.tags`."""
        found: dict[str, str] = {}
        request = {"ResourceArn": arn}
        try:
            while True:
                answer = self._api.call(target, "sagemaker", "ListTags", request, caller=caller)
                found.update((tag["Key"], tag["Value"]) for tag in answer.get("Tags", ()))
                if not answer.get("NextToken"):
                    return found
                request = {"ResourceArn": arn, "NextToken": answer["NextToken"]}
        except CallError as error:
            return _absent_if_not_found(error)

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        request = {"ResourceArn": arn, "Tags": list(tags)}
        self._api.call(target, "sagemaker", "AddTags", request, caller=caller, background=True)

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """See `Jobs.delete_tags`."""
        request = {"ResourceArn": arn, "TagKeys": list(keys)}
        self._api.call(target, "sagemaker", "DeleteTags", request, caller=caller, background=True)


def _absent_if_not_found(error: CallError) -> Absent:
    if error.error_class is ErrorClass.NOT_FOUND:
        return ABSENT
    raise error
