"""The examples for Argo CD and Flux name what there is: folders, charts, and values that the chart accepts."""

import json
from typing import Any, Final

import pytest
import yaml

from hack.crds import ROOT
from hack.manifests import chart_metadata
from tests.documents import documents
from tests.late import Late

jsonschema = Late("jsonschema")

CHART: Final = ROOT / "hack" / "charts" / chart_metadata.CLUSTER
ARGOCD: Final = {each["metadata"]["name"]: each for each in documents(ROOT / "config/argocd/application.yaml")}
FLUX: Final = {(each["kind"], each["metadata"]["name"]): each for each in documents(ROOT / "config/flux/operator.yaml")}
OPERATOR: Final = ARGOCD["sagemaker-k8s-operator"]["spec"]
RELEASE: Final = FLUX["HelmRelease", "sagemaker-operator"]["spec"]


@pytest.mark.parametrize(
    "values", [OPERATOR["source"]["helm"]["valuesObject"], RELEASE["values"]], ids=["argo", "flux"]
)
def test_the_values_are_accepted_by_the_chart(values: dict[str, Any]) -> None:
    """Over its own values, as Helm merges them."""
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    defaults = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(defaults | values)] == []


def test_argo_cd_installs_the_chart_that_is_there_and_never_prunes_the_crds() -> None:
    """Pruned CRDs take every object with them; the longest CRD does not fit client-side apply."""
    assert ROOT / OPERATOR["source"]["path"] == CHART
    assert OPERATOR["syncPolicy"]["automated"]["prune"] is False
    assert "ServerSideApply=true" in OPERATOR["syncPolicy"]["syncOptions"]
    assert OPERATOR["destination"]["namespace"] == "sagemaker-k8s-operator-system"


def test_flux_takes_the_chart_from_where_make_chart_puts_it() -> None:
    """OCI=…/charts, then the chart's folder and its name; every reference is to an object of the file."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    repository = FLUX["OCIRepository", RELEASE["chartRef"]["name"]]["spec"]
    assert repository["url"].endswith(f"/charts/{CHART.name}/{chart['name']}")
    source = FLUX["Kustomization", "models"]["spec"]["sourceRef"]
    assert (source["kind"], source["name"]) in FLUX
    assert RELEASE["targetNamespace"] == "sagemaker-k8s-operator-system"
