"""Transform and processing jobs: the checks of their Create operations, and their timelines.

Both start instances, work, and end; the timeline changes if the algorithm fails, an input is missing, the job is
stopped or, for processing jobs, the time limit is over.
"""

from collections.abc import Mapping
from typing import Any

from hack.sandbox.aws.jobs.training import check_role, no_objects
from hack.sandbox.aws.records.images import check_processing_image
from hack.sandbox.aws.records.models import MODEL
from hack.sandbox.aws.records.resource import Store
from hack.sandbox.aws.records.timeline import Course, Durations, Step
from hack.sandbox.aws.records.triggers import MISSING, Markers
from hack.sandbox.aws.wire import Call, invalid

WORKING = "Working"  # the stage in which a job has its instances; an internal name, not in responses
_DEFAULT_PROCESSING_LIMIT_S = 86_400


def check_transform(call: Call, store: Store) -> tuple[Mapping[str, Any], ...]:
    """Raise ValidationException unless the model exists; return the model's request.

    Source: API reference of CreateTransformJob.
    """
    return (store.get(MODEL, call, call.params["ModelName"]).request,)


def plan_transform(request: Mapping[str, Any], markers: Markers, now: float, durations: Durations) -> Course:
    """Return the timeline of a transform job created at `now`."""
    uri = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    work_s = durations.transform_s if markers.work_s is None else markers.work_s
    if MISSING in uri:
        return _course(now, durations.starting_s, 0.0, f"ClientError: No S3 objects found under S3 URL '{uri}'")
    if markers.fail is not None:
        return _course(now, durations.starting_s, work_s, f"AlgorithmError: {exit_message(markers)}")
    return _course(now, durations.starting_s, work_s)


def check_processing(call: Call, _store: Store) -> tuple[()]:
    """Raise ValidationException for a well-formed but invalid request; it uses no other resources here.

    Source: API reference of CreateProcessingJob.
    """
    request = call.params
    check_processing_image(request["AppSpecification"]["ImageUri"], call.region)
    check_role(request["RoleArn"])
    outputs = (request.get("ProcessingOutputConfig") or {}).get("Outputs") or ()
    for member, things in (("InputName", request.get("ProcessingInputs") or ()), ("OutputName", outputs)):
        names = [thing[member] for thing in things]
        if len(names) != len(set(names)):
            raise invalid(f"{member} must be unique, found: {', '.join(names)}")
    return ()


def plan_processing(request: Mapping[str, Any], markers: Markers, now: float, durations: Durations) -> Course:
    """Return the timeline of a processing job created at `now`."""
    missing = missing_input(request)
    work_s = durations.processing_s if markers.work_s is None else markers.work_s
    if missing:
        course = _course(now, durations.starting_s, 0.0, f"ClientError: {missing}")
    elif markers.fail is not None:
        course = _course(now, durations.starting_s, work_s, f"AlgorithmError: {exit_message(markers)}, exit code: 1")
    else:
        course = _course(now, durations.starting_s, work_s)
    limit_s = (request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", _DEFAULT_PROCESSING_LIMIT_S)
    deadline = now + durations.starting_s + limit_s
    return stop(course, deadline, durations) if course.end.at > deadline else course


def exit_message(markers: Markers) -> str:
    """Return the message of a container that fails by a marker: by default SageMaker's for one without a message."""
    return markers.fail or "See job logs for more information"


def missing_input(request: Mapping[str, Any]) -> str:
    """Return why a processing job cannot begin to work, in the service's wording, or nothing."""
    if MISSING in request["AppSpecification"]["ImageUri"]:
        return "Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect."
    for given in request.get("ProcessingInputs") or ():
        uri = (given.get("S3Input") or {}).get("S3Uri", "")
        if MISSING in uri:
            return f"Data download failed:{no_objects(uri, request['RoleArn'])}"
    return ""


def stop(course: Course, now: float, durations: Durations) -> Course:
    """Return the timeline after a Stop at `now`."""
    stopping = Step(now, "Stopping", "Stopping", "")
    return course.cut(now, stopping, Step(now + durations.stopping_s, "Stopped", "Stopped", ""))


def _course(now: float, starting_s: float, work_s: float, failure: str = "") -> Course:
    begun = now + starting_s
    status = "Failed" if failure else "Completed"
    return Course(
        (
            Step(now, "InProgress", "Starting", ""),
            Step(begun, "InProgress", WORKING, ""),
            Step(begun + work_s, status, status, "", failure),
        )
    )
