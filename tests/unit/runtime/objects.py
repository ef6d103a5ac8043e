"""Small objects of an invented kind, for the tests of the machinery."""

from typing import Any

from api.meta import JsonObject, ObjectKey, Resource

WIDGETS = Resource("example.com", "v1", "widgets", "Widget")


def widget(name: str, version: str = "1", *, namespace: str = "ns", uid: str = "", **metadata: Any) -> JsonObject:
    """A Widget; further metadata members by keyword."""
    return {
        "apiVersion": WIDGETS.api_version,
        "kind": WIDGETS.kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid or f"uid-of-{name}",
            "resourceVersion": version,
            **metadata,
        },
    }


def key(name: str, namespace: str = "ns") -> ObjectKey:
    return ObjectKey(namespace, name)
