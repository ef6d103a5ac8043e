"""Conversion for any spec that the schema allows: what is sent, botocore takes; what was sent, comes back.

The specs are drawn from the kind's tree of fields, the requests judged by botocore's own validator.
"""

from functools import cache
from typing import Any

import pytest
from botocore.model import Shape
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.convert import ConversionError, to_request, to_spec, to_status
from api.descriptor import KindDescriptor
from api.fields import Field, installed
from api.form import Form
from api.meta import JsonObject
from api.models import as_model, load_installed
from api.v1 import ALL_KINDS

_TEXT = st.characters(exclude_categories=("Cs", "Cc"))

each_kind = pytest.mark.parametrize("kind", ALL_KINDS, ids=lambda kind: kind.kind)
# Specs are wide; generating one takes longer than Hypothesis expects of an example.
unhurried = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@each_kind
@unhurried
@given(data=st.data())
def test_botocore_takes_every_request_made_from_a_valid_spec(kind: KindDescriptor, data: st.DataObject) -> None:
    """No spec that passes the schema fails in the client's own validation."""
    spec = data.draw(_specs(kind))

    request = to_request(kind, spec) | {kind.name.member: "a-name"}

    assert not ParamValidator().validate(request, _request_shape(kind)).has_errors()


@each_kind
@unhurried
@given(data=st.data())
def test_what_was_sent_comes_back_as_the_spec(kind: KindDescriptor, data: st.DataObject) -> None:
    """to_spec is the inverse, up to the order of pairs, the operator's own fields and what says nothing."""
    spec = data.draw(_specs(kind))
    root = installed(kind).spec

    request = to_request(kind, spec)

    expected = _normal(root, spec)
    expected.pop(kind.name.spec_field, None)
    assert to_spec(kind, request) == expected
    assert to_request(kind, to_spec(kind, request)) == request


@each_kind
@unhurried
@given(data=st.data(), junk=st.dictionaries(st.text(min_size=1), st.integers(), max_size=3))
def test_keys_that_no_field_has_change_nothing(kind: KindDescriptor, data: st.DataObject, junk: JsonObject) -> None:
    """Unknown fields are never sent."""
    spec = data.draw(_specs(kind))
    known = {field.name for field in installed(kind).spec.fields}

    assert to_request(kind, spec | {k: v for k, v in junk.items() if k not in known}) == to_request(kind, spec)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@each_kind
@settings(max_examples=50, deadline=None)
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
            return st.floats(min_value=least, allow_nan=False, allow_infinity=False)
        case Form.BOOLEAN:
            return st.booleans()
        case Form.TIME:
            return st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


@cache
def _specs(kind: KindDescriptor) -> st.SearchStrategy[JsonObject]:
    return _values(installed(kind).spec, _request_shape(kind))


@cache
def _request_shape(kind: KindDescriptor) -> Shape:
    """From the model that clients use."""
    return as_model(kind.service, load_installed(kind.service)).operation_model(kind.operations.create).input_shape


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
