"""A HostingDeployment taken apart: both forms of manifests, the container rule, and what is said of wrong ones."""

import copy
from typing import Any

import pytest

from api.convert import ConversionError
from api.hosting import HostingError, resolve
from api.meta import JsonObject
from tests.tables import each_row

_SHARED_TOO = "spec.containers: holds containers for models to name, but "
_TWO_FORMS = "use one form in the whole manifest"
_ROLE = "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"


def _container(hostname: str, **fields: Any) -> JsonObject:
    return {"containerHostname": hostname, "image": f"{hostname}:latest", **fields}


def _spec(*models: JsonObject, containers: list[JsonObject] | None = None, **fields: Any) -> JsonObject:
    """A deployment with one variant for each model."""
    variants = [
        {"variantName": f"v{n}", "modelName": model.get("name"), "instanceType": "t", "initialInstanceCount": 1}
        for n, model in enumerate(models)
    ]
    spec = {"region": "us-east-2", "productionVariants": variants, "models": list(models), **fields}
    return spec | ({"containers": containers} if containers is not None else {})


def _model(name: str = "m", **fields: Any) -> JsonObject:
    return {"name": name, "executionRoleArn": _ROLE, **fields}


def _problems(spec: JsonObject) -> list[str]:
    with pytest.raises(HostingError) as refused:
        resolve(spec)
    return [str(problem) for problem in refused.value.problems]


# --- the container rule (v1-kinds.md 12.4)


@each_row(
    "spec",
    [
        pytest.param(
            _spec(_model(primaryContainer="a", containers=["a"]), containers=[_container("a")]),
            id="named: as in the guide",
        ),
        pytest.param(_spec(_model(containers=["a"]), containers=[_container("a")]), id="named, no primary"),
        pytest.param(_spec(_model(primaryContainer="a"), containers=[_container("a")]), id="named as primary only"),
        pytest.param(_spec(_model(primaryContainer="a", containers=[_container("a")])), id="inline"),
        pytest.param(_spec(_model(primaryContainer="", containers=[_container("a")])), id="inline, empty primary"),
        pytest.param(_spec(_model(containers=[_container("a")])), id="inline, no primary"),
    ],
)
def test_a_single_container_becomes_the_primary_one(spec: JsonObject) -> None:
    """Exactly one: CreateModel's PrimaryContainer, in either form of the manifest."""
    (model,) = resolve(spec).models

    assert model.name == "m"
    assert model.spec == {"region": "us-east-2", "executionRoleArn": _ROLE, "primaryContainer": _container("a")}


@each_row("primary", ["a", "b", None], ids=["first", "second", "none"])
@each_row(
    ("given", "defined"),
    [
        pytest.param(["b", "a"], [_container("a"), _container("b")], id="named"),
        pytest.param([_container("b"), _container("a")], None, id="inline"),
    ],
)
def test_several_containers_stay_in_order_whatever_the_primary_is(
    given: list[Any], defined: list[JsonObject] | None, primary: str | None
) -> None:
    """Two or more: CreateModel's Containers; primaryContainer is ignored."""
    (model,) = resolve(_spec(_model(containers=given, primaryContainer=primary), containers=defined)).models

    assert model.spec["containers"] == [_container("b"), _container("a")]
    assert "primaryContainer" not in model.spec


def test_models_may_share_a_container() -> None:
    """In the guides' form containers are defined once."""
    wanted = resolve(_spec(_model("m", containers=["a"]), _model("n", containers=["a"]), containers=[_container("a")]))

    assert [model.spec["primaryContainer"] for model in wanted.models] == [_container("a"), _container("a")]
    assert wanted.models[0].spec["primaryContainer"] is not wanted.models[1].spec["primaryContainer"]


# --- children's specs


def test_each_child_gets_its_part_of_the_spec() -> None:
    """v1-kinds.md 12.4: tags, region and endpoint go to all of them; the rest to the one that it is about."""
    shared: JsonObject = {"sageMakerEndpoint": "https://x", "tags": [{"key": "k", "value": "v"}]}
    vpc = {"subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
    spec = _spec(
        _model(containers=[_container("a")], vpcConfig=vpc, enableNetworkIsolation=True),
        kmsKeyId="key",
        dataCaptureConfig={"initialSamplingPercentage": 1},
        endpointName="e",
        retainAllVariantProperties=True,
        deploymentConfig={"autoRollbackConfiguration": {"alarms": []}},
        **shared,
    )

    wanted = resolve(spec)

    assert wanted.models[0].spec == {
        "region": "us-east-2",
        **shared,
        "executionRoleArn": _ROLE,
        "vpcConfig": vpc,
        "enableNetworkIsolation": True,
        "primaryContainer": _container("a"),
    }
    assert wanted.configuration == {
        "region": "us-east-2",
        **shared,
        "productionVariants": spec["productionVariants"],
        "kmsKeyId": "key",
        "dataCaptureConfig": {"initialSamplingPercentage": 1},
    }


def test_variants_get_the_names_that_models_have_at_aws() -> None:
    """VALUE TRANSLATED: of production variants and of shadow variants."""
    spec = _spec(_model("m", containers=[_container("a")]), _model("n", containers=[_container("a")]))
    spec["shadowProductionVariants"] = [spec["productionVariants"].pop()]

    renamed = resolve(spec).configuration_with({"m": "m-1", "n": "n-1"})

    assert [variant["modelName"] for variant in renamed["productionVariants"]] == ["m-1"]
    assert [variant["modelName"] for variant in renamed["shadowProductionVariants"]] == ["n-1"]
    assert renamed["productionVariants"][0]["variantName"] == "v0"


def test_the_name_of_a_model_that_is_not_there_yet_is_an_error() -> None:
    """The configuration can be made only when every model has its name."""
    wanted = resolve(_spec(_model("m", containers=[_container("a")])))

    with pytest.raises(KeyError, match="m"):
        wanted.configuration_with({})


def test_an_endpoint_for_inference_components_has_no_models() -> None:
    """Their variants name none, and the configuration has a role of its own."""
    variant = {"variantName": "v", "instanceType": "t", "initialInstanceCount": 1}
    wanted = resolve({"region": "us-east-2", "executionRoleArn": _ROLE, "productionVariants": [variant]})

    assert wanted.models == ()
    assert wanted.configuration_with({}) == {
        "region": "us-east-2", "executionRoleArn": _ROLE, "productionVariants": [variant],
    }  # fmt: skip


def test_taking_apart_changes_nothing_and_shares_nothing() -> None:
    """D-26, D-55: children are edited and stored on their own."""
    spec = _spec(_model(containers=["a"]), containers=[_container("a", environment=[{"name": "A", "value": "b"}])])
    before = copy.deepcopy(spec)

    wanted = resolve(spec)
    wanted.models[0].spec["primaryContainer"]["environment"].append("changed")
    wanted.configuration["productionVariants"][0]["variantName"] = "changed"

    assert spec == before


# --- what is wrong


@each_row(
    ("spec", "said"),
    [
        pytest.param(
            _spec(_model(containers=["a", _container("b")]), containers=[_container("a")]),
            [
                f"{_SHARED_TOO}spec.models[0] defines containers inline: {_TWO_FORMS}",
                f"spec.models[0].containers: mixes names of containers with definitions: {_TWO_FORMS}",
            ],
            id="names and definitions in one model",
        ),
        pytest.param(
            _spec(
                _model("m", containers=["a"]), _model("n", containers=[_container("b")]), containers=[_container("a")]
            ),
            [
                f"{_SHARED_TOO}spec.models[1] defines containers inline: {_TWO_FORMS}"
            ],
            id="names in one model, definitions in another",
        ),
        pytest.param(
            _spec(_model(containers=[_container("a")]), containers=[_container("b")]),
            [
                f"{_SHARED_TOO}spec.models[0] defines containers inline: {_TWO_FORMS}"
            ],
            id="definitions in both places",
        ),
        pytest.param(
            _spec(_model(containers=["x"]), containers=[_container("a"), _container("b")]),
            ['spec.models[0].containers: "x" is no containerHostname in spec.containers (there: a, b)'],
            id="a name that no container has",
        ),
        pytest.param(
            _spec(_model(containers=["x"])),
            ['spec.models[0].containers: "x" is no containerHostname in spec.containers (there: none)'],
            id="names without definitions",
        ),
        pytest.param(
            _spec(_model(primaryContainer="x")),
            ['spec.models[0].containers: "x" is no containerHostname in spec.containers (there: none)'],
            id="a primary container without definitions",
        ),
        pytest.param(
            _spec(_model(primaryContainer="x", containers=[_container("a")])),
            ['spec.models[0].primaryContainer: "x" is none of the model\'s containers (there: a)'],
            id="a primary container that is not there",
        ),
        pytest.param(
            _spec(_model(primaryContainer="b", containers=["a"]), containers=[_container("a"), _container("b")]),
            ['spec.models[0].primaryContainer: "b" is none of the model\'s containers (there: a)'],
            id="a primary container of another model",
        ),
        pytest.param(
            _spec(_model()), ["spec.models[0].containers: Required value: a model has at least one container"],
            id="no container",
        ),
        pytest.param(
            _spec(_model(containers=[_container("a"), {"image": "i"}])),
            ["spec.models[0].containers[1].containerHostname: Required value: containers are known by it"],
            id="a container without a name",
        ),
        pytest.param(
            _spec(_model(containers=[_container("a"), _container("a")])),
            ['spec.models[0].containers: 2 containers have the containerHostname "a"'],
            id="containers of one name",
        ),
        pytest.param(
            _spec(_model(containers=["a"]), containers=[_container("a"), _container("a")]),
            ['spec.containers: 2 containers have the containerHostname "a"'],
            id="shared containers of one name",
        ),
        pytest.param(
            _spec(_model(containers=["a", "a"]), containers=[_container("a")]),
            ['spec.models[0].containers: "a" is named 2 times'],
            id="a container named twice",
        ),
        pytest.param(
            _spec(_model("m", containers=[_container("a")]), _model("m", containers=[_container("a")])),
            ['spec.models: 2 models have the name "m"'],
            id="models of one name",
        ),
        pytest.param(
            _spec(_model("", containers=[_container("a")])),
            ["spec.models[0].name: Required value: variants refer to models by it"],
            id="a model without a name",
        ),
        pytest.param(
            _spec(_model(containers=[_container("a")])) | {"productionVariants": [{"modelName": "x"}]},
            ['spec.productionVariants[0].modelName: "x" is no name in spec.models (there: m)'],
            id="D-47: a variant of a model that is not there",
        ),
        pytest.param(
            _spec(_model(containers=[_container("a")]), shadowProductionVariants=[{"modelName": "x"}]),
            ['spec.shadowProductionVariants[0].modelName: "x" is no name in spec.models (there: m)'],
            id="a shadow variant of a model that is not there",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_names_and_paths(spec: JsonObject, said: list[str]) -> None:
    """Mixed forms are refused, unresolved names reported by name."""
    assert _problems(spec) == said


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Nobody wants to apply five times to see five mistakes."""
    spec = _spec(_model("m"), _model("m", containers=["x"]), containers=[]) | {
        "productionVariants": [{"modelName": "y"}]
    }

    with pytest.raises(HostingError) as refused:
        resolve(spec)

    assert len(refused.value.problems) == 4
    assert refused.value.path == "spec.models[0].containers"
    assert '"x" is no containerHostname' in str(refused.value)
    assert '"y" is no name in spec.models' in str(refused.value)


@each_row(
    "spec",
    [
        pytest.param({"models": "m"}, id="models"),
        pytest.param({"models": ["m"]}, id="a model"),
        pytest.param({"containers": [1]}, id="a shared container"),
        pytest.param({"models": [{"name": 1}]}, id="a name"),
        pytest.param({"models": [{"name": "m", "containers": [1]}]}, id="neither name nor definition"),
        pytest.param({"models": [{"name": "m", "containers": "a"}]}, id="a text in place of the list"),
        pytest.param({"models": [{"name": "m", "containers": [{"containerHostname": 1}]}]}, id="a hostname"),
        pytest.param({"models": [], "productionVariants": [{"modelName": 1}]}, id="a model's name"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_a_conversion_error(spec: JsonObject) -> None:
    """D-06: one bad object hurts nobody else."""
    with pytest.raises(ConversionError):
        resolve(spec)


# --- what goes nowhere


def test_an_unknown_field_of_an_inline_container_is_reported() -> None:
    """The API server cannot see it, as names must pass there as well; v1 dropped it, so it is no error."""
    spec = _spec(_model(containers=[_container("a", imag="x", imageConfig={"repositoryAccessMode": "Vpc", "vpc": 1})]))

    assert resolve(spec).ignored == (
        "spec.models[0].containers[0].imag: unknown field",
        "spec.models[0].containers[0].imageConfig.vpc: unknown field",
    )


def test_a_shared_container_that_no_model_names_is_reported() -> None:
    """Nothing of the manifest is dropped without a word."""
    spec = _spec(_model(containers=["a"]), containers=[_container("a"), _container("b")])

    assert resolve(spec).ignored == ('spec.containers[1]: no model names "b"',)
