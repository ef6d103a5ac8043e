"""The kinds that are made of several requests: every field of v1 reaches each AWS member that the table names."""

import copy
from typing import Any

import pytest

from api import autoscaling, hosting
from api.convert import to_request
from api.meta import JsonObject
from api.v1 import ENDPOINT_CONFIG, HOSTING_DEPLOYMENT, MODEL
from tests.tables import each_row
from tests.unit.api.contract import Row, at, sample, segments_of, spec_rows

# All names are "text", which is what a row's field is set to: whatever refers to something then still does.
_INLINE: JsonObject = {
    "region": "us-east-2",
    "productionVariants": [
        {"variantName": "text", "modelName": "text", "instanceType": "ml.m5.xlarge", "initialInstanceCount": 1}
    ],
    "models": [
        {
            "name": "text",
            "executionRoleArn": "arn:aws:iam::123456789012:role/x",
            "containers": [{"containerHostname": "text"}, {"containerHostname": "second"}],
        }
    ],
    "tags": [{"key": "text", "value": "text"}],
}
_BY_NAME = {
    **_INLINE,
    "models": [{**_INLINE["models"][0], "primaryContainer": "text", "containers": ["text"]}],
    "containers": [{"containerHostname": "text"}],
}
_BY_NAMES = {
    **_INLINE,
    "models": [{**_INLINE["models"][0], "primaryContainer": "text", "containers": ["text", "second"]}],
    "containers": [{"containerHostname": "text"}, {"containerHostname": "second"}],
}
_POLICY: JsonObject = {
    "region": "us-east-2",
    "resourceId": [{"endpointName": "text", "variantName": "text"}],
    "targetTrackingScalingPolicyConfiguration": {
        "targetValue": 60,
        "predefinedMetricSpecification": {"predefinedMetricType": "text"},
    },
}


def _cases(kind: str) -> list[Any]:
    return [
        pytest.param(row, member, id=f"{row.path} -> {member.partition(':')[2]}")
        for row in spec_rows(kind)
        if row.aws_type
        for member in row.aws_member.split(" ; ")
        if not member.endswith("EndpointName")
    ]


@each_row(("row", "member"), _cases("HostingDeployment"))
def test_every_field_of_a_deployment_reaches_its_aws_members(row: Row, member: str) -> None:
    """Column aws_member: containers in either form, one of them as the primary one, more of them in order."""
    spec = _with(row, _base_for(row, member))

    request, segments, part = _reached(_deployment_requests(spec), member)

    _assert_same(row, at(request, segments), part)


@each_row(("row", "member"), _cases("HostingAutoscalingPolicy"))
def test_every_field_of_a_policy_reaches_its_aws_members(row: Row, member: str) -> None:
    """Column aws_member: what both requests have goes to both."""
    base = copy.deepcopy(_POLICY)
    if "customized" in row.path:
        del base["targetTrackingScalingPolicyConfiguration"]["predefinedMetricSpecification"]
        base["targetTrackingScalingPolicyConfiguration"]["customizedMetricSpecification"] = {"metricName": "m"}
    spec = _with(row, base)

    (made,) = autoscaling.requests(spec)
    sent = {"RegisterScalableTargetRequest": made.target, "PutScalingPolicyRequest": made.policy}
    request, segments, part = _reached(sent, member)

    _assert_same(row, at(request, segments), part)


def test_the_name_of_the_endpoint_is_for_the_caller_to_set() -> None:
    """As with the other kinds: it may be a generated one."""
    for operation in HOSTING_DEPLOYMENT.operations.sending:
        assert "EndpointName" not in to_request(HOSTING_DEPLOYMENT, {"endpointName": "given"}, operation)


def _base_for(row: Row, member: str) -> JsonObject:
    if row.path.startswith("spec.containers") or row.path.endswith("(string)"):
        return _BY_NAMES if ".Containers" in member else _BY_NAME
    return _INLINE


def _deployment_requests(spec: JsonObject) -> dict[str, JsonObject]:
    wanted = hosting.resolve(spec)
    return {
        "CreateModelInput": to_request(MODEL, wanted.models[0].spec),
        "CreateEndpointConfigInput": to_request(ENDPOINT_CONFIG, wanted.configuration_with({"text": "text"})),
        "CreateEndpointInput": to_request(HOSTING_DEPLOYMENT, spec),
        "UpdateEndpointInput": to_request(HOSTING_DEPLOYMENT, spec, "UpdateEndpoint"),
    }


def _with(row: Row, base: JsonObject) -> JsonObject:
    """The spec with a value at the row's path; what is there already and holds others stays."""
    spec = copy.deepcopy(base)
    holder: Any = spec
    *parents, last = row.segments[1:]
    for n, segment in enumerate(parents):
        below = ([*parents, last])[n + 1]
        if segment == "[]":
            if not holder:
                holder.append([] if below == "[]" else {})
            holder = holder[0]
        else:
            holder = holder.setdefault(segment, [] if below == "[]" else {})
    if last == "[]":
        if not holder:
            holder.append(sample(row))
    elif not (row.type.startswith(("array", "object")) and holder.get(last)):
        holder[last] = _least(row)
    return spec


def _least(row: Row) -> Any:
    """A value that is not left out for being empty."""
    return {"array<object>": [{}], "array<string>": ["text"]}.get(row.type, sample(row))


def _reached(requests: dict[str, JsonObject], member: str) -> tuple[JsonObject, list[str], str]:
    path, _, part = member.partition(" (")
    shape, _, segments = path.partition(":")[2].partition(".")
    return requests[shape], segments_of(segments), part


def _assert_same(row: Row, reached: Any, part: str) -> None:
    if part:
        assert reached == ({"text": ""} if part == "map key)" else {"": "text"})
    elif row.path == "spec.resourceId":
        assert reached == "endpoint/text/variant/text"
    elif row.type.startswith(("array", "object")) or row.path.endswith("(string)"):
        assert reached or reached == {}  # what it holds has rows of its own
    else:
        assert reached == sample(row)
