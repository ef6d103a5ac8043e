"""The OpenAPI documents have what kubectl looks for; a real server's document of the same CRD was the model."""

from typing import Any

import pytest

from hack.sandbox.kube.http.openapi import definition_name, document_v2, document_v3
from hack.sandbox.kube.resources.resource import APPLY, JSON_PATCH, MERGE, STATUS, Resource, Strategy
from tests.unit.sandbox_kube.schemas import WIDGET, JsonObject

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
DEFINITIONS: dict[str, JsonObject] = {
    f"{META}ObjectMeta": {
        "type": "object",
        "properties": {"creationTimestamp": {"$ref": f"{META}Time", "x-absent": "drop"}, "name": {"type": "string"}},
    },
    f"{META}Time": {"type": "string", "format": "date-time"},
    f"{META}ListMeta": {"type": "object"},
    f"{META}DeleteOptions": {"type": "object"},
    f"{META}Status": {"type": "object"},
    "io.k8s.api.core.v1.Thing": {
        "type": "object",
        "properties": {"metadata": {"$ref": f"{META}ObjectMeta", "x-absent": "zero"}},
        "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "Thing"}],
    },
    "io.k8s.api.core.v1.Unused": {"type": "object"},
}
V3 = "#/components/schemas/"


class _Widgets(Strategy):
    """The strategy of a custom resource, as far as documents go."""

    patch_types = (JSON_PATCH, MERGE, APPLY)

    def schema(self) -> JsonObject:
        """The CRD's."""
        return WIDGET


WIDGETS = Resource("example.dev", "v1", "widgets", "Widget", subresources=(STATUS,), strategy=_Widgets(), builtin=False)
THINGS = Resource("", "v1", "things", "Thing", namespaced=False)


@pytest.fixture
def document() -> JsonObject:
    """Version 3 of the group version example.dev/v1."""
    return document_v3([WIDGETS], DEFINITIONS)


@pytest.fixture
def schemas(document: JsonObject) -> dict[str, Any]:
    """Its schemas."""
    found: dict[str, Any] = document["components"]["schemas"]
    return found


def test_a_custom_resource_gets_what_every_object_has(schemas: dict[str, Any]) -> None:
    """Typed metadata, and a mark that says which kind it is."""
    widget = schemas[definition_name("example.dev", "v1", "Widget")]

    assert widget["x-kubernetes-group-version-kind"] == [{"group": "example.dev", "version": "v1", "kind": "Widget"}]
    assert widget["properties"]["metadata"]["allOf"] == [{"$ref": f"{V3}{META}ObjectMeta"}]
    assert widget["properties"]["kind"]["type"] == "string"
    assert widget["required"] == ["spec"]


def test_the_schema_of_a_crd_is_published_as_it_is(schemas: dict[str, Any]) -> None:
    """Defaults, nulls, extensions and rules included; int-or-string becomes an alternative."""
    published = schemas["dev.example.v1.Widget"]["properties"]["spec"]
    expected = dict(WIDGET["properties"]["spec"]["properties"])
    expected["port"] = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}

    assert published["properties"] == expected
    assert published["x-kubernetes-validations"] == WIDGET["properties"]["spec"]["x-kubernetes-validations"]


def test_a_crd_is_not_changed_by_being_published() -> None:
    """Schemas are known by their identity elsewhere."""
    assert "apiVersion" not in WIDGET["properties"]
    assert WIDGET["properties"]["metadata"] == {"type": "object"}


def test_lists_have_a_schema_of_their_own(schemas: dict[str, Any]) -> None:
    """`kubectl` prints and decodes them."""
    widgets = schemas["dev.example.v1.WidgetList"]

    assert widgets["properties"]["items"]["items"] == {"$ref": f"{V3}dev.example.v1.Widget"}
    assert widgets["required"] == ["items"]
    assert widgets["x-kubernetes-group-version-kind"] == [
        {"group": "example.dev", "version": "v1", "kind": "WidgetList"}
    ]


def test_a_document_has_what_it_refers_to_and_no_more(document: JsonObject, schemas: dict[str, Any]) -> None:
    """Every reference leads somewhere; our own marks are not shown."""
    references = set()

    def visit(value: Any) -> None:
        if isinstance(value, dict):
            references.update([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            assert "x-absent" not in value
            for child in value.values():
                visit(child)
        elif isinstance(value, list):
            for child in value:
                visit(child)

    visit(document)

    assert {reference.removeprefix(V3) for reference in references} <= set(schemas)
    assert "io.k8s.api.core.v1.Unused" not in schemas


def test_paths_and_their_operations(document: JsonObject) -> None:
    """kubectl learns from these what a server can do."""
    collection = "/apis/example.dev/v1/namespaces/{namespace}/widgets"
    operations = {path: sorted(set(item) - {"parameters"}) for path, item in document["paths"].items()}

    assert operations == {
        "/apis/example.dev/v1/widgets": ["get"],
        collection: ["delete", "get", "post"],
        f"{collection}/{{name}}": ["delete", "get", "patch", "put"],
        f"{collection}/{{name}}/status": ["get", "patch", "put"],
    }


@pytest.mark.parametrize(
    ("method", "action", "parameters"),
    [
        ("put", "put", ["dryRun", "fieldManager", "fieldValidation"]),
        ("patch", "patch", ["dryRun", "fieldManager", "fieldValidation", "force"]),
        ("get", "get", ["resourceVersion"]),
    ],
)
def test_an_operation(document: JsonObject, method: str, action: str, parameters: list[str]) -> None:
    """`fieldValidation` is how kubectl knows that the server validates, `dryRun` that it can be asked to pretend."""
    operation = document["paths"]["/apis/example.dev/v1/namespaces/{namespace}/widgets/{name}"][method]

    assert operation["x-kubernetes-action"] == action
    assert operation["x-kubernetes-group-version-kind"] == {"group": "example.dev", "version": "v1", "kind": "Widget"}
    assert [parameter["name"] for parameter in operation["parameters"]] == parameters


def test_patches_are_offered_by_media_type(document: JsonObject) -> None:
    """Custom resources take no strategic merge patch."""
    operation = document["paths"]["/apis/example.dev/v1/namespaces/{namespace}/widgets/{name}"]["patch"]

    assert list(operation["requestBody"]["content"]) == [
        "application/apply-patch+yaml",
        "application/json-patch+json",
        "application/merge-patch+json",
    ]


def test_built_in_kinds_are_found_by_their_mark() -> None:
    """Their schemas stand under the names of their Go types; core paths begin with /api."""
    document = document_v3([THINGS], DEFINITIONS)

    assert set(document["paths"]) == {"/api/v1/things", "/api/v1/things/{name}"}
    assert "io.k8s.api.core.v1.Thing" in document["components"]["schemas"]
    assert "io.k8s.api.core.v1.ThingList" in document["components"]["schemas"]


def test_version_2_says_less() -> None:
    """No defaults, no nulls, no alternatives: what is too wide for it has no type."""
    document = document_v2([WIDGETS, THINGS], DEFINITIONS, "1.36")
    spec = document["definitions"]["dev.example.v1.Widget"]["properties"]["spec"]["properties"]

    assert document["swagger"] == "2.0"
    assert document["info"]["version"] == "1.36"
    assert spec["color"] == {"type": "string"}
    assert spec["note"] == {}
    assert spec["port"] == {"x-kubernetes-int-or-string": True}
    assert spec["settings"] == {"x-kubernetes-preserve-unknown-fields": True}
    assert set(spec) == set(WIDGET["properties"]["spec"]["properties"])
    assert {"/api/v1/things", "/apis/example.dev/v1/widgets"} <= set(document["paths"])


def test_embedded_resources_get_what_every_object_has() -> None:
    """Wherever they stand."""

    class Holders(_Widgets):
        def schema(self) -> JsonObject:
            return {
                "type": "object",
                "properties": {"pod": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {}}},
            }

    holders = Resource("example.dev", "v1", "holders", "Holder", strategy=Holders(), builtin=False)
    pod = document_v3([holders], DEFINITIONS)["components"]["schemas"]["dev.example.v1.Holder"]["properties"]["pod"]

    assert pod["required"] == ["apiVersion", "kind"]
    assert set(pod["properties"]) == {"apiVersion", "kind", "metadata"}
