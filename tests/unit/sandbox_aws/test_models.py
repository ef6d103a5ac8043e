"""Models and endpoint configurations, through boto3."""

from typing import Any

import pytest

from hack.sandbox.aws.server import RunningServer
from tests.unit.sandbox_aws.answers import departures, refusal

ROLE = "arn:aws:iam::123456789012:role/role"
PLACE = "arn:aws:sagemaker:us-west-2:123456789012"


def create_model(sagemaker: Any, name: str = "model", **members: Any) -> str:
    """Create the smallest model, with members replaced; return its ARN."""
    request = {"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "x"}} | members
    arn: str = sagemaker.create_model(**{key: value for key, value in request.items() if value is not None})["ModelArn"]
    return arn


def variant(name: str = "main", **members: Any) -> dict[str, Any]:
    """The smallest production variant, with members replaced."""
    smallest = {"VariantName": name, "ModelName": "model", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    return {key: value for key, value in (smallest | members).items() if value is not None}


def create_config(sagemaker: Any, name: str = "config", **members: Any) -> str:
    """Create the smallest endpoint configuration, with members replaced; return its ARN."""
    request = {"EndpointConfigName": name, "ProductionVariants": [variant()]} | members
    arn: str = sagemaker.create_endpoint_config(**request)["EndpointConfigArn"]
    return arn


def test_a_model_is_described_as_it_was_created(aws: RunningServer, sagemaker: Any) -> None:
    """v1-kinds 11: the mode appears though nobody asked for it."""
    arn = create_model(sagemaker, "Model", Tags=[{"Key": "a", "Value": "b"}])
    answer = sagemaker.describe_model(ModelName="Model")
    assert arn == answer["ModelArn"] == f"{PLACE}:model/model"
    assert answer["PrimaryContainer"] == {"Image": "x", "Mode": "SingleModel", "Environment": {}}
    assert (answer["ExecutionRoleArn"], answer["EnableNetworkIsolation"]) == (ROLE, False)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert departures(aws.url, "DescribeModel", {"ModelName": "Model"}) == []
    assert departures(aws.url, "ListModels", {}) == []


def test_a_configuration_shows_a_weight_that_nobody_gave(aws: RunningServer, sagemaker: Any) -> None:
    """v1-kinds 16: the documented default is 1.0; whoever compares must neutralise it."""
    create_model(sagemaker)
    arn = create_config(sagemaker, ProductionVariants=[variant("a"), variant("b", InitialVariantWeight=0.5)])
    answer = sagemaker.describe_endpoint_config(EndpointConfigName="config")
    assert arn == answer["EndpointConfigArn"] == f"{PLACE}:endpoint-config/config"
    assert [row["InitialVariantWeight"] for row in answer["ProductionVariants"]] == [1.0, 0.5]
    assert departures(aws.url, "DescribeEndpointConfig", {"EndpointConfigName": "config"}) == []
    assert departures(aws.url, "ListEndpointConfigs", {}) == []


@pytest.mark.parametrize("verb", ["describe", "delete"])
def test_what_is_not_there_is_not_found_by_its_arn(sagemaker: Any, verb: str) -> None:
    """v1-kinds 13.1: ValidationException with the ARN in quotes."""
    model = refusal(getattr(sagemaker, f"{verb}_model"), ModelName="nobody")
    config = refusal(getattr(sagemaker, f"{verb}_endpoint_config"), EndpointConfigName="nobody")
    assert model == ("ValidationException", f'Could not find model "{PLACE}:model/nobody".', 400)
    text = f'Could not find endpoint configuration "{PLACE}:endpoint-config/nobody".'
    assert config == ("ValidationException", text, 400)


def test_a_taken_name_is_refused(sagemaker: Any) -> None:
    """v1-kinds 13.2: no ResourceInUse here, and the first one stays as it was."""
    create_model(sagemaker)
    create_config(sagemaker)
    code, message, _ = refusal(lambda **members: create_model(sagemaker, **members), PrimaryContainer={"Image": "y"})
    assert (code, message) == ("ValidationException", f'Cannot create already existing model "{PLACE}:model/model".')
    code, message, _ = refusal(lambda: create_config(sagemaker))
    text = f'Cannot create already existing endpoint configuration "{PLACE}:endpoint-config/config".'
    assert (code, message) == ("ValidationException", text)
    assert sagemaker.describe_model(ModelName="model")["PrimaryContainer"]["Image"] == "x"


def test_deletion_is_immediate_and_asks_nobody(sagemaker: Any) -> None:
    """AWS lets go of a model that a configuration names; the name is free at once."""
    create_model(sagemaker)
    create_config(sagemaker)
    sagemaker.delete_model(ModelName="model")
    assert sagemaker.describe_endpoint_config(EndpointConfigName="config")
    sagemaker.delete_endpoint_config(EndpointConfigName="config")
    assert sagemaker.list_models()["Models"] == sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    create_model(sagemaker)
    create_config(sagemaker)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"PrimaryContainer": {"Image": "does-not-exist"}}, "Requested image does-not-exist not found."),
        (
            {"PrimaryContainer": {"Image": "x", "ModelDataUrl": "s3://does-not-exist/model.tar.gz"}},
            "Could not find model data at s3://does-not-exist/model.tar.gz.",
        ),
        ({"PrimaryContainer": {}}, "either Image or ModelPackageName"),
        ({"PrimaryContainer": None}, "either PrimaryContainer or Containers"),
        ({"Containers": [{"Image": "x"}]}, "both PrimaryContainer and Containers"),
        (
            {"PrimaryContainer": None, "Containers": [{"Image": "x", "ContainerHostname": "h"}] * 2},
            "hostnames must be unique",
        ),
        ({"ExecutionRoleArn": "arn:aws:iam::123456789012:role/does-not-exist"}, "Could not access model data"),
        ({"ModelName": "a_b"}, "failed to satisfy constraint"),
        ({"PrimaryContainer": {"Image": "x", "Environment": {"SANDBOX_SECONDS": "soon"}}}, "must be a number"),
    ],
)
def test_a_model_that_makes_no_sense_is_refused(sagemaker: Any, members: dict[str, Any], words: str) -> None:
    """CreateModel looks at image, data and role at once, other than CreateTrainingJob."""
    code, message, _ = refusal(lambda: create_model(sagemaker, **({"name": members.pop("ModelName", "m")} | members)))
    assert code == "ValidationException"
    assert words in message
    assert sagemaker.list_models()["Models"] == []


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ([variant(ModelName="nobody")], f'Could not find model "{PLACE}:model/nobody".'),
        ([variant("a"), variant("a")], "Variant names must be unique"),
        ([variant(InstanceType=None)], "InstanceType and InitialInstanceCount must be specified"),
        (
            [variant(ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1})],
            "can't be set together with ServerlessConfig",
        ),
        ([], "Member must have length greater than or equal to 1"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(
    sagemaker: Any, variants: list[dict[str, Any]], words: str
) -> None:
    """A configuration of a missing model is refused in the model's own words (v1-kinds 13.4)."""
    create_model(sagemaker)
    code, message, _ = refusal(lambda: create_config(sagemaker, ProductionVariants=variants))
    assert code == "ValidationException"
    assert words in message
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


def test_both_kinds_are_listed_by_name_and_time_in_pages(aws: RunningServer, sagemaker: Any) -> None:
    """Newest first; neither kind has a LastModifiedTime to ask for."""
    for number in range(3):
        create_model(sagemaker, f"model-{number}" if number else "model")
        create_config(sagemaker, f"config-{number}")
        aws.clock.advance(60)
    middle = sagemaker.describe_model(ModelName="model-1")["CreationTime"]

    def models(**members: Any) -> list[str]:
        return [row["ModelName"] for row in sagemaker.list_models(**members)["Models"]]

    assert models() == ["model-2", "model-1", "model"]
    assert models(SortBy="Name", SortOrder="Ascending") == ["model", "model-1", "model-2"]
    assert models(CreationTimeAfter=middle) == ["model-2"]
    assert models(CreationTimeBefore=middle) == ["model"]
    assert models(NameContains="L-1") == ["model-1"]
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate(PaginationConfig={"PageSize": 2})
    names = [row["EndpointConfigName"] for page in pages for row in page["EndpointConfigs"]]
    assert names == ["config-2", "config-1", "config-0"]
