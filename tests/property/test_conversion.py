"""Conversion for any spec that the schema allows: what is sent, botocore takes; what was sent, comes back.

The specs are drawn from the kind's tree of fields, the requests judged by botocore's own validator.
"""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import hosting
from api.convert import ConversionError, to_request, to_spec, to_status
from api.descriptor import KindDescriptor
from api.fields import Field, installed
from api.form import Form
from api.meta import JsonObject
from api.models import as_model
from api.v1 import ENDPOINT_CONFIG, KINDS, MODEL
from hack import models

pytestmark = pytest.mark.long

_FILLED_IN: dict[str, JsonObject] = {
    "CreateEndpoint": {"EndpointName": "a-name", "EndpointConfigName": "a-name"},
    "UpdateEndpoint": {"EndpointName": "a-name", "EndpointConfigName": "a-name"},
    "CreateEndpointConfig": {"EndpointConfigName": "a-name"},
    "RegisterScalableTarget": {"ResourceId": "endpoint/e/variant/v"},
    "PutScalingPolicy": {"PolicyName": "a-name", "ResourceId": "endpoint/e/variant/v"},
    "StartPipelineExecution": {"ClientRequestToken": "a-token".ljust(32, "0")},
    "CreatePipeline": {"PipelineName": "a-name", "ClientRequestToken": "a-token".ljust(32, "0")},
    "UpdateModelPackage": {"ModelPackageArn": "an-arn"},
}
"""What the operator adds to a request, where that is not just the name."""
_TEXT = st.characters(exclude_categories=("Cs", "Cc"))

each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
each_request = pytest.mark.parametrize(
    ("kind", "operation"),
    [(kind, operation) for kind in KINDS for operation in kind.operations.sending],
    ids=lambda value: value if isinstance(value, str) else value.kind,
)
# Specs are wide; generating one takes longer than Hypothesis expects of an example.
unhurried = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@each_request
@unhurried
@given(data=st.data(), junk=st.dictionaries(st.text(min_size=1), st.integers(), max_size=3))
def test_any_valid_spec_makes_a_request_that_botocore_takes_and_that_comes_back_as_the_spec(
    kind: KindDescriptor, operation: str, data: st.DataObject, junk: JsonObject
) -> None:
    """Three rules for the same specs, of which each is costly to draw.

    No spec that passes the schema fails in the client's own validation. `to_spec` is the inverse, up to the order of
    pairs, the operator's own fields and what says nothing. Unknown fields are never sent.
    """
    spec = data.draw(_specs(kind, operation))

    request = to_request(kind, spec, operation)

    named = request | _FILLED_IN.get(operation, {kind.name.member: "a-name"})
    assert not ParamValidator().validate(named, _request_shape(kind, operation)).has_errors()
    known = {field.name for field in installed(kind).spec.fields}
    assert to_request(kind, spec | {k: v for k, v in junk.items() if k not in known}, operation) == request
    expected, back = _normal(_sent(kind, operation), spec), to_spec(kind, request)
    for chosen in (kind.name.spec_field, kind.name.chosen_by):  # of the object, wherever requests have it
        for each in (expected, back):
            each.pop(chosen, None)
    assert back == expected
    assert to_request(kind, to_spec(kind, request), operation) == request


@unhurried
@given(data=st.data())
def test_the_children_of_any_deployment_make_requests_that_botocore_takes(data: st.DataObject) -> None:
    """In either form of the manifest, with one container or more; both forms give the same children."""
    models = data.draw(st.lists(_models(), min_size=1, max_size=3))
    variants = data.draw(st.lists(_variants(), min_size=1, max_size=3))
    inline, named, shared = [], [], []
    for n, (model, containers) in enumerate(models):
        hostnames = [f"c{n}-{i}" for i in range(len(containers))]
        own = [container | {"containerHostname": name} for container, name in zip(containers, hostnames, strict=True)]
        inline.append(model | {"name": f"m{n}", "containers": own})
        named.append(model | {"name": f"m{n}", "containers": hostnames, "primaryContainer": hostnames[0]})
        shared.extend(own)
    placed = [variant | {"modelName": f"m{n % len(models)}"} for n, variant in enumerate(variants)]
    spec = {"region": "us-east-2", "productionVariants": placed}

    wanted = hosting.resolve(spec | {"models": inline})

    assert wanted == hosting.resolve(spec | {"models": named, "containers": shared})
    for child in wanted.models:
        request = to_request(MODEL, child.spec) | {"ModelName": "a-name"}
        assert not ParamValidator().validate(request, _request_shape(MODEL, "CreateModel")).has_errors()
        assert ("PrimaryContainer" in request) != ("Containers" in request)
    names = {child.name: f"{child.name}-at-aws" for child in wanted.models}
    request = to_request(ENDPOINT_CONFIG, wanted.configuration_with(names)) | {"EndpointConfigName": "a-name"}
    shape = _request_shape(ENDPOINT_CONFIG, "CreateEndpointConfig")
    assert not ParamValidator().validate(request, shape).has_errors()
    assert {variant["ModelName"] for variant in request["ProductionVariants"]} <= set(names.values())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@each_kind
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_object_however_odd_gives_anything_but_a_request_or_a_conversion_error(
    kind: KindDescriptor, data: st.DataObject
) -> None:
    """D-06: one bad object hurts nobody else."""
    fields = installed(kind)
    names = st.sampled_from([field.name for field in fields.spec.fields])
    members = st.sampled_from([field.member for field in fields.status.fields if field.member] + ["X"])

    for convert, keys in ((to_request, names), (to_status, members)):
        value = data.draw(st.dictionaries(keys, _JSON, max_size=4))
        try:
            convert(kind, value)
        except ConversionError as refused:
            if not refused.path.startswith(("spec", "status")):
                raise


def _values(field: Field, shape: Shape) -> st.SearchStrategy[Any]:
    """What schema and service model allow for a field; patterns apart, which only AWS itself checks.

    v1's least lengths are often looser than AWS's, which botocore checks too: the larger of both.
    """
    most = field.maximum
    least = max(int(field.minimum or 0), int(shape.metadata.get("min", 0)))
    match field.form:
        case Form.STRUCTURE:
            given = {child.name: _values(child, shape.members[child.member]) for child in field.fields if child.member}
            required = {child.name for child in field.fields if child.required or child.required_by_aws}
            return st.fixed_dictionaries(
                {name: values for name, values in given.items() if name in required},
                optional={name: values for name, values in given.items() if name not in required},
            )
        case Form.LIST:
            assert field.item is not None
            return st.lists(_values(field.item, shape.member), min_size=least, max_size=min(int(most or 2), least + 2))
        case Form.PAIRS:
            name, value = field.fields
            pair = st.fixed_dictionaries({"name": _values(name, shape.key), "value": _values(value, shape.value)})
            return st.lists(pair, min_size=least, max_size=min(int(most or 3), least + 3))
        case Form.STRING:
            if field.enum:
                return st.sampled_from(field.enum)
            limit = min(int(most), least + 8) if most is not None else least + 8
            return st.text(_TEXT, min_size=least, max_size=limit)
        case Form.INTEGER:
            return st.integers(min_value=least, max_value=int(most) if most is not None else 2**31 - 1)
        case Form.NUMBER:
            lowest = max(float(field.minimum or 0), float(shape.metadata.get("min", 0)))
            return st.floats(min_value=lowest, allow_nan=False, allow_infinity=False)
        case Form.BOOLEAN:
            return st.booleans()
        case Form.TIME:
            return st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


@cache
def _specs(kind: KindDescriptor, operation: str) -> st.SearchStrategy[JsonObject]:
    return _values(_sent(kind, operation), _request_shape(kind, operation))


def _sent(kind: KindDescriptor, operation: str) -> Field:
    """The part of a spec that one operation sends."""
    root = installed(kind).spec
    return replace(root, fields=tuple(field for field in root.fields if operation in field.sent_by))


@cache
def _models() -> st.SearchStrategy[tuple[JsonObject, list[JsonObject]]]:
    """A Model's spec without its containers, and these."""
    spec = _specs(MODEL, "CreateModel").map(
        lambda spec: {k: v for k, v in spec.items() if k not in ("containers", "primaryContainer", "tags")}
    )
    (container,) = [field for field in installed(MODEL).spec.fields if field.name == "primaryContainer"]
    shape = _request_shape(MODEL, "CreateModel").members["PrimaryContainer"]
    return st.tuples(spec, st.lists(_values(container, shape), min_size=1, max_size=3))


@cache
def _variants() -> st.SearchStrategy[JsonObject]:
    (field,) = [field for field in installed(ENDPOINT_CONFIG).spec.fields if field.name == "productionVariants"]
    assert field.item is not None
    shape = _request_shape(ENDPOINT_CONFIG, "CreateEndpointConfig").members["ProductionVariants"].member
    return _values(field.item, shape)


@cache
def _service(name: str) -> ServiceModel:
    """The model that clients use."""
    return as_model(name, models.installed(name))


@cache
def _request_shape(kind: KindDescriptor, operation: str) -> Shape:
    return _service(kind.service).operation_model(operation).input_shape


def _normal(field: Field, value: Any) -> Any:
    """A spec as it comes back: pairs sorted by name, the last of equal names; empty optional lists gone."""
    match field.form:
        case Form.STRUCTURE:
            return {
                child.name: _normal(child, value[child.name])
                for child in field.fields
                if child.member and child.name in value and (value[child.name] != [] or child.required_by_aws)
            }
        case Form.LIST:
            assert field.item is not None
            return [_normal(field.item, item) for item in value]
        case Form.PAIRS:
            latest = {pair["name"]: pair["value"] for pair in value}
            return [{"name": name, "value": latest[name]} for name in sorted(latest)]
        case _:
            return value
