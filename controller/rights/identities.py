"""Finds the identities that the operator would use: its own, and those of the roles that namespaces name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from api.annotations import OWNER_ACCOUNT_ID
from api.meta import JsonObject, ObjectKey
from controller.aws.errors import CallError
from controller.aws.targets import Target, TargetDefaults
from controller.kube.client import KubeClient
from controller.kube.well_known import CONFIG_MAPS, NAMESPACES
from controller.reconcile.namespaces.cache import ACCOUNT_MAP
from controller.reconcile.namespaces.settings import EffectiveSettings, NamespaceSettings, ours
from controller.runtime.errors import ClassifiedError, ErrorClass

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Identities:
    """What is to be checked, and what cannot be."""

    namespaces: dict[Target, list[str]] = field(default_factory=dict)
    """Target → the namespaces that choose it; the operator's own has none."""
    problems: list[str] = field(default_factory=list)
    """Settings of namespaces that lead to no identity."""


def identities(defaults: TargetDefaults, namespaces: list[NamespaceSettings]) -> Identities:
    """Return the operator's own target, and one for each role, region and endpoint of `namespaces`.

    Raises `CallError` INVALID if there is no region for the operator's own, and no namespace names one.
    """
    found = Identities()
    for each in namespaces:
        try:
            target = EffectiveSettings({}, each).target({}, "", defaults)
        except CallError as error:
            found.problems.append(f"namespace {each.name}: {error.message}")
            continue
        found.namespaces.setdefault(target.shared, []).append(each.name)
    if defaults.region or not found.namespaces:
        own = EffectiveSettings({}, NamespaceSettings("")).target({}, "", defaults)
        return Identities({own: [], **found.namespaces}, found.problems)
    return found


def read_namespaces(client: KubeClient, home: str) -> list[NamespaceSettings]:
    """Return the settings of all namespaces with annotations of ours, sorted by name. Raises `ClassifiedError`.

    `home` is the operator's own namespace, which has the account map; empty if unknown.
    """
    accounts = _account_map(client, home) if home else {}
    found = []
    for each in _all_namespaces(client):
        name, said = each["metadata"]["name"], ours(each["metadata"].get("annotations") or {})
        if said:
            found.append(NamespaceSettings(name, said, accounts.get(said.get(OWNER_ACCOUNT_ID.key, ""), "")))
    return sorted(found, key=lambda settings: settings.name)


def _all_namespaces(client: KubeClient) -> Iterator[JsonObject]:
    token = ""
    while True:
        page = client.list(NAMESPACES, None, limit=_PAGE, continue_token=token or None)
        yield from page.items
        token = page.continue_token
        if not token:
            return


def _account_map(client: KubeClient, home: str) -> dict[str, str]:
    try:
        found = client.get(CONFIG_MAPS, ObjectKey(home, ACCOUNT_MAP))
    except ClassifiedError as error:
        if error.error_class is ErrorClass.NOT_FOUND:
            return {}
        raise
    return {account: str(role).strip() for account, role in (found.get("data") or {}).items()}
