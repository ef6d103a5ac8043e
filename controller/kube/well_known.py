"""Kubernetes' own kinds that the operator reads."""

from typing import Final

from api.meta import Resource

NAMESPACES: Final = Resource(group="", version="v1", plural="namespaces", kind="Namespace", namespaced=False)
CONFIG_MAPS: Final = Resource(group="", version="v1", plural="configmaps", kind="ConfigMap")
