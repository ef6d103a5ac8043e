"""The operations of endpoints: create, describe, update, scale, delete and list."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from hack.sandbox.aws.hosting import endpoint_answers, endpoints
from hack.sandbox.aws.hosting.endpoints import Endpoint, EndpointStep, Fleet, Variant
from hack.sandbox.aws.hosting.scaling import Targets
from hack.sandbox.aws.jobs.job_api import Operation
from hack.sandbox.aws.records import triggers
from hack.sandbox.aws.records.listing import answered
from hack.sandbox.aws.records.models import ENDPOINT_CONFIG, MODEL, variants
from hack.sandbox.aws.records.resource import ErrorText, Kind, Resource, Store, stamp
from hack.sandbox.aws.records.tags import tag_map
from hack.sandbox.aws.records.timeline import Durations, Timeline
from hack.sandbox.aws.records.triggers import Markers
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import ApiError, Call, invalid

ENDPOINT: Kind[Endpoint] = Kind(
    resource="Endpoint",
    arn_segment="endpoint",
    items_member="Endpoints",
    not_found=ErrorText("ValidationException", 'Could not find endpoint "{arn}".'),
    exists=ErrorText("ValidationException", 'Cannot create already existing endpoint "{arn}".'),
    describe=endpoint_answers.describe,
    summary=lambda _endpoint, _now: {},
    vanishes=True,
    log_group="/aws/sagemaker/Endpoints",
    has_group_each=True,
    log_lines=endpoint_answers.log_lines,
)
_IN_PROGRESS = ErrorText("ValidationException", 'Cannot update in-progress endpoint "{arn}".')
# AWS refuses this, with unknown wording: only DeleteEndpoint works for a failed endpoint.
_WRONG_STATE = ErrorText("ValidationException", 'Cannot update endpoint "{arn}" in status {status}.')


@dataclass(frozen=True, slots=True)
class EndpointApi:
    """The operations over one store; `targets` has the scaled variants."""

    store: Store
    durations: Durations
    targets: Targets
    components_on: Callable[[Call, str], Sequence[str]] = lambda _call, _name: ()
    """The names of the inference components on an endpoint."""

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        return {
            "CreateEndpoint": self.create,
            "DescribeEndpoint": self.describe,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.scale,
            "DeleteEndpoint": self.delete,
            "ListEndpoints": self.list,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Begin to create an endpoint; Describe shows later whether it succeeds."""
        name = _name(call)
        if self.store.find(ENDPOINT, call, name) is not None:
            raise ENDPOINT.exists.raised(arn=ENDPOINT.arn(call, name))
        _check_deployment(call)
        config = self.store.get(ENDPOINT_CONFIG, call, call.params["EndpointConfigName"])
        fleet = replace(self._fleet(call, config), deployment=call.params.get("DeploymentConfig"))
        asked = self._markers(call, config, name, call.params)
        endpoint = Endpoint(
            name=name,
            arn=ENDPOINT.arn(call, name),
            region=call.region,
            account=call.account,
            request={key: value for key, value in call.params.items() if key != "Tags"},
            created_at=call.now,
            tags=tag_map(call.params.get("Tags") or ()),
            course=endpoints.created(fleet, asked, call.now, self.durations),
        )
        self.store.add(ENDPOINT, endpoint)
        return {"EndpointArn": endpoint.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the full description of an endpoint."""
        endpoint = self.store.get(ENDPOINT, call, _name(call))
        failure = endpoint.course.at(call.now).failure
        answer = _summary(endpoint, call.now) | ({"FailureReason": failure} if failure else {})
        return answer | endpoint_answers.describe(endpoint, call.now)

    def update(self, call: Call) -> dict[str, Any]:
        """Begin to switch an endpoint to another configuration. A failure rolls it back, as Describe shows later."""
        endpoint = self.store.get(ENDPOINT, call, _name(call))
        _check_updatable(endpoint, call.now)
        _check_deployment(call)
        config = self.store.get(ENDPOINT_CONFIG, call, call.params["EndpointConfigName"])
        old = endpoint.course.at(call.now).fleet
        fleet = self._fleet(call, config)
        if call.params.get("RetainAllVariantProperties"):
            excluded = call.params.get("ExcludeRetainedVariantProperties") or ()
            fleet = endpoints.retained(fleet, old, {entry["VariantPropertyType"] for entry in excluded})
        self._check_targets(call, endpoint, old, fleet)
        kept = old.deployment if call.params.get("RetainDeploymentConfig") else None
        fleet = replace(fleet, deployment=call.params.get("DeploymentConfig") or kept)
        asked = self._markers(call, config, config.name)
        if self.store.find(ENDPOINT_CONFIG, call, old.config_name) is None:
            # AWS warns against deleting the configuration of a running endpoint: no update works any more.
            lost = ENDPOINT_CONFIG.not_found.raised(arn=ENDPOINT_CONFIG.arn(call, old.config_name))
            asked = Markers(fail=lost.message)
        course = endpoints.updated(endpoint.course, fleet, asked, call.now, self.durations)
        return self._switched(call, endpoint, course)

    def scale(self, call: Call) -> dict[str, Any]:
        """Begin to change weights and instance counts of variants."""
        endpoint = self.store.get(ENDPOINT, call, _name(call))
        _check_updatable(endpoint, call.now)
        fleet = endpoint.course.at(call.now).fleet
        wanted = {row["VariantName"]: row for row in call.params["DesiredWeightsAndCapacities"]}
        unknown = sorted(wanted.keys() - {variant.name for variant in fleet.variants})
        if unknown:
            raise invalid(
                f'The variant name(s) "{", ".join(unknown)}" is/are not present within endpoint configuration'
                f' "{fleet.config_name}".'
            )

        def desired(variant: Variant) -> Variant:
            row = wanted.get(variant.name, {})
            return replace(
                variant,
                desired_weight=row.get("DesiredWeight", variant.desired_weight),
                desired_count=row.get("DesiredInstanceCount", variant.desired_count),
            )

        course = endpoints.scaled(endpoint.course, desired, call.now, self.durations)
        return self._switched(call, endpoint, course)

    def delete(self, call: Call) -> None:
        """Begin to delete an idle endpoint; its scalable targets are removed at once."""
        name = _name(call)
        if components := self.components_on(call, name):
            arn, there = ENDPOINT.arn(call, name), ", ".join(components)
            raise invalid(f'Cannot delete endpoint "{arn}", as it has inference components: {there}.')

        def leaving(endpoint: Endpoint) -> Endpoint:
            _check_settled(endpoint, call.now)
            return replace(endpoint, course=endpoints.deleted(endpoint.course, call.now, self.durations))

        self.store.change(ENDPOINT, call, name, leaving)
        self.targets.forget_endpoint(call, name)

    def lose_configuration(self, call: Call, name: str) -> None:
        """Fail what is being done with a configuration that is deleted meanwhile, which nobody may do.

        Source: API reference of DeleteEndpointConfig. An endpoint that is idle serves on, and cannot be updated.
        """
        lost = ENDPOINT_CONFIG.not_found.raised(arn=ENDPOINT_CONFIG.arn(call, name)).message
        for endpoint in self.store.list(ENDPOINT, call):

            def without(seen: Endpoint) -> Endpoint:
                return replace(seen, course=endpoints.bereft(seen.course, name, lost, call.now))

            with suppress(ApiError):  # gone meanwhile
                self.store.change(ENDPOINT, call, endpoint.name, without)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries, filtered and sorted; by default the 10 newest."""
        validate("sagemaker", call.operation, call.params)
        return answered(ENDPOINT, call, self.store, lambda endpoint: _summary(endpoint, call.now))

    def _check_targets(self, call: Call, endpoint: Endpoint, old: Fleet, new: Fleet) -> None:
        """Raise if the update removes a variant that is a scalable target, or changes its instance type.

        Source: "Update endpoints that use auto scaling" in the SageMaker developer guide.
        """
        scaled = {target.key.variant for target in self.targets.targets(call) if target.key.endpoint == endpoint.name}
        types = {variant.name: variant.given.get("InstanceType") for variant in new.variants}
        touched = [
            variant.name
            for variant in old.variants
            if variant.name in scaled and types.get(variant.name) != variant.given.get("InstanceType")
        ]
        if touched:
            raise invalid(
                f'The variant(s) "{", ".join(touched)}" must be deregistered as scalable targets with AWS Auto Scaling'
                " before they can be removed or have their instance type updated."
            )

    def _switched(self, call: Call, seen: Endpoint, course: Timeline[EndpointStep]) -> dict[str, Any]:
        """Set the endpoint's new timeline, unless another call was faster."""

        def changed(endpoint: Endpoint) -> Endpoint:
            if endpoint.course is not seen.course:
                raise _IN_PROGRESS.raised(arn=endpoint.arn)
            return replace(endpoint, course=course)

        return {"EndpointArn": self.store.change(ENDPOINT, call, seen.name, changed).arn}

    def _fleet(self, call: Call, config: Resource) -> Fleet:
        """Return the fleet of the configuration. Raises the "not found" error of a deleted model."""

        def images(model: str) -> tuple[str, ...]:
            request = self.store.get(MODEL, call, model).request
            containers = [request.get("PrimaryContainer") or {}, *(request.get("Containers") or ())]
            return tuple(container["Image"] for container in containers if "Image" in container)

        return endpoints.fleet_of(config.name, config.request, images)

    def _markers(self, call: Call, config: Resource, name: str, own: Mapping[str, Any] | None = None) -> Markers:
        """Return the markers of models, configuration and, at its creation, of the endpoint itself."""
        models = [
            self.store.get(MODEL, call, variant["ModelName"]).request
            for variant in variants(config.request)
            if "ModelName" in variant
        ]
        tags = [{"Key": key, "Value": value} for key, value in config.tags.items()]
        return triggers.read(own or {}, name, *models, {"Tags": tags})


def _summary(endpoint: Endpoint, now: float) -> dict[str, Any]:
    step = endpoint.course.at(now)
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointStatus": step.status,
        "CreationTime": stamp(endpoint.created_at),
        "LastModifiedTime": stamp(step.at),
    }


def _name(call: Call) -> str:
    validate("sagemaker", call.operation, call.params)
    name: str = call.params["EndpointName"]
    return name


def _check_settled(endpoint: Endpoint, now: float) -> None:
    """Raise unless the endpoint is idle."""
    if endpoint.status_at(now) in endpoints.IN_PROGRESS:
        raise _IN_PROGRESS.raised(arn=endpoint.arn)


def _check_updatable(endpoint: Endpoint, now: float) -> None:
    """Raise unless the endpoint is in service and idle."""
    _check_settled(endpoint, now)
    status = endpoint.status_at(now)
    if status not in endpoints.UPDATABLE:
        raise _WRONG_STATE.raised(arn=endpoint.arn, status=status)


def _check_deployment(call: Call) -> None:
    """Raise ValidationException for two policies at once (API reference of DeploymentConfig)."""
    deployment = call.params.get("DeploymentConfig") or {}
    if "BlueGreenUpdatePolicy" in deployment and "RollingUpdatePolicy" in deployment:
        raise invalid("You cannot specify both BlueGreenUpdatePolicy and RollingUpdatePolicy.")
