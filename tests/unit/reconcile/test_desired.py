"""Children of a deployment: named by content, with labels that fit; the predecessor's are recognised (D-13, D-20)."""

import copy
from typing import Any

import pytest

from api.hosting import resolve
from api.meta import JsonObject
from api.naming import child_name
from api.v1 import ENDPOINT_CONFIG, MODEL
from controller.reconcile.endpoint.desired import Want, child_of, desired, is_child_of, label_value, labels_of, manifest
from tests.tables import each_row

UID = "a92f5e3c-f07b-11e9-bf6c-06d6f3037abc"


def owner(**spec: Any) -> JsonObject:
    """A deployment of one model."""
    container = {"containerHostname": "c", "image": "image"}
    return {
        "metadata": {"namespace": "ns", "name": "host", "uid": UID, "generation": 3, "labels": {"team": "a"}},
        "spec": {
            "region": "us-east-2",
            "models": [{"name": "m", "executionRoleArn": "arn:aws:iam::1:role/r", "containers": [container]}],
            "productionVariants": [
                {"variantName": "a", "modelName": "m", "initialInstanceCount": 1, "instanceType": "ml.c5.large"}
            ],
            **spec,
        },
    }


def wanted(obj: JsonObject, models: list[JsonObject] | None = None, configs: list[JsonObject] | None = None) -> Any:
    """What a deployment wants, with these children there."""
    there = [child_of(MODEL, each) for each in models or ()]
    configurations = [child_of(ENDPOINT_CONFIG, each) for each in configs or ()]
    return desired(obj, resolve(obj["spec"]), {}, there, configurations)


def made(want: Want, **metadata: Any) -> JsonObject:
    """The child object of a wish, with a name at SageMaker."""
    obj = copy.deepcopy(manifest(owner(), want))
    obj["metadata"] |= {"uid": f"uid-{want.name}", "resourceVersion": "1", **metadata}
    name = "sm-" + obj["metadata"]["uid"].replace("-", "")
    obj["status"] = {want.descriptor.name.status_field: name}
    return obj


def test_the_configuration_waits_for_every_model() -> None:
    """v1-kinds.md 12.4: only when every Model has its name."""
    first = wanted(owner())
    assert first.configuration is None
    model = made(first.models[0])
    second = wanted(owner(), [model])
    assert second.configuration is not None
    assert second.configuration.spec["productionVariants"][0]["modelName"] == model["status"]["sageMakerModelName"]
    third = wanted(owner(), [model], [made(second.configuration)])
    assert third.configuration.child is not None


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({"tags": [{"key": "k", "value": "v"}]}, id="tags"),
        pytest.param({"retainAllVariantProperties": True}, id="how to update"),
    ],
)
def test_what_is_no_content_names_no_other_child(edit: dict[str, Any]) -> None:
    """D-13."""
    model = made(wanted(owner()).models[0])
    assert wanted(owner(**edit), [model]).models[0].child is not None


def test_the_predecessors_children_are_recognised_by_content() -> None:
    """Named by generation, labelled, without owner reference."""
    want = wanted(owner()).models[0]
    old = made(want, name=child_name("m", UID, 2), ownerReferences=None)
    assert is_child_of(old, owner())
    assert wanted(owner(), [old]).models[0].child is not None
    old["spec"]["enableNetworkIsolation"] = True
    assert wanted(owner(), [old]).models[0].child is None


def test_a_namesakes_children_are_not_inherited() -> None:
    """D-20: the label alone may be of an earlier deployment of this name."""
    other = made(wanted(owner()).models[0], name="m-1-00000000000000000000000000000000", ownerReferences=None)
    assert not is_child_of(other, owner())


def test_a_child_whose_spec_somebody_changed_is_found_by_its_name() -> None:
    """It is given its spec back: two objects of one name there cannot be."""
    want = wanted(owner()).models[0]
    modified = made(want)
    modified["spec"]["enableNetworkIsolation"] = True
    found = wanted(owner(), [modified]).models[0]
    assert found.child is None
    assert found.modified is not None


def test_children_have_an_owner_and_both_labels() -> None:
    """v1-kinds.md 5, D-20: and the deployment's own labels, for operators that watch by label."""
    child = manifest(owner(), wanted(owner()).models[0])
    (reference,) = child["metadata"]["ownerReferences"]
    assert (reference["kind"], reference["name"], reference["uid"]) == ("HostingDeployment", "host", UID)
    assert reference["controller"] is True
    labels = child["metadata"]["labels"]
    assert labels["owner_HostingDeployment_namespace"] == "ns"
    assert labels["owner_HostingDeployment_name"] == "host"
    assert labels["team"] == "a"


@each_row("name", ["a", "x" * 63, "x" * 64, "x" * 253, "a.b-c"])
def test_label_values_fit(name: str) -> None:
    """63 characters at most; what fits stays as it is."""
    value = label_value(name)
    assert len(value) <= 63
    assert (value == name) is (len(name) <= 63)
    assert labels_of("ns", name)["owner_HostingDeployment_name"] == value


def test_models_and_configurations_have_names_of_their_own() -> None:
    """By content and owner."""
    want = wanted(owner())
    (model,) = want.models
    config = wanted(owner(), [made(model)]).configuration
    assert (model.descriptor, config.descriptor) == (MODEL, ENDPOINT_CONFIG)
    assert model.name.startswith("m-")
    assert config.name.startswith("host-")
    assert model.name.endswith(UID.replace("-", ""))
