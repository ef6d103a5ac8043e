"""The operations of inference components: create, describe, update, delete and list."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hack.sandbox.aws.hosting import components
from hack.sandbox.aws.hosting.components import COMPONENT, SPECIFICATIONS, Component, ComponentStep, specifications
from hack.sandbox.aws.hosting.endpoint_api import ENDPOINT
from hack.sandbox.aws.hosting.scaling import Targets
from hack.sandbox.aws.jobs.job_api import Operation
from hack.sandbox.aws.records import triggers
from hack.sandbox.aws.records.images import check_model_image
from hack.sandbox.aws.records.listing import answered
from hack.sandbox.aws.records.models import MODEL
from hack.sandbox.aws.records.resource import ErrorText, Store
from hack.sandbox.aws.records.tags import tag_map
from hack.sandbox.aws.records.timeline import Durations, Timeline
from hack.sandbox.aws.records.triggers import MISSING, Markers
from hack.sandbox.aws.records.validation import validate
from hack.sandbox.aws.wire import Call, invalid

# AWS refuses these; only the first text is one that users report (of an endpoint whose variants have models).
_NOT_SUPPORTED = (
    "Inference Components are not supported in this Endpoint. Please make sure this endpoint can deploy inference"
    " components."
)
_IN_PROGRESS = ErrorText("ValidationException", 'Cannot update in-progress inference component "{arn}".')
_WRONG_STATE = ErrorText("ValidationException", 'Cannot update inference component "{arn}" in status {status}.')
_UNDELETABLE = ErrorText("ValidationException", 'Cannot delete inference component "{arn}" in status {status}.')


@dataclass(frozen=True, slots=True)
class ComponentApi:
    """The operations over one store; `targets` has the scaled components."""

    store: Store
    durations: Durations
    targets: Targets

    def operations(self) -> dict[str, Operation]:
        """Return operation name → handler, to be merged into the service's table."""
        return {
            "CreateInferenceComponent": self.create,
            "DescribeInferenceComponent": self.describe,
            "UpdateInferenceComponent": self.update,
            "UpdateInferenceComponentRuntimeConfig": self.scale,
            "DeleteInferenceComponent": self.delete,
            "ListInferenceComponents": self.list,
        }

    def create(self, call: Call) -> dict[str, Any]:
        """Begin to create a component on an endpoint in service; Describe shows later whether it succeeds."""
        name, arn = _name(call), COMPONENT.arn(call, call.params["InferenceComponentName"])
        if self.store.find(COMPONENT, call, name) is not None:
            raise COMPONENT.exists.raised(arn=arn)
        endpoint = self.store.get(ENDPOINT, call, call.params["EndpointName"])
        fleet, status = endpoint.course.at(call.now).fleet, endpoint.status_at(call.now)
        if status != "InService":
            raise invalid(f'The endpoint "{endpoint.arn}" is in status {status}. It must be InService.')
        if any("ModelName" in each.given for each in fleet.variants) or "ExecutionRoleArn" not in fleet.config:
            raise invalid(_NOT_SUPPORTED)
        variants = [each.name for each in fleet.variants if not each.is_shadow]
        variant = call.params.get("VariantName") or variants[0]
        if variant not in variants:
            raise invalid(f'The variant "{variant}" is not present within endpoint "{endpoint.name}".')
        content = self._content(call)
        copies = (call.params.get("RuntimeConfig") or {}).get("CopyCount", 1)
        course = components.created(content, copies, self._markers(call, content, name), call.now, self.durations)
        component = Component(
            name=name,
            arn=arn,
            region=call.region,
            account=call.account,
            request={key: value for key, value in call.params.items() if key != "Tags"},
            created_at=call.now,
            tags=tag_map(call.params.get("Tags") or ()),
            course=course,
            endpoint=endpoint.name,
            endpoint_arn=endpoint.arn,
            variant=variant,
        )
        self.store.add(COMPONENT, component)
        return {"InferenceComponentArn": component.arn}

    def describe(self, call: Call) -> dict[str, Any]:
        """Return the full description of a component."""
        component = self.store.get(COMPONENT, call, _name(call))
        failure = component.course.at(call.now).failure
        answer = components.summary(component, call.now) | ({"FailureReason": failure} if failure else {})
        return answer | components.describe(component, call.now)

    def update(self, call: Call) -> dict[str, Any]:
        """Begin to change a component; what is not given stays as it is. A failure rolls it back."""
        component = self._updatable(call)
        step = component.course.at(call.now)
        content = self._content(call) if any(each in call.params for each in SPECIFICATIONS) else step.content
        copies = (call.params.get("RuntimeConfig") or {}).get("CopyCount", step.desired)
        deployment = call.params.get("DeploymentConfig") or step.deployment
        wanted = replace(step, content=content, desired=copies, deployment=deployment)
        markers = self._markers(call, content, "")
        return self._switched(call, component, wanted, markers)

    def scale(self, call: Call) -> dict[str, Any]:
        """Begin to change the number of copies."""
        component = self._updatable(call)
        copies = call.params["DesiredRuntimeConfig"]["CopyCount"]
        return self._switched(call, component, replace(component.course.at(call.now), desired=copies), Markers())

    def delete(self, call: Call) -> None:
        """Begin to delete an idle component that no adapter needs; its scalable target is removed at once."""
        name = _name(call)
        adapters = [each.name for each in self.store.list(COMPONENT, call) if name in _bases(each, call.now)]
        if adapters:
            raise invalid(f"The inference component {name} has adapters: {', '.join(adapters)}. Delete these first.")

        def leaving(component: Component) -> Component:
            status = component.status_at(call.now)
            if status in components.IN_PROGRESS:
                raise _UNDELETABLE.raised(arn=component.arn, status=status)
            return replace(component, course=components.deleted(component.course, call.now, self.durations))

        self.store.change(COMPONENT, call, name, leaving)
        self.targets.forget_component(call, name)

    def list(self, call: Call) -> dict[str, Any]:
        """Return a page of summaries, filtered and sorted; by default the 10 newest."""
        validate("sagemaker", call.operation, call.params)
        return answered(COMPONENT, call, self.store, lambda component: components.summary(component, call.now))

    def _updatable(self, call: Call) -> Component:
        """Return a component that is in service and idle."""
        component = self.store.get(COMPONENT, call, _name(call))
        status = component.status_at(call.now)
        if status in components.IN_PROGRESS:
            raise _IN_PROGRESS.raised(arn=component.arn)
        if status != "InService":
            raise _WRONG_STATE.raised(arn=component.arn, status=status)
        return component

    def _switched(self, call: Call, seen: Component, wanted: ComponentStep, markers: Markers) -> dict[str, Any]:
        """Set the component's new timeline, unless another call was faster."""
        course: Timeline[ComponentStep] = components.updated(seen.course, wanted, markers, call.now, self.durations)

        def changed(component: Component) -> Component:
            if component.course is not seen.course:
                raise _IN_PROGRESS.raised(arn=component.arn)
            return replace(component, course=course)

        return {"InferenceComponentArn": self.store.change(COMPONENT, call, seen.name, changed).arn}

    def _content(self, call: Call) -> dict[str, Any]:
        """Return the specifications of a request, checked. Source: API reference of InferenceComponentSpecification."""
        content = {member: call.params[member] for member in SPECIFICATIONS if member in call.params}
        if len(content) != 1:
            raise invalid("You must specify either Specification or Specifications.")
        for each in specifications(content):
            container = each.get("Container") or {}
            if "ModelName" in each:
                self.store.get(MODEL, call, each["ModelName"])
            if base := each.get("BaseInferenceComponentName"):
                found = self.store.get(COMPONENT, call, base)
                if found.status_at(call.now) != "InService":
                    raise invalid(f"The base inference component {base} is {found.status_at(call.now)}.")
            elif "ComputeResourceRequirements" not in each:
                raise invalid("ComputeResourceRequirements must be specified for a base inference component.")
            elif not ("ModelName" in each or container.get("Image")):
                raise invalid("Each specification must have either ModelName or a Container with an Image.")
            check_model_image(container.get("Image", ""), call.region)
            if MISSING in container.get("Image", ""):
                raise invalid(f"Requested image {container['Image']} not found.")
            if MISSING in container.get("ArtifactUrl", ""):
                raise invalid(f"Could not find model data at {container['ArtifactUrl']}.")
        return content

    def _markers(self, call: Call, content: Mapping[str, Any], name: str) -> Markers:
        """Return the markers of models and containers and, at its creation, of the component itself."""
        given = specifications(content)
        models = [self.store.get(MODEL, call, each["ModelName"]).request for each in given if "ModelName" in each]
        return triggers.read(call.params, name, *models, *(each.get("Container") or {} for each in given))


def _bases(component: Component, now: float) -> list[str]:
    """Return the components that load this one, of an adapter."""
    content = component.course.at(now).content
    return [each.get("BaseInferenceComponentName", "") for each in specifications(content)]


def _name(call: Call) -> str:
    validate("sagemaker", call.operation, call.params)
    name: str = call.params["InferenceComponentName"]
    return name
