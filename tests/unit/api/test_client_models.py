"""The operator's own service models: all that it calls, as botocore describes it, and nothing else."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from api.models import SERVICE_MODELS, load, shared_loader
from controller.aws.clients import new_session
from hack import models
from tests.tables import each_row

SERVICES = sorted(models.client_models())


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_model_has_the_operations_of_the_iam_policy(service: str) -> None:
    """What the operator may call it can call; `python -m hack.crds --refresh` takes what is missing."""
    assert set(load(service)["operations"]) == models.client_models()[service]


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_model_says_what_botocore_says(service: str) -> None:
    """Requests and answers have the same members and wire names; a newer botocore may know more of them."""
    ours, theirs = ServiceModel(load(service), service), ServiceModel(models.installed(service), service)
    assert ours.metadata.items() <= theirs.metadata.items()
    for name in ours.operation_names:
        mine, other = ours.operation_model(name), theirs.operation_model(name)
        assert mine.http == other.http
        for half in ("input_shape", "output_shape"):
            missing = set(_members(getattr(mine, half), "")) - set(_members(getattr(other, half), ""))
            assert not missing, f"{name}: botocore has no such members any more"


def _members(shape: Shape | None, path: str, above: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield path and type of all members below a shape; a shape within itself once."""
    if shape is None or shape.name in above:
        return
    yield path, shape.type_name
    above = (*above, shape.name)
    if isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            yield from _members(member, f"{path}.{name}", above)
    elif isinstance(shape, ListShape):
        yield from _members(shape.member, f"{path}[]", above)
    elif isinstance(shape, MapShape):
        yield from _members(shape.value, f"{path}{{}}", above)


def test_no_prose_is_shipped() -> None:
    """Documentation is most of botocore's model; members that are named like it stay."""
    description = load("sagemaker")
    assert "documentation" not in json.dumps({**description, "shapes": {}})
    assert not [name for name, shape in description["shapes"].items() if "documentation" in shape]


def test_a_model_of_the_users_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_DATA_PATH is there for private partitions and previews: botocore's rule holds."""
    description: dict[str, Any] = {**load("sagemaker"), "operations": {}}
    path = models.client_model_path("sagemaker", description)
    theirs = tmp_path / path.relative_to(SERVICE_MODELS)
    theirs.parent.mkdir(parents=True)
    theirs.write_text(json.dumps(description))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    assert shared_loader.__wrapped__().load_service_model("sagemaker", "service-2")["operations"] == {}


@each_row("service", ["sagemaker", "application-autoscaling", "logs", "sqs", "sts"])
@each_row("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "xx-future-1"])
def test_endpoints_are_those_of_botocore(service: str, region: str) -> None:
    """The shortened list of endpoints names the same hosts as the whole one, for regions of the future, too."""

    def endpoint(session: Any) -> str:
        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        url: str = session.create_client(service, region_name=region, **keys).meta.endpoint_url
        return url

    ours, theirs = sessions()
    assert endpoint(ours) == endpoint(theirs)


@cache
def sessions() -> tuple[botocore.session.Session, botocore.session.Session]:
    """Ours, and one with all that is installed: each reads a list of endpoints and a model once."""
    return new_session(), botocore.session.Session()
