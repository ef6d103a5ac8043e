"""Reading answers and refusals more closely than boto3 does."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from hack.sandbox.aws.records.validation import service_model
from tests.deadline import PATIENCE_S
from tests.unit.sandbox_aws.conftest import REGION


def refusal(call: Any, **members: Any) -> tuple[str, str, int]:
    """Code, message and HTTP status of a refused call."""
    with pytest.raises(ClientError) as refused:
        call(**members)
    response = refused.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


def raw(url: str, operation: str, body: str, service: str = "sagemaker") -> tuple[int, dict[str, str], Any]:
    """One call without boto3's own checks: status, headers, decoded body."""
    host = urlsplit(url).netloc
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_S)
    scope = f"Credential=key/20300101/{REGION}/{service}/aws4_request"
    try:
        headers = {"X-Amz-Target": f"Service.{operation}", "Authorization": f"AWS4-HMAC-SHA256 {scope}"}
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), json.loads(answer.read() or b"null")
    finally:
        connection.close()


LATE = frozenset({".ModelArtifacts"})
"""Required members that SageMaker leaves out all the same, until it has them."""


def departures(url: str, operation: str, params: dict[str, Any], service: str = "sagemaker") -> list[str]:
    """Where an answer departs from its service model: members it does not know, and required ones that are missing."""
    _, _, answer = raw(url, operation, json.dumps(params), service)
    shape = service_model(service).operation_model(operation).output_shape
    return [each for each in _departures(shape, answer) if each.removesuffix(" is missing") not in LATE]


def _departures(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Paths of unknown members, which boto3 drops silently, and of missing ones, without which typed clients fail."""
    if isinstance(shape, StructureShape):
        yield from (f"{path}.{name} is missing" for name in shape.required_members if name not in value)
        for name, item in value.items():
            if name not in shape.members:
                yield f"{path}.{name}"
            else:
                yield from _departures(shape.members[name], item, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        for item in value:
            yield from _departures(shape.member, item, f"{path}[]")
    elif isinstance(shape, MapShape):
        for item in value.values():
            yield from _departures(shape.value, item, f"{path}{{}}")
