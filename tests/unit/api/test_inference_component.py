"""An InferenceComponent can ask for all that AWS's operations take, and shows what it is."""

from typing import Any

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from api.convert import to_request, to_spec
from api.v1 import INFERENCE_COMPONENT
from tests.unit.api.expected import request_shape

_SCALARS = {"string": "text", "integer": 7, "long": 7, "float": 1.5, "double": 1.5, "boolean": True}


def whole(shape: Shape) -> Any:
    """A value with every member."""
    if isinstance(shape, StructureShape):
        return {name: whole(member) for name, member in shape.members.items()}
    if isinstance(shape, ListShape):
        return [whole(shape.member)]
    if isinstance(shape, MapShape):
        return {"key": whole(shape.value)}
    return _SCALARS[shape.type_name]


@pytest.mark.parametrize("operation", ["CreateInferenceComponent", "UpdateInferenceComponent"])
def test_every_member_of_a_request_comes_from_the_manifest(operation: str) -> None:
    """There and back; the name is the caller's to set."""
    request = whole(request_shape("sagemaker", operation))
    assert request.pop("InferenceComponentName")
    assert to_request(INFERENCE_COMPONENT, to_spec(INFERENCE_COMPONENT, request), operation) == request
