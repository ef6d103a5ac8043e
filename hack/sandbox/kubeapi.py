"""The minimal Kubernetes client of the sandbox's command line: server-side apply and lists, over plain HTTP.

It is for the embedded API server only: no TLS, no credentials. The operator has a real client.
"""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import yaml

from api.meta import GROUP

FIELD_MANAGER = "sandbox"
_TIMEOUT_S = 10.0
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # Python's own needs a second for our CRDs


class KubeError(Exception):
    """The API server refused a request, or could not be reached; the text is for humans."""


class NotFoundError(KubeError):
    """The object or API group does not exist."""


class KubeApi:
    """Requests to one API server. Thread-safe: each request has a connection of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> dict[str, Any]:
        """Return the response to a GET. Raises KubeError."""
        return self._request("GET", path)

    def apply(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Server-side apply a manifest, forcing conflicting fields. Raises KubeError."""
        path = f"{self._path(manifest)}/{quote(manifest['metadata']['name'])}"
        query = f"?fieldManager={FIELD_MANAGER}&force=true"
        return self._request(
            "PATCH", path + query, json.dumps(manifest, ensure_ascii=False).encode(), "application/apply-patch+yaml"
        )

    def until_established(self, crd: str, timeout_s: float = 10.0) -> None:
        """Wait until a CRD is served. Raises KubeError after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{quote(crd)}")
            conditions = (answer.get("status") or {}).get("conditions") or ()
            if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
                return
            if time.monotonic() > deadline:
                raise KubeError(f"the CRD {crd} was not established within {timeout_s:g} s")
            time.sleep(0.05)

    def operator_objects(self) -> list[dict[str, Any]]:
        """Return the objects of all our kinds in all namespaces, with `kind` set on each. Raises KubeError."""
        found = []
        try:
            for resource in self._resources(f"/apis/{GROUP}/v1"):
                answer = self.get(f"/apis/{GROUP}/v1/{resource['name']}")
                found += [{**item, "kind": resource["kind"]} for item in answer["items"]]
        except NotFoundError:  # the CRDs are being deleted
            return found
        return found

    def _path(self, manifest: Mapping[str, Any]) -> str:
        """Return the path of a manifest's collection, by discovery."""
        version = manifest["apiVersion"]
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        for resource in self._resources(base):
            if resource["kind"] == manifest["kind"]:
                namespace = manifest["metadata"].get("namespace", "default")
                within = f"/namespaces/{quote(namespace)}" if resource["namespaced"] else ""
                return f"{base}{within}/{resource['name']}"
        raise KubeError(f"the API server knows no {manifest['kind']} in {version}")

    def _resources(self, base: str) -> list[dict[str, Any]]:
        """Return the resources of a group and version, without subresources."""
        return [each for each in self.get(base)["resources"] if "/" not in each["name"]]

    def _request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_TIMEOUT_S)
        try:
            headers = {"Accept": "application/json"} | ({"Content-Type": kind} if kind else {})
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            value: dict[str, Any] = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as exc:
            raise KubeError(f"{method} {path}: {exc}") from exc
        finally:
            connection.close()
        if answer.status == 404:
            raise NotFoundError(value.get("message") or f"{method} {path}: not found")
        if answer.status >= 400:
            raise KubeError(value.get("message") or f"{method} {path}: HTTP {answer.status}")
        return value


def manifests(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the manifests in a YAML file. Raises OSError and yaml.YAMLError."""
    with path.open(encoding="utf-8") as stream:
        yield from (document for document in yaml.load_all(stream, Loader=_Loader) if document)
