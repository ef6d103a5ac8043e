"""Namespaces: they have their name as a label, and a finalizer in the spec that the namespace controller removes."""

from collections.abc import Sequence
from typing import Any

from hack.sandbox.kube.builtin.strategy import Traits, TypedStrategy
from hack.sandbox.kube.wire import names
from hack.sandbox.kube.wire.causes import Cause, invalid

Json = dict[str, Any]


class NamespaceStrategy(TypedStrategy):
    """The specifics of namespaces."""

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
        """Keep the spec's finalizers, which change through the `finalize` endpoint only."""
        if subresource == "finalize" and old is not None:
            new["metadata"] = {**old["metadata"], "resourceVersion": new["metadata"].get("resourceVersion", "")}
            new["status"] = old["status"]
            return
        super().reset(new, old, subresource)
        if subresource == "" and old is not None:
            new["spec"] = old["spec"]

    def validate_update(self, new: Json, old: Json, subresource: str, preceding: Sequence[Cause]) -> list[Cause]:
        """Check that the phase matches whether the namespace is being deleted."""
        causes = super().validate_update(new, old, subresource, preceding)
        deleting = "deletionTimestamp" in new["metadata"]
        expected, state = ("Terminating", "not empty") if deleting else ("Active", "empty")
        if subresource == "status" and new["status"].get("phase") != expected:
            why = f"may only be '{expected}' if `deletionTimestamp` is {state}"
            causes.append(invalid("status.Phase", new["status"].get("phase", ""), why))
        return causes

    def prepare_create(self, new: Json) -> None:
        """Add the label, also for a generated name."""
        super().prepare_create(new)
        new["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = new["metadata"].get("name", "")
        finalizers = new["spec"].setdefault("finalizers", [])
        if "kubernetes" not in finalizers:
            finalizers.append("kubernetes")
