"""Every sample is a manifest that the API server and botocore take."""

from pathlib import Path

import pytest
import yaml
from botocore.validate import ParamValidator

from api.convert import to_request
from api.meta import API_VERSION, JsonObject
from api.models import as_model, load_installed
from api.v1 import ALL_KINDS
from hack import crds
from hack.sandbox.kube.schema import prune
from hack.sandbox.kube.validation import validate
from tests.unit.api.conftest import ROOT

_BY_KIND = {kind.kind: kind for kind in ALL_KINDS}
_DOCUMENTS = [
    pytest.param(document, id=f"{path.name}:{document['metadata']['name']}")
    for path in sorted((ROOT / "samples").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text("utf-8"))
    if document["kind"] in _BY_KIND
]


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_a_sample_is_valid_and_makes_a_valid_request(document: JsonObject) -> None:
    """`kubectl apply --validate=strict`, then the client's own validation."""
    kind = _BY_KIND[document["kind"]]
    crd: JsonObject = yaml.safe_load(next(p for p in _crds() if kind.plural in p.name).read_text("utf-8"))
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    assert document["apiVersion"] == API_VERSION
    assert prune(schema, document) == []
    assert [str(cause) for cause in validate(schema, document)] == []

    request = to_request(kind, document["spec"]) | {kind.name.member: "a-name"}
    shape = as_model(kind.service, load_installed(kind.service)).operation_model(kind.operations.create).input_shape
    assert ParamValidator().validate(request, shape).generate_report() == ""


def test_there_is_a_sample_for_every_use_in_the_guide() -> None:
    """The guide names the first; the others show what its text describes."""
    assert {path.name for path in (ROOT / "samples").glob("*trainingjob*.yaml")} >= {
        "xgboost-mnist-trainingjob.yaml",
        "xgboost-mnist-trainingjob-debugger.yaml",
        "xgboost-mnist-trainingjob-efs.yaml",
        "xgboost-mnist-trainingjob-endpoint.yaml",
        "xgboost-mnist-trainingjob-fsx.yaml",
        "xgboost-mnist-trainingjob-spot.yaml",
    }


def test_sample_names_are_unique() -> None:
    """So that all of them can be applied at once."""
    names = [(p.values[0]["kind"], p.values[0]["metadata"]["name"]) for p in _DOCUMENTS]  # type: ignore[index]

    assert len(names) == len(set(names)) >= 6


def _crds() -> list[Path]:
    return sorted(crds.CRDS.glob("*.yaml"))
