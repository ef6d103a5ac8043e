"""SageMaker's inference components in memory."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.v1 import HOSTING_DEPLOYMENT, INFERENCE_COMPONENT
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from tests.fakes.calls import CallLog, Service, refusal
from tests.fakes.clock import FakeClock
from tests.fakes.sagemaker.arns import arn_of, name_of
from tests.fakes.sagemaker.hosting import FakeHosting

WORK_S: Final = 40.0
"""How long SageMaker is busy with a component, by default."""


@dataclass(slots=True)
class Component:
    """A component: what it runs, and what it is changed to until `until`."""

    request: dict[str, Any]
    specification: Mapping[str, Any]
    copies: int
    created: datetime
    modified: datetime
    value: str = "Creating"
    until: float = 0.0
    next_specification: Mapping[str, Any] | None = None
    failure: str = ""


class FakeComponents(Service):
    """`Endpoints` for components, and `list_page`, in memory."""

    def __init__(self, clock: FakeClock, log: CallLog, hosting: FakeHosting) -> None:
        super().__init__(INFERENCE_COMPONENT.kind, clock, log)
        self._hosting = hosting
        hosting.components_on = self._on
        self.components: dict[str, Component] = {}
        self.bad_image = ""
        """Containers of this image do not start."""

    def _on(self, endpoint: str) -> list[str]:
        self.settle()
        return [name for name, each in self.components.items() if each.request["EndpointName"] == endpoint]

    @property
    def left(self) -> list[str]:
        """Names of all there is."""
        return [*self.components]

    def settle(self) -> None:
        """Let time have its effect."""
        for name, each in list(self.components.items()):
            if not each.until or self._clock.monotonic() < each.until:
                continue
            each.until, each.modified = 0.0, self._clock.utcnow()
            wanted = each.next_specification or each.specification
            if each.value == "Deleting":
                del self.components[name]
            elif self.bad_image and self.bad_image == image_of(wanted):
                each.failure, each.value = "it does not start", "Failed" if each.value == "Creating" else "InService"
            else:
                each.specification, each.value, each.failure = wanted, "InService", ""

    def others(self, descriptor: KindDescriptor, name: str) -> None:
        """Others delete what has this name, and create their own under it, from the same request without our tags."""
        now, there = self._clock.utcnow(), self.components[name]
        request = {member: value for member, value in there.request.items() if member != "Tags"}
        self.components[name] = Component(request, there.specification, there.copies, now, now, "InService")

    # --- the ports

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Resources.create`."""
        name, operation = request["InferenceComponentName"], descriptor.operations.create
        with self._call(operation, name):
            self.settle()
            self._hosting.settle()
            if name in self.components:
                raise AwsError(ErrorClass.EXISTS, "ValidationException", "Cannot create already existing")
            endpoint = self._hosting.endpoints.get(request["EndpointName"])
            if endpoint is None or endpoint.value != "InService":
                raise refusal(operation, "Could not find endpoint")
            now, copies = self._clock.utcnow(), (request.get("RuntimeConfig") or {}).get("CopyCount", 1)
            component = Component(dict(request), request["Specification"], copies, now, now)
            component.until = self._clock.monotonic() + WORK_S
            self.components[name] = component
            return arn_of(descriptor, name)

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        """See `Resources.describe`."""
        with self._call(descriptor.operations.describe, name):
            self.settle()
            if name not in self.components:
                return ABSENT
            each = self.components[name]
            failure = {"FailureReason": each.failure} if each.failure else {}
            runtime = {"DesiredCopyCount": each.copies, "CurrentCopyCount": each.copies}
            return {
                **self._summary(name, each),
                "Specification": _shown(each.specification),
                "RuntimeConfig": runtime,
                **failure,
            }

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        name = request["InferenceComponentName"]
        with self._call(operation, name):
            self.settle()
            if name not in self.components:
                raise refusal(operation, "Could not find inference component")
            each = self._idle(name, operation)
            assert each.value == "InService"
            given = request.get("DesiredRuntimeConfig") or request.get("RuntimeConfig") or {}
            each.value, each.modified, each.failure = "Updating", self._clock.utcnow(), ""
            each.until = self._clock.monotonic() + WORK_S
            each.next_specification = request.get("Specification", each.specification)
            each.copies = given.get("CopyCount", each.copies)

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        with self._call(descriptor.operations.delete, name):
            self.settle()
            if name not in self.components:
                return ABSENT
            each = self._idle(name, descriptor.operations.delete)
            each.value, each.modified, each.until = "Deleting", self._clock.utcnow(), self._clock.monotonic() + WORK_S
            return None

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        with self._call(descriptor.operations.list, target.region):
            self.settle()
            newest_first = sorted(self.components.items(), key=lambda item: item[1].created, reverse=True)
            return Page(tuple(self._summary(name, each) for name, each in newest_first), "")

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Resources.tags`."""
        with self._call("ListTags", arn):
            if (each := self.components.get(name_of(arn))) is None:
                return ABSENT
            return {tag["Key"]: tag["Value"] for tag in each.request.get("Tags", ())}

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        with self._call("AddTags", arn):
            request = self.components[name_of(arn)].request
            kept = [tag for tag in request.get("Tags", ()) if tag["Key"] not in {each["Key"] for each in tags}]
            request["Tags"] = [*kept, *tags]

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """See `Jobs.delete_tags`."""
        with self._call("DeleteTags", arn):
            request = self.components[name_of(arn)].request
            request["Tags"] = [tag for tag in request.get("Tags", ()) if tag["Key"] not in keys]

    def _idle(self, name: str, operation: str) -> Component:
        each = self.components[name]
        if each.until:
            raise refusal(operation, f"Cannot update in-progress inference component {name}")
        return each

    @staticmethod
    def _summary(name: str, each: Component) -> dict[str, Any]:
        endpoint = each.request["EndpointName"]
        return {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn_of(INFERENCE_COMPONENT, name),
            "InferenceComponentStatus": each.value,
            "CreationTime": each.created,
            "LastModifiedTime": each.modified,
            "EndpointName": endpoint,
            "EndpointArn": arn_of(HOSTING_DEPLOYMENT, endpoint),
            "VariantName": each.request.get("VariantName", "all"),
        }


def image_of(specification: Mapping[str, Any]) -> str:
    """Return the image of a specification; empty if it names a model."""
    return str((specification.get("Container") or {}).get("Image", ""))


def _shown(specification: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(specification)
    if container := shown.get("Container"):
        rest = {name: value for name, value in container.items() if name != "Image"}
        shown["Container"] = {**rest, "DeployedImage": {"SpecifiedImage": container["Image"]}}
    return shown
