"""Builds DescribeEndpoint responses, and the lines that instances write to CloudWatch."""

import copy
import hashlib
from collections.abc import Iterator
from typing import Any

from hack.sandbox.aws.hosting.endpoints import Endpoint, EndpointStep, Fleet, Variant, instance_id
from hack.sandbox.aws.records.resource import LogStream, stamp


def describe(endpoint: Endpoint, now: float) -> dict[str, Any]:
    """Return the members of DescribeEndpoint other than name, ARN, status, failure and the two times.

    An endpoint that is being created has no variants yet; one that is being updated shows the running variants, and
    the future ones in PendingDeploymentSummary.
    """
    step = endpoint.course.at(now)
    answer: dict[str, Any] = {"EndpointConfigName": step.fleet.config_name}
    if step.is_deployed:
        answer |= _variants(step.fleet, step)
    answer |= _echoed(step.fleet)
    if step.fleet.deployment is not None:
        answer["LastDeploymentConfig"] = dict(step.fleet.deployment)
    if step.pending is not None:
        answer["PendingDeploymentSummary"] = {
            "EndpointConfigName": step.pending.config_name,
            "StartTime": stamp(step.at),
            "ProductionVariants": [_pending(variant) for variant in step.pending.variants if not variant.is_shadow],
        }
    return answer


def _variants(fleet: Fleet, step: EndpointStep) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "ProductionVariants": [_variant(variant, step.at) for variant in fleet.variants if not variant.is_shadow]
    }
    shadows = [_variant(variant, step.at) for variant in fleet.variants if variant.is_shadow]
    return shown | ({"ShadowProductionVariants": shadows} if shadows else {})


def _variant(variant: Variant, since: float) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "VariantName": variant.name,
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": resolved(image), "ResolutionTime": stamp(since)}
            for image in variant.images
        ],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.desired_weight,
    }
    serverless = variant.given.get("ServerlessConfig")
    if serverless is not None:
        return answer | {"CurrentServerlessConfig": dict(serverless), "DesiredServerlessConfig": dict(serverless)}
    return answer | {"CurrentInstanceCount": variant.count, "DesiredInstanceCount": variant.desired_count}


def _pending(variant: Variant) -> dict[str, Any]:
    answer: dict[str, Any] = {"VariantName": variant.name, "DesiredWeight": variant.desired_weight}
    if variant.desired_count is not None:
        answer |= {"CurrentInstanceCount": 0, "DesiredInstanceCount": variant.desired_count}
    if "InstanceType" in variant.given:
        answer["InstanceType"] = variant.given["InstanceType"]
    return answer


def _echoed(fleet: Fleet) -> dict[str, Any]:
    """Return the members that Describe repeats from the configuration."""
    answer = {
        member: copy.deepcopy(fleet.config[member])
        for member in ("AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig")
        if member in fleet.config
    }
    capture = fleet.config.get("DataCaptureConfig")
    if capture is not None:
        is_on = capture.get("EnableCapture", False)
        answer["DataCaptureConfig"] = {
            "EnableCapture": is_on,
            "CaptureStatus": "Started" if is_on else "Stopped",
            "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
            "DestinationS3Uri": capture["DestinationS3Uri"],
            "KmsKeyId": capture.get("KmsKeyId", ""),
        }
    return answer


def resolved(image: str) -> str:
    """Return an image with the digest that AWS resolves it to."""
    return f"{image.partition(':')[0]}@sha256:{hashlib.sha256(image.encode()).hexdigest()}"


def log_lines(endpoint: Endpoint, now: float) -> Iterator[LogStream]:
    """Yield a stream for each instance that ever served, `<variant>/<instance>`, and one for a failed start."""
    streams: dict[str, list[tuple[float, str]]] = {}
    for step in endpoint.course.reached(now):
        if step.status == "Failed":
            name = f"{step.fleet.variants[0].name}/{instance_id(endpoint, step.fleet, step.fleet.variants[0].name, 0)}"
            streams[name] = [(step.at, "INFO: starting the model server"), (step.at, f"ERROR: {step.failure}")]
        if step.status != "InService":
            continue
        for variant in step.fleet.variants:
            for number in range(variant.count or 1):
                name = f"{variant.name}/{instance_id(endpoint, step.fleet, variant.name, number)}"
                streams.setdefault(name, [(step.at, "INFO: model server started, ready for requests")])
    for at, instance, text in endpoint.invocations:
        streams.setdefault(instance, [(at, "INFO: model server started, ready for requests")]).append((at, text))
    yield from (LogStream(name, lines[0][0], tuple(lines)) for name, lines in streams.items())
