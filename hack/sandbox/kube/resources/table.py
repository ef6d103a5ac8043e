"""Responses as Tables and as metadata only, for `kubectl get` and metadata informers."""

from collections.abc import Iterable
from typing import Any

from hack.sandbox.kube.resources.resource import Resource
from hack.sandbox.kube.wire.errors import bad_request

Json = dict[str, Any]


def partial(obj: Json, version: str = "v1") -> Json:
    """Return only the metadata of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def check_include(include: str) -> None:
    """Raise 400 for an unknown value of `includeObject`."""
    if include not in ("", "None", "Metadata", "Object"):
        why = f"includeObject: Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f"Unable to convert to Table as requested: {why}")


def table(
    resource: Resource,
    objects: Iterable[Json],
    metadata: Json,
    *,
    include: str = "",
    version: str = "v1",
    columns: bool = True,
) -> Json:
    """Return a Table of served objects. Without `columns`, the client has them from an earlier event of its watch."""
    strategy = resource.strategy
    rows = [{"cells": strategy.cells(obj), "object": _row_object(obj, include, version)} for obj in objects]
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": [column.definition() for column in strategy.columns()] if columns else None,
        "rows": rows or strategy.no_rows(),
    }


def _row_object(obj: Json, include: str, version: str) -> Json | None:
    if include == "None":
        return None
    return obj if include == "Object" else partial(obj, version)
