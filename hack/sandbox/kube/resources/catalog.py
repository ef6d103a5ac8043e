"""The catalog of served resources: the built-in ones, and those of the established CRDs."""

import re
from collections.abc import Iterable, Iterator

from hack.sandbox.kube.resources.resource import Resource

_VERSION = re.compile(r"v(\d+)(?:(alpha|beta)(\d+))?")


class Catalog:
    """Finds resources by group, version and plural. `generation` increases with every change."""

    def __init__(self, builtin: Iterable[Resource]):
        self._builtin = list(builtin)
        self._custom: dict[str, list[Resource]] = {}
        self._index: dict[tuple[str, str, str], Resource] = {}
        self.builtin_groups = {resource.group for resource in self._builtin}
        self.generation = 0
        self._reindex()

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the resource, or None if it is not served."""
        return self._index.get((group, version, plural))

    def is_current(self, resource: Resource) -> bool:
        """Return whether a resource is still the one served under its name."""
        return self._index.get((resource.group, resource.version, resource.plural)) is resource

    def serve(self, crd: str, resources: list[Resource]) -> None:
        """Serve the resources of a CRD instead of its earlier ones."""
        self._custom[crd] = resources
        self._reindex()

    def withdraw(self, crd: str) -> None:
        """Stop serving the resources of a CRD."""
        self._custom.pop(crd, None)
        self._reindex()

    def __iter__(self) -> Iterator[Resource]:
        """Yield all resources: built-in ones first, then by CRD name."""
        return iter(self._index.values())

    def groups(self) -> dict[str, list[str]]:
        """Return the versions of each group except the core group, the preferred one first."""
        result: dict[str, list[str]] = {}
        for resource in self:
            versions = result.setdefault(resource.group, [])
            if resource.group and resource.version not in versions:
                versions.append(resource.version)
        result.pop("", None)
        return {group: sorted(versions, key=version_priority) for group, versions in result.items()}

    def of(self, group: str, version: str) -> list[Resource]:
        """Return the resources of one group version."""
        return [resource for resource in self if (resource.group, resource.version) == (group, version)]

    def preferred(self) -> list[Resource]:
        """Return each resource once, in its group's preferred version."""
        preferred: dict[tuple[str, str], Resource] = {}
        for resource in sorted(self, key=lambda resource: version_priority(resource.version)):
            preferred.setdefault((resource.group, resource.plural), resource)
        return list(preferred.values())

    def _reindex(self) -> None:
        custom = (resource for _, resources in sorted(self._custom.items()) for resource in resources)
        self._index = {(r.group, r.version, r.plural): r for r in (*self._builtin, *custom)}
        self.generation += 1


def version_priority(version: str) -> tuple[int, int, int, str]:
    """Return a sort key: stable, beta, alpha; newer first; others by name (k8s.io/apimachinery pkg/version)."""
    found = _VERSION.fullmatch(version)
    if not found:
        return 3, 0, 0, version
    stability = {None: 0, "beta": 1, "alpha": 2}[found[2]]
    return stability, -int(found[1]), -int(found[3] or 0), version
