"""Settings that apply to all objects of a process."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.aws.targets import TargetDefaults
from controller.reconcile.namespaces.settings import Namespaces, UnreadNamespaces
from controller.reconcile.ports import Accounts, UnknownAccounts


@dataclass(frozen=True, slots=True)
class ReconcilerSettings:
    """Settings that apply to all objects of a process."""

    cluster_id: str
    manager: str
    """Name and version of the operator, for the `managed-by` tag."""
    defaults: TargetDefaults = field(default_factory=TargetDefaults)
    namespaces: Namespaces = field(default_factory=UnreadNamespaces)
    accounts: Accounts = field(default_factory=UnknownAccounts)
    has_ownership_tags: bool = True
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    resync_s: float = 36_000.0
