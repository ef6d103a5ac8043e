"""Events: one storage, two APIs. The core v1 form is stored; events.k8s.io renames its fields.

Source: k8s.io/kubernetes pkg/apis/events/v1/conversion.go.
"""

from collections.abc import Mapping
from typing import Any, Final

from hack.sandbox.kube.builtin import checks
from hack.sandbox.kube.builtin.printers import PRINTERS
from hack.sandbox.kube.builtin.strategy import Traits, TypedStrategy
from hack.sandbox.kube.wire.causes import Cause
from hack.sandbox.kube.wire.errors import bad_request

Json = dict[str, Any]

_RENAMED: Final = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_BACK: Final = {new: old for old, new in _RENAMED.items()}
_REFERENCE: Final = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_LABELS: Final = {
    **{f"involvedObject.{field}": f".involvedObject.{field}" for field in _REFERENCE},
    "reason": ".reason",
    "reportingComponent": ".reportingComponent",
    "source": ".source.component",
    "type": ".type",
}


class EventStrategy(TypedStrategy):
    """The core form."""

    watch_cache = False

    def __init__(self, schema: str = "io.k8s.api.core.v1.Event", check: checks.Check = checks.core_event):
        super().__init__("Event", Traits(schema, check=check, labels=_LABELS, create_on_update=True))

    def fields(self, obj: Json) -> Mapping[str, str]:
        """Return the selectable fields; the source defaults to the reporting component."""
        found = dict(super().fields(obj))
        found["source"] = found["source"] or found["reportingComponent"]
        return found


class NewEventStrategy(EventStrategy):
    """The events.k8s.io form."""

    def __init__(self) -> None:
        super().__init__("io.k8s.api.events.v1.Event", _check_new)

    def to_served(self, stored: Json) -> Json:
        """Rename the fields; drop empty ones by their tags."""
        served = {_RENAMED.get(key, key): value for key, value in stored.items()}
        served["apiVersion"] = "events.k8s.io/v1"
        return {k: v for k, v in served.items() if v != "" or k == "kind"}

    def to_stored(self, served: Json) -> Json:
        """Return the core form."""
        return _to_core(served)

    def field_label(self, label: str) -> str:
        """Return the core label of `regarding.…` and `reportingController`."""
        if label.startswith("involvedObject.") or label == "reportingComponent":
            raise bad_request(f"field label not supported: {label}")
        if label.startswith("regarding."):
            label = f"involvedObject.{label.removeprefix('regarding.')}"
        return super().field_label({"reportingController": "reportingComponent"}.get(label, label))

    def fields(self, obj: Json) -> Mapping[str, str]:
        """Return the selectable fields of the core form."""
        return super().fields(_to_core(obj))

    def cells(self, obj: Json) -> list[Any]:
        """Return the cells of the core form."""
        return PRINTERS["Event"].cells(_to_core(obj))


def _check_new(new: Json, old: Json | None) -> list[Cause]:
    return checks.new_event(_to_core(new), _to_core(old) if old is not None else None)


def _to_core(obj: Json) -> Json:
    core = {_BACK.get(key, key): value for key, value in obj.items()}
    core["apiVersion"] = "v1"
    for field in ("reportingComponent", "reportingInstance"):
        core.setdefault(field, "")
    return core
