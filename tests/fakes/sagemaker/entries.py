"""SageMaker's model registry and pipelines in memory: those of the sandbox, without HTTP."""

from collections.abc import Hashable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from api.descriptor import KindDescriptor
from controller.aws.errors import CallError, classify
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from hack.sandbox.aws.pipelines.pipeline_api import PIPELINE, PipelineApi
from hack.sandbox.aws.records.resource import AnyKind, Store
from hack.sandbox.aws.records.tags import TagApi
from hack.sandbox.aws.registry.api import EntryApi
from hack.sandbox.aws.registry.kinds import ENTRY_KINDS
from hack.sandbox.aws.wire import ApiError, Call
from tests.fakes.calls import CallLog, Service
from tests.fakes.clock import FakeClock
from tests.fakes.sagemaker.arns import ACCOUNT, REGION

_KINDS: Final[tuple[AnyKind, ...]] = (*ENTRY_KINDS, PIPELINE)
TOKEN_LIFE_S: Final = 900.0
"""Seconds for which a token stands for what was created with it."""
_TOKEN: Final = {"ClientRequestToken": "0" * 32}
"""botocore fills it in."""


class FakeEntries(Service):
    """`Resources`, `Endpoints.change`, `Parts.created_page` and tags of what is updated in place."""

    page_size = 100
    list_lag_s = 5.0
    """Seconds after which Lists show what was created."""

    def __init__(self, name: str, clock: FakeClock, log: CallLog, store: Store) -> None:
        super().__init__(name, clock, log)
        self.store = store
        self._operations: dict[str, Any] = {}
        for kind in ENTRY_KINDS:
            self._operations |= EntryApi(kind, self.store, token_life_s=TOKEN_LIFE_S).operations()
        self._operations |= PipelineApi(store).operations() | TagApi(_KINDS, store).operations()

    @property
    def there(self) -> dict[str, Any]:
        """What there is of the kind, by name."""
        (kind,) = [each for each in _KINDS if each.resource == self._name]
        return {each.name: each for each in self.store.everywhere(kind)}

    def others(self, operation: str, **params: Any) -> dict[str, Any]:
        """Others make a call."""
        return dict(self._operations[operation](self._of(operation, params)) or {})

    # --- the ports

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Resources.create`."""
        answer = self._ask(descriptor.operations.create, request)
        return str(answer[descriptor.status.arn_member])

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        """See `Resources.describe`."""
        try:
            answer = self._ask(descriptor.operations.describe, {descriptor.name.member: name})
        except CallError as error:
            return _absent(error)
        return {key: _dated(value) if key.endswith("Time") else value for key, value in answer.items()}

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        try:
            self._ask(descriptor.operations.delete, {descriptor.name.member: name, **_TOKEN})
        except CallError as error:
            return _absent(error)
        return None

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        self._ask(operation, request)

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
        request = {
            descriptor.name.among: parent,
            "CreationTimeAfter": since.timestamp(),
            "CreationTimeBefore": self._clock.utcnow().timestamp() - self.list_lag_s,
            "SortBy": "CreationTime",
            "SortOrder": "Ascending",
            "MaxResults": self.page_size,
            **({"NextToken": next_token} if next_token else {}),
        }
        answer = self._ask(descriptor.operations.list, request)
        return Page(tuple(answer[descriptor.operations.list_items]), answer.get("NextToken") or "")

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Resources.tags`."""
        try:
            return {tag["Key"]: tag["Value"] for tag in self._ask("ListTags", {"ResourceArn": arn})["Tags"]}
        except CallError as error:
            return _absent(error)

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        self._ask("AddTags", {"ResourceArn": arn, "Tags": list(tags)})

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """See `Jobs.delete_tags`."""
        self._ask("DeleteTags", {"ResourceArn": arn, "TagKeys": list(keys)})

    def _ask(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        with self._call(operation, str(next(iter(params.values())))):
            try:
                return dict(self._operations[operation](self._of(operation, params)) or {})
            except ApiError as error:
                answer = {"Error": {"Code": error.code, "Message": str(error)}, "ResponseMetadata": {}}
                raise classify(operation, ClientError(answer, operation)) from error  # type: ignore[arg-type]

    def _of(self, operation: str, params: Mapping[str, Any]) -> Call:
        return Call("sagemaker", operation, ACCOUNT, REGION, self._clock.utcnow().timestamp(), params)


def _dated(value: object) -> object:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, float) else value


def _absent(error: CallError) -> Absent:
    if error.error_class is ErrorClass.NOT_FOUND:
        return ABSENT
    raise error
