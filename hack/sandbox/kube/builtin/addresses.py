"""Cluster IPs for Services: addresses without a listener, so that manifests and tables look right."""

from itertools import count
from typing import Any

Json = dict[str, Any]

_next = count(2)


def allocate(new: Json, old: Json | None) -> None:
    """Fill in clusterIP, clusterIPs and the IP families of a Service, and keep what it already has."""
    spec = new["spec"]
    if spec["type"] == "ExternalName":
        return
    if old is not None and old["spec"].get("clusterIP") and not spec.get("clusterIP"):
        spec["clusterIP"] = old["spec"]["clusterIP"]
    if not spec.get("clusterIP"):
        number = next(_next)
        spec["clusterIP"] = f"10.96.{number // 250 % 250}.{number % 250 + 1}"
    headless_without_selector = spec["clusterIP"] == "None" and not spec.get("selector")
    spec.setdefault("clusterIPs", [spec["clusterIP"]])
    spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if headless_without_selector else ["IPv4"])
    spec.setdefault("ipFamilyPolicy", "RequireDualStack" if headless_without_selector else "SingleStack")
