"""The configuration of kube-state-metrics: every path leads to a field of the CRD, since a typo there is silent."""

from collections.abc import Iterator
from typing import Any, Final

from api.descriptor import KindDescriptor
from api.meta import GROUP, JsonObject
from api.v1 import KINDS
from hack.crds import ROOT
from tests.documents import document
from tests.tables import each_row

FOLDER: Final = ROOT / "config" / "kube-state-metrics"
CONFIG: Final = document(FOLDER / "config.yaml")
RESOURCES: Final[dict[str, Any]] = {each["groupVersionKind"]["kind"]: each for each in CONFIG["spec"]["resources"]}
METADATA: Final = {
    "properties": {"name": {}, "namespace": {}, "creationTimestamp": {"type": "string", "format": "date-time"}}
}
FIELDS: Final = {
    "": {"groupVersionKind", "resourcePlural", "metricNamePrefix", "labelsFromPath", "errorLogV", "metrics"},
    "metrics": {"name", "help", "each"},
    "gauge": {"path", "valueFrom", "labelsFromPath"},
    "info": {"path", "labelsFromPath"},
}
"""Fields of pkg/customresourcestate/config.go that are used; others are ignored there without a word."""


def schema_of(kind: KindDescriptor) -> JsonObject:
    """What the CRD says of an object, with the metadata that every object has."""
    crd = document(ROOT / f"config/crd/bases/{GROUP}_{kind.plural}.yaml")
    schema: JsonObject = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema | {"properties": schema["properties"] | {"metadata": METADATA}}


def at(schema: JsonObject, path: list[str]) -> JsonObject:
    """The schema at a path. Raises KeyError where there is no such field."""
    for name in path:
        schema = schema["properties"][name]
    return schema


def paths(kind: KindDescriptor) -> Iterator[tuple[JsonObject, list[str], str]]:
    """Every path with the schema that it starts from, and the type of the metric that takes its value, if one does."""
    whole, resource = schema_of(kind), RESOURCES[kind.kind]
    for path in resource["labelsFromPath"].values():
        yield whole, path, ""
    for metric in resource["metrics"]:
        each = metric["each"]
        how = each[each["type"].lower()]
        found = at(whole, how["path"])
        start = found.get("items", found)
        yield whole, how["path"], "" if "valueFrom" in how else each["type"]
        yield start, how.get("valueFrom", []), each["type"] if "valueFrom" in how else ""
        for path in how.get("labelsFromPath", {}).values():
            yield start, path, ""


@each_row("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_path_is_a_field_and_every_value_a_number(kind: KindDescriptor) -> None:
    """Numbers, times and the True or False of conditions are what a gauge can show."""
    found = list(paths(kind))
    assert len(found) > 8
    for schema, path, metric in found:
        field = at(schema, path)
        if metric == "Gauge":
            is_status = {"True", "False"} <= {*field.get("enum", ())}
            assert field["type"] in ("integer", "number") or field.get("format") == "date-time" or is_status, path


def test_every_kind_has_its_metrics_under_names_of_its_own() -> None:
    """Two families of one name would be declared twice."""
    assert CONFIG["kind"] == "CustomResourceStateMetrics"
    assert RESOURCES.keys() == {kind.kind for kind in KINDS}
    names = [metric["name"] for each in RESOURCES.values() for metric in each["metrics"]]
    assert len(names) == len({*names}) > 3 * len(KINDS) - 1
    for kind in KINDS:
        assert RESOURCES[kind.kind]["resourcePlural"] == kind.plural
        columns = {"status", "aws_name"} & {*RESOURCES[kind.kind]["metrics"][0]["each"]["info"]["labelsFromPath"]}
        assert "status" in columns


def test_no_field_is_unknown_to_kube_state_metrics() -> None:
    """And each metric has the form of its type."""
    for resource in RESOURCES.values():
        assert resource.keys() <= FIELDS[""]
        for metric in resource["metrics"]:
            assert metric.keys() == FIELDS["metrics"]
            form = metric["each"]["type"].lower()
            assert metric["each"].keys() == {"type", form}
            assert metric["each"][form].keys() <= FIELDS[form]
            assert metric["each"]["type"] != "Info" or metric["name"].endswith("_info")


def test_the_chart_of_kube_state_metrics_gets_the_same_and_may_list_it() -> None:
    """Values for its Helm chart; the role for other installations has the same rules."""
    values = document(FOLDER / "helm-values.yaml")
    assert values["customResourceState"] == {"enabled": True, "config": CONFIG}
    assert values["rbac"]["extraRules"] == document(FOLDER / "role.yaml")["rules"]
    (ours, _) = values["rbac"]["extraRules"]
    assert ours["resources"] == sorted(kind.plural for kind in KINDS)
    assert ours["verbs"] == ["list", "watch"]
