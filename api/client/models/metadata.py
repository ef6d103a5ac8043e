"""Metadata of a manifest, as far as users write or read it (Kubernetes API, ObjectMeta)."""

from typing import Any, TypedDict


class Metadata(TypedDict, total=False):
    """Name, labels and annotations of an object, and what the API server adds."""

    name: str
    generateName: str
    """Prefix of a name that the API server makes unique."""
    namespace: str
    labels: dict[str, str]
    annotations: dict[str, str]
    """Those of the operator: docs/annotations.md."""
    finalizers: list[str]
    ownerReferences: list[dict[str, Any]]
    uid: str
    resourceVersion: str
    generation: int
    """Grows with each change of the spec; a status is about `status.observedGeneration`."""
    creationTimestamp: str
    deletionTimestamp: str
    """When the deletion of the object was requested; it waits for AWS."""
    managedFields: list[dict[str, Any]]
