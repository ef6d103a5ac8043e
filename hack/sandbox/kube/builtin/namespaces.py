"""Namespaces: they carry their name as a label, and a finalizer in the spec that the namespace controller removes."""

from typing import Any

from hack.sandbox.kube import names
from hack.sandbox.kube.builtin.strategy import Traits, TypedStrategy

Json = dict[str, Any]


class NamespaceStrategy(TypedStrategy):
    """How namespaces differ from other kinds."""

    def __init__(self) -> None:
        traits = Traits(
            "io.k8s.api.core.v1.Namespace",
            status=True,
            initial_status={"phase": "Active"},
            labels={"status.phase": ".status.phase", "name": ".metadata.name"},
            name_rule=names.label_problems,
        )
        super().__init__("Namespace", traits)

    def reset(self, new: Json, old: Json | None, subresource: str) -> None:
        """The finalizers of the spec change through the `finalize` endpoint only."""
        if subresource == "finalize" and old is not None:
            new["metadata"] = {**old["metadata"], "resourceVersion": new["metadata"].get("resourceVersion", "")}
            new["status"] = old["status"]
            return
        super().reset(new, old, subresource)
        if subresource == "" and old is not None:
            new["spec"] = old["spec"]

    def prepare_create(self, new: Json) -> None:
        """The label is there even if the name was generated."""
        super().prepare_create(new)
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
        finalizers = new["spec"].setdefault("finalizers", [])
        if "kubernetes" not in finalizers:
            finalizers.append("kubernetes")
