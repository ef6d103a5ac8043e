"""Generates a configuration of kube-state-metrics: metrics of every object, made of its conditions and printer columns.

The operator's own metrics count objects; these have a series for each, for who wants to alert on one.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from api.descriptor import KindDescriptor, PrinterColumn
from api.meta import GROUP, VERSION, JsonObject
from hack.crds import to_yaml

_SILENT: Final = 10
"""Log level of paths that an object has not yet, such as a status."""


def files(kinds: Iterable[KindDescriptor]) -> dict[str, str]:
    """Return what config/kube-state-metrics has for these kinds, besides its kustomization.

    A kind without a CRD is one too many: kube-state-metrics skips it with a line in the log, or fails if it is older.
    """
    found = list(kinds)
    made = {"config.yaml": configuration(found), "role.yaml": role(found), "helm-values.yaml": helm_values(found)}
    return {name: to_yaml(each) for name, each in made.items()}


def configuration(kinds: Iterable[KindDescriptor]) -> JsonObject:
    """Return the resource configuration (kube-state-metrics, docs/metrics/extend/customresourcestate-metrics.md)."""
    return {"kind": "CustomResourceStateMetrics", "spec": {"resources": [_resource(kind) for kind in kinds]}}


def helm_values(kinds: Iterable[KindDescriptor]) -> JsonObject:
    """Return values for the chart of prometheus-community: the configuration, and the right to list."""
    found = list(kinds)
    rule = {"apiGroups": [GROUP], "resources": sorted(kind.plural for kind in found), "verbs": ["list", "watch"]}
    return {
        "customResourceState": {"enabled": True, "config": configuration(found)},
        "rbac": {"extraRules": [rule, _DEFINITIONS]},
    }


_DEFINITIONS: Final = {
    "apiGroups": ["apiextensions.k8s.io"],
    "resources": ["customresourcedefinitions"],
    "verbs": ["list", "watch"],
}


def role(kinds: Iterable[KindDescriptor]) -> JsonObject:
    """Return the ClusterRole that kube-state-metrics needs for it."""
    rules = helm_values(kinds)["rbac"]["extraRules"]
    metadata = {"name": "state-metrics-role"}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": metadata, "rules": rules}


def _resource(kind: KindDescriptor) -> JsonObject:
    columns = [column for column in kind.printer_columns if re.fullmatch(r"\.status(\.\w+)+", column.json_path)]
    texts = {_label(column): _path(column) for column in columns if column.type == "string"}
    numbers = [column for column in columns if column.type in ("integer", "number")]
    return {
        "groupVersionKind": {"group": GROUP, "version": VERSION, "kind": kind.kind},
        "resourcePlural": kind.plural,
        "metricNamePrefix": "sagemaker",
        "labelsFromPath": {"name": ["metadata", "name"], "namespace": ["metadata", "namespace"]},
        "errorLogV": _SILENT,
        "metrics": [
            _metric(
                f"{kind.singular}_info",
                "What the object is at AWS; always 1.",
                "Info",
                path=[],
                labelsFromPath={"region": ["spec", "region"], **texts},
            ),
            _metric(
                f"{kind.singular}_created",
                "When the object was created, in seconds since 1970.",
                "Gauge",
                ["metadata", _CREATED],
            ),
            _metric(
                f"{kind.singular}_condition",
                "1 while the condition is True, else 0.",
                "Gauge",
                path=["status", "conditions"],
                valueFrom=["status"],
                labelsFromPath={"type": ["type"], "reason": ["reason"]},
            ),
            *(
                _metric(
                    f"{kind.singular}_{_label(column)}",
                    f"The column {column.name} of kubectl get.",
                    "Gauge",
                    _path(column),
                )
                for column in numbers
            ),
        ],
    }


_CREATED: Final = "creationTimestamp"


def _metric(name: str, text: str, kind: str, path: list[str], **more: Any) -> JsonObject:
    return {"name": name, "help": text, "each": {"type": kind, kind.lower(): {"path": path, **more}}}


def _label(column: PrinterColumn) -> str:
    """Return a label for a column; that of the name at AWS has one for all kinds."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|-", "_", column.name).lower()
    return "aws_name" if name.endswith("_name") else name


def _path(column: PrinterColumn) -> list[str]:
    return column.json_path.removeprefix(".").split(".")
