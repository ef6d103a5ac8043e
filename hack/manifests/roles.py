"""Generates the manager's RBAC roles from the kinds it serves.

Every rule is needed by code; `tests/sandbox/test_rbac.py` runs the operator under these rules and fails both on a
denied request and on an unused rule.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from api.descriptor import KindDescriptor, LifeCycle
from api.meta import GROUP, JsonObject

_OWN: Final = ("list", "watch", "patch")
"""On every served kind: informer, finalizer and late initialisation. Reads come from the cache: no `get`."""
_EXPIRING: Final = frozenset({LifeCycle.JOB})
"""Life-cycles with objects that the operator deletes by their annotation ttl-seconds-after-finished."""
_PARENTING: Final = ("create", "delete")
"""On objects of the kinds that a reconciler creates and deletes."""
_NAMESPACES: Final[JsonObject] = {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]}
"""Their annotations, from the cache, and before each change at AWS from the API server (`reconcile/namespaces.py`)."""
_CONFIG_MAPS: Final[JsonObject] = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
"""Those that an object names, one at a time: no `list`, no `watch` (`reconcile/in_place/config_maps.py`)."""
_EVENTS: Final[JsonObject] = {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}


def manager_role(kinds: Iterable[KindDescriptor], *, namespace: str = "") -> JsonObject:
    """Return the Role for `namespace`, or the ClusterRole if that is empty, of an operator that serves `kinds`.

    The cluster's id in ownership tags is the uid of the namespace kube-system, or of the served one. The annotations of
    namespaces are read if all are served.
    """
    rules = [*kind_rules(list(kinds)), _EVENTS, _cluster_id_rule(namespace) if namespace else _NAMESPACES]
    metadata = {"name": "manager-role", **({"namespace": "system"} if namespace else {})}
    kind = "Role" if namespace else "ClusterRole"
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules}


def kind_rules(kinds: Sequence[KindDescriptor]) -> list[JsonObject]:
    """Return the rules for the objects of `kinds`, with those of their children, and for what they name."""
    plurals = {kind.kind: kind.plural for kind in kinds}
    verbs_of = {kind.plural: [*_OWN, *(("delete",) if kind.life_cycle in _EXPIRING else ())] for kind in kinds}
    for child in (plurals[child] for kind in kinds for child in kind.children):
        verbs_of[child] += [verb for verb in _PARENTING if verb not in verbs_of[child]]
    grouped: dict[tuple[str, ...], list[str]] = {}
    for plural, wanted in verbs_of.items():
        grouped.setdefault(tuple(wanted), []).append(plural)
    rules = [_rule(plurals, verbs) for verbs, plurals in grouped.items()]
    rules.append(_rule([f"{plural}/status" for plural in verbs_of], ("patch",)))
    return [*rules, *([_CONFIG_MAPS] if any(kind.document for kind in kinds) else ())]


def _rule(resources: Iterable[str], verbs: Iterable[str]) -> JsonObject:
    return {"apiGroups": [GROUP], "resources": sorted(resources), "verbs": list(verbs)}


def _cluster_id_rule(namespace: str) -> JsonObject:
    return {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": [namespace], "verbs": ["get"]}
