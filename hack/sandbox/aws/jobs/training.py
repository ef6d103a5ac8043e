"""Training jobs: the checks of CreateTrainingJob, and the timeline of a job.

The timeline is Starting → Downloading → Training → Uploading → Completed. It changes if the algorithm fails, an input
is missing, a spot instance is interrupted, or the runtime or wait time of the stopping condition is over.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from hack.sandbox.aws.records.images import check_training_image
from hack.sandbox.aws.records.resource import Store
from hack.sandbox.aws.records.timeline import Course, Durations, Step
from hack.sandbox.aws.records.triggers import MISSING, Markers
from hack.sandbox.aws.wire import Call, invalid

_DEFAULT_MAX_RUNTIME_S = 86_400
_DEFAULT_FAILURE = 'ExecuteUserScriptError: Command "python train.py" exited with code 1'


def check(call: Call, _store: Store) -> tuple[()]:
    """Raise ValidationException for a well-formed but invalid request; a training job uses no other resources.

    Source: API reference of CreateTrainingJob; if the real wording is unknown, the code and the member are right.
    """
    request = call.params
    algorithm = request.get("AlgorithmSpecification", {})
    if not request.get("ServerlessJobConfig") and ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise invalid("You must specify either a training image or an algorithm name, but not both")
    channels = [channel["ChannelName"] for channel in request.get("InputDataConfig") or ()]
    if len(channels) != len(set(channels)):
        raise invalid(f"Channel names must be unique, found: {', '.join(channels)}")
    check_images(request, call.region)
    check_role(request["RoleArn"])
    _check_limits(request)
    return ()


def check_images(request: Mapping[str, Any], region: str) -> None:
    """Raise ValidationException if an image of a training job, or of its rules, is in another region's registry."""
    check_training_image((request.get("AlgorithmSpecification") or {}).get("TrainingImage", ""), region)
    for rules in ("DebugRuleConfigurations", "ProfilerRuleConfigurations"):
        for rule in request.get(rules) or ():
            check_training_image(rule.get("RuleEvaluatorImage", ""), region)


def check_role(arn: str) -> None:
    """Raise ValidationException if the role does not exist."""
    if MISSING in arn:
        raise invalid(
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal"
            " 'sagemaker.amazonaws.com' to assume the role."
        )


def _check_limits(request: Mapping[str, Any]) -> None:
    condition = request.get("StoppingCondition") or {}
    max_wait = condition.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if max_wait is None or max_wait < condition.get("MaxRuntimeInSeconds", _DEFAULT_MAX_RUNTIME_S):
            raise invalid(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
                " when EnableManagedSpotTraining is true"
            )
    elif max_wait is not None:
        raise invalid("MaxWaitTimeInSeconds can be set only when EnableManagedSpotTraining is true")
    instances = request.get("ResourceConfig") or {}
    if instances.get("InstanceGroups") and ("InstanceType" in instances or "InstanceCount" in instances):
        raise invalid("InstanceType and InstanceCount can't be set when InstanceGroups is set")


def plan(request: Mapping[str, Any], markers: Markers, now: float, durations: Durations) -> Course:
    """Return the timeline of a job created at `now`."""
    course = Course(tuple(_undisturbed(request, markers, now, durations)))
    condition = request.get("StoppingCondition") or {}
    course = _limit_runtime(course, condition.get("MaxRuntimeInSeconds", _DEFAULT_MAX_RUNTIME_S), durations)
    if request.get("EnableManagedSpotTraining"):
        # Those of a tuning job may have no such limit: the training jobs that it launches are not checked.
        deadline = now + condition.get("MaxWaitTimeInSeconds", _DEFAULT_MAX_RUNTIME_S)
        if course.at(deadline).status == "InProgress":
            course = _cut_short(course, deadline, "MaxWaitTimeExceeded", "Training job wait time exceeded", durations)
    return course


def stop(course: Course, now: float, durations: Durations) -> Course:
    """Return the timeline after a StopTrainingJob at `now`."""
    return _cut_short(course, now, "Stopped", "Training job stopped", durations)


def _undisturbed(request: Mapping[str, Any], markers: Markers, now: float, durations: Durations) -> Iterator[Step]:
    """Yield the steps of the job without a stop and without limits."""
    at = now
    attempts = _attempts(request, markers)
    missing = missing_input(request)
    for attempt in range(1, attempts + 1):
        yield Step(at, "InProgress", "Starting", "Preparing the instances for training")
        at += durations.starting_s
        yield Step(at, "InProgress", "Downloading", "Downloading input data")
        at += durations.downloading_s
        if missing is not None:
            yield Step(at, "Failed", "Failed", "Training job failed", f"ClientError: {missing}")
            return
        yield Step(at, "InProgress", "Training", "Training image download completed. Training in progress.")
        at += attempt_s(request, markers, durations)
        if attempt < attempts:
            yield Step(at, "InProgress", "Interrupted", "Training job interrupted: spot capacity is not available")
            at += durations.interrupted_s
    yield Step(at, "InProgress", "Uploading", "Uploading generated training model")
    at += durations.uploading_s
    if markers.fail is not None:
        yield Step(
            at,
            "Failed",
            "Failed",
            "Training job failed",
            f"AlgorithmError: {markers.fail or _DEFAULT_FAILURE}, exit code: 1",
        )
    else:
        yield Step(at, "Completed", "Completed", "Training job completed")


def attempt_s(request: Mapping[str, Any], markers: Markers, durations: Durations) -> float:
    """Return the planned training time in seconds, of each attempt."""
    planned_s = durations.training_s if markers.work_s is None else markers.work_s
    return planned_s / _attempts(request, markers)


def _attempts(request: Mapping[str, Any], markers: Markers) -> int:
    return 1 + (markers.interruptions if request.get("EnableManagedSpotTraining") else 0)


def missing_input(request: Mapping[str, Any]) -> str | None:
    """Return why the job cannot begin to train, in the service's wording, or None.

    Names decide which images and prefixes exist: those with "does-not-exist" in them do not.
    """
    if MISSING in (request.get("AlgorithmSpecification") or {}).get("TrainingImage", ""):
        return "Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect."
    for channel in request.get("InputDataConfig") or ():
        uri = (channel.get("DataSource", {}).get("S3DataSource") or {}).get("S3Uri", "")
        if MISSING in uri:
            return f"Data download failed:NoSuchKey (404): {no_objects(uri, request['RoleArn'])}"
    return None


def no_objects(uri: str, role: str) -> str:
    """Return SageMaker's message for an empty S3 prefix."""
    bucket = re.sub(r"^(s3|https)://([^/]+).*$", r"\2", uri)
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists,'
        f' that objects exist under that S3 prefix, and that the role "{role}" has "s3:ListBucket" permissions on'
        f' bucket "{bucket}".'
    )


def _limit_runtime(course: Course, max_runtime_s: float, durations: Durations) -> Course:
    """End the job once it has trained for `max_runtime_s`; interruptions do not count."""
    trained_s = 0.0
    for step, following in pairwise(course.steps):
        if step.secondary != "Training":
            continue
        left_s = max_runtime_s - trained_s
        if following.at - step.at > left_s:
            message = "Training job runtime exceeded MaxRuntimeInSeconds"
            return _cut_short(course, step.at + left_s, "MaxRuntimeExceeded", message, durations)
        trained_s += following.at - step.at
    return course


def _cut_short(course: Course, at: float, secondary: str, message: str, durations: Durations) -> Course:
    """End the job from `at` on: its container gets SIGTERM and time to save its model."""
    stopping = Step(at, "Stopping", "Stopping", "Stopping the training job")
    stopped = Step(at + durations.stopping_s, "Stopped", secondary, message)
    return course.cut(at, stopping, stopped)
