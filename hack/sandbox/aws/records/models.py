"""Models and endpoint configurations: the checks of their Create operations, and the members of Describe.

Neither changes after its creation, nor does AWS protect one that is in use: both can be deleted at any time.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hack.sandbox.aws.records.images import check_model_image
from hack.sandbox.aws.records.resource import ErrorText, Kind, Resource, Store
from hack.sandbox.aws.records.triggers import MISSING
from hack.sandbox.aws.records.validation import echoed_members
from hack.sandbox.aws.wire import Call, invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticKind(Kind[Resource]):
    """A kind with resources without states; `check` raises ApiError for an invalid request."""

    check: Callable[[Call, Store], None]


def _check_model(call: Call, _store: Store) -> None:
    """Check a CreateModel request. Source: API reference of CreateModel; the texts are those that users report."""
    request = call.params
    if "PrimaryContainer" in request and "Containers" in request:
        raise invalid("You cannot specify both PrimaryContainer and Containers.")
    containers = list(_containers(request))
    if not containers and "InferenceExecutionConfig" not in request:
        raise invalid("You must specify either PrimaryContainer or Containers.")
    if MISSING in request.get("ExecutionRoleArn", ""):
        raise invalid(
            f"Could not access model data with role {request['ExecutionRoleArn']}. Please ensure that the role exists"
            " and that its trust relationship policy allows the action 'sts:AssumeRole' for the service principal"
            " 'sagemaker.amazonaws.com'."
        )
    for container in containers:
        if not container.get("Image") and not container.get("ModelPackageName"):
            raise invalid("Each container definition must specify either Image or ModelPackageName.")
        check_model_image(container.get("Image", ""), call.region)
        if MISSING in container.get("Image", ""):
            raise invalid(f"Requested image {container['Image']} not found.")
        if MISSING in container.get("ModelDataUrl", ""):
            raise invalid(f"Could not find model data at {container['ModelDataUrl']}.")
    hostnames = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(hostnames) != len(set(hostnames)):
        raise invalid(f"Container hostnames must be unique, found: {', '.join(hostnames)}")


def _containers(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    if "PrimaryContainer" in request:
        yield request["PrimaryContainer"]
    yield from request.get("Containers") or ()


def _describe_model(model: Resource, _now: float) -> dict[str, Any]:
    members = echoed_members("Model")
    answer = copy.deepcopy({member: value for member, value in model.request.items() if member in members})
    for container in _containers(answer):
        container.setdefault("Mode", "SingleModel")
        container.setdefault("Environment", {})
    answer.setdefault("EnableNetworkIsolation", False)
    return answer


def variants(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all variants of a configuration, shadow variants included."""
    return [*(config.get("ProductionVariants") or ()), *(config.get("ShadowProductionVariants") or ())]


def _check_config(call: Call, store: Store) -> None:
    """Check a CreateEndpointConfig request. Source: API reference of CreateEndpointConfig."""
    every = variants(call.params)
    names = [variant["VariantName"] for variant in every]
    if len(names) != len(set(names)):
        raise invalid(f"Variant names must be unique, found: {', '.join(names)}")
    for variant in every:
        if "ModelName" in variant:
            store.get(MODEL, call, variant["ModelName"])
        elif "ExecutionRoleArn" not in call.params:
            raise invalid(f"ModelName must be specified for the production variant {variant['VariantName']}.")
        if "ServerlessConfig" in variant:
            if "InstanceType" in variant or "InitialInstanceCount" in variant:
                raise invalid("InstanceType and InitialInstanceCount can't be set together with ServerlessConfig.")
        elif "InstanceType" not in variant or ("ModelName" in variant and "InitialInstanceCount" not in variant):
            raise invalid(
                f"InstanceType and InitialInstanceCount must be specified for the variant {variant['VariantName']}."
            )


def _describe_config(config: Resource, _now: float) -> dict[str, Any]:
    members = echoed_members("EndpointConfig")
    answer = copy.deepcopy({member: value for member, value in config.request.items() if member in members})
    for variant in variants(answer):
        variant.setdefault("InitialVariantWeight", 1.0)
    answer.setdefault("EnableNetworkIsolation", False)
    return answer


def _nothing_more(_resource: Resource, _now: float) -> dict[str, Any]:
    return {}


MODEL = StaticKind(
    resource="Model",
    arn_segment="model",
    items_member="Models",
    not_found=ErrorText("ValidationException", 'Could not find model "{arn}".'),
    exists=ErrorText("ValidationException", 'Cannot create already existing model "{arn}".'),
    check=_check_model,
    describe=_describe_model,
    summary=_nothing_more,
)
ENDPOINT_CONFIG = StaticKind(
    resource="EndpointConfig",
    arn_segment="endpoint-config",
    items_member="EndpointConfigs",
    not_found=ErrorText("ValidationException", 'Could not find endpoint configuration "{arn}".'),
    exists=ErrorText("ValidationException", 'Cannot create already existing endpoint configuration "{arn}".'),
    check=_check_config,
    describe=_describe_config,
    summary=_nothing_more,
)
STATIC_KINDS: tuple[StaticKind, ...] = (MODEL, ENDPOINT_CONFIG)
