"""What the end-to-end tests of hosting look at and wait for."""

import copy
import json
from typing import Any

import yaml

from api.meta import JsonObject
from tests.deadline import NeverError, eventually
from tests.sandbox.conftest import World
from tests.sandbox.harness import REPOSITORY, Api, aws_call

DEPLOYMENTS, MODELS, CONFIGURATIONS = "hostingdeployments", "models", "endpointconfigs"
POLICIES = "hostingautoscalingpolicies"
REGION = "us-east-2"


def sample(name: str) -> JsonObject:
    """A sample manifest, in the region that `aws_call` asks."""
    loaded: JsonObject = yaml.safe_load((REPOSITORY / "samples" / f"{name}.yaml").read_text())
    loaded["spec"]["region"] = REGION
    return loaded


def deployment(name: str = "host-xgboost", **spec: Any) -> JsonObject:
    """The guide's deployment (older form), with fields of the spec replaced."""
    obj = sample("xgboost-mnist-hostingdeployment")
    obj["metadata"]["name"] = name
    obj["spec"] = copy.deepcopy(obj["spec"]) | spec
    return obj


def marked(obj: JsonObject, **environment: str) -> JsonObject:
    """The deployment with markers for the embedded SageMaker in its first container."""
    changed = copy.deepcopy(obj)
    entries = [{"name": name, "value": value} for name, value in environment.items()]
    changed["spec"]["containers"][0]["environment"] = entries
    return changed


def with_variant(obj: JsonObject, **fields: Any) -> JsonObject:
    """The deployment with fields of its first variant replaced."""
    changed = copy.deepcopy(obj)
    changed["spec"]["productionVariants"][0] |= fields
    return changed


def replace_spec(api: Api, obj: JsonObject, plural: str = DEPLOYMENTS) -> JsonObject:
    """What `kubectl apply` of an edited manifest does to the spec: on whatever version the operator has written."""
    patch = [{"op": "replace", "path": "/spec", "value": obj["spec"]}]
    path = api.path(obj["metadata"]["name"], plural=plural)
    return api.call("PATCH", path, patch, content="application/json-patch+json")


def until(
    api: Api,
    name: str,
    value: str,
    *,
    plural: str = DEPLOYMENTS,
    field: str = "endpointStatus",
    observed: bool = True,
) -> JsonObject:
    """Wait until the status field has `value` for the newest spec; returns the object."""

    def look() -> JsonObject | None:
        obj = api.get(name, plural=plural)
        status = (obj or {}).get("status") or {}
        is_new = not observed or (obj and status.get("observedGeneration") == obj["metadata"]["generation"])
        return obj if status.get(field) == value and is_new else None

    try:
        return eventually(look, what=f"{name}: {field}={value}")
    except NeverError as never:
        raise NeverError(f"{never}; object: {json.dumps(api.get(name, plural=plural), indent=1)}") from None


def until_gone(api: Api, name: str, plural: str = DEPLOYMENTS) -> None:
    """Wait until the object does not exist."""
    try:
        eventually(lambda: api.get(name, plural=plural) is None, what=f"{name} is gone")
    except NeverError as never:
        raise NeverError(f"{never}; object: {json.dumps(api.get(name, plural=plural), indent=1)}") from None


def endpoints(world: World) -> list[JsonObject]:
    """All endpoints at SageMaker."""
    found: list[JsonObject] = aws_call(world.aws.url, "ListEndpoints")["Endpoints"]
    return found


def configurations(world: World) -> list[JsonObject]:
    """All endpoint configurations at SageMaker."""
    found: list[JsonObject] = aws_call(world.aws.url, "ListEndpointConfigs")["EndpointConfigs"]
    return found


def models(world: World) -> list[JsonObject]:
    """All models at SageMaker."""
    found: list[JsonObject] = aws_call(world.aws.url, "ListModels")["Models"]
    return found


def left_at_sagemaker(world: World) -> list[str]:
    """Names of everything there is."""
    return (
        [each["EndpointName"] for each in endpoints(world)]
        + [each["EndpointConfigName"] for each in configurations(world)]
        + [each["ModelName"] for each in models(world)]
    )


def children(world: World) -> list[str]:
    """Names of all Model and EndpointConfig objects."""
    listed = [world.api.call("GET", world.api.path(plural=plural))["items"] for plural in (CONFIGURATIONS, MODELS)]
    return [each["metadata"]["name"] for items in listed for each in items]


def operations(world: World) -> list[str]:
    """AWS operations that the operator asked for, in order."""
    return [request.operation for request in world.to_aws.requests]
