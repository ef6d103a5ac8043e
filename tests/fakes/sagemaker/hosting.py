"""SageMaker's models, endpoint configurations and endpoints in memory."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from tests.fakes.calls import CallLog, Service
from tests.fakes.clock import FakeClock
from tests.fakes.sagemaker.arns import arn_of, kind_of, name_of

WORK_S: Final = 40.0
"""How long SageMaker is busy with an endpoint."""


@dataclass(slots=True)
class Endpoint:
    """An endpoint: what it runs with, and what it is switched to until `until`."""

    request: dict[str, Any]
    config: str
    created: datetime
    modified: datetime
    value: str = "Creating"
    until: float = 0.0
    next_config: str = ""
    failure: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)


class FakeHosting(Service):
    """`Endpoints` and `list_page` in memory. It fails the test where something in use is deleted."""

    def __init__(self, clock: FakeClock, log: CallLog) -> None:
        super().__init__(HOSTING_DEPLOYMENT.kind, clock, log)
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.bad_version = ""
        """Models with this version do not load."""

    @property
    def left(self) -> list[str]:
        """Names of everything there is."""
        return [*self.endpoints, *self.configs, *self.models]

    def settle(self) -> None:
        """Let time have its effect."""
        for name, endpoint in list(self.endpoints.items()):
            if not endpoint.until or self._clock.monotonic() < endpoint.until:
                continue
            endpoint.until, endpoint.modified = 0.0, self._clock.utcnow()
            if endpoint.value == "Deleting":
                del self.endpoints[name]
            elif self._is_bad(endpoint.next_config):
                endpoint.failure = "the model does not load"
                endpoint.value = "Failed" if endpoint.value == "Creating" else "InService"
            else:
                endpoint.value, endpoint.config, endpoint.failure = "InService", endpoint.next_config, ""

    def version_of(self, config: str) -> str:
        """What the model of a configuration says."""
        (variant,) = self.configs[config]["ProductionVariants"]
        version: str = self.models[variant["ModelName"]]["PrimaryContainer"]["Environment"]["VERSION"]
        return version

    def _is_bad(self, config: str) -> bool:
        return self.version_of(config) == self.bad_version

    # --- the ports

    def create(
        self, descriptor: KindDescriptor, target: Target, request: Mapping[str, Any], *, caller: Hashable
    ) -> str:
        """See `Resources.create`."""
        name = request[descriptor.name.member]
        with self._call(descriptor.operations.create, name):
            if name in self._of(descriptor):
                raise AwsError(ErrorClass.EXISTS, "ValidationException", "Cannot create already existing")
            if descriptor is HOSTING_DEPLOYMENT:
                config = request["EndpointConfigName"]
                assert config in self.configs
                now = self._clock.utcnow()
                self.endpoints[name] = Endpoint(
                    dict(request), config, now, now, until=self._clock.monotonic() + WORK_S, next_config=config
                )
            else:
                if descriptor is ENDPOINT_CONFIG:
                    assert {each["ModelName"] for each in request["ProductionVariants"]} <= set(self.models)
                self._of(descriptor)[name] = dict(request)
            return arn_of(descriptor, name)

    def describe(
        self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable, background: bool
    ) -> dict[str, Any] | Absent:
        """See `Resources.describe`."""
        with self._call(descriptor.operations.describe, name):
            self.settle()
            if name not in self._of(descriptor):
                return ABSENT
            if descriptor is not HOSTING_DEPLOYMENT:
                return {**self._of(descriptor)[name], descriptor.status.arn_member: arn_of(descriptor, name)}
            endpoint = self.endpoints[name]
            failure = {"FailureReason": endpoint.failure} if endpoint.failure else {}
            return {**self._summary(name, endpoint), "EndpointConfigName": endpoint.config, **failure}

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        with self._call(descriptor.operations.delete, name):
            self.settle()
            if name not in self._of(descriptor):
                return ABSENT
            if descriptor is HOSTING_DEPLOYMENT:
                endpoint = self._idle(name)
                endpoint.value, endpoint.until = "Deleting", self._clock.monotonic() + WORK_S
                endpoint.modified = self._clock.utcnow()
                return None
            if descriptor is ENDPOINT_CONFIG:
                used = {name for each in self.endpoints.values() for name in (each.config, each.next_config)}
                assert name not in used or self._only_reverted(name), "a live endpoint uses it"
            else:
                used = {v["ModelName"] for each in self.configs.values() for v in each["ProductionVariants"]}
                assert name not in used, "a configuration uses it"
            del self._of(descriptor)[name]
            return None

    def _only_reverted(self, name: str) -> bool:
        """Whether endpoints only tried this configuration, and went back."""
        return all(each.config != name and not each.until for each in self.endpoints.values())

    def change(self, target: Target, operation: str, request: Mapping[str, Any], *, caller: Hashable) -> None:
        """See `Endpoints.change`."""
        with self._call(operation, request["EndpointName"]):
            self.settle()
            endpoint = self._idle(request["EndpointName"])
            assert endpoint.value == "InService"
            endpoint.value, endpoint.modified = "Updating", self._clock.utcnow()
            endpoint.until = self._clock.monotonic() + WORK_S
            endpoint.next_config = request.get("EndpointConfigName", endpoint.config)
            for each in request.get("DesiredWeightsAndCapacities", ()):
                endpoint.numbers[each["VariantName"]] = each.get("DesiredInstanceCount")

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        with self._call(descriptor.operations.list, target.region):
            self.settle()
            newest_first = sorted(self.endpoints.items(), key=lambda item: item[1].created, reverse=True)
            return Page(tuple(self._summary(name, each) for name, each in newest_first), "")

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Resources.tags`."""
        with self._call("ListTags", arn):
            name = name_of(arn)
            if name not in self.endpoints:
                return ABSENT
            return {tag["Key"]: tag["Value"] for tag in self.endpoints[name].request.get("Tags", ())}

    def add_tags(self, target: Target, arn: str, tags: Sequence[Mapping[str, str]], *, caller: Hashable) -> None:
        """See `Jobs.add_tags`."""
        with self._call("AddTags", arn):
            request = self._tagged(arn)
            kept = [tag for tag in request.get("Tags", ()) if tag["Key"] not in {each["Key"] for each in tags}]
            request["Tags"] = [*kept, *tags]

    def delete_tags(self, target: Target, arn: str, keys: Sequence[str], *, caller: Hashable) -> None:
        """See `Jobs.delete_tags`."""
        with self._call("DeleteTags", arn):
            request = self._tagged(arn)
            request["Tags"] = [tag for tag in request.get("Tags", ()) if tag["Key"] not in keys]

    def _tagged(self, arn: str) -> dict[str, Any]:
        name = name_of(arn)
        if kind_of(arn) == HOSTING_DEPLOYMENT.kind:
            return self.endpoints[name].request
        request: dict[str, Any] = (self.models if kind_of(arn) == MODEL.kind else self.configs)[name]
        return request

    def _idle(self, name: str) -> Endpoint:
        endpoint = self.endpoints[name]
        if endpoint.until:
            raise AwsError(ErrorClass.CONFLICT, "ValidationException", "Cannot update in-progress endpoint")
        return endpoint

    def _of(self, descriptor: KindDescriptor) -> dict[str, Any]:
        stores: dict[str, dict[str, Any]] = {
            MODEL.kind: self.models,
            ENDPOINT_CONFIG.kind: self.configs,
            HOSTING_DEPLOYMENT.kind: self.endpoints,
        }
        return stores[descriptor.kind]

    @staticmethod
    def _summary(name: str, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "EndpointName": name,
            "EndpointArn": arn_of(HOSTING_DEPLOYMENT, name),
            "CreationTime": endpoint.created,
            "LastModifiedTime": endpoint.modified,
            "EndpointStatus": endpoint.value,
        }
