"""The minimal Kubernetes client of the sandbox's command line and of benchmarks: server-side apply and lists.

It is for servers on loopback: the embedded one, and those of `hack.envtest`. The operator has a real client.
"""

import http.client
import json
import ssl
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

    def __init__(self, url: str, token: str = "", authority: Path | None = None) -> None:
        """`token` is for servers that want one, `authority` a file by which the server's certificate is checked.

        Without `authority` a certificate is not checked.
        """
        self.url = url
        self.token = token
        self.authority = authority

    def connect(self, timeout_s: float) -> http.client.HTTPConnection:
        """Return a connection to the server, which opens with its first request."""
        parts = urlsplit(self.url)
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.netloc, timeout=timeout_s)
        return http.client.HTTPSConnection(parts.netloc, timeout=timeout_s, context=self._tls())

    def headers(self, content_type: str = "") -> dict[str, str]:
        """Return the headers of a request with a body of that type, or with none."""
        said = {"Accept": "application/json", "Content-Type": content_type, "Authorization": self._authorization()}
        return {name: value for name, value in said.items() if value}

    def write_kubeconfig(self, path: Path, *, namespace: str = "default") -> None:
        """Write a kubeconfig with one context, which its owner alone can read."""
        cluster: dict[str, object] = {"server": self.url}
        if self.authority is not None:
            cluster["certificate-authority"] = str(self.authority)
        elif self.url.startswith("https:"):
            cluster["insecure-skip-tls-verify"] = True
        name = FIELD_MANAGER
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": {"token": self.token} if self.token else {}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        }
        path.write_text(json.dumps(config))  # JSON is YAML
        path.chmod(0o600)

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

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reply to a POST. Raises KubeError."""
        return self._request("POST", path, json.dumps(body, ensure_ascii=False).encode(), "application/json")

    def until_established(self, crd: str, timeout_s: float = 10.0) -> None:
        """Wait until a CRD is served: Established, and its objects can be listed. Raises KubeError after `timeout_s`.

        A real server lists them a moment later only, and answers 404 or 429 until then.
        """
        deadline = time.monotonic() + timeout_s
        path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{quote(crd)}"
        while True:
            try:
                answer = self.get(path)
                conditions = (answer.get("status") or {}).get("conditions") or ()
                if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
                    self.get(f"{_served_at(answer['spec'])}?limit=1")
                    return
                reason = "it is not established"
            except KubeError as exc:
                reason = str(exc)
            if time.monotonic() > deadline:
                raise KubeError(f"the CRD {crd} was not served within {timeout_s:g} s: {reason}")
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
        connection = self.connect(_TIMEOUT_S)
        try:
            connection.request(method, path, body, self.headers(kind))
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

    def _authorization(self) -> str:
        return f"Bearer {self.token}" if self.token else ""

    def _tls(self) -> ssl.SSLContext:
        if self.authority is not None:
            return ssl.create_default_context(cafile=str(self.authority))
        tls = ssl.create_default_context()
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
        return tls


def _served_at(spec: Mapping[str, Any]) -> str:
    """Return the path of all objects of a CRD, in its first version."""
    return f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"


def manifests(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the manifests in a YAML file. Raises OSError and yaml.YAMLError."""
    with path.open(encoding="utf-8") as stream:
        yield from (document for document in yaml.load_all(stream, Loader=_Loader) if document)
