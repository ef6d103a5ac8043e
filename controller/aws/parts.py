"""Lists what belongs to one parent: executions of a pipeline, versions of a group, and the steps of an execution."""

from collections.abc import Hashable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from api.descriptor import KindDescriptor
from controller.aws.errors import CallError
from controller.aws.sagemaker import PAGE_SIZE, Api, Page
from controller.aws.targets import Target
from controller.runtime.errors import ErrorClass

_NOTHING: Final = Page((), "")
_SINCE: Final = {"ListPipelineExecutions": "CreatedAfter"}
"""List operation → its bound of the creation time, where that is not `CreationTimeAfter`."""


class Parts(Protocol):
    """Lists what belongs to one parent. Thread-safe; every call may raise `CallError`."""

    def created_page(
        self,
        descriptor: KindDescriptor,
        target: Target,
        parent: str,
        since: datetime,
        *,
        next_token: str,
        caller: Hashable,
    ) -> Page:
        """Return one page of what was created since then, oldest first; nothing for a parent that does not exist."""
        ...

    def steps_page(self, target: Target, arn: str, *, next_token: str, caller: Hashable) -> Page:
        """Return one page of the steps that have begun, oldest first; nothing for an execution that does not exist."""
        ...


def page_of_parent(
    api: Api,
    target: Target,
    operation: str,
    items: str,
    request: Mapping[str, Any],
    *,
    next_token: str,
    caller: Hashable,
) -> Page:
    """Return one page of what belongs to one parent, oldest first; nothing for a parent that does not exist.

    Times of creation never change, and what begins while pages are read comes at the end: none is skipped or repeated.
    """
    asked = {**request, "SortOrder": "Ascending", "MaxResults": PAGE_SIZE}
    if next_token:
        asked["NextToken"] = next_token
    try:
        answer = api.call(target, "sagemaker", operation, asked, caller=caller)
    except CallError as error:
        if error.error_class is ErrorClass.NOT_FOUND:
            return _NOTHING
        raise
    return Page(tuple(answer.get(items, ())), answer.get("NextToken") or "")


class SageMakerParts:
    """`Parts` over an `Api`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def created_page(
        self,
        descriptor: KindDescriptor,
        target: Target,
        parent: str,
        since: datetime,
        *,
        next_token: str,
        caller: Hashable,
    ) -> Page:
        """See `Parts.created_page`."""
        operations = descriptor.operations
        bound = _SINCE.get(operations.list, "CreationTimeAfter")
        request = {descriptor.name.among: parent, bound: since, "SortBy": "CreationTime"}
        listed = operations.list, operations.list_items
        return page_of_parent(self._api, target, *listed, request, next_token=next_token, caller=caller)

    def steps_page(self, target: Target, arn: str, *, next_token: str, caller: Hashable) -> Page:
        """See `Parts.steps_page`."""
        request, listed = {"PipelineExecutionArn": arn}, ("ListPipelineExecutionSteps", "PipelineExecutionSteps")
        return page_of_parent(self._api, target, *listed, request, next_token=next_token, caller=caller)


class NoParts:
    """`Parts` of a process that serves no kind with such."""

    def created_page(self, *_: object, **__: object) -> Page:
        """Return nothing."""
        return _NOTHING

    def steps_page(self, *_: object, **__: object) -> Page:
        """Return nothing."""
        return _NOTHING
