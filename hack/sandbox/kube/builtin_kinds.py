"""The table of built-in resources: names, traits and subresources.

Those that somebody installs with the operator or that kubectl and helm ask for: `kubectl describe namespace` lists
LimitRanges and ResourceQuotas, `helm --wait` the ReplicaSets of a Deployment.
"""

from collections.abc import Sequence
from typing import Any, Final

from hack.sandbox.kube.builtin import addresses, checks
from hack.sandbox.kube.builtin.events import EventStrategy, NewEventStrategy
from hack.sandbox.kube.builtin.namespaces import NamespaceStrategy
from hack.sandbox.kube.builtin.strategy import Traits, TypedStrategy
from hack.sandbox.kube.crd.definitions import CrdStrategy
from hack.sandbox.kube.resources.resource import ALL_VERBS, SCALE, STATUS, Resource, Strategy, Subresource
from hack.sandbox.kube.wire import names

Json = dict[str, Any]

_CREATE: Final = ("create",)
_FINALIZE: Final = Subresource("finalize", ("update",))
_TOKEN: Final = Subresource("token", _CREATE, "authentication.k8s.io", "v1", "TokenRequest")
_ALL: Final = ("all",)
_POD_LABELS: Final = {
    "spec.nodeName": ".spec.nodeName",
    "spec.restartPolicy": ".spec.restartPolicy",
    "spec.schedulerName": ".spec.schedulerName",
    "spec.serviceAccountName": ".spec.serviceAccountName",
    "spec.hostNetwork": ".spec.hostNetwork",
    "status.phase": ".status.phase",
    "status.podIP": ".status.podIP",
    "status.nominatedNodeName": ".status.nominatedNodeName",
}


def _kind(
    group_version: str,
    plural: str,
    kind: str,
    traits: Traits | Strategy,
    *,
    short: Sequence[str] = (),
    categories: Sequence[str] = (),
    namespaced: bool = True,
    verbs: tuple[str, ...] = ALL_VERBS,
    subresources: tuple[Subresource, ...] = (),
    collection: str = "",
    error_group: str = "=",
) -> Resource:
    group, _, version = group_version.rpartition("/")
    strategy = traits if isinstance(traits, Strategy) else TypedStrategy(kind, traits)
    return Resource(
        group=group,
        version=version,
        plural=plural,
        kind=kind,
        namespaced=namespaced,
        short_names=tuple(short),
        categories=tuple(categories),
        verbs=verbs,
        subresources=subresources,
        strategy=strategy,
        collection=collection,
        error_group=error_group,
    )


def _core() -> list[Resource]:
    api = "io.k8s.api.core.v1"
    without_collection = tuple(verb for verb in ALL_VERBS if verb != "deletecollection")
    account = Traits(f"{api}.ServiceAccount", returns_deleted=True)
    service = Traits(
        f"{api}.Service",
        check=checks.service,
        complete=addresses.allocate,
        status=True,
        returns_deleted=True,
        create_on_update=True,
        name_rule=names.label_problems,
        labels={"spec.clusterIP": ".spec.clusterIP", "spec.type": ".spec.type"},
    )
    pod = Traits(
        f"{api}.Pod",
        check=checks.pod,
        status=True,
        generation="spec",
        initial_status={"phase": "Pending", "qosClass": "BestEffort"},
        labels=_POD_LABELS,
        kept_by_status=("ownerReferences",),
        returns_deleted=True,
    )
    secret = Traits(f"{api}.Secret", check=checks.secret, convert=checks.encode_string_data, labels={"type": ".type"})
    v1 = "v1"
    return [
        _kind(v1, "configmaps", "ConfigMap", Traits(f"{api}.ConfigMap", check=checks.config_map), short=["cm"]),
        _kind(v1, "events", "Event", EventStrategy(), short=["ev"], collection="/events"),
        _kind(v1, "limitranges", "LimitRange", Traits(f"{api}.LimitRange", create_on_update=True), short=["limits"]),
        _kind(
            v1,
            "namespaces",
            "Namespace",
            NamespaceStrategy(),
            short=["ns"],
            namespaced=False,
            verbs=without_collection,
            subresources=(_FINALIZE, STATUS),
        ),
        _kind(v1, "pods", "Pod", pod, short=["po"], categories=_ALL, subresources=(STATUS,)),
        _kind(
            v1,
            "resourcequotas",
            "ResourceQuota",
            Traits(f"{api}.ResourceQuota", status=True, returns_deleted=True),
            short=["quota"],
            subresources=(STATUS,),
        ),
        _kind(v1, "secrets", "Secret", secret),
        _kind(v1, "serviceaccounts", "ServiceAccount", account, short=["sa"], subresources=(_TOKEN,)),
        _kind(v1, "services", "Service", service, short=["svc"], categories=_ALL, subresources=(STATUS,)),
    ]


def _workloads() -> list[Resource]:
    def traits(name: str, **more: object) -> Traits:
        common = {"status": True, "generation": "spec", **more}
        return Traits(f"io.k8s.api.{name}", **common)  # type: ignore[arg-type]

    replicas = {"status.replicas": ".status.replicas"}
    scaled = (SCALE, STATUS)
    deployment = traits(
        "apps.v1.Deployment", check=checks.workload, generation="spec+annotations", kept_by_status=("labels",)
    )
    replica_set = traits("apps.v1.ReplicaSet", check=checks.workload, labels=replicas)
    return [
        _kind(
            "apps/v1", "deployments", "Deployment", deployment, short=["deploy"], categories=_ALL, subresources=scaled
        ),
        _kind("apps/v1", "replicasets", "ReplicaSet", replica_set, short=["rs"], categories=_ALL, subresources=scaled),
        _kind(
            "policy/v1",
            "poddisruptionbudgets",
            "PodDisruptionBudget",
            traits("policy.v1.PodDisruptionBudget", check=checks.budget, unconditional_update=False),
            short=["pdb"],
            subresources=(STATUS,),
        ),
    ]


def _access() -> list[Resource]:
    rbac = "rbac.authorization.k8s.io/v1"

    def traits(kind: str, check: checks.Check) -> Traits:
        schema = f"io.k8s.api.rbac.v1.{kind}"
        complete = checks.drop_empty_rules if kind.endswith("Role") else None
        return Traits(
            schema, check=check, complete=complete, create_on_update=True, name_rule=names.path_segment_problems
        )

    return [
        _kind(
            rbac,
            "clusterrolebindings",
            "ClusterRoleBinding",
            traits("ClusterRoleBinding", checks.binding),
            namespaced=False,
        ),
        _kind(rbac, "clusterroles", "ClusterRole", traits("ClusterRole", checks.role), namespaced=False),
        _kind(rbac, "rolebindings", "RoleBinding", traits("RoleBinding", checks.binding)),
        _kind(rbac, "roles", "Role", traits("Role", checks.role)),
    ]


def _without_coordination(new: Json, old: Json | None) -> None:
    """Drop what the feature gate CoordinatedLeaderElection, which is off, allows; what is stored already stays."""
    spec = new.get("spec") or {}
    for field in ("strategy", "preferredHolder"):
        if ((old or {}).get("spec") or {}).get(field) is None:
            spec.pop(field, None)


def _cluster() -> list[Resource]:
    api = "io.k8s.api"
    lease = Traits(
        f"{api}.coordination.v1.Lease",
        check=checks.lease,
        complete=_without_coordination,
        unconditional_update=False,
        create_on_update=True,
    )
    return [
        _kind(
            "apiextensions.k8s.io/v1",
            "customresourcedefinitions",
            "CustomResourceDefinition",
            CrdStrategy(),
            short=("crd", "crds"),
            categories=("api-extensions",),
            namespaced=False,
            subresources=(STATUS,),
        ),
        _kind("coordination.k8s.io/v1", "leases", "Lease", lease),
        _kind(
            "events.k8s.io/v1",
            "events",
            "Event",
            NewEventStrategy(),
            short=["ev"],
            collection="/events",
            error_group="",
        ),
        _kind(
            "networking.k8s.io/v1",
            "networkpolicies",
            "NetworkPolicy",
            Traits(f"{api}.networking.v1.NetworkPolicy", generation="spec"),
            short=["netpol"],
        ),
    ]


def _reviews() -> list[Resource]:
    authentication, authorization = "authentication.k8s.io/v1", "authorization.k8s.io/v1"

    def review(group_version: str, kind: str, *, namespaced: bool = False) -> Resource:
        package = group_version.partition(".")[0]
        traits = Traits(f"io.k8s.api.{package}.v1.{kind}")
        return _kind(group_version, f"{kind.lower()}s", kind, traits, namespaced=namespaced, verbs=_CREATE)

    return [
        review(authentication, "SelfSubjectReview"),
        review(authentication, "TokenReview"),
        review(authorization, "LocalSubjectAccessReview", namespaced=True),
        review(authorization, "SelfSubjectAccessReview"),
        review(authorization, "SelfSubjectRulesReview"),
        review(authorization, "SubjectAccessReview"),
    ]


def builtin_resources() -> list[Resource]:
    """Return all built-in resources, new ones for every server."""
    return [*_core(), *_workloads(), *_access(), *_cluster(), *_reviews()]
