"""The events of model packages, as the operator reads them: of a version that is made, and of each approval."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from controller.aws.events.message import SOURCE, StatusEvent, parse
from hack.sandbox.aws.clock import SandboxClock
from hack.sandbox.aws.records.resource import Store
from hack.sandbox.aws.registry.api import EntryApi
from hack.sandbox.aws.registry.kinds import GROUP, PACKAGE
from hack.sandbox.aws.state_changes import Publisher
from hack.sandbox.aws.wire import Call
from tests.unit.sandbox_aws.conftest import REGION


class Bus:
    """An event bus with a rule, and the operator at its end."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self.events: list[StatusEvent] = []

    def has_rules(self) -> bool:
        """See `MotoBridge.has_rules`."""
        return True

    def put_event(
        self, *, account: str, region: str, detail_type: str, arns: Sequence[str], detail: Mapping[str, Any]
    ) -> None:
        """See `MotoBridge.put_event`."""
        envelope = {"source": SOURCE, "detail-type": detail_type, "account": account, "region": region}
        event = parse(json.dumps({**envelope, "resources": arns, "detail": detail}))
        assert isinstance(event, StatusEvent), event
        self.events.append(event)


def test_what_becomes_of_a_version_is_announced() -> None:
    """What others note about it is not; what is deleted is announced no more."""
    clock, store = SandboxClock.frozen(), Store()
    bus = Bus(clock)
    publisher: Any = Publisher(store, lambda now: None, bus, clock)  # type: ignore[arg-type]

    def call(api: EntryApi, operation: str, **params: Any) -> dict[str, Any]:
        clock.advance(10)
        handler = api.operations()[operation]
        answer = handler(Call("sagemaker", operation, "123456789012", REGION, clock.now(), params)) or {}
        publisher.look()
        return dict(answer)

    packages = EntryApi(PACKAGE, store)
    publisher.look()  # learns what is there
    call(EntryApi(GROUP, store), "CreateModelPackageGroup", ModelPackageGroupName="g")
    arn = call(packages, "CreateModelPackage", ModelPackageGroupName="g", SourceUri="s3://b/m")["ModelPackageArn"]
    call(packages, "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    call(packages, "UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties={"note": "x"})
    approved_at = clock.now() - 10
    stage = {"Stage": "Dev", "StageStatus": "Open"}
    call(packages, "UpdateModelPackage", ModelPackageArn=arn, ModelLifeCycle=stage)
    call(packages, "DeleteModelPackage", ModelPackageName=arn)
    assert [(each.name, each.status, each.secondary) for each in bus.events] == [
        (arn, "Completed", "PendingManualApproval"),
        (arn, "Completed", "Approved"),
        (arn, "Completed", "Approved"),
    ]
    assert abs(bus.events[1].modified.timestamp() - approved_at) < 0.01
