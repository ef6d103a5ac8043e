"""Generates the CustomResourceDefinition of a kind (`apiextensions.k8s.io/v1`)."""

from typing import Final

from api.descriptor import KindDescriptor, PrinterColumn
from api.fields import KindFields
from api.meta import GROUP, VERSION, JsonObject
from api.schema.structural import object_schema

MODEL_ANNOTATION: Final = f"{GROUP}/service-model"
"""The description of the AWS API from which a CRD was generated: service, API version and digest."""

# Scripts count the columns of v1, and the guides show them: whether the object is well comes last. Others appear with
# `-o wide` only.
_LAST_COLUMNS: Final = (
    PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
    PrinterColumn("Reason", '.status.conditions[?(@.type=="Ready")].reason', priority=1),
    PrinterColumn("Age", ".metadata.creationTimestamp", type="date", priority=1),
)


def custom_resource_definition(descriptor: KindDescriptor, fields: KindFields, model: str) -> JsonObject:
    """Return the complete CRD. `model` is the source of the fields."""
    names: JsonObject = {
        "kind": descriptor.kind,
        "listKind": f"{descriptor.kind}List",
        "plural": descriptor.plural,
        "singular": descriptor.singular,
        "categories": list(descriptor.categories),
    }
    if descriptor.short_names:
        names["shortNames"] = list(descriptor.short_names)
    version: JsonObject = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(c) for c in (*descriptor.printer_columns, *_LAST_COLUMNS)],
        "schema": {"openAPIV3Schema": object_schema(descriptor, fields)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{descriptor.plural}.{GROUP}", "annotations": {MODEL_ANNOTATION: model}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": names,
            "versions": [version],
        },
    }


def _column(column: PrinterColumn) -> JsonObject:
    made: JsonObject = {"name": column.name, "type": column.type, "jsonPath": column.json_path}
    if column.format:
        made["format"] = column.format
    if column.priority:
        made["priority"] = column.priority
    if column.description:
        made["description"] = column.description
    return made
