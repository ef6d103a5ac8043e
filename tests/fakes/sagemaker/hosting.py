"""SageMaker's models, endpoint configurations and endpoints in memory."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from controller.aws.errors import AwsError
from controller.aws.sagemaker import Page
from controller.aws.targets import Target
from controller.runtime.errors import ABSENT, Absent, ErrorClass
from tests.fakes.calls import CallLog, Service, refusal
from tests.fakes.clock import FakeClock
from tests.fakes.sagemaker.arns import arn_of, kind_of, name_of

WORK_S: Final = 40.0
"""How long SageMaker is busy with an endpoint, by default."""


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
    """Instances by variant, where they are not the configuration's."""
    weights: dict[str, float] = field(default_factory=dict)
    """The same of weights."""
    variants: tuple[Mapping[str, Any], ...] = ()
    """Those of the configuration that it runs with, which may have been deleted."""


class FakeHosting(Service):
    """`Endpoints` and `list_page` in memory. It fails the test where something in use is deleted."""

    def __init__(self, clock: FakeClock, log: CallLog) -> None:
        super().__init__(HOSTING_DEPLOYMENT.kind, clock, log)
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.work_s = WORK_S
        self.late_answer: Mapping[str, Any] | None = None
        """What DescribeEndpoint answers instead of the present."""
        self.bad_version = ""
        """Models with this version do not load."""
        self.components_on: Callable[[str], Sequence[str]] = lambda name: ()
        """Return the inference components of an endpoint."""

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
                if endpoint.config != endpoint.next_config:
                    endpoint.numbers, endpoint.weights = (
                        {},
                        {},
                    )  # unless the request retains them, which no test asks for
                endpoint.value, endpoint.config, endpoint.failure = "InService", endpoint.next_config, ""
                if endpoint.config in self.configs:
                    endpoint.variants = tuple(self.configs[endpoint.config]["ProductionVariants"])

    def version_of(self, config: str) -> str:
        """What the model of a configuration says; of several, the first."""
        variant, *_ = self.configs[config]["ProductionVariants"]
        model = self.models.get(variant.get("ModelName", ""))
        return str(model["PrimaryContainer"]["Environment"]["VERSION"]) if model else "lost"

    def others(self, descriptor: KindDescriptor, name: str) -> None:
        """Others delete what has this name, and create their own under it, from the same request without our tags."""
        now = self._clock.utcnow()
        there = self._of(descriptor)[name]
        if descriptor is HOSTING_DEPLOYMENT:
            request = {member: value for member, value in there.request.items() if member != "Tags"}
            self.endpoints[name] = Endpoint(
                request, there.config, now, now, "InService", next_config=there.config, numbers=dict(there.numbers)
            )
        else:
            own = {member: value for member, value in there.items() if member != "Tags"}
            self._of(descriptor)[name] = {**own, "CreationTime": now}

    def _is_bad(self, config: str) -> bool:
        return config in self.configs and self.version_of(config) == self.bad_version

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
                self._require_configuration(descriptor.operations.create, config)
                now = self._clock.utcnow()
                self.endpoints[name] = Endpoint(
                    dict(request), config, now, now, until=self._clock.monotonic() + self.work_s, next_config=config
                )
            else:
                if descriptor is ENDPOINT_CONFIG:
                    self._require_models(request)
                self._of(descriptor)[name] = {**request, "CreationTime": self._clock.utcnow()}
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
            return dict(self.late_answer or self.description(name))

    def delete(self, descriptor: KindDescriptor, target: Target, name: str, *, caller: Hashable) -> Absent | None:
        """See `Resources.delete`."""
        with self._call(descriptor.operations.delete, name):
            self.settle()
            if name not in self._of(descriptor):
                return ABSENT
            if descriptor is HOSTING_DEPLOYMENT:
                endpoint = self._idle(name)
                if self.components_on(name):
                    message = "Cannot delete endpoint, as it has inference components"
                    raise refusal(descriptor.operations.delete, message)
                endpoint.value, endpoint.until = "Deleting", self._clock.monotonic() + self.work_s
                endpoint.modified = self._clock.utcnow()
                return None
            if descriptor is ENDPOINT_CONFIG:
                used = {name for each in self.endpoints.values() for name in (each.config, each.next_config)}
                assert name not in used or self._only_reverted(name), "a live endpoint uses it"
            else:
                used = {v.get("ModelName") for each in self.configs.values() for v in each["ProductionVariants"]}
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
            if request["EndpointName"] not in self.endpoints:
                missing = arn_of(HOSTING_DEPLOYMENT, request["EndpointName"])
                raise refusal(operation, f'Could not find endpoint "{missing}".')
            endpoint = self._idle(request["EndpointName"])
            assert endpoint.value == "InService"
            for config in (endpoint.config, request.get("EndpointConfigName", endpoint.config)):
                self._require_configuration(operation, config)
            endpoint.value, endpoint.modified = "Updating", self._clock.utcnow()
            endpoint.until = self._clock.monotonic() + self.work_s
            endpoint.next_config = request.get("EndpointConfigName", endpoint.config)
            for each in request.get("DesiredWeightsAndCapacities", ()):
                if "DesiredInstanceCount" in each:
                    endpoint.numbers[each["VariantName"]] = each["DesiredInstanceCount"]
                if "DesiredWeight" in each:
                    endpoint.weights[each["VariantName"]] = each["DesiredWeight"]

    def list_page(self, descriptor: KindDescriptor, target: Target, *, next_token: str) -> Page:
        """See `Jobs.list_page`."""
        with self._call(descriptor.operations.list, target.region):
            self.settle()
            return Page(tuple(self.shown()), "")

    def shown(self) -> list[dict[str, Any]]:
        """What a List answers."""
        newest_first = sorted(self.endpoints.items(), key=lambda item: item[1].created, reverse=True)
        return [self._summary(name, each) for name, each in newest_first]

    def description(self, name: str) -> dict[str, Any]:
        """What DescribeEndpoint answers of an endpoint that is there."""
        endpoint = self.endpoints[name]
        failure = {"FailureReason": endpoint.failure} if endpoint.failure else {}
        variants = {"ProductionVariants": self.variants(endpoint)} if endpoint.variants else {}
        return {**self._summary(name, endpoint), "EndpointConfigName": endpoint.config, **variants, **failure}

    @staticmethod
    def variants(endpoint: Endpoint) -> list[dict[str, Any]]:
        """The variants of an endpoint as DescribeEndpoint answers them: what it aims at."""
        return [
            {
                "VariantName": each["VariantName"],
                "DesiredInstanceCount": endpoint.numbers.get(each["VariantName"]) or each["InitialInstanceCount"],
                "DesiredWeight": endpoint.weights.get(each["VariantName"]) or each.get("InitialVariantWeight", 1.0),
            }
            for each in endpoint.variants
        ]

    def tags(self, target: Target, arn: str, *, caller: Hashable) -> Mapping[str, str] | Absent:
        """See `Resources.tags`."""
        with self._call("ListTags", arn):
            try:
                return {tag["Key"]: tag["Value"] for tag in self._tagged(arn).get("Tags", ())}
            except KeyError:
                return ABSENT

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

    def _require_configuration(self, operation: str, config: str) -> None:
        """Refuse what needs a configuration that is gone; an update needs the endpoint's old one as well."""
        if config not in self.configs:
            message = f'Could not find endpoint configuration "{arn_of(ENDPOINT_CONFIG, config)}".'
            raise refusal(operation, message)

    def _require_models(self, request: Mapping[str, Any]) -> None:
        for each in request["ProductionVariants"]:
            if "ModelName" in each and each["ModelName"] not in self.models:
                message = f'Could not find model "{arn_of(MODEL, each["ModelName"])}".'
                raise refusal(ENDPOINT_CONFIG.operations.create, message)

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
