"""The operator's own service models: all that it calls, as botocore describes it, and nothing else."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from api.models import SERVICE_MODELS, load, shared_loader
from controller.aws import console
from controller.aws.clients import new_session
from hack import models
from tests.tables import each_row

SERVICES = sorted(models.client_models())
_ANYWHERE = {"region_name": "us-east-1", "aws_access_key_id": "none", "aws_secret_access_key": "none"}


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


def test_models_are_read_into_plain_dictionaries() -> None:
    """In their order, which is that of members in requests. botocore's ordered ones are nearly twice as large."""
    found = shared_loader.__wrapped__().load_service_model("sagemaker", "service-2")
    assert type(found["shapes"]) is dict
    assert found == JSONFileLoader().load_file(str(models.client_model_path("sagemaker", found).with_suffix("")))


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


def test_what_cannot_be_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As botocore does it: a home may be that of another user, whom a pod does not run as."""
    (tmp_path / "endpoints.json").mkdir()
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    assert shared_loader.__wrapped__().load_data("endpoints")["partitions"]


def test_the_list_of_endpoints_says_what_botocore_says() -> None:
    """Partitions, regions and hosts are AWS's data: shortened, never edited. A newer botocore may know more of them."""
    ours = json.loads(models.ENDPOINTS.read_text("utf-8"))
    theirs = models.installed_endpoints()

    assert models.endpoints(ours) == ours
    assert "ec2" in theirs["partitions"][0]["services"]
    assert _differences(ours, theirs) == []


def _differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Return what is not there, or otherwise; partitions are compared by their names."""
    if path == "/partitions":
        ours, theirs = ({each["partition"]: each for each in every} for every in (ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = [f"{path}/{key}" for key in ours.keys() - theirs.keys()]
        return missing + [
            line
            for key in ours.keys() & theirs.keys()
            for line in _differences(ours[key], theirs[key], f"{path}/{key}")
        ]
    return [] if ours == theirs else [path]


def test_no_code_of_the_operators_reads_the_whole_list_of_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parsed it is 7 MB: one session apart from the shared loader kept a second copy of it."""
    read: set[str] = set()
    whole = Loader.load_data_with_path

    def load_data_with_path(self: Loader, name: str) -> Any:
        data, path = whole(self, name)
        read.add(path)
        return data, path

    monkeypatch.setattr(Loader, "load_data_with_path", load_data_with_path)
    for cached in (shared_loader, console._partitions, console.partition_of):
        cached.cache_clear()
    new_session().create_client("sagemaker", **_ANYWHERE)

    assert console.partition_of("cn-north-1") == "aws-cn"
    assert [path for path in read if path.endswith("endpoints")] == [str(models.ENDPOINTS.with_suffix(""))]


@each_row("service", ["sagemaker", "application-autoscaling", "logs", "sqs", "sts"])
@each_row("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "xx-future-1"])
def test_endpoints_are_those_of_botocore(service: str, region: str) -> None:
    """The shortened list of endpoints names the same hosts as the whole one, for regions of the future, too."""

    def endpoint(session: Any) -> str:
        url: str = session.create_client(service, **_ANYWHERE | {"region_name": region}).meta.endpoint_url
        return url

    ours, theirs = sessions()
    assert endpoint(ours) == endpoint(theirs)


@cache
def sessions() -> tuple[botocore.session.Session, botocore.session.Session]:
    """Ours, and one with all that is installed: each reads a list of endpoints and a model once."""
    return new_session(), botocore.session.Session()
