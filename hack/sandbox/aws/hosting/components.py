"""Inference components: the record, its timelines, its answers and its log.

A component runs what its own requests say, on a variant of an endpoint without models.
"""

import copy
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hack.sandbox.aws.hosting.endpoint_answers import resolved
from hack.sandbox.aws.records.resource import ErrorText, Kind, LogStream, Resource, stamp
from hack.sandbox.aws.records.timeline import Durations, Step, Timeline
from hack.sandbox.aws.records.triggers import Markers

IN_PROGRESS = frozenset({"Creating", "Updating", "Deleting"})
SPECIFICATIONS = ("Specification", "Specifications")
_GONE = "Deleted"  # no response shows it
_UNHEALTHY = "The container of the inference component did not pass the ping health check."


@dataclass(frozen=True, slots=True)
class ComponentStep(Step):
    """A step of a component's life: what runs from then on."""

    content: Mapping[str, Any] = field(kw_only=True)  # Specification or Specifications, as requested
    copies: int = field(kw_only=True)
    desired: int = field(kw_only=True)
    deployment: Mapping[str, Any] | None = field(kw_only=True, default=None)  # the last DeploymentConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Component(Resource):
    """One inference component. `invocations` are its latest log lines: (epoch seconds, text)."""

    course: Timeline[ComponentStep]
    endpoint: str
    endpoint_arn: str
    variant: str
    invocations: tuple[tuple[float, str], ...] = ()

    def status_at(self, now: float) -> str:
        """Return InferenceComponentStatus."""
        return self.course.at(now).status

    def modified_at(self, now: float) -> float:
        """Return the time of the last transition."""
        return self.course.at(now).at

    def is_gone(self, now: float) -> bool:
        """Return whether the deletion is complete."""
        return self.status_at(now) == _GONE


def specifications(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all specifications of a request or of a step."""
    return [*filter(None, [content.get("Specification")]), *(content.get("Specifications") or ())]


def created(
    content: Mapping[str, Any], copies: int, markers: Markers, now: float, durations: Durations
) -> Timeline[ComponentStep]:
    """Return the timeline of a component created at `now`."""
    end = now + (durations.creating_s if markers.work_s is None else markers.work_s)
    creating = ComponentStep(now, "Creating", "", "", content=content, copies=0, desired=copies)
    if markers.fail is not None:
        failed = replace(creating, at=end, status="Failed", failure=markers.fail or _UNHEALTHY)
        return Timeline((creating, failed))
    return Timeline((creating, replace(creating, at=end, status="InService", copies=copies)))


def updated(
    before: Timeline[ComponentStep], wanted: ComponentStep, markers: Markers, now: float, durations: Durations
) -> Timeline[ComponentStep]:
    """Return the timeline after an update at `now` to what `wanted` has; one that fails goes back by itself."""
    old = before.at(now)
    end = now + (durations.updating_s if markers.work_s is None else markers.work_s)
    updating = replace(old, at=now, status="Updating", failure="", desired=wanted.desired)
    if markers.fail is not None:
        back = replace(old, at=end + durations.rolling_back_s, failure=markers.fail or _UNHEALTHY)
        return before.cut(now, updating, back)
    done = replace(wanted, at=end, status="InService", failure="", copies=wanted.desired)
    return before.cut(now, updating, done)


def deleted(before: Timeline[ComponentStep], now: float, durations: Durations) -> Timeline[ComponentStep]:
    """Return the timeline after a deletion at `now`."""
    deleting = replace(before.at(now), at=now, status="Deleting", failure="")
    return before.cut(now, deleting, replace(deleting, at=now + durations.deleting_s, status=_GONE))


def describe(component: Component, now: float) -> dict[str, Any]:
    """Return the members of DescribeInferenceComponent other than name, ARN, status, failure and the two times."""
    step = component.course.at(now)
    shown = {
        member: [_summary(each) for each in given] if isinstance(given, list) else _summary(given)
        for member, given in step.content.items()
    }
    if not any("BaseInferenceComponentName" in each for each in specifications(step.content)):
        shown["RuntimeConfig"] = {"DesiredCopyCount": step.desired, "CurrentCopyCount": step.copies}
    if step.deployment is not None:
        shown["LastDeploymentConfig"] = copy.deepcopy(dict(step.deployment))
    return place(component) | shown


def place(component: Component) -> dict[str, Any]:
    """Return where a component runs."""
    return {
        "EndpointName": component.endpoint,
        "EndpointArn": component.endpoint_arn,
        "VariantName": component.variant,
    }


def _summary(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a specification as Describe shows it: with the image that runs, in place of the one that was asked for."""
    summary = copy.deepcopy(dict(given))
    container = summary.get("Container")
    if container and "Image" in container:
        image = container.pop("Image")
        container["DeployedImage"] = {"SpecifiedImage": image, "ResolvedImage": resolved(image)}
    return summary


def log_lines(component: Component, now: float) -> Iterator[LogStream]:
    """Yield a stream for each copy that ever ran, `<variant>/<instance>-<copy>`, and one for a failed start."""
    streams: dict[str, list[tuple[float, str]]] = {}
    for step in component.course.reached(now):
        if step.failure:
            lines = streams.setdefault(stream_of(component, 0), [])
            lines += [(step.at, "INFO: starting the model server"), (step.at, f"ERROR: {step.failure}")]
        elif step.status == "InService":
            for number in range(max(step.copies, 1)):
                ready = (step.at, "INFO: model server started, ready for requests")
                streams.setdefault(stream_of(component, number), [ready])
    for line in component.invocations:
        streams.setdefault(stream_of(component, 0), []).append(line)
    yield from (LogStream(name, lines[0][0], tuple(lines)) for name, lines in streams.items())


def stream_of(component: Component, number: int) -> str:
    """Return the log stream of one copy."""
    digest = hashlib.sha256(f"{component.arn}{component.created_at}{number}".encode()).hexdigest()
    return f"{component.variant}/i-{digest[:17]}-{digest[17:29]}"


COMPONENT: Kind[Component] = Kind(
    resource="InferenceComponent",
    arn_segment="inference-component",
    items_member="InferenceComponents",
    not_found=ErrorText("ValidationException", 'Could not find inference component "{arn}".'),
    exists=ErrorText("ValidationException", 'Cannot create already existing inference component "{arn}".'),
    describe=describe,
    summary=lambda component, _now: place(component),
    filters={
        "EndpointNameEquals": lambda component, name, _now: component.endpoint == name,
        "VariantNameEquals": lambda component, name, _now: component.variant == name,
    },
    vanishes=True,
    log_group="/aws/sagemaker/InferenceComponents",
    has_group_each=True,
    log_lines=log_lines,
)


def summary(component: Component, now: float) -> dict[str, Any]:
    """Return a line of List."""
    step = component.course.at(now)
    return {
        "InferenceComponentName": component.name,
        "InferenceComponentArn": component.arn,
        "InferenceComponentStatus": step.status,
        "CreationTime": stamp(component.created_at),
        "LastModifiedTime": stamp(step.at),
        **place(component),
    }
