"""The operations of resources that never change, models and endpoint configurations: create, describe, delete, list."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.jobs.job_api import Operation
from hack.sandbox.aws.records import triggers
from hack.sandbox.aws.records.listing import answered
from hack.sandbox.aws.records.models import StaticKind
from hack.sandbox.aws.records.resource import Resource, Store, stamp
from hack.sandbox.aws.records.tags import tag_map
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import Call


@dataclass(frozen=True, slots=True)
class StaticApi:
    """The operations of one kind over one store."""

    kind: StaticKind
    store: Store
    on_delete: Callable[[Call, str], None] = lambda _call, _name: None
    """Called after a deletion, with the name."""

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        resource = self.kind.resource
        return {
            f"Create{resource}": self.create,
            f"Describe{resource}": self.describe,
            f"Delete{resource}": self.delete,
            f"List{resource}s": self.list,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Store a resource. Checks run in the service's order: form, content, name."""
        name = self._name(call)
        self.kind.check(call, self.store)
        triggers.read(call.params, name)  # refuses an invalid marker
        resource = Resource(
            name=name,
            arn=self.kind.arn(call, name),
            region=call.region,
            account=call.account,
            request={key: value for key, value in call.params.items() if key != "Tags"},
            created_at=call.now,
            tags=tag_map(call.params.get("Tags") or ()),
        )
        self.store.add(self.kind, resource)
        return {self.kind.arn_member: resource.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the full description of a resource."""
        resource = self.store.get(self.kind, call, self._name(call))
        return self._summary(resource) | self.kind.describe(resource, call.now)

    def delete(self, call: Call) -> None:
        """Remove a resource, in use or not: SageMaker lets callers do what they must not do."""
        name = self._name(call)
        self.store.remove(self.kind, call, name)
        self.on_delete(call, name)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries, filtered and sorted; by default the 10 newest."""
        validate("sagemaker", call.operation, call.params)
        return answered(self.kind, call, self.store, self._summary)

    def _summary(self, resource: Resource) -> dict[str, Any]:
        return {
            self.kind.name_member: resource.name,
            self.kind.arn_member: resource.arn,
            "CreationTime": stamp(resource.created_at),
        }

    def _name(self, call: Call) -> str:
        validate("sagemaker", call.operation, call.params)
        name: str = call.params[self.kind.name_member]
        return name
