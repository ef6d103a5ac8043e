"""The Table columns of the built-in kinds, and their cells.

Source: k8s.io/kubernetes pkg/printers/internalversion/printers.go; the descriptions are our own, except short ones that
the API server's tests of clients would notice. One table, hence its length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.resources.resource import AGE_DESCRIPTION, NAME_COLUMN, Column
from hack.sandbox.kube.wire.human_time import age

Json = dict[str, Any]

NONE: Final = "<none>"
_AGE: Final = Column("Age", description=AGE_DESCRIPTION)


@dataclass(frozen=True, slots=True)
class Printer:
    """Columns of a kind, and the function that returns an object's cells."""

    columns: Sequence[Column]
    cells: Callable[[Json], list[Any]]


def _long(text: str) -> str:
    """Return a field's description as a sentence; short ones exist only where the API server has a short one."""
    return f"{text} Read-only in this table; see the documentation of the kind for its meaning."


def _column(name: str, description: str = "", type_: str = "string", priority: int = 0) -> Column:
    return Column(name, type_, description=description or _long(f"{name} of the object."), priority=priority)


_TEMPLATE_COLUMNS: Final = (
    _column("Containers", "Names of each container in the template.", priority=1),
    _column("Images", "Images referenced by each container in the template.", priority=1),
)
_SELECTOR: Final = _column("Selector", priority=1)


def name_of(obj: Json) -> str:
    """Return the object's name."""
    name: str = obj["metadata"].get("name", "")
    return name


def age_of(obj: Json) -> str:
    """Return the object's age."""
    return age(obj["metadata"].get("creationTimestamp"))


def format_labels(labels: Json | None) -> str:
    """Return labels as `a=b,c=d`, or `<none>`."""
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or NONE


def format_selector(selector: Json | None) -> str:
    """Return a label selector as text; the empty one selects everything and reads `<none>`."""
    if selector is None:
        return NONE
    terms = [f"{k}={v}" for k, v in sorted((selector.get("matchLabels") or {}).items())]
    for term in selector.get("matchExpressions") or ():
        key, values = term["key"], ",".join(sorted(term.get("values") or ()))
        match term["operator"]:
            case "In":
                terms.append(f"{key} in ({values})")
            case "NotIn":
                terms.append(f"{key} notin ({values})")
            case "Exists":
                terms.append(key)
            case _:
                terms.append(f"!{key}")
    return ",".join(terms)


def _template(obj: Json) -> list[Any]:
    containers = obj["spec"]["template"]["spec"].get("containers") or ()
    return [",".join(c.get("name", "") for c in containers), ",".join(c.get("image", "") for c in containers)]


def _status(obj: Json, field: str) -> Any:
    return (obj.get("status") or {}).get(field, 0)


def _deployment(obj: Json) -> list[Any]:
    ready = f"{_status(obj, 'readyReplicas')}/{obj['spec']['replicas']}"
    counts = [_status(obj, "updatedReplicas"), _status(obj, "availableReplicas")]
    return [name_of(obj), ready, *counts, age_of(obj), *_template(obj), format_selector(obj["spec"]["selector"])]


def _replica_set(obj: Json) -> list[Any]:
    counts = [obj["spec"]["replicas"], _status(obj, "replicas"), _status(obj, "readyReplicas")]
    return [name_of(obj), *counts, age_of(obj), *_template(obj), format_selector(obj["spec"].get("selector"))]


def _service(obj: Json) -> list[Any]:
    spec = obj["spec"]
    external = ",".join(spec.get("externalIPs") or ())
    ports = ",".join(
        f"{p['port']}:{p['nodePort']}/{p['protocol']}" if p.get("nodePort") else f"{p['port']}/{p['protocol']}"
        for p in spec.get("ports") or ()
    )
    if not external:
        external = {"LoadBalancer": "<pending>", "ExternalName": spec.get("externalName", "")}.get(spec["type"], NONE)
    internal = (spec.get("clusterIPs") or [NONE])[0]
    return [
        name_of(obj),
        spec["type"],
        internal,
        external,
        ports or NONE,
        age_of(obj),
        format_labels(spec.get("selector")),
    ]


def _pod(obj: Json) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    statuses = status.get("containerStatuses") or ()
    ready = f"{sum(bool(s.get('ready')) for s in statuses)}/{len(spec.get('containers') or ())}"
    phase = "Terminating" if "deletionTimestamp" in obj["metadata"] else status.get("reason") or status.get("phase", "")
    restarts = str(sum(s.get("restartCount", 0) for s in statuses))
    wide = [status.get("podIP") or NONE, spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE, NONE]
    return [name_of(obj), ready, phase, restarts, age_of(obj), *wide]


def _event(obj: Json) -> list[Any]:
    """Return the cells of a core event; those of events.k8s.io are converted before."""
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"))
    last = age(obj["lastTimestamp"]) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if obj.get("series"):
        last, count = age(obj["series"].get("lastObservedTime")), obj["series"].get("count", 0)
    about = obj["involvedObject"]
    kind = about.get("kind", "").lower()
    target = f"{kind}/{about['name']}" if about.get("name") else kind
    source = obj.get("source") or {}
    component = source.get("component") or obj.get("reportingComponent", "")
    host = source.get("host") or obj.get("reportingInstance", "")
    shown = f"{component}, {host}" if host else component
    text = obj.get("message", "").strip()
    head = [last, obj.get("type", ""), obj.get("reason", ""), target, about.get("fieldPath", ""), shown]
    return [*head, text, first, count, name_of(obj)]


def _binding(obj: Json) -> list[Any]:
    subjects: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        shown = subject["name"]
        if subject["kind"] == "ServiceAccount":
            shown = f"{subject.get('namespace', '')}/{shown}"
        subjects.setdefault(subject["kind"], []).append(shown)
    role = f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"
    return [name_of(obj), role, age_of(obj), *(", ".join(subjects[k]) for k in ("User", "Group", "ServiceAccount"))]


def _budget(obj: Json) -> list[Any]:
    spec = obj["spec"]
    limits = [str(spec.get(field, "N/A")) for field in ("minAvailable", "maxUnavailable")]
    return [name_of(obj), *limits, _status(obj, "disruptionsAllowed"), age_of(obj)]


def _simple(*columns: Column, cells: Callable[[Json], list[Any]]) -> Printer:
    """Return a printer with name, some columns, age."""
    return Printer((NAME_COLUMN, *columns, _AGE), lambda obj: [name_of(obj), *cells(obj), age_of(obj)])


def _counted(*names: str) -> tuple[Column, ...]:
    return tuple(_column(name, type_="integer") for name in names)


_BINDING_COLUMNS: Final = {
    kind: (
        NAME_COLUMN,
        _column("Role"),
        _AGE,
        *(_column(who, f"{who} in the {kind}", priority=1) for who in ("Users", "Groups", "ServiceAccounts")),
    )
    for kind in ("roleBinding", "clusterRoleBinding")
}
_REPLICA_COLUMNS: Final = (NAME_COLUMN, *_counted("Desired", "Current", "Ready"), _AGE, *_TEMPLATE_COLUMNS, _SELECTOR)


PRINTERS: Final[dict[str, Printer]] = {
    "ClusterRoleBinding": Printer(_BINDING_COLUMNS["clusterRoleBinding"], _binding),
    "ConfigMap": _simple(_column("Data"), cells=lambda o: [len(o.get("data") or {}) + len(o.get("binaryData") or {})]),
    "Deployment": Printer(
        (
            NAME_COLUMN,
            _column("Ready", "Number of the pod with ready state"),
            _column("Up-to-date"),
            _column("Available"),
            _AGE,
            *_TEMPLATE_COLUMNS,
            _SELECTOR,
        ),
        _deployment,
    ),
    "Event": Printer(
        (
            _column("Last Seen"),
            _column("Type"),
            _column("Reason"),
            _column("Object", "The object that this event is about."),
            _column("Subobject", priority=1),
            _column("Source", priority=1),
            _column("Message"),
            _column("First Seen", priority=1),
            _column("Count", "The number of times this event has occurred.", priority=1),
            Column("Name", format="name", description=NAME_COLUMN.description, priority=1),
        ),
        _event,
    ),
    "Lease": _simple(_column("Holder"), cells=lambda o: [(o.get("spec") or {}).get("holderIdentity", "")]),
    "Namespace": _simple(_column("Status", "The status of the namespace"), cells=lambda o: [_status(o, "phase")]),
    "NetworkPolicy": _simple(
        _column("Pod-Selector"), cells=lambda o: [format_selector(o["spec"].get("podSelector")) or NONE]
    ),
    "Pod": Printer(
        (
            NAME_COLUMN,
            _column("Ready"),
            _column("Status", "The aggregate status of the containers in this pod."),
            _column("Restarts"),
            _AGE,
            *(_column(name, priority=1) for name in ("IP", "Node", "Nominated Node", "Readiness Gates")),
        ),
        _pod,
    ),
    "PodDisruptionBudget": Printer(
        (
            NAME_COLUMN,
            _column("Min Available", "The minimum number of pods that must be available."),
            _column("Max Unavailable", "The maximum number of pods that may be unavailable."),
            _column("Allowed Disruptions", "Calculated number of pods that may be disrupted at this time.", "integer"),
            _AGE,
        ),
        _budget,
    ),
    "ReplicaSet": Printer(_REPLICA_COLUMNS, _replica_set),
    "ResourceQuota": _simple(_column("Request"), _column("Limit"), cells=lambda _: ["", ""]),
    "RoleBinding": Printer(_BINDING_COLUMNS["roleBinding"], _binding),
    "Secret": _simple(_column("Type"), _column("Data"), cells=lambda o: [o.get("type", ""), len(o.get("data") or {})]),
    "Service": Printer(
        (NAME_COLUMN, *map(_column, ("Type", "Cluster-IP", "External-IP", "Port(s)")), _AGE, _SELECTOR), _service
    ),
    "ServiceAccount": _simple(cells=lambda _: []),
}
"""By kind. Other kinds show their name and creation time."""
