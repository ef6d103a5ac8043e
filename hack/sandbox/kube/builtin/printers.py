"""The Table columns of the built-in kinds, and their cells.

Source: k8s.io/kubernetes pkg/printers/internalversion/printers.go; the descriptions are our own, except short ones that
the API server's tests of clients would notice. One table, hence its length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hack.sandbox.kube.resources.resource import AGE_DESCRIPTION, NAME_COLUMN, Column
from hack.sandbox.kube.wire.human_time import UNKNOWN, age

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
    selector = obj["spec"].get("selector")
    shown = format_selector(selector) if obj["kind"] == "ReplicaSet" else format_labels(selector)
    return [name_of(obj), *counts, age_of(obj), *_template(obj), shown]


def _stateful_set(obj: Json) -> list[Any]:
    ready = f"{_status(obj, 'readyReplicas')}/{obj['spec']['replicas']}"
    return [name_of(obj), ready, age_of(obj), *_template(obj)]


def _daemon_set(obj: Json) -> list[Any]:
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled")
    counts = [_status(obj, field) for field in (*fields, "numberAvailable")]
    nodes = format_labels(obj["spec"]["template"]["spec"].get("nodeSelector"))
    selector = format_selector(obj["spec"]["selector"])
    return [name_of(obj), *counts, nodes, age_of(obj), *_template(obj), selector]


def _job(obj: Json) -> list[Any]:
    true = {c["type"] for c in (obj.get("status") or {}).get("conditions") or () if c.get("status") == "True"}
    states = (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended"))
    state = next((shown for kind, shown in states if kind in true), "Running")
    done = f"{_status(obj, 'succeeded')}/{obj['spec'].get('completions', 1)}"
    started = (obj.get("status") or {}).get("startTime")
    selector = format_selector(obj["spec"].get("selector"))
    return [name_of(obj), state, done, age(started) if started else "", age_of(obj), *_template(obj), selector]


def _cron_job(obj: Json) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    last = age(status["lastScheduleTime"]) if status.get("lastScheduleTime") else NONE
    suspended = str(spec.get("suspend", False)).capitalize()
    head = [name_of(obj), spec["schedule"], spec.get("timeZone", NONE), suspended, len(status.get("active") or ())]
    return [*head, last, age_of(obj), *_template(spec["jobTemplate"]), NONE]


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


def _autoscaler(obj: Json) -> list[Any]:
    spec = obj["spec"]
    target = f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}"
    bounds = [str(spec.get("minReplicas", "<unset>")), spec["maxReplicas"], _status(obj, "currentReplicas")]
    return [name_of(obj), target, _metrics(obj), *bounds, age_of(obj)]


def _ingress(obj: Json) -> list[Any]:
    spec = obj["spec"]
    hosts = ",".join(rule["host"] for rule in spec.get("rules") or () if rule.get("host")) or "*"
    ports = "80, 443" if spec.get("tls") else "80"
    return [name_of(obj), spec.get("ingressClassName", NONE), hosts, "", ports, age_of(obj)]


def _claim(obj: Json) -> list[Any]:
    spec, status = obj["spec"], obj.get("status") or {}
    capacity = (status.get("capacity") or {}).get("storage", "")
    classes = [spec.get("storageClassName", ""), spec.get("volumeAttributesClassName", "<unset>")]
    head = [name_of(obj), status.get("phase", ""), spec.get("volumeName", ""), capacity, ""]
    return [*head, *classes, age_of(obj), spec.get("volumeMode", "<unset>")]


def _volume(obj: Json) -> list[Any]:
    spec, claim = obj["spec"], obj["spec"].get("claimRef") or {}
    bound = f"{claim.get('namespace', '')}/{claim['name']}" if claim.get("name") else ""
    head = [name_of(obj), (spec.get("capacity") or {}).get("storage", ""), ",".join(spec.get("accessModes") or ())]
    classes = [spec.get("storageClassName", ""), spec.get("volumeAttributesClassName", "<unset>")]
    state = [spec.get("persistentVolumeReclaimPolicy", ""), (obj.get("status") or {}).get("phase", ""), bound]
    return [*head, *state, *classes, "", age_of(obj), spec.get("volumeMode", "<unset>")]


_SHOWN_ADDRESSES: Final = 3


def _addresses(obj: Json) -> str:
    """Return the first addresses with their ports."""
    found = [
        f"{address['ip']}:{port['port']}" if port else address["ip"]
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or (None,)
        for address in subset.get("addresses") or ()
    ]
    shown = ",".join(found[:_SHOWN_ADDRESSES]) or NONE
    return f"{shown} + {len(found) - _SHOWN_ADDRESSES} more..." if len(found) > _SHOWN_ADDRESSES else shown


def _metrics(obj: Json) -> str:
    """Return the targets of an autoscaler, all of them unknown: there are no metrics here."""
    shown = []
    for metric in obj["spec"].get("metrics") or ():
        resource = metric.get("resource") or {}
        target = resource.get("target") or {}
        wanted = (
            f"{target['averageUtilization']}%" if "averageUtilization" in target else target.get("averageValue", "")
        )
        shown.append(f"{resource['name']}: {UNKNOWN}/{wanted}" if resource else f"{UNKNOWN}/{UNKNOWN}")
    return ", ".join(shown) or NONE


def _node(obj: Json) -> list[Any]:
    status = obj.get("status") or {}
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
    info = status.get("nodeInfo") or {}
    wide = [NONE, NONE, *(info.get(f) or UNKNOWN for f in ("osImage", "kernelVersion", "containerRuntimeVersion"))]
    return [name_of(obj), "Ready" if ready else "Unknown", NONE, age_of(obj), info.get("kubeletVersion", ""), *wide]


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

_WEBHOOKS: Final = _simple(_column("Webhooks", type_="integer"), cells=lambda o: [len(o.get("webhooks") or ())])

PRINTERS: Final[dict[str, Printer]] = {
    "ClusterRoleBinding": Printer(_BINDING_COLUMNS["clusterRoleBinding"], _binding),
    "ConfigMap": _simple(_column("Data"), cells=lambda o: [len(o.get("data") or {}) + len(o.get("binaryData") or {})]),
    "CronJob": Printer(
        (
            NAME_COLUMN,
            _column("Schedule"),
            _column("Timezone"),
            _column("Suspend", type_="boolean"),
            _column("Active", "A list of pointers to currently running jobs.", "integer"),
            _column("Last Schedule"),
            _AGE,
            *_TEMPLATE_COLUMNS,
            _SELECTOR,
        ),
        _cron_job,
    ),
    "DaemonSet": Printer(
        (
            NAME_COLUMN,
            *_counted("Desired", "Current", "Ready", "Up-to-date", "Available"),
            _column("Node Selector"),
            _AGE,
            *_TEMPLATE_COLUMNS,
            _SELECTOR,
        ),
        _daemon_set,
    ),
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
    "EndpointSlice": _simple(
        _column("AddressType"),
        _column("Ports"),
        _column("Endpoints"),
        cells=lambda o: [o["addressType"], "<unset>", "<unset>"],
    ),
    "Endpoints": _simple(_column("Endpoints"), cells=lambda o: [_addresses(o)]),
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
    "HorizontalPodAutoscaler": Printer(
        (NAME_COLUMN, *map(_column, ("Reference", "Targets", "MinPods", "MaxPods", "Replicas")), _AGE), _autoscaler
    ),
    "Ingress": Printer(
        (
            NAME_COLUMN,
            *map(_column, ("Class", "Hosts", "Address")),
            _column("Ports", "Ports of TLS configurations that open"),
            _AGE,
        ),
        _ingress,
    ),
    "IngressClass": _simple(
        _column("Controller", "Controller that is responsible for handling this class"),
        _column("Parameters", "A reference to a resource with additional parameters"),
        cells=lambda o: [o["spec"].get("controller", ""), NONE],
    ),
    "Job": Printer(
        (
            NAME_COLUMN,
            _column("Status", "Status of the job."),
            _column("Completions"),
            _column("Duration", "Time required to complete the job."),
            _AGE,
            *_TEMPLATE_COLUMNS,
            _SELECTOR,
        ),
        _job,
    ),
    "Lease": _simple(_column("Holder"), cells=lambda o: [(o.get("spec") or {}).get("holderIdentity", "")]),
    "Namespace": _simple(_column("Status", "The status of the namespace"), cells=lambda o: [_status(o, "phase")]),
    "NetworkPolicy": _simple(
        _column("Pod-Selector"), cells=lambda o: [format_selector(o["spec"].get("podSelector")) or NONE]
    ),
    "Node": Printer(
        (
            NAME_COLUMN,
            _column("Status", "The status of the node"),
            _column("Roles", "The roles of the node"),
            _AGE,
            _column("Version", "Kubelet Version reported by the node."),
            *(
                _column(name, priority=1)
                for name in ("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime")
            ),
        ),
        _node,
    ),
    "PersistentVolume": Printer(
        (
            NAME_COLUMN,
            *map(_column, ("Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim")),
            _column("StorageClass", "StorageClass of the pv"),
            _column("VolumeAttributesClass", "VolumeAttributesClass of the pv"),
            _column("Reason"),
            _AGE,
            _column("VolumeMode", priority=1),
        ),
        _volume,
    ),
    "PersistentVolumeClaim": Printer(
        (
            NAME_COLUMN,
            _column("Status", "phase represents the current phase of PersistentVolumeClaim."),
            *map(_column, ("Volume", "Capacity", "Access Modes")),
            _column("StorageClass", "StorageClass of the pvc"),
            _column("VolumeAttributesClass", "VolumeAttributesClass of the pvc"),
            _AGE,
            _column("VolumeMode", priority=1),
        ),
        _claim,
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
    "PriorityClass": Printer(
        (
            NAME_COLUMN,
            _column("Value", type_="integer"),
            _column("Global-Default", type_="boolean"),
            _AGE,
            _column("PreemptionPolicy"),
        ),
        lambda o: [
            name_of(o),
            o.get("value", 0),
            o.get("globalDefault", False),
            age_of(o),
            o.get("preemptionPolicy", ""),
        ],
    ),
    "ReplicaSet": Printer(_REPLICA_COLUMNS, _replica_set),
    "ResourceQuota": _simple(_column("Request"), _column("Limit"), cells=lambda _: ["", ""]),
    "MutatingWebhookConfiguration": _WEBHOOKS,
    "ValidatingWebhookConfiguration": _WEBHOOKS,
    "ReplicationController": Printer(_REPLICA_COLUMNS, _replica_set),
    "RoleBinding": Printer(_BINDING_COLUMNS["roleBinding"], _binding),
    "Secret": _simple(_column("Type"), _column("Data"), cells=lambda o: [o.get("type", ""), len(o.get("data") or {})]),
    "Service": Printer(
        (NAME_COLUMN, *map(_column, ("Type", "Cluster-IP", "External-IP", "Port(s)")), _AGE, _SELECTOR), _service
    ),
    "ServiceAccount": _simple(cells=lambda _: []),
    "StatefulSet": Printer(
        (NAME_COLUMN, _column("Ready", "Number of the pod with ready state"), _AGE, *_TEMPLATE_COLUMNS), _stateful_set
    ),
    "StorageClass": Printer(
        (
            NAME_COLUMN,
            _column("Provisioner", "provisioner indicates the type of the provisioner."),
            *map(_column, ("ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion")),
            _AGE,
        ),
        lambda o: [
            name_of(o),
            o["provisioner"],
            o.get("reclaimPolicy", "Delete"),
            o.get("volumeBindingMode", "Immediate"),
            o.get("allowVolumeExpansion", False),
            age_of(o),
        ],
    ),
}
"""By kind. Other kinds show their name and creation time."""
